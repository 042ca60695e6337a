"""A file below the storage root is a path on disk or an object in S3: what is done differently on each."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory, TemporaryFile
from typing import Any
from uuid import uuid4

from include.adapters.files.s3 import S3Path
from include.settings import group_access

FilePath = Path | S3Path

# Files hold personal data: they are for the account that runs the importer, or for its group as well.
_OWNER_ALONE, _WITH_GROUP = (0o600, 0o700), (0o660, 0o2770)


def is_there(path: FilePath) -> bool:
    """Say whether there is such a file, even a link that leads nowhere."""
    try:
        path.lstat()
    except FileNotFoundError:
        return False
    return True


def sha256_of(path: FilePath) -> str:
    """Give the SHA-256 of a file's content as hex."""
    with path.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def move(source: FilePath, target: Any) -> None:
    """Move a file and replace `target`: one rename on disk; on S3 a copy and a delete, which repeating finishes."""
    source.rename(target)


def move_beside(source: Path, folder: Path, names: tuple[str, ...]) -> None:
    """Move a file on disk into a folder under the first of these names that is free; nothing where it is gone."""
    for name in names:
        try:
            os.link(source, folder / name, follow_symlinks=False)  # unlike a rename it replaces no file
        except FileExistsError:
            continue
        except FileNotFoundError:
            return None
        return source.unlink()


def make_folder(folder: FilePath) -> None:
    """Make a folder for files with personal data, and those above it. One that is there keeps its mode."""
    if isinstance(folder, S3Path):
        return folder.mkdir()
    if not folder.is_dir():
        make_folder(folder.parent)
        with suppress(FileExistsError):  # another process was faster
            folder.mkdir()
            folder.chmod(_modes()[1])
    return None


def protect(path: FilePath) -> None:
    """Give a file the mode of files with personal data. One that another account owns keeps its own."""
    if isinstance(path, Path) and not path.is_symlink():
        with suppress(PermissionError, FileNotFoundError):
            path.chmod(_modes()[0])


def _modes() -> tuple[int, int]:
    """Give the modes of files and folders."""
    return _WITH_GROUP if group_access() else _OWNER_ALONE


@contextmanager
def written_whole(target: FilePath) -> Iterator[Path]:
    """Give a file on disk to write to; it becomes `target` as a whole, or not at all when anything is raised.

    Raises FileNotFoundError when the folder of `target` is not there.
    """
    if isinstance(target, S3Path):
        with TemporaryDirectory() as folder:
            yield Path(folder) / target.name
            return target.upload(Path(folder) / target.name)
    # The page writes from several threads, also the same file when a request is repeated.
    unfinished = target.with_suffix(f".{uuid4().hex}.tmp")
    try:
        yield unfinished
        protect(unfinished)
        os.replace(unfinished, target)
    finally:
        unfinished.unlink(missing_ok=True)


@contextmanager
def opened(path: FilePath) -> Iterator[Any]:
    """Open a file to read from any position; an object in S3 is copied to disk for it."""
    if isinstance(path, Path):
        with path.open("rb") as content:
            yield content
    else:
        with TemporaryFile() as copy:
            with path.open() as content:
                shutil.copyfileobj(content, copy)
            yield copy


def put_whole(source: Path, target: FilePath) -> None:
    """Copy a file from disk to `target`, whole or not at all."""
    if isinstance(target, S3Path):
        return target.upload(source)
    with written_whole(target) as unfinished:
        shutil.copyfile(source, unfinished)
    return None


def delete_folder(folder: FilePath) -> None:
    """Delete a folder and its files, except what cannot be deleted; no process can write into it any more."""
    if isinstance(folder, S3Path):
        folder.close()
        for path in folder.iterdir():
            path.unlink(missing_ok=True)
    else:
        shutil.rmtree(folder, ignore_errors=True)
