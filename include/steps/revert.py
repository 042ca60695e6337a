"""Undo one import: created clients go, changed ones get their old values back, in one transaction (SPEC.md 11)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from include.adapters.database import clients, ledger, undo
from include.errors import NothingToRevert
from include.models import REVERT_OUTCOMES, Import, Outcome, RunRequest, State
from include.steps.context import utc_now


@dataclass(frozen=True)
class Reverted:
    """Clients by what became of them. `revert_id` is the revert's own line in the ledger."""

    import_id: str
    revert_id: str
    reverted: int
    kept: int
    failed: int
    dry_run: bool

    def __str__(self) -> str:
        verb = "would be reverted (dry run)" if self.dry_run else "reverted"
        return f"Import {self.import_id}: {self.reverted:,} clients {verb}, {self.kept:,} kept, {self.failed:,} failed."


def revert(engine: sa.Engine, import_id: str, request: RunRequest, clock: Callable[[], datetime] = utc_now) -> Reverted:
    """Take back a merged import. Doing it twice does nothing; `request.dry_run` writes only the revert's own line.

    Raises NothingToRevert for an import that is not merged, ImportNotFound for none.
    """
    with engine.begin() as connection:
        entry = ledger.lock(connection, import_id)
        if (done := _done_before(connection, entry)) is not None:
            return done
        clients.lock_clients(connection)
        opened = ledger.open_revert(connection, entry, request, clock())
        undo.load_undo(connection, import_id)
        savepoint = connection.begin_nested()
        undo.apply_undo(connection, opened.id, clock())
        if request.dry_run:
            savepoint.rollback()
        else:
            savepoint.commit()
            ledger.enter_state(connection, import_id, State.REVERTED, clock())
        return _close(connection, opened, import_id, clock())


def _done_before(connection: sa.Connection, entry: Import) -> Reverted | None:
    earlier = ledger.revert_of(connection, entry.id) if entry.state == State.REVERTED else None
    if earlier is not None:
        return _result(earlier, entry.id)
    if entry.state != State.MERGED or entry.reverts_import_id is not None:
        what = "is itself a revert" if entry.reverts_import_id else f"is {entry.state}"
        raise NothingToRevert(f"Import {entry.id} {what}; only a merged import can be reverted.")
    if entry.forgotten_at is not None:
        raise NothingToRevert(f"Import {entry.id} is forgotten (retention): its clients' old values are gone.")
    return None


def _close(connection: sa.Connection, opened: Import, import_id: str, now: datetime) -> Reverted:
    outcomes = undo.record_undo(connection, opened.id)
    counts = {name: outcomes.get(name, 0) for name in (*REVERT_OUTCOMES, Outcome.FAILED)}
    state = State.PREVIEWED if opened.dry_run else State.MERGED
    ledger.enter_state(connection, opened.id, state, now, read=sum(counts.values()), filed=True, **counts)
    return _result(ledger.lock(connection, opened.id), import_id)


def _result(line: Import, import_id: str) -> Reverted:
    return Reverted(import_id, line.id, line.reverted, line.kept, line.counts.failed, line.dry_run)
