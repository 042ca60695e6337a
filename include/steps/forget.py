"""Apply retention: after a feed's `retention_days` an import keeps its counts, codes, state and times, and no row."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime, timedelta

import sqlalchemy as sa

from include.adapters.database import erasure, ledger, row_weeks, uploads
from include.adapters.files.storage import Storage
from include.codes import Code
from include.errors import ClientImportError, StepFailed
from include.models import FINAL_STATES, Forgotten, State
from include.schemas.client_tables import Import
from include.schemas.feed import Feed

Feeds = Mapping[str, Feed | None]
FALLBACK = "default"
# The page shows for so long that an upload was cancelled.
_REMEMBERED_AFTER_CANCEL = timedelta(days=7)


def forget(engine: sa.Engine, storage: Storage, feeds: Feeds, now: datetime) -> Forgotten:
    """Forget every import in a final state that is older than its feed's days. Repeating it does what is left to do.

    The days count from the end of the week in which an import was received: a week's rows go together, where they can.
    `feeds` by name, None for a broken feed file: its days are not known, so nothing of it is forgotten. An import of
    a feed that no longer exists is forgotten after the default feed's days.
    A system error with one import does not stop the next: the errors are raised together at the end.
    """
    forgotten = Forgotten(broken_feeds=tuple(name for name, feed in feeds.items() if feed is None))
    errors: list[ClientImportError] = []
    with only_one_forgets(engine):
        _delete_abandoned_uploads(engine, storage, now)
        uploads.forget_cancelled(engine, now - _REMEMBERED_AFTER_CANCEL)
        ended: list[str] = []
        left: list[str] = []
        for import_id, state in _expired(engine, feeds, now):
            has_ended = state in FINAL_STATES or _discard_dead(engine, import_id, now)
            (ended if has_ended else left).append(import_id)
        forgotten += Forgotten(left=tuple(left))
        weeks = row_weeks.weeks_to_drop(engine, ended, now)
        for import_id in ended:
            try:
                with nameless_errors():
                    goes_with_week = row_weeks.monday_of(import_id) in weeks
                    forgotten += _forget_import(engine, storage, import_id, now, rows_go_with_their_week=goes_with_week)
            except ClientImportError as error:
                errors.append(error)
        row_weeks.turn_over(engine, weeks, now)
    if errors:
        raise ExceptionGroup(f"{len(errors)} import(s) could not be forgotten", errors)
    return forgotten


def _delete_abandoned_uploads(engine: sa.Engine, storage: Storage, now: datetime) -> None:
    """Delete copies of uploads that no run will take: a process died while it wrote, or a request came twice."""
    a_day_ago = (now - timedelta(days=1)).timestamp()
    old = [file for file in storage.uploads() if file.modified < a_day_ago]
    owned = uploads.owned(engine) if old else set()
    for file in old:
        if file.name.partition(".")[0] not in owned or not file.name.endswith(".csv"):
            storage.delete_upload(file.name)


def _expired(engine: sa.Engine, feeds: Feeds, now: datetime) -> Iterator[tuple[str, str]]:
    """Give (id, state) of each import whose week ended longer ago than its feed's days."""
    for name in erasure.feeds_remembered(engine):
        feed = feeds.get(name) if name in feeds else feeds.get(FALLBACK)
        if feed is not None:
            last = row_weeks.start_of_week(now - timedelta(days=feed.retention_days))
            yield from erasure.received_before(engine, name, last)


def _discard_dead(engine: sa.Engine, import_id: str, now: datetime) -> bool:
    """Discard an import of the command line whose process died: no run will go on with it. False: it is none."""
    with engine.begin() as connection:
        entry = ledger.lock(connection, import_id)
        if entry.dag_id is not None or entry.state not in (*ledger.ON_THE_WAY, State.FAILED):
            return False
        values = {"message": "Discarded: the command that began it has ended.", "filed": True}
        ledger.enter_state(connection, import_id, State.DISCARDED, now, **values)
        return True


def _forget_import(
    engine: sa.Engine, storage: Storage, import_id: str, now: datetime, *, rows_go_with_their_week: bool
) -> Forgotten:
    """Delete the files first, then empty the ledger: after a kill the row still says what is to be done."""
    with engine.begin() as connection:
        entry = ledger.lock(connection, import_id)
        if entry.state not in FINAL_STATES or entry.forgotten_at:
            return Forgotten()
        deleted = storage.delete_files(entry)
        storage.delete_empty_folders(deleted)
        erasure.forget_import(
            connection, import_id, plain_message(entry), now, rows_go_with_their_week=rows_go_with_their_week
        )
    return Forgotten(1, rows=entry.read + entry.deactivated + entry.reverted + entry.kept, files=len(deleted))


def plain_message(entry: Import) -> str | None:
    """Give the code's title in place of its sentence, which may show cells."""
    return Code(entry.code).title if entry.code else entry.message


def only_one_forgets(engine: sa.Engine) -> AbstractContextManager[sa.Connection]:
    """Hold the lock under which files are forgotten, so that no process writes what another deletes."""
    return ledger.only_one(engine, "forget")


@contextmanager
def nameless_errors() -> Iterator[None]:
    """Raise errors again without values and file names: a file's name may hold an address."""
    try:
        yield
    except ClientImportError:
        raise
    except Exception as error:  # noqa: BLE001 - see above; it is raised again under its class's name
        raise StepFailed("forget", error) from None
