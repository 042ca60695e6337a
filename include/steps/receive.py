"""Take settled files out of the inbox: a line in the ledger claims a file, then one rename takes it."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from stat import S_ISREG

import sqlalchemy as sa

from include.adapters import import_ledger
from include.adapters.inbox import Waiting
from include.errors import FileNotInInbox
from include.results import Import, Requested
from include.steps.corridor import Corridor


def something_to_do(corridor: Corridor, asked: Requested, only: str | None = None) -> bool:
    """True when a settled file waits, or when this run or a dead one left an import on its way.

    Raises FileNotInInbox when one file is asked for by name and is not there.
    """
    if _unfinished(corridor, asked):
        return True
    if only is not None and not corridor.storage.is_in_inbox(corridor.feed.inbox, only):
        raise FileNotInInbox(_where_it_went(corridor, only))
    return bool(_waiting(corridor, only))


def receive(corridor: Corridor, asked: Requested, only: str | None = None) -> list[Import]:
    """The imports of this run in order of arrival, new ones opened for files that wait.

    Repeating it opens nothing twice: what a dead process claimed is taken first.
    """
    with import_ledger.only_one(corridor.engine, f"receive {corridor.feed.name}") as connection:
        for claimed in import_ledger.claims(corridor.engine, corridor.feed.name):
            _take(corridor, claimed)
        mine = _unfinished(corridor, asked)
        for left in mine:
            import_ledger.change(corridor.engine, left.id, dag_id=asked.dag_id, run_id=asked.run_id)
        for waiting in _waiting(corridor, only)[: max(0, corridor.feed.max_files_per_run - len(mine))]:
            # Through the lock's own connection: who has lost the lock without noticing claims nothing any more.
            _take(corridor, _claim(connection, corridor, waiting.name, asked))
    return import_ledger.of_run(corridor.engine, asked.dag_id or "", asked.run_id or "")


def receive_copy(corridor: Corridor, path: Path, asked: Requested) -> Import:
    """Open an import for a file that stays where it is (command line)."""
    shown = _as_text(path.name)
    entry = import_ledger.open_import(corridor.engine, corridor.feed.name, shown, None, asked, corridor.clock())
    corridor.storage.stage(entry.id, path)
    _note_content(corridor, entry)
    return import_ledger.find(corridor.engine, entry.id)


def _waiting(corridor: Corridor, only: str | None) -> list[Waiting]:
    feed = corridor.feed
    found = corridor.storage.settled(feed.inbox, feed.file_pattern, feed.settle_seconds, feed.require_done_file)
    return [waiting for waiting in found if only in (None, waiting.name)]


def _unfinished(corridor: Corridor, asked: Requested) -> list[Import]:
    dag_id, run_id = asked.dag_id or "", asked.run_id or ""
    own = import_ledger.of_run(corridor.engine, dag_id, run_id)
    return own + import_ledger.stalled(corridor.engine, dag_id, run_id, asked.started)


def _claim(connection: sa.Connection, corridor: Corridor, name: str, asked: Requested) -> Import:
    return import_ledger.open_import(
        connection, corridor.feed.name, _as_text(name), os.fsencode(name).hex(), asked, corridor.clock()
    )


def _as_text(name: str) -> str:
    """A file name may be bytes that are no text; a database keeps only text."""
    return name.encode("utf-8", "backslashreplace").decode()


def _take(corridor: Corridor, entry: Import) -> None:
    """Finish a claim. The name in the inbox may be any bytes, so the ledger keeps it as hex."""
    name = os.fsdecode(bytes.fromhex(entry.inbox_name or ""))
    feed = corridor.feed
    if not corridor.storage.take(feed.inbox, name, entry.id):
        message = "The file left the inbox before it could be taken; nothing was read."
        import_ledger.advance(
            corridor.engine, entry.id, "discarded", corridor.clock(), message=message, inbox_name=None, filed=True
        )
        return
    # The claim ends last: whoever dies before leaves no side file behind for the next file of this name.
    announced = corridor.storage.announced_count(feed.inbox, name)
    if announced is not None:
        import_ledger.change(corridor.engine, entry.id, announced=announced)
    corridor.storage.drop_side_files(feed.inbox, name)
    _note_content(corridor, entry)


def _note_content(corridor: Corridor, entry: Import) -> None:
    values: dict[str, str] = {}
    staged = corridor.storage.staged_source(entry.id)
    found = staged.lstat()
    # Reading what is no regular file could wait for ever.
    if S_ISREG(found.st_mode) and found.st_size <= corridor.feed.max_bytes:
        with staged.open("rb") as content:
            values["sha256"] = hashlib.file_digest(content, "sha256").hexdigest()
    import_ledger.change(corridor.engine, entry.id, bytes=found.st_size, inbox_name=None, **values)


def _where_it_went(corridor: Corridor, name: str) -> str:
    earlier = import_ledger.by_inbox_file(corridor.engine, corridor.feed.name, name)
    inbox = f"The inbox of feed {corridor.feed.name} has no file {name!r}."
    return inbox if earlier is None else f"{inbox} It was taken before: import {earlier.id}, {earlier.state}."
