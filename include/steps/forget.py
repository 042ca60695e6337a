"""Retention: after a feed's `retention_days` an import keeps its counts, codes, state and times, and no cell."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime, timedelta

import sqlalchemy as sa

from include.adapters.database import erasure, ledger, uploads
from include.adapters.files.storage import Storage
from include.codes import Code
from include.errors import ClientImportError, StepFailed
from include.models import FINAL_STATES, Forgotten, Import
from include.schemas.feed import Feed

Feeds = Mapping[str, Feed | None]
FALLBACK = "default"


def forget(engine: sa.Engine, storage: Storage, feeds: Feeds, now: datetime) -> Forgotten:
    """Forget every import at an end whose feed's days are over. Repeating it does what is left to do.

    `feeds` by name, None for a broken feed file: nobody knows its days, so nothing of it is forgotten. An import of
    a feed that no longer exists is forgotten after the default feed's days.
    One import's fault does not stop the next: faults are raised together at the end.
    """
    done = Forgotten(broken_feeds=tuple(name for name, feed in feeds.items() if feed is None))
    faults: list[ClientImportError] = []
    with only_one_forgets(engine):
        _sweep_uploads(engine, storage, now)
        for import_id, state in _over(engine, feeds, now):
            if state not in FINAL_STATES:
                done += Forgotten(left=(import_id,))
                continue
            try:
                with nameless_faults():
                    done += _forget_import(engine, storage, import_id, now)
            except ClientImportError as fault:
                faults.append(fault)
    if faults:
        raise ExceptionGroup(f"{len(faults)} import(s) could not be forgotten", faults)
    return done


def _sweep_uploads(engine: sa.Engine, storage: Storage, now: datetime) -> None:
    """Delete copies of uploads that nobody will take: a process died while it wrote, or a request came twice."""
    old = (now - timedelta(days=1)).timestamp()
    left = [file for file in storage.uploads() if file.modified < old]
    owned = uploads.owned(engine) if left else set()
    for file in left:
        if file.name.partition(".")[0] not in owned or not file.name.endswith(".csv"):
            storage.delete_upload(file.name)


def _over(engine: sa.Engine, feeds: Feeds, now: datetime) -> Iterator[tuple[str, str]]:
    for name in erasure.feeds_remembered(engine):
        feed = feeds.get(name) if name in feeds else feeds.get(FALLBACK)
        if feed is not None:
            yield from erasure.received_before(engine, name, now - timedelta(days=feed.retention_days))


def _forget_import(engine: sa.Engine, storage: Storage, import_id: str, now: datetime) -> Forgotten:
    """Files first, then the ledger: whoever dies in between leaves a line that still says what is to be done."""
    with engine.begin() as connection:
        entry = ledger.lock(connection, import_id)
        if entry.state not in FINAL_STATES or entry.forgotten_at:
            return Forgotten()
        files = storage.delete_files(entry)
        cells, problems, images = erasure.forget_import(connection, import_id, plain_message(entry), now)
    return Forgotten(1, cells, problems, images, files)


def plain_message(entry: Import) -> str | None:
    """The code's title: the sentence of a refusal may show cells."""
    return Code(entry.code).title if entry.code else entry.message


def only_one_forgets(engine: sa.Engine) -> AbstractContextManager[sa.Connection]:
    """Nobody writes a file back that somebody else deletes."""
    return ledger.only_one(engine, "forget")


@contextmanager
def nameless_faults() -> Iterator[None]:
    """Faults name neither values nor files: a file's name may hold an address."""
    try:
        yield
    except ClientImportError:
        raise
    except Exception as error:  # noqa: BLE001 - see above; the fault is raised again under its class's name
        raise StepFailed("forget", error) from None
