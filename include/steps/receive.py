"""Take stable_files files out of the inbox: a line in the ledger claims a file, then one rename takes it."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass, replace
from pathlib import Path
from stat import S_ISREG

import sqlalchemy as sa

from include.adapters.database import ledger, uploads
from include.adapters.files.inbox import Waiting
from include.errors import ClaimedByAnotherRun, FileNotInInbox
from include.models import Import, RunRequest, State, Upload
from include.steps.context import ImportContext


@dataclass(frozen=True)
class Only:
    """The one file a run was started for: by its name in the inbox, or by the upload's id. Neither: every file."""

    file: str | None = None
    upload: str | None = None


EVERYTHING = Only()


def something_to_do(context: ImportContext, request: RunRequest, only: Only = EVERYTHING) -> bool:
    """True when a stable_files file waits, or when this run or a dead one left an import on its way.

    Raises FileNotInInbox when one file is asked for and is not there, ClaimedByAnotherRun when that was an upload
    which another run has taken.
    """
    if _unfinished(context, request):
        return True
    if only.file is not None and not context.storage.is_in_inbox(context.feed.inbox, only.file):
        raise FileNotInInbox(_where_it_went(context, only.file))
    if only.upload is not None:
        _must_be_waiting(context, only.upload)
    return bool(_waiting(context, only))


def _must_be_waiting(context: ImportContext, upload_id: str) -> None:
    upload = uploads.find(context.engine, upload_id)
    if upload.feed != context.feed.name:
        raise FileNotInInbox(f"Feed {context.feed.name} has no upload {upload_id}.")
    if upload.import_id is not None:
        raise ClaimedByAnotherRun(f"Upload {upload_id} has been taken by another run: import {upload.import_id}.")


def receive(context: ImportContext, request: RunRequest, only: Only = EVERYTHING) -> list[Import]:
    """The imports of this run in order of arrival, new ones opened for files that wait.

    Repeating it opens nothing twice: what a dead process claimed is taken first.
    """
    with ledger.only_one(context.engine, f"receive {context.feed.name}") as connection:
        for claimed in ledger.claims(context.engine, context.feed.name):
            _take(context, claimed)
        mine = _unfinished(context, request)
        for left in mine:
            ledger.change(context.engine, left.id, dag_id=request.dag_id, run_id=request.run_id)
        for waiting in _waiting(context, only)[: max(0, context.feed.max_files_per_run - len(mine))]:
            # Through the lock's own connection: who has lost the lock without noticing claims nothing any more.
            _take(context, _claim(connection, context, *waiting, request))
    return ledger.of_run(context.engine, request.dag_id or "", request.run_id or "")


def receive_copy(context: ImportContext, path: Path, request: RunRequest) -> Import:
    """Open an import for a file that stays where it is (command line)."""
    shown = _as_text(path.name)
    entry = ledger.open_import(context.engine, context.feed.name, shown, None, request, context.clock())
    context.storage.stage(entry.id, path)
    _note_content(context, entry)
    return entry


def _waiting(context: ImportContext, only: Only) -> list[tuple[Waiting, Upload | None]]:
    """What may be taken, in order of arrival. An upload is whole once it is there: it need not resolve_duplicates."""
    feed, storage = context.feed, context.storage
    found: list[tuple[Waiting, Upload | None]] = []
    if only.upload is None:
        stable_files = storage.stable_files(feed.inbox, feed.file_pattern, feed.stable_seconds, feed.require_done_file)
        found += [(waiting, None) for waiting in stable_files if only.file in (None, waiting.name)]
    if only.file is None:
        for upload in uploads.waiting(context.engine, feed.name):
            if only.upload in (None, upload.id) and (waiting := storage.waiting_upload(upload.id)):
                found.append((waiting, upload))
    return sorted(found, key=lambda each: (each[0].modified, each[0].name))


def _unfinished(context: ImportContext, request: RunRequest) -> list[Import]:
    dag_id, run_id = request.dag_id or "", request.run_id or ""
    own = ledger.of_run(context.engine, dag_id, run_id)
    return own + ledger.stalled(context.engine, dag_id, run_id, request.started)


def _claim(
    connection: sa.Connection, context: ImportContext, waiting: Waiting, upload: Upload | None, request: RunRequest
) -> Import:
    """Open the import that owns this file; of an upload it does what the upload's sender asked for."""
    name, inbox_name = _as_text(waiting.name), os.fsencode(waiting.name).hex()
    if upload is None:
        return ledger.open_import(connection, context.feed.name, name, inbox_name, request, context.clock())
    upload_request = replace(
        request, by=upload.requested_by, note=upload.note, force=upload.forced, dry_run=upload.dry_run
    )
    opened = ledger.open_line(
        connection, context.feed.name, upload.file_name, upload_request, context.clock(), inbox_name=inbox_name
    )
    uploads.note_taken(connection, upload.id, opened.id)
    connection.commit()
    return opened


def _as_text(name: str) -> str:
    """A file name may be bytes that are no text; a database keeps only text."""
    return name.encode("utf-8", "backslashreplace").decode()


def _take(context: ImportContext, entry: Import) -> None:
    """Finish a claim. The name in the inbox may be any bytes, so the ledger keeps it as hex."""
    claimed = os.fsdecode(bytes.fromhex(entry.inbox_name or ""))
    own_folder, _, name = claimed.rpartition("/")  # only an upload has one
    folder = own_folder or context.feed.inbox
    if not context.storage.take(folder, name, entry.id):
        message = "The file left the inbox before it could be taken; nothing was read."
        ledger.advance(
            context.engine, entry.id, State.DISCARDED, context.clock(), message=message, inbox_name=None, filed=True
        )
        return
    # The claim ends last: whoever dies before leaves no side file behind for the next file of this name.
    announced = context.storage.announced_count(folder, name)
    if announced is not None:
        ledger.change(context.engine, entry.id, announced=announced)
    context.storage.drop_side_files(folder, name)
    _note_content(context, entry)


def _note_content(context: ImportContext, entry: Import) -> None:
    values: dict[str, str] = {}
    staged = context.storage.staged_source(entry.id)
    found = staged.lstat()
    # Reading what is no regular file could wait for ever.
    if S_ISREG(found.st_mode) and found.st_size <= context.feed.max_bytes:
        with staged.open("rb") as content:
            values["sha256"] = hashlib.file_digest(content, "sha256").hexdigest()
    ledger.change(context.engine, entry.id, bytes=found.st_size, inbox_name=None, **values)


def _where_it_went(context: ImportContext, name: str) -> str:
    earlier = ledger.by_inbox_file(context.engine, context.feed.name, name)
    inbox = f"The inbox of feed {context.feed.name} has no file {name!r}."
    return inbox if earlier is None else f"{inbox} It was taken before: import {earlier.id}, {earlier.state}."
