"""Take a file from the page or its API: written to this machine, noted with its sender's wishes, then put there."""

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
from include.models import Upload
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
    """An upload being written, as a context: whatever is not `finish`ed leaves nothing behind."""

    def __init__(self, context: ImportContext, upload_request: UploadRequest) -> None:
        """Raises FileRefused for a name that the context would refuse."""
        check_name(upload_request.file_name)
        self.context, self.upload_request, self.id = context, upload_request, str(uuid4())
        self.bytes, self._hash = 0, hashlib.sha256()

    def __enter__(self) -> Self:
        self._file = NamedTemporaryFile(prefix="upload-", suffix=".part")  # noqa: SIM115 - closed by __exit__
        return self

    def write(self, chunk: bytes) -> None:
        """Raises FileRefused at the first byte over the feed's `max_bytes`; no more is written then."""
        self.bytes += len(chunk)
        check_size(max(1, self.bytes), self.context.feed.max_bytes)
        self._hash.update(chunk)
        self._file.write(chunk)

    def finish(self) -> Upload:
        """Let the feed's next run take the file. A key that came before gives that upload, and no second file.

        Raises FileRefused for a file without bytes, KeyUsedOtherwise for a key with another file or upload_request.
        """
        check_size(self.bytes, self.context.feed.max_bytes)
        self._file.flush()
        noted = uploads.open_upload(self.context.engine, self._upload())
        if not noted.is_same_request(self._upload()):
            raise KeyUsedOtherwise("This Idempotency-Key came before with another file, feed or option: use a new key.")
        # Also for an earlier upload whose process died before it could put the file there. A run notes that it has
        # an upload before it moves the file: who finds no file and no import has to put it there.
        if not is_there(self.context, noted) and uploads.find(self.context.engine, noted.id).import_id is None:
            self.context.storage.put_upload(Path(self._file.name), noted.id)
        return noted

    def _upload(self) -> Upload:
        upload_request = self.upload_request
        return Upload(
            self.id, self.context.feed.name, upload_request.file_name, self._hash.hexdigest(), self.bytes, upload_request.by, upload_request.key,
            upload_request.note, upload_request.force, upload_request.dry_run, self.context.clock(),
        )  # fmt: skip

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()


def is_there(context: ImportContext, upload: Upload) -> bool:
    """True while an upload waits for a run."""
    return context.storage.waiting_upload(upload.id) is not None
