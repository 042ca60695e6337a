"""Does an import look dangerous enough to ask a person first? (SPEC.md section 11)"""

from __future__ import annotations

from dataclasses import dataclass

from include.schemas.feed import Hold


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
    judged = (
        (weight.failed, hold.failed_over, "failed"),
        (weight.updated, hold.updated_over, "would update a client"),
        (weight.deactivated, hold.deactivated_over, "would deactivate a client"),
    )
    return [
        f"{found:,} of {weight.read:,} rows {what} ({found / weight.read:.0%}; the feed holds above {limit:.0%})."
        for found, limit, what in judged
        if limit is not None and weight.read and found / weight.read > limit
    ]
