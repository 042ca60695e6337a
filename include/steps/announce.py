"""Tell the outside what became of imports: facts for an event, and metrics. Counts and ids, no cell, no file name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from include.adapters.database import ledger
from include.metrics import Measure, counted, took
from include.models import OUTCOMES, REVERT_OUTCOMES, Import, Outcome, RunRequest, State

_ENDS = (State.MERGED, State.REFUSED, State.HELD, State.DISCARDED, State.PREVIEWED, State.FAILED)


@dataclass(frozen=True)
class Announcement:
    """Imports whose end is news, in order of arrival."""

    news: Sequence[Import]

    @property
    def event(self) -> dict[str, Any] | None:
        """What those hear who wait for the client table to change; None when no client did."""
        merged = [_facts(entry) for entry in self.news if entry.state == State.MERGED]
        sums = {
            str(name): sum(facts[name] for facts in merged)
            for name in (Outcome.CREATED, Outcome.UPDATED, Outcome.REVERTED)
        }
        return {"imports": merged, **sums} if any(sums.values()) else None

    @property
    def measures(self) -> list[Measure]:
        return [measure for entry in self.news for measure in _measures(entry)]


def announce_run(engine: sa.Engine, request: RunRequest) -> Announcement:
    """The news among the imports of one run. Repeating it in the same run gives the same, and notes it once."""
    run_id = request.run_id or ""
    return _announce(engine, ledger.of_run(engine, request.dag_id or "", run_id), run_id)


def announce_decision(engine: sa.Engine, import_id: str, run_id: str) -> Announcement:
    """The same for an import that was held, by the run that asked a person."""
    return _announce(engine, [ledger.find(engine, import_id)], run_id)


def _announce(engine: sa.Engine, entries: Sequence[Import], run_id: str) -> Announcement:
    """A state is announced by one run: who repeats it may not have been heard, who comes later was not meant."""
    news = [entry for entry in entries if entry.state in _ENDS and _is_news(entry, run_id)]
    for entry in news:
        ledger.change(engine, entry.id, announced_state=_mark(entry, run_id))
    return Announcement(news)


def _is_news(entry: Import, run_id: str) -> bool:
    told = entry.announced_state or ""
    return told == _mark(entry, run_id) or not told.startswith(f"{entry.state} ")


def _mark(entry: Import, run_id: str) -> str:
    return f"{entry.state} by {run_id}"


def _facts(entry: Import) -> dict[str, Any]:
    counts = {name: getattr(entry.counts, name) for name in ("read", *OUTCOMES)}
    undone = {"reverts_import_id": entry.reverts_import_id} if entry.reverts_import_id else {}
    return {
        "import_id": entry.id,
        "feed": entry.feed,
        **counts,
        "reverted": entry.reverted,
        "kept": entry.kept,
        **undone,
    }


def _measures(entry: Import) -> list[Measure]:
    state = State.REVERTED if entry.reverts_import_id and entry.state == State.MERGED else entry.state
    found = [counted("imports", 1, feed=entry.feed, state=state)]
    if entry.state != State.MERGED:
        return found
    facts = _facts(entry)
    found += [
        counted("rows", facts[outcome], feed=entry.feed, outcome=outcome)
        for outcome in (*OUTCOMES, *REVERT_OUTCOMES)
        if facts[outcome]
    ]
    if state == State.MERGED and not entry.has_been(State.HELD):
        merged = datetime.fromisoformat(entry.state_times[State.MERGED])
        found.append(took("duration", merged - entry.received_at, feed=entry.feed))
    return found
