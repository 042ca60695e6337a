"""Accept a file from the page or its API: write it to disk, note what the sender asked for, put it in the inbox."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from tempfile import NamedTemporaryFile
from threading import Lock
from types import TracebackType
from typing import Self
from uuid import uuid4

from include.adapters.database import uploads
from include.adapters.files.storage import LONGEST_NAME, upload_name
from include.codes import Code, message_for
from include.errors import FileRefused, KeyUsedOtherwise, TooManyUploads
from include.schemas.client_tables import Upload
from include.schemas.mapping import Mapping
from include.steps.context import ImportContext
from include.transforms.csv_reading.screening import check_name, check_size

MOST_WAITING = 50  # uploads of one person that no run has claimed
# Requests of one person that come at once are counted one after another.
_counting = Lock()


@dataclass(frozen=True)
class UploadRequest:
    """What a sender asks for. `by` is the person's user name; the same `key` twice is one request.

    `corrects`: the import whose failed rows the file has. `email`: where the person is mailed, if the feed wants that.
    """

    by: str
    file_name: str
    dry_run: bool = False
    force: bool = False
    note: str = ""
    key: str | None = None
    corrects: str | None = None
    mapping: Mapping = field(default_factory=Mapping)
    email: str | None = None


class Writing:
    """An upload while it is written, as a context: one that is not finished leaves nothing behind."""

    def __init__(self, context: ImportContext, request: UploadRequest, announced: int | None = None) -> None:
        """Raises FileRefused for a name that the import would refuse, and for an announced size in bytes."""
        check_name(request.file_name, context.feed.compression)
        _check_length(request.file_name)
        if announced is not None:
            check_size(announced, context.feed.max_bytes)
        self.context, self.request, self.id = context, request, str(uuid4())
        self.bytes, self._hash = 0, hashlib.sha256()

    def __enter__(self) -> Self:
        self._file = NamedTemporaryFile(prefix="upload-", suffix=".part")  # noqa: SIM115 - closed by __exit__
        return self

    def write(self, chunk: bytes) -> None:
        """Write the next bytes. Raises FileRefused at the first byte over the feed's `max_bytes`."""
        self.bytes += len(chunk)
        check_size(max(1, self.bytes), self.context.feed.max_bytes)
        self._hash.update(chunk)
        self._file.write(chunk)

    def written(self) -> Path:
        """Give the file on disk, which is whole now. Raises FileRefused for a file without bytes."""
        check_size(self.bytes, self.context.feed.max_bytes)
        self._file.flush()
        return Path(self._file.name)

    def came_before(self) -> bool:
        """Say whether a request of this person came with this key before."""
        key = self.request.key
        return key is not None and uploads.has_key(self.context.engine, self.request.by, key)

    def finish(self) -> Upload:
        """Put the file where the feed's next run claims it; return the earlier upload of a key that came before.

        Raises FileRefused for a file without bytes, KeyUsedOtherwise for a key that came with another request, and
        TooManyUploads.
        """
        self.written()
        upload = self._upload()
        with _counting:
            check_room(self.context, self.request)
            noted = uploads.open_upload(self.context.engine, upload)
        if not noted.is_same_request(upload):
            raise KeyUsedOtherwise("This Idempotency-Key came before with another file, feed or option: use a new key.")
        if not is_there(self.context, noted) and self._is_unclaimed(noted):
            self.context.storage.put_upload(Path(self._file.name), noted.id)
        return noted

    def _is_unclaimed(self, noted: Upload) -> bool:
        """Return True when the file has to be put into the inbox, also for an earlier request whose process died.

        A run notes that it has claimed an upload before it moves the file.
        """
        now = uploads.find(self.context.engine, noted.id)
        return now.import_id is None and now.cancelled_at is None

    def _upload(self) -> Upload:
        request = self.request
        return Upload(
            id=self.id, feed=self.context.feed.name, file_name=request.file_name, sha256=self._hash.hexdigest(),
            bytes=self.bytes, requested_by=request.by, idempotency_key=request.key, note=request.note,
            forced=request.force, dry_run=request.dry_run, uploaded_at=self.context.clock(),
            corrects=request.corrects, mapping=request.mapping.model_dump() if request.mapping else {},
            email=request.email if self.context.feed.notify.uploader else None,
        )  # fmt: skip

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()


def check_room(context: ImportContext, request: UploadRequest) -> None:
    """Raise TooManyUploads when too many of the person's uploads wait. A request that came before is no new one."""
    waiting = uploads.unclaimed_of(context.engine, request.by)
    if len(waiting) < MOST_WAITING or (request.key and uploads.has_key(context.engine, request.by, request.key)):
        return
    # A process may have died before it put a file there; that of an upload just noted may be on its way.
    there, just_now = {file.name for file in context.storage.uploads()}, context.clock() - timedelta(minutes=1)
    if sum(upload.uploaded_at > just_now or upload_name(upload.id) in there for upload in waiting) >= MOST_WAITING:
        raise TooManyUploads(
            f"{MOST_WAITING} of your uploads wait for a run already. Send this file again once some are imported."
        )


def _check_length(name: str) -> None:
    if (length := len(name.encode())) > LONGEST_NAME:
        detail = f"The file name has {length:,} bytes, and at most {LONGEST_NAME} are allowed."
        raise FileRefused(Code.FILE_NAME, message_for(Code.FILE_NAME, detail=detail))


def is_there(context: ImportContext, upload: Upload) -> bool:
    """Return True while an upload waits for a run."""
    return context.storage.waiting_upload(upload.id) is not None


def files_before(context: ImportContext, upload: Upload) -> int:
    """Count the files of the feed that are imported before an upload that waits, as far as that is known."""
    older = uploads.older_waiting(context.engine, upload)
    there = {file.name for file in context.storage.uploads()} if older else set()
    waiting = sum(upload_name(each.id) in there for each in older)
    return waiting + uploads.on_the_way(context.engine, upload.feed)
