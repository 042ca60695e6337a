"""Undo one import in one transaction: delete the created clients, give the others their old values (SPEC.md 11)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from include.adapters.database import ledger, transactions, undo
from include.emails.summary import plural
from include.errors import NothingToRevert
from include.models import REVERT_OUTCOMES, Outcome, RunRequest, State
from include.schemas.client_tables import Import
from include.steps.context import utc_now


@dataclass(frozen=True)
class Reverted:
    """The number of clients by what became of them. `revert_id` is the import that is the undo."""

    import_id: str
    revert_id: str
    reverted: int
    kept: int
    failed: int
    dry_run: bool

    def __str__(self) -> str:
        verb = "would be reverted (dry run)" if self.dry_run else "reverted"
        clients = plural(self.reverted, "client")
        return f"Import {self.import_id}: {clients} {verb}, {self.kept:,} kept, {self.failed:,} failed."


def revert(engine: sa.Engine, import_id: str, request: RunRequest, clock: Callable[[], datetime] = utc_now) -> Reverted:
    """Undo a merged import. Doing it twice does nothing; `request.dry_run` changes no client and notes the result.

    Raises NothingToRevert for an import that is not merged, ImportNotFound for none, ClientsBusy when another
    transaction holds its clients for too long.
    """
    return transactions.repeat_on_conflict(lambda: _revert_once(engine, import_id, request, clock))


def _revert_once(engine: sa.Engine, import_id: str, request: RunRequest, clock: Callable[[], datetime]) -> Reverted:
    with engine.begin() as connection:
        transactions.limit_waits(connection)
        entry = ledger.lock(connection, import_id)
        if (done := _done_before(connection, entry)) is not None:
            return done
        undo.lock_clients(connection, import_id)
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
    """Return the earlier undo of an import. Raises NothingToRevert."""
    earlier = ledger.revert_of(connection, entry.id) if entry.state == State.REVERTED else None
    if earlier is not None:
        return _result(earlier, entry.id)
    if entry.state != State.MERGED or entry.reverts_import_id is not None:
        reason = "is itself a revert" if entry.reverts_import_id else f"is {entry.state}"
        raise NothingToRevert(f"Import {entry.id} {reason}; only a merged import can be reverted.")
    if entry.forgotten_at is not None:
        raise NothingToRevert(f"Import {entry.id} is forgotten (retention): its clients' old values are deleted.")
    return None


def _close(connection: sa.Connection, opened: Import, import_id: str, now: datetime) -> Reverted:
    outcomes = undo.record_undo(connection, opened.id)
    counts = {str(name): outcomes.get(name, 0) for name in (*REVERT_OUTCOMES, Outcome.FAILED)}
    state = State.PREVIEWED if opened.dry_run else State.MERGED
    ledger.enter_state(connection, opened.id, state, now, read=sum(counts.values()), filed=True, **counts)
    return _result(ledger.find(connection, opened.id), import_id)


def _result(undone: Import, import_id: str) -> Reverted:
    return Reverted(import_id, undone.id, undone.reverted, undone.kept, undone.failed, undone.dry_run)
