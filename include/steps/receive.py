"""Claim stable files of an inbox: a row of `imports` claims a file, then one rename moves it to staging."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from stat import S_ISREG

import sqlalchemy as sa

from include.adapters.database import ledger, uploads
from include.adapters.files.inbox import Waiting
from include.errors import ClaimedByAnotherRun, FileNotInInbox
from include.models import RunRequest, State
from include.schemas.client_tables import Import, Upload
from include.steps.context import ImportContext


@dataclass(frozen=True)
class Only:
    """The one file a run was started for: by its name in the inbox, or by the upload's id. Neither: every file."""

    file: str | None = None
    upload: str | None = None


EVERYTHING = Only()


def something_to_do(context: ImportContext, request: RunRequest, only: Only = EVERYTHING) -> bool:
    """Return True when a stable file waits, or when this run or a dead one left an import unfinished.

    Raises FileNotInInbox when the one file of the request is not there, and ClaimedByAnotherRun when it is an upload
    that another run has claimed.
    """
    if _unfinished(context, request):
        return True
    if only.file is not None and not context.storage.is_in_inbox(context.feed.inbox, only.file):
        raise FileNotInInbox(_where_it_went(context, only.file))
    if only.upload is not None:
        _check_upload_waits(context, only.upload)
    return bool(_waiting(context, only))


def _check_upload_waits(context: ImportContext, upload_id: str) -> None:
    upload = uploads.find(context.engine, upload_id)
    if upload.feed != context.feed.name:
        raise FileNotInInbox(f"Feed {context.feed.name} has no upload {upload_id}.")
    if upload.import_id is not None:
        raise ClaimedByAnotherRun(f"Another run has claimed upload {upload_id}: import {upload.import_id}.")


def _where_it_went(context: ImportContext, name: str) -> str:
    earlier = ledger.newest_of_name(context.engine, context.feed.name, name)
    not_there = f"The inbox of feed {context.feed.name} has no file {name!r}."
    return not_there if earlier is None else f"{not_there} It was claimed before: import {earlier.id}, {earlier.state}."


def receive(context: ImportContext, request: RunRequest, only: Only = EVERYTHING) -> list[Import]:
    """Claim the files that wait, and return the imports of this run in order of arrival.

    Repeating it claims nothing twice: what a dead process has claimed is finished first.
    """
    with ledger.only_one(context.engine, f"receive {context.feed.name}") as connection:
        for claimed in ledger.claims(context.engine, context.feed.name):
            _finish_claim(context, claimed)
        unfinished = _unfinished(context, request)
        for entry in unfinished:
            ledger.change(context.engine, entry.id, dag_id=request.dag_id, run_id=request.run_id)
        for waiting in _waiting(context, only)[: max(0, context.feed.max_files_per_run - len(unfinished))]:
            # Through the lock's own connection: a process that has lost the lock unnoticed can claim nothing.
            _finish_claim(context, _claim(connection, context, *waiting, request))
    return ledger.of_run(context.engine, request.dag_id or "", request.run_id or "")


def receive_copy(context: ImportContext, path: Path, request: RunRequest) -> Import:
    """Open an import for a file that stays where it is (command line)."""
    with context.engine.begin() as connection:
        entry = ledger.open_import(
            connection, context.feed.name, _as_text(path.name), request, context.clock()
        )  # fmt: skip
    context.storage.stage(entry.id, path)
    _note_content(context, entry)
    return entry


def _unfinished(context: ImportContext, request: RunRequest) -> list[Import]:
    dag_id, run_id = request.dag_id or "", request.run_id or ""
    own = ledger.of_run(context.engine, dag_id, run_id)
    return own + ledger.stalled(context.engine, dag_id, run_id, request.started)


def _waiting(context: ImportContext, only: Only) -> list[tuple[Waiting, Upload | None]]:
    """List what can be claimed, in order of arrival."""
    waiting = [*_waiting_files(context, only), *_waiting_uploads(context, only)]
    return sorted(waiting, key=lambda each: (each[0].modified, each[0].name))


def _waiting_files(context: ImportContext, only: Only) -> Iterator[tuple[Waiting, None]]:
    feed = context.feed
    if only.upload is None:
        for file in context.storage.stable_files(
            feed.inbox, feed.file_pattern, feed.stable_seconds, feed.require_done_file
        ):
            if only.file in (None, file.name):
                yield file, None


def _waiting_uploads(context: ImportContext, only: Only) -> Iterator[tuple[Waiting, Upload]]:
    """List uploads that are there. An upload is whole once it is there, so it need not become stable."""
    if only.file is None:
        for upload in uploads.waiting(context.engine, context.feed.name):
            if only.upload in (None, upload.id) and (file := context.storage.waiting_upload(upload.id)):
                yield file, upload


def _claim(
    connection: sa.Connection, context: ImportContext, waiting: Waiting, upload: Upload | None, request: RunRequest
) -> Import:
    """Open the import that owns this file. For an upload it does what the upload's sender asked for."""
    inbox_name = os.fsencode(waiting.name).hex()
    with connection.begin():
        if upload is None:
            return ledger.open_import(
                connection, context.feed.name, _as_text(waiting.name), request, context.clock(), inbox_name=inbox_name
            )
        of_sender = replace(
            request, by=upload.requested_by, note=upload.note, force=upload.forced, dry_run=upload.dry_run
        )
        entry = ledger.open_import(
            connection, context.feed.name, upload.file_name, of_sender, context.clock(), inbox_name=inbox_name
        )
        uploads.note_claimed(connection, upload.id, entry.id)
        return entry


def _as_text(name: str) -> str:
    """Write a file name as text: it may be bytes that are no text, and a database keeps only text."""
    return name.encode("utf-8", "backslashreplace").decode()


def _finish_claim(context: ImportContext, entry: Import) -> None:
    """Move a claimed file to staging. Its name in the inbox may be any bytes, so the ledger keeps it as hex."""
    claimed = os.fsdecode(bytes.fromhex(entry.inbox_name or ""))
    own_folder, _, name = claimed.rpartition("/")  # only an upload has one
    folder = own_folder or context.feed.inbox
    if not context.storage.claim(folder, name, entry.id):
        values = {"message": "The file left the inbox before it could be claimed; nothing was read.", "filed": True}
        ledger.advance(context.engine, entry.id, State.DISCARDED, context.clock(), inbox_name=None, **values)
        return
    # The claim ends last: a process that dies before leaves no side file behind for the next file of this name.
    announced = context.storage.announced_count(folder, name)
    if announced is not None:
        ledger.change(context.engine, entry.id, announced_records=announced)
    context.storage.drop_side_files(folder, name)
    _note_content(context, entry)


def _note_content(context: ImportContext, entry: Import) -> None:
    """Note the size and the hash of the staged file, and that the claim has ended."""
    values: dict[str, str] = {}
    staged = context.storage.staged_source(entry.id)
    status = staged.lstat()
    # Reading something that is not a regular file could wait for ever.
    if S_ISREG(status.st_mode) and status.st_size <= context.feed.max_bytes:
        with staged.open("rb") as content:
            values["sha256"] = hashlib.file_digest(content, "sha256").hexdigest()
    ledger.change(context.engine, entry.id, bytes=status.st_size, inbox_name=None, **values)
