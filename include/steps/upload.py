"""Take a file from the page or its API: written to this machine, noted with its sender's wishes, then put there."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from tempfile import NamedTemporaryFile
from types import TracebackType
from typing import Self
from uuid import uuid4

from include.adapters import upload_ledger
from include.errors import KeyUsedOtherwise
from include.results import Upload
from include.steps.corridor import Corridor
from include.transforms.screening import check_name, check_size


@dataclass(frozen=True)
class Wish:
    """What a sender asks for. `by` is the person's user name; the same `key` twice is one request."""

    by: str
    file_name: str
    dry_run: bool = False
    force: bool = False
    note: str = ""
    key: str | None = None


class Writing:
    """An upload being written, as a context: whatever is not `finish`ed leaves nothing behind."""

    def __init__(self, corridor: Corridor, wish: Wish) -> None:
        """Raises FileRefused for a name that the corridor would refuse."""
        check_name(wish.file_name)
        self.corridor, self.wish, self.id = corridor, wish, str(uuid4())
        self.bytes, self._hash = 0, hashlib.sha256()

    def __enter__(self) -> Self:
        self._file = NamedTemporaryFile(prefix="upload-", suffix=".part")  # noqa: SIM115 - closed by __exit__
        return self

    def write(self, chunk: bytes) -> None:
        """Raises FileRefused at the first byte over the feed's `max_bytes`; no more is written then."""
        self.bytes += len(chunk)
        check_size(max(1, self.bytes), self.corridor.feed.max_bytes)
        self._hash.update(chunk)
        self._file.write(chunk)

    def finish(self) -> Upload:
        """Let the feed's next run take the file. A key that came before gives that upload, and no second file.

        Raises FileRefused for a file without bytes, KeyUsedOtherwise for a key with another file or wish.
        """
        check_size(self.bytes, self.corridor.feed.max_bytes)
        self._file.flush()
        noted = upload_ledger.open_upload(self.corridor.engine, self._upload())
        if not noted.asks_the_same(self._upload()):
            raise KeyUsedOtherwise("This Idempotency-Key came before with another file, feed or option: use a new key.")
        # Also for an earlier upload whose process died before it could put the file there. A run notes that it has
        # an upload before it moves the file: who finds no file and no import has to put it there.
        if not is_there(self.corridor, noted) and upload_ledger.find(self.corridor.engine, noted.id).import_id is None:
            self.corridor.storage.put_upload(Path(self._file.name), noted.id)
        return noted

    def _upload(self) -> Upload:
        wish = self.wish
        return Upload(
            self.id, self.corridor.feed.name, wish.file_name, self._hash.hexdigest(), self.bytes, wish.by, wish.key,
            wish.note, wish.force, wish.dry_run, self.corridor.clock(),
        )  # fmt: skip

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()


def is_there(corridor: Corridor, upload: Upload) -> bool:
    """True while an upload waits for a run."""
    return corridor.storage.waiting_upload(upload.id) is not None
