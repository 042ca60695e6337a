"""Claim one file: a row of `imports` owns it, then one rename moves it from its inbox to staging."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from stat import S_ISREG

import sqlalchemy as sa

from include.adapters.database import ledger, uploads
from include.adapters.files.inbox import Waiting
from include.adapters.files.paths import sha256_of
from include.adapters.files.storage import UPLOADS
from include.errors import StepFailed, StorageFailed
from include.models import RunRequest, State
from include.schemas.client_tables import Import, Upload
from include.steps.context import ImportContext, note_system_error
from include.steps.late_counts import as_text, is_of_an_earlier_file


def name_in_ledger(name: str) -> str:
    """Write the name of a file in an inbox, which may hold any bytes, as the ledger keeps it: as hex."""
    return os.fsencode(name).hex()


def is_upload(entry: Import) -> bool:
    """Say whether the file that an import has claimed, and not moved yet, came through the page or its API."""
    return _claimed(entry)[0] == UPLOADS


def _claimed(entry: Import) -> tuple[str, str]:
    """Give the folder and the name of a claimed file; only an upload has a folder in its name."""
    folder, _, name = os.fsdecode(bytes.fromhex(entry.inbox_name or "")).rpartition("/")
    return folder, name


def claim(
    connection: sa.Connection, context: ImportContext, waiting: Waiting, upload: Upload | None, request: RunRequest
) -> Import | None:
    """Open the import that owns this file. For an upload it does what the upload's sender asked for.

    Gives None for an upload that was cancelled since the run has seen it.
    """
    inbox_name = name_in_ledger(waiting.name)
    with connection.begin():
        if upload is None:
            return ledger.open_import(
                connection, context.feed.name, as_text(waiting.name), request, context.clock(), inbox_name=inbox_name
            )
        if not uploads.lock_waiting(connection, upload.id):
            return None
        of_sender = replace(
            request, by=upload.requested_by, note=upload.note, force=upload.forced, dry_run=upload.dry_run
        )
        entry = ledger.open_import(
            connection, context.feed.name, upload.file_name, of_sender, context.clock(), inbox_name=inbox_name,
            mapping=upload.mapping,
        )  # fmt: skip
        uploads.note_claimed(connection, upload.id, entry.id)
        if upload.corrects:
            ledger.change(connection, entry.id, parent_import_id=upload.corrects)
        return entry


@dataclass
class Claims:
    """Moves claimed files to staging, each on its own: what goes wrong with one is noted on it, the others go on.

    `mended` are imports whose claim failed in an earlier run and succeeded now.
    """

    context: ImportContext
    succeeded: int = 0
    mended: list[Import] = field(default_factory=list)
    errors: list[Exception] = field(default_factory=list)

    def finish(self, entry: Import, modified: float | None = None) -> None:
        """Move one file; `modified` is when its sender wrote it, if that is known."""
        try:
            _finish_claim(self.context, entry, modified)
        except (OSError, StorageFailed) as error:
            failed = error if isinstance(error, StorageFailed) else StepFailed("receive", error)
            note_system_error(self.context, entry.id, str(failed))
            self.errors.append(failed)
            return
        self.succeeded += 1
        self.mended += [entry] if entry.state == State.FAILED else []

    def raise_if_none_succeeded(self) -> None:
        """Raise the errors when no file could be claimed: then the storage is what is wrong, and retrying helps."""
        if self.errors and not self.succeeded:
            raise ExceptionGroup(f"{len(self.errors)} file(s) could not be claimed", self.errors)


def _finish_claim(context: ImportContext, entry: Import, modified: float | None) -> None:
    """Move a claimed file to staging. Its name in the inbox may be any bytes, so the ledger keeps it as hex."""
    own_folder, name = _claimed(entry)
    folder = own_folder or context.feed.inbox
    if not context.storage.claim(folder, name, entry.id):
        values = {"message": "The file left the inbox before it could be claimed; nothing was read.", "filed": True}
        ledger.advance(context.engine, entry.id, State.DISCARDED, context.clock(), inbox_name=None, **values)
        return
    # The claim ends last: a process that dies before leaves no side file behind for the next file of this name.
    announced = context.storage.announced_count(folder, name)
    if announced is not None and not is_of_an_earlier_file(context, folder, name, modified):
        ledger.change(context.engine, entry.id, announced_records=announced)
    context.storage.drop_side_files(folder, name)
    note_content(context, entry)


def note_content(context: ImportContext, entry: Import) -> None:
    """Note the size and the hash of the staged file, and that the claim has ended."""
    staged = context.storage.staged_source(entry.id)
    status = staged.lstat()
    values: dict[str, str] = {}
    # Reading something that is not a regular file could wait for ever.
    if S_ISREG(status.st_mode) and status.st_size <= context.feed.max_bytes:
        values["sha256"] = sha256_of(staged)
    ledger.change(context.engine, entry.id, bytes=status.st_size, inbox_name=None, **values)
