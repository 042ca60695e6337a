"""What every step needs is handed to it: a step never fetches a connection, a clock or a setting itself."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime

import pyarrow
import sqlalchemy as sa

from include.adapters.database import ledger, transactions
from include.adapters.files.staging import Staging, StagingFolder
from include.adapters.files.storage import Storage
from include.errors import ClientImportError, FileRefused, StepFailed
from include.models import FINAL_STATES, State
from include.schemas.client_tables import Import
from include.schemas.feed import Feed


def utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class ImportContext:
    """One feed, and where its clients, files and staged data are. `clock` gives an aware UTC time."""

    feed: Feed
    engine: sa.Engine
    storage: Storage
    staging: Staging
    clock: Callable[[], datetime] = utc_now

    @classmethod
    def of(cls, feed: Feed, engine: sa.Engine, storage: Storage) -> ImportContext:
        """Build the context of a task, whose staged data is in files that the next task can read."""
        return cls(feed, engine, storage, StagingFolder(storage.root))


@contextmanager
def step(context: ImportContext, name: str, import_id: str) -> Iterator[None]:
    """Note how a step ended: an error in the file refuses the import, a system error leaves it to be retried."""
    try:
        with _sparing_memory():
            yield
    except FileRefused as refused:
        refuse(context, import_id, refused)
        raise
    except Exception as error:
        system_error = error if isinstance(error, ClientImportError) else StepFailed(name, error)
        with suppress(Exception):  # the database itself may be what is gone
            note_system_error(context, import_id, str(system_error))
        if system_error is error:
            raise
        # The traceback may be logged; the error's own words may not: they can quote a cell.
        raise system_error.with_traceback(error.__traceback__) from None


@contextmanager
def _sparing_memory() -> Iterator[None]:
    """Switch off the search for cyclic garbage, and give Arrow's unused memory back at the end.

    The search looks at every cell in memory, time and again, and cells are in no cycle.
    """
    collects = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collects:
            gc.enable()
        pyarrow.default_memory_pool().release_unused()


def refuse(context: ImportContext, import_id: str, refused: FileRefused) -> None:
    """End the import as refused, with the reason."""
    values = {"code": refused.code, "message": refused.message, "line": refused.line}
    ledger.advance(context.engine, import_id, State.REFUSED, context.clock(), **values)


def note_system_error(context: ImportContext, import_id: str, message: str) -> None:
    with context.engine.begin() as connection:
        transactions.limit_waits(connection)  # another process may be merging the file
        if ledger.lock(connection, import_id).state not in FINAL_STATES:
            ledger.enter_state(connection, import_id, State.FAILED, context.clock(), message=message)


def already_refused(entry: Import) -> FileRefused:
    """Build the refusal that the ledger has noted, to be raised again."""
    return FileRefused(entry.code or "", entry.message or "", entry.line)
