"""Announce what became of imports: the content of an event, and metrics. Counts and ids, no cell, no file name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from include.adapters.database import ledger
from include.metrics import Measure, counted, took
from include.models import CHANGING, OUTCOMES, REVERT_OUTCOMES, Outcome, RunRequest, State
from include.schemas.client_tables import Import

_ENDS = (
    State.MERGED, State.REFUSED, State.HELD, State.DISCARDED, State.PREVIEWED, State.SKIPPED, State.FAILED,
)  # fmt: skip
_COUNTED = (*OUTCOMES, Outcome.DEACTIVATED, *REVERT_OUTCOMES)


@dataclass(frozen=True)
class Announcement:
    """The imports whose end this run announces, in order of arrival."""

    imports: Sequence[Import]

    @property
    def event(self) -> dict[str, Any] | None:
        """The content of the event for listeners that wait for the client table to change; None when it did not."""
        merged = [_counts(entry) for entry in self.imports if entry.state == State.MERGED]
        sums = {str(name): sum(counts[name] for counts in merged) for name in CHANGING}
        return {"imports": merged, **sums} if any(sums.values()) else None

    @property
    def measures(self) -> list[Measure]:
        return [measure for entry in self.imports for measure in _measures(entry)]


def announce_run(engine: sa.Engine, request: RunRequest) -> Announcement:
    """Announce the imports of one run. Repeating it in the same run announces the same imports again."""
    return _announce(engine, ledger.of_request(engine, request), request.run_id or "")


def announce_decision(engine: sa.Engine, import_id: str, run_id: str) -> Announcement:
    """Announce an import that was held, for the run in which a person decided."""
    return _announce(engine, [ledger.find(engine, import_id)], run_id)


def _announce(engine: sa.Engine, entries: Sequence[Import], run_id: str) -> Announcement:
    """Announce each state by one run. A repeated run announces again: its listeners may not have heard it."""
    announced = [entry for entry in entries if entry.state in _ENDS and not _announced_by_another(entry, run_id)]
    for entry in announced:
        ledger.change(engine, entry.id, announced_state=_mark(entry, run_id))
    return Announcement(announced)


def _announced_by_another(entry: Import, run_id: str) -> bool:
    mark = entry.announced_state or ""
    return mark.startswith(f"{entry.state} ") and mark != _mark(entry, run_id)


def _mark(entry: Import, run_id: str) -> str:
    return f"{entry.state} by {run_id}"


def _counts(entry: Import) -> dict[str, Any]:
    numbers = {str(name): getattr(entry, name) for name in ("read", *_COUNTED)}
    undone = {"reverts_import_id": entry.reverts_import_id} if entry.reverts_import_id else {}
    return {"import_id": entry.id, "feed": entry.feed, **numbers, **undone}


def _measures(entry: Import) -> list[Measure]:
    is_undo = entry.state == State.MERGED and entry.reverts_import_id is not None
    state = State.REVERTED if is_undo else entry.state
    measures = [counted("imports", 1, feed=entry.feed, state=state)]
    if entry.state != State.MERGED:
        return measures
    measures += [
        counted("rows", number, feed=entry.feed, outcome=outcome)
        for outcome in _COUNTED
        if (number := getattr(entry, outcome))
    ]
    if not is_undo and not entry.has_been(State.HELD):
        merged_at = datetime.fromisoformat(entry.state_times[State.MERGED])
        measures.append(took("duration", merged_at - entry.received_at, feed=entry.feed))
    return measures
