"""Decide whether an import looks so dangerous that a person must approve it (SPEC.md section 11)."""

from __future__ import annotations

from dataclasses import dataclass

from include.schemas.feed import Hold

_WORDS = {"failed": "failed", "updated": "would update a client", "deactivated": "would deactivate a client"}


@dataclass(frozen=True)
class Weight:
    """Numbers of records of one file: all, failed, and those that would update or deactivate a client."""

    read: int
    failed: int
    updated: int
    deactivated: int


def reasons_to_hold(hold: Hold, weight: Weight) -> list[str]:
    """Give a sentence for each limit of the feed that the file exceeds."""
    if weight.read < hold.from_records:
        return []
    limits = ((getattr(weight, about), limit, _WORDS[about]) for about, limit in hold.limits.items())
    return [
        f"{rows:,} of {weight.read:,} rows {what} ({rows / weight.read:.0%}; the feed holds above {limit:.0%})."
        for rows, limit, what in limits
        if rows / weight.read > limit
    ]
