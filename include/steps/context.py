"""What every step needs, handed in: steps never fetch a connection, a clock or a setting themselves."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime

import pyarrow
import sqlalchemy as sa

from include.adapters.database import ledger
from include.adapters.files.staging import Staging, StagingFolder
from include.adapters.files.storage import Storage
from include.errors import ClientImportError, FileRefused, StepFailed
from include.models import FINAL_STATES, Import, State
from include.schemas.feed import Feed


def utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class ImportContext:
    """One feed's open_resources. `clock` gives an aware UTC time."""

    feed: Feed
    engine: sa.Engine
    storage: Storage
    staging: Staging
    clock: Callable[[], datetime] = utc_now

    @classmethod
    def of(cls, feed: Feed, engine: sa.Engine, storage: Storage) -> ImportContext:
        return cls(feed, engine, storage, StagingFolder(storage.root))


@contextmanager
def step(context: ImportContext, name: str, import_id: str) -> Iterator[None]:
    """Tell the sender's fault from ours: a refusal ends the import, anything else leaves it to be retried."""
    try:
        with _sparing_memory():
            yield
    except FileRefused as refused:
        refuse(context, import_id, refused)
        raise
    except Exception as error:
        fault = error if isinstance(error, ClientImportError) else StepFailed(name, error)
        with suppress(Exception):  # the database itself may be what is gone
            _note_fault(context, import_id, str(fault))
        if fault is error:
            raise
        # The way to the fault may be logged; the error's own words may not: they can quote a cell.
        raise fault.with_traceback(error.__traceback__) from None


@contextmanager
def _sparing_memory() -> Iterator[None]:
    """No search for cyclic garbage, which looks at every cell in memory, time and again, and cells are in no cycle;
    and what Arrow has put aside for itself is given back.
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
    values = {"code": refused.code, "message": refused.message, "line": refused.line}
    ledger.advance(context.engine, import_id, State.REFUSED, context.clock(), **values)


def _note_fault(context: ImportContext, import_id: str, message: str) -> None:
    with context.engine.begin() as connection:
        if ledger.lock(connection, import_id).state not in FINAL_STATES:
            ledger.enter_state(connection, import_id, State.FAILED, context.clock(), message=message)


def already_refused(entry: Import) -> FileRefused:
    return FileRefused(entry.code or "", entry.message or "", entry.line)
