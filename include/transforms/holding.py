"""Decide whether an import looks so dangerous that a person must approve it (SPEC.md section 11)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from include.codes import show
from include.schemas.feed import Hold
from include.schemas.header_names import normal

USUAL_OF = 10  # files
_SAME_OF = 3  # files; with fewer there is no habit
_WORDS = {"failed": "failed", "updated": "would update a client", "deactivated": "would deactivate a client"}


@dataclass(frozen=True)
class Weight:
    """Numbers of records of one file: all, failed, and those that would update or deactivate a client.

    `missing`: clients that the file lacks and that become inactive for it; they are in `deactivated`, too.
    """

    read: int
    failed: int
    updated: int
    deactivated: int
    missing: int = 0


def reasons_to_hold(hold: Hold, weight: Weight) -> list[str]:
    """Give a sentence for each limit of the feed that the file exceeds."""
    reasons = []
    for about, limit in hold.limits.items():
        # A list is judged by all clients that it had: with few records left, no limit would look at those that go.
        missing = weight.missing if about == "deactivated" else 0
        number, all_rows = getattr(weight, about), weight.read + missing
        if all_rows < hold.from_records or number <= limit * all_rows:
            continue
        whole = f"{all_rows:,} rows and missing clients" if missing else f"{all_rows:,} rows"
        share = f"({number / all_rows:.0%}; the feed holds above {limit:.0%})"
        reasons.append(f"{number:,} of {whole} {_WORDS[about]} {share}.")
    return reasons


@dataclass(frozen=True)
class EarlierFile:
    """An imported file of the feed: how many records it had, and the names of its columns."""

    read: int
    header: Sequence[str]


def reasons_from_habit(hold: Hold, file: EarlierFile, earlier: Sequence[EarlierFile]) -> list[str]:
    """Give a sentence where a file is not as the feed's last files were; `earlier` has the newest first."""
    reasons = [why] if (why := why_cut(hold, file, earlier)) else []
    is_habit = len(earlier) >= _SAME_OF
    if hold.missing_columns and is_habit and (missing := _only_in(earlier[:_SAME_OF], file)):
        reasons.append(f"The last {_SAME_OF} files had {_listed(missing)}; this one does not.")
    return reasons


def why_cut(hold: Hold, file: EarlierFile, earlier: Sequence[EarlierFile]) -> str:
    """Say that a file has far fewer records than the feed's last ones; '' where it does not."""
    if len(earlier) < _SAME_OF or hold.fewer_than is None:
        return ""
    usual = median(other.read for other in earlier)
    if usual < hold.from_records or file.read >= hold.fewer_than * usual:
        return ""
    return (
        f"{file.read:,} records, where the last {len(earlier)} files had {usual:,.0f} as a rule"
        f" (the feed holds below {hold.fewer_than:.0%})."
    )


def why_no_whole_list(hold: Hold, weight: Weight, nameless: int, cut: str) -> str:
    """Say why a file is not trusted to be the whole list of a feed's clients; '' where it is.

    `nameless`: failed rows that name no client; `cut`: what `why_cut` says.
    """
    if not weight.read:
        return "the file has no records."
    if nameless:
        does = "1 failed row does" if nameless == 1 else f"{nameless:,} failed rows do"
        return f"{does} not say which client is meant."
    if hold.failed_over is not None and weight.failed > hold.failed_over * weight.read:
        return f"{weight.failed:,} of {weight.read:,} rows failed."
    return cut


def new_columns(file: EarlierFile, earlier: Sequence[EarlierFile]) -> list[str]:
    """Give the names of columns that none of the feed's last files had."""
    known = {normal(name) for other in earlier for name in other.header}
    is_habit = len(earlier) >= _SAME_OF
    return [name for name in file.header if is_habit and name.strip() and normal(name) not in known]


def _only_in(earlier: Sequence[EarlierFile], file: EarlierFile) -> list[str]:
    here = {normal(name) for name in file.header}
    common = set.intersection(*({normal(name) for name in other.header} for other in earlier)) - here
    return [name for name in earlier[0].header if name.strip() and normal(name) in common]


def _listed(names: Sequence[str]) -> str:
    shown = [show(name) for name in names[:5]]
    more = f" and {len(names) - 5:,} more" if len(names) > 5 else ""
    return f"the column{'s' * (len(names) > 1)} {', '.join(shown)}{more}"
