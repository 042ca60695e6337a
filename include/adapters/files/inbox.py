"""What waits in an inbox, and taking a file out of it, wherever the inbox is (SPEC.md section 8)."""

from __future__ import annotations

import fnmatch
import os
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from include.adapters.files.paths import FilePath, is_there, move
from include.adapters.files.s3 import S3Path

SIDE_FILES = (".done", ".count")
_TEMPORARY = (".part", ".tmp", ".filepart", ".crdownload", "~")


@dataclass(frozen=True)
class Waiting:
    """A file in an inbox. `name` may hold anything a sender can put into a file name."""

    name: str
    size: int
    modified: float


class Inbox(Protocol):
    def entries(self) -> list[Waiting]:
        """Whatever is not a folder, by any name."""

    def looks_again(self, stable_seconds: float) -> bool:
        """True when times say little here, so that a file has stable_files only if two looks find the same."""

    def take(self, name: str, staged: FilePath, claim: str) -> bool:
        """Move a file to `staged`, whole. False when it is in neither place. Whoever died half-way repeats it."""

    def read(self, name: str) -> bytes:
        """Content of a side file. Raises FileNotFoundError."""

    def delete(self, name: str) -> None:
        """Delete a side file; a missing one is no error."""


def stable_files(
    inbox: Inbox,
    pattern: str,
    stable_seconds: float,
    done_file: bool,
    sleep: Callable[[float], None] = time.sleep,
) -> list[Waiting]:
    """Files nobody writes to any more, in order of arrival. A file that just vanished is not an error."""
    found = _candidates(inbox.entries(), pattern, done_file)
    if found and inbox.looks_again(stable_seconds):
        sleep(stable_seconds)
        return sorted(set(found) & set(_candidates(inbox.entries(), pattern, done_file)), key=_arrival)
    newest = time.time() - stable_seconds
    return sorted((waiting for waiting in found if waiting.modified <= newest), key=_arrival)


def _arrival(waiting: Waiting) -> tuple[float, str]:
    return waiting.modified, waiting.name


def _candidates(entries: Iterable[Waiting], pattern: str, done_file: bool) -> list[Waiting]:
    by_name = {waiting.name: waiting for waiting in entries}
    return [
        waiting
        for name, waiting in by_name.items()
        if not name.startswith(".")
        and not name.lower().endswith((*_TEMPORARY, *SIDE_FILES))
        and fnmatch.fnmatch(name, pattern)
        and (not done_file or f"{name}.done" in by_name)
    ]


@dataclass(frozen=True)
class FolderInbox:
    """A folder of the storage root."""

    folder: FilePath

    def entries(self) -> list[Waiting]:
        folder = self.folder
        try:
            entries: list[Any] = list(os.scandir(folder) if isinstance(folder, Path) else folder.scandir())
        except FileNotFoundError:
            return []
        found = []
        for entry in entries:
            with suppress(FileNotFoundError):
                if entry.is_dir(follow_symlinks=False):
                    continue
                at = entry.stat(follow_symlinks=False)
                # A clock that is ahead on the sender's side must not make a file wait for ever.
                modified = min(max(at.st_mtime, at.st_ctime), time.time())
                found.append(Waiting(entry.name, at.st_size, modified))
        return found

    def looks_again(self, stable_seconds: float) -> bool:
        return False

    def take(self, name: str, staged: FilePath, claim: str) -> bool:
        """One rename in a folder; a copy and a delete on S3, which `rename` there finishes when it is repeated."""
        source = self.folder / name
        if is_there(staged):
            if isinstance(source, S3Path):
                source.finish_rename(staged)
            return True
        try:
            move(source, staged)
        except FileNotFoundError:
            return is_there(staged)  # somebody who finishes the same claim was faster
        return True

    def read(self, name: str) -> bytes:
        return (self.folder / name).read_bytes()

    def delete(self, name: str) -> None:
        (self.folder / name).unlink(missing_ok=True)
