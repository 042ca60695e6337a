"""One object of an S3 bucket, with those methods of pathlib that the storage uses.

Not fsspec or ObjectStoragePath: their `unlink` takes a name like `*.csv` for a pattern (docs/decisions/0008).
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from errno import ENOENT
from io import RawIOBase
from pathlib import Path, PurePosixPath
from stat import S_IFDIR, S_IFREG, S_ISDIR
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit

from include.errors import StorageFailed

if TYPE_CHECKING:
    from botocore.exceptions import ClientError

_GONE = ("404", "NoSuchKey", "NotFound")
_CHANGED = ("412", "PreconditionFailed")
_RENAMED = "renamed-from"  # in a copy's metadata: the ETag of its source
_ONE_COPY = 4 * 1024**3  # bytes; above, S3 copies in parts


@dataclass(frozen=True)
class S3Path:
    """The path of an object, or of a folder: an object whose key ends in `/`, as the S3 console makes them.

    Methods raise FileNotFoundError for a missing object, as pathlib's do, else StorageFailed with S3's code alone.
    """

    client: Any = field(repr=False, compare=False)
    bucket: str
    key: PurePosixPath

    def __str__(self) -> str:
        return f"s3://{self.bucket}/{self.key}"

    def __truediv__(self, name: str) -> S3Path:
        return replace(self, key=self.key / name)

    @property
    def name(self) -> str:
        return self.key.name

    @property
    def parent(self) -> S3Path:
        return replace(self, key=self.key.parent)

    def with_name(self, name: str) -> S3Path:
        return replace(self, key=self.key.with_name(name))

    def lstat(self) -> os.stat_result:
        return _as_stat(*self._version()[1:])

    stat = lstat

    def open(self, mode: Literal["rb"] = "rb") -> RawIOBase:
        with self._errors():
            return _Content(self, self.client.get_object(**self._object)["Body"])

    def read_bytes(self) -> bytes:
        with self.open() as content:
            return content.read() or b""

    def write_bytes(self, content: bytes) -> None:
        """Write the object. Raises FileNotFoundError when its folder was never made, or was deleted since.

        It looks for the folder after writing, because `close` deletes the folder's mark before the files in it.
        """
        with self._errors():
            self.client.put_object(**self._object, Body=content)
        self._only_in_a_folder()

    def upload(self, source: Path) -> None:
        """Write the content of a file on disk, in parts when it is large. Raises as `write_bytes` does."""
        with self._errors(), source.open("rb") as content:
            self.client.upload_fileobj(content, self.bucket, str(self.key))
        self._only_in_a_folder()

    def unlink(self, missing_ok: bool = False) -> None:
        with suppress(FileNotFoundError), self._errors():
            self.client.delete_object(**self._object)

    def rename(self, target: S3Path) -> None:
        """Copy the object and delete what was copied; a file that replaced it meanwhile stays. Can be repeated."""
        while target != self:
            etag = self._version()[0]
            try:
                self._copy(target, etag)
            except InterruptedError:  # replaced since that look: copy what is there now
                continue
            target._only_in_a_folder()
            return self._delete_version(etag)

    replace = rename

    def finish_rename(self, target: Any) -> None:
        """Delete the source of a rename to `target` that was cut short; a later file of that name stays."""
        with self._errors():
            copied = self.client.head_object(**target._object)["Metadata"].get(_RENAMED)
        with suppress(FileNotFoundError):
            if copied and copied == self._version()[0]:
                self._delete_version(copied)

    def mkdir(self, parents: bool = True, exist_ok: bool = True) -> None:
        with self._errors():
            self.client.put_object(**self._mark)

    def rmdir(self) -> None:
        """Delete an empty folder. Raises OSError when it is not empty."""
        if any(True for _ in self.scandir()):
            raise OSError(f"{self} is not empty")
        self.close()

    def close(self) -> None:
        """Delete the folder's mark, so that no process can write into the folder any more."""
        with self._errors():
            self.client.delete_object(**self._mark)

    def iterdir(self) -> Iterator[S3Path]:
        for entry in self.scandir():
            yield self / entry.name

    def scandir(self) -> Iterator[Entry]:
        """List objects and folders directly below, with size and time as the listing has them."""
        pages = self.client.get_paginator("list_objects_v2").paginate(
            Bucket=self.bucket, Prefix=f"{self.key}/", Delimiter="/"
        )
        with self._errors():
            for page in pages:
                for listed in page.get("Contents", ()):
                    if name := listed["Key"].removeprefix(f"{self.key}/"):
                        yield Entry(name, _as_stat(listed["Size"], listed["LastModified"]))
                for listed in page.get("CommonPrefixes", ()):
                    name = listed["Prefix"].removeprefix(f"{self.key}/").rstrip("/")
                    yield Entry(name, os.stat_result((S_IFDIR, *[0] * 9)))

    @property
    def _object(self) -> dict[str, str]:
        return {"Bucket": self.bucket, "Key": str(self.key)}

    @property
    def _mark(self) -> dict[str, str]:
        return {"Bucket": self.bucket, "Key": f"{self.key}/"}

    def _only_in_a_folder(self) -> None:
        try:
            with self._errors():
                self.client.head_object(**self.parent._mark)
        except FileNotFoundError:
            self.unlink()
            raise

    def _version(self) -> tuple[str, int, datetime]:
        with self._errors():
            head = self.client.head_object(**self._object)
        return head["ETag"], head["ContentLength"], head["LastModified"]

    def _copy(self, target: S3Path, etag: str) -> None:
        """Copy on the server, whole. Raises InterruptedError when the source is no longer the version `etag`."""
        from boto3.s3.transfer import TransferConfig

        if_unchanged = {"CopySourceIfMatch": etag, "MetadataDirective": "REPLACE", "Metadata": {_RENAMED: etag}}
        config = TransferConfig(multipart_threshold=_ONE_COPY, multipart_chunksize=_ONE_COPY, use_threads=False)
        with self._errors():
            self.client.copy(self._object, target.bucket, str(target.key), ExtraArgs=if_unchanged, Config=config)

    def _delete_version(self, etag: str) -> None:
        """Delete this version only: look first, because some stores ignore `If-Match` on a delete."""
        with suppress(FileNotFoundError, InterruptedError):
            if self._version()[0] == etag:
                with self._errors():
                    self.client.delete_object(**self._object, IfMatch=etag)

    @contextmanager
    def _errors(self) -> Iterator[None]:
        from boto3.exceptions import Boto3Error
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            yield
        except ClientError as error:
            raise self._as_os_error(error) from None
        except (BotoCoreError, Boto3Error) as error:
            raise StorageFailed(self._no_answer(error)) from None

    def _as_os_error(self, error: ClientError) -> OSError:
        code = str(error.response.get("Error", {}).get("Code", ""))
        if code in _GONE:
            return FileNotFoundError(ENOENT, os.strerror(ENOENT), str(self))
        if code in _CHANGED:
            return InterruptedError(str(self))
        if code == "NoSuchBucket":
            return StorageFailed(f"The bucket {self.bucket} does not exist (S3 says {code}).")
        return StorageFailed(f"S3 says {code} about {error.operation_name} in the bucket {self.bucket}.")

    def _no_answer(self, error: Exception) -> str:
        """Describe an error without an answer by its class: its text may hold the address of a file."""
        host = urlsplit(self.client.meta.endpoint_url).netloc.rpartition("@")[2]
        return f"The bucket {self.bucket} cannot be reached at {host} ({type(error).__name__})."


class _Content(RawIOBase):
    """The content of an object while it comes; the errors of a connection that breaks are those of its path."""

    def __init__(self, path: S3Path, body: Any) -> None:
        self._path, self._body = path, body

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        with self._path._errors():
            content = self._body.read(len(buffer))
        buffer[: len(content)] = content
        return len(content)

    def close(self) -> None:
        self._body.close()
        super().close()


@dataclass(frozen=True)
class Entry:
    """One entry of a listing, with those methods of os.DirEntry that the storage uses."""

    name: str
    _stat: os.stat_result

    def is_dir(self, *, follow_symlinks: bool = True) -> bool:
        return S_ISDIR(self._stat.st_mode)

    def stat(self, *, follow_symlinks: bool = True) -> os.stat_result:
        return self._stat


def _as_stat(size: int, modified: datetime) -> os.stat_result:
    time = modified.timestamp()
    return os.stat_result((S_IFREG | 0o600, 0, 0, 1, 0, 0, size, time, time, time))
