"""Take settled files out of the inbox: a line in the ledger claims a file, then one rename takes it."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass, replace
from pathlib import Path
from stat import S_ISREG

import sqlalchemy as sa

from include.adapters import import_ledger, upload_ledger
from include.adapters.inbox import Waiting
from include.errors import FileNotInInbox, TakenByAnotherRun
from include.results import Import, Requested, Upload
from include.steps.corridor import Corridor


@dataclass(frozen=True)
class Only:
    """The one file a run was started for: by its name in the inbox, or by the upload's id. Neither: every file."""

    file: str | None = None
    upload: str | None = None


EVERYTHING = Only()


def something_to_do(corridor: Corridor, asked: Requested, only: Only = EVERYTHING) -> bool:
    """True when a settled file waits, or when this run or a dead one left an import on its way.

    Raises FileNotInInbox when one file is asked for and is not there, TakenByAnotherRun when that was an upload
    which another run has taken.
    """
    if _unfinished(corridor, asked):
        return True
    if only.file is not None and not corridor.storage.is_in_inbox(corridor.feed.inbox, only.file):
        raise FileNotInInbox(_where_it_went(corridor, only.file))
    if only.upload is not None:
        _must_be_waiting(corridor, only.upload)
    return bool(_waiting(corridor, only))


def _must_be_waiting(corridor: Corridor, upload_id: str) -> None:
    upload = upload_ledger.find(corridor.engine, upload_id)
    if upload.feed != corridor.feed.name:
        raise FileNotInInbox(f"Feed {corridor.feed.name} has no upload {upload_id}.")
    if upload.import_id is not None:
        raise TakenByAnotherRun(f"Upload {upload_id} has been taken by another run: import {upload.import_id}.")


def receive(corridor: Corridor, asked: Requested, only: Only = EVERYTHING) -> list[Import]:
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
            _take(corridor, _claim(connection, corridor, *waiting, asked))
    return import_ledger.of_run(corridor.engine, asked.dag_id or "", asked.run_id or "")


def receive_copy(corridor: Corridor, path: Path, asked: Requested) -> Import:
    """Open an import for a file that stays where it is (command line)."""
    shown = _as_text(path.name)
    entry = import_ledger.open_import(corridor.engine, corridor.feed.name, shown, None, asked, corridor.clock())
    corridor.storage.stage(entry.id, path)
    _note_content(corridor, entry)
    return entry


def _waiting(corridor: Corridor, only: Only) -> list[tuple[Waiting, Upload | None]]:
    """What may be taken, in order of arrival. An upload is whole once it is there: it need not settle."""
    feed, storage = corridor.feed, corridor.storage
    found: list[tuple[Waiting, Upload | None]] = []
    if only.upload is None:
        settled = storage.settled(feed.inbox, feed.file_pattern, feed.settle_seconds, feed.require_done_file)
        found += [(waiting, None) for waiting in settled if only.file in (None, waiting.name)]
    if only.file is None:
        for upload in upload_ledger.waiting(corridor.engine, feed.name):
            if only.upload in (None, upload.id) and (waiting := storage.waiting_upload(upload.id)):
                found.append((waiting, upload))
    return sorted(found, key=lambda each: (each[0].modified, each[0].name))


def _unfinished(corridor: Corridor, asked: Requested) -> list[Import]:
    dag_id, run_id = asked.dag_id or "", asked.run_id or ""
    own = import_ledger.of_run(corridor.engine, dag_id, run_id)
    return own + import_ledger.stalled(corridor.engine, dag_id, run_id, asked.started)


def _claim(
    connection: sa.Connection, corridor: Corridor, waiting: Waiting, upload: Upload | None, asked: Requested
) -> Import:
    """Open the import that owns this file; of an upload it does what the upload's sender asked for."""
    name, inbox_name = _as_text(waiting.name), os.fsencode(waiting.name).hex()
    if upload is None:
        return import_ledger.open_import(connection, corridor.feed.name, name, inbox_name, asked, corridor.clock())
    wish = replace(asked, by=upload.requested_by, note=upload.note, force=upload.forced, dry_run=upload.dry_run)
    opened = import_ledger.open_line(
        connection, corridor.feed.name, upload.file_name, wish, corridor.clock(), inbox_name=inbox_name
    )
    upload_ledger.note_taken(connection, upload.id, opened.id)
    connection.commit()
    return opened


def _as_text(name: str) -> str:
    """A file name may be bytes that are no text; a database keeps only text."""
    return name.encode("utf-8", "backslashreplace").decode()


def _take(corridor: Corridor, entry: Import) -> None:
    """Finish a claim. The name in the inbox may be any bytes, so the ledger keeps it as hex."""
    claimed = os.fsdecode(bytes.fromhex(entry.inbox_name or ""))
    own_folder, _, name = claimed.rpartition("/")  # only an upload has one
    folder = own_folder or corridor.feed.inbox
    if not corridor.storage.take(folder, name, entry.id):
        message = "The file left the inbox before it could be taken; nothing was read."
        import_ledger.advance(
            corridor.engine, entry.id, "discarded", corridor.clock(), message=message, inbox_name=None, filed=True
        )
        return
    # The claim ends last: whoever dies before leaves no side file behind for the next file of this name.
    announced = corridor.storage.announced_count(folder, name)
    if announced is not None:
        import_ledger.change(corridor.engine, entry.id, announced=announced)
    corridor.storage.drop_side_files(folder, name)
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
