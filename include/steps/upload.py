"""Accept a file from the page or its API: write it to disk, note what the sender asked for, put it in the inbox."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from tempfile import NamedTemporaryFile
from types import TracebackType
from typing import Self
from uuid import uuid4

from include.adapters.database import uploads
from include.errors import KeyUsedOtherwise
from include.schemas.client_tables import Upload
from include.steps.context import ImportContext
from include.transforms.csv_reading.screening import check_name, check_size


@dataclass(frozen=True)
class UploadRequest:
    """What a sender asks for. `by` is the person's user name; the same `key` twice is one request."""

    by: str
    file_name: str
    dry_run: bool = False
    force: bool = False
    note: str = ""
    key: str | None = None


class Writing:
    """An upload while it is written, as a context: one that is not finished leaves nothing behind."""

    def __init__(self, context: ImportContext, request: UploadRequest) -> None:
        """Raises FileRefused for a name that the import would refuse."""
        check_name(request.file_name)
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

    def finish(self) -> Upload:
        """Put the file where the feed's next run claims it; return the earlier upload of a key that came before.

        Raises FileRefused for a file without bytes, KeyUsedOtherwise for a key that came with another request.
        """
        check_size(self.bytes, self.context.feed.max_bytes)
        self._file.flush()
        upload = self._upload()
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
        return uploads.find(self.context.engine, noted.id).import_id is None

    def _upload(self) -> Upload:
        request = self.request
        return Upload(
            id=self.id, feed=self.context.feed.name, file_name=request.file_name, sha256=self._hash.hexdigest(),
            bytes=self.bytes, requested_by=request.by, idempotency_key=request.key, note=request.note,
            forced=request.force, dry_run=request.dry_run, uploaded_at=self.context.clock(),
        )  # fmt: skip

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()


def is_there(context: ImportContext, upload: Upload) -> bool:
    """Return True while an upload waits for a run."""
    return context.storage.waiting_upload(upload.id) is not None
