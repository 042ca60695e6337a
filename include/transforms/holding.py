"""Does an import look dangerous enough to ask a person first? (SPEC.md section 11)"""

from __future__ import annotations

from dataclasses import dataclass

from include.schemas.feed import Hold

_WORDS = {"failed": "failed", "updated": "would update a client", "deactivated": "would deactivate a client"}


@dataclass(frozen=True)
class Weight:
    """Records of one file: all, and those that failed, would update a client, would deactivate one."""

    read: int
    failed: int
    updated: int
    deactivated: int


def reasons_to_hold(hold: Hold, weight: Weight) -> list[str]:
    """A sentence for each limit of the feed that the file is above; none: go on."""
    if weight.read < hold.from_records:
        return []
    judged = ((getattr(weight, about), limit, _WORDS[about]) for about, limit in hold.limits.items())
    return [
        f"{found:,} of {weight.read:,} rows {what} ({found / weight.read:.0%}; the feed holds above {limit:.0%})."
        for found, limit, what in judged
        if weight.read and found / weight.read > limit
    ]
