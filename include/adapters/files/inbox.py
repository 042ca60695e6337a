"""List the files in an inbox, and claim them, wherever the inbox is (SPEC.md section 8)."""

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
    """A place where senders put files: a folder of the storage, or a folder on a server."""

    def entries(self) -> list[Waiting]:
        """List everything that is not a folder, by any name."""

    def needs_second_look(self, stable_seconds: float) -> bool:
        """Say whether times mean little in this inbox, so that a file is stable only if two looks are the same."""

    def claim(self, name: str, staged: FilePath, import_id: str) -> bool:
        """Move a file to `staged`, whole; a process killed half-way repeats it. False: the file is in neither place."""

    def read(self, name: str) -> bytes:
        """Read a side file. Raises FileNotFoundError."""

    def delete(self, name: str) -> None:
        """Delete a side file; a missing one is no error."""


def stable_files(
    inbox: Inbox,
    pattern: str,
    stable_seconds: float,
    done_file: bool,
    sleep: Callable[[float], None] = time.sleep,
) -> list[Waiting]:
    """Give the files that no process writes to any more, in order of arrival.

    A file that vanishes meanwhile is not an error.
    """
    candidates = _candidates(inbox.entries(), pattern, done_file)
    if candidates and inbox.needs_second_look(stable_seconds):
        sleep(stable_seconds)
        return sorted(set(candidates) & set(_candidates(inbox.entries(), pattern, done_file)), key=_arrival)
    return sorted((waiting for waiting in candidates if _is_stable(waiting, stable_seconds)), key=_arrival)


def _is_stable(waiting: Waiting, stable_seconds: float) -> bool:
    return waiting.modified <= time.time() - stable_seconds


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
    """A folder below the storage root, on disk or in a bucket."""

    folder: FilePath

    def entries(self) -> list[Waiting]:
        folder = self.folder
        try:
            entries: list[Any] = list(os.scandir(folder) if isinstance(folder, Path) else folder.scandir())
        except FileNotFoundError:
            return []
        waiting = []
        for entry in entries:
            with suppress(FileNotFoundError):
                if entry.is_dir(follow_symlinks=False):
                    continue
                status = entry.stat(follow_symlinks=False)
                # A sender's clock that is ahead must not make a file wait for ever.
                modified = min(max(status.st_mtime, status.st_ctime), time.time())
                waiting.append(Waiting(entry.name, status.st_size, modified))
        return waiting

    def needs_second_look(self, stable_seconds: float) -> bool:
        return False

    def claim(self, name: str, staged: FilePath, import_id: str) -> bool:
        """Rename the file, which on S3 is a copy and a delete that repeating finishes."""
        source = self.folder / name
        if is_there(staged):
            if isinstance(source, S3Path):
                source.finish_rename(staged)
            return True
        try:
            move(source, staged)
        except FileNotFoundError:
            return is_there(staged)  # another process that finishes the same claim was faster
        return True

    def read(self, name: str) -> bytes:
        return (self.folder / name).read_bytes()

    def delete(self, name: str) -> None:
        (self.folder / name).unlink(missing_ok=True)
