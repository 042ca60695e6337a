"""List the files in an inbox, and claim them, wherever the inbox is (SPEC.md section 8)."""

from __future__ import annotations

import fnmatch
import os
import re
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from include.adapters.files.paths import FilePath, is_there, make_folder, move, written_whole
from include.adapters.files.s3 import S3Path
from include.errors import StorageFailed

DONE, COUNT = ".done", ".count"
# The folder beside the files of an inbox in which their senders are answered. No folder is ever taken for a file.
ANSWERS = "answers"
SIDE_FILES = (DONE, COUNT)
_NOT_WAITING = (".part", ".tmp", ".filepart", ".crdownload", "~", *SIDE_FILES)
_NUMBER = re.compile(r"([0-9]{1,200})")


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

    def modified(self, name: str) -> float | None:
        """Give the time when a side file was written; None where there is none."""

    def read(self, name: str) -> bytes:
        """Read a side file. Raises FileNotFoundError."""

    def delete(self, name: str) -> None:
        """Delete a side file or an answer; a missing one is no error."""

    def put(self, name: str, content: bytes) -> None:
        """Write an answer, `ANSWERS/NAME`, whole; one of that name is replaced."""


class ServerInbox(Inbox, Protocol):
    """A folder on a server, which keeps a claimed file under another name until the import has ended."""

    def size_of_claimed(self, import_id: str) -> int | None:
        """Give the size of a claimed file; None where it is not there any more."""

    def give_back(self, name: str, import_id: str) -> None:
        """Let a claimed file wait in the inbox again, under another name when a newer file has its own."""

    def release(self, import_id: str) -> None:
        """Delete a claimed file; a missing one is no error."""


def stable_files(
    inbox: Inbox,
    pattern: str,
    stable_seconds: float,
    side_files: Sequence[str],
    sleep: Callable[[float], None] = time.sleep,
) -> list[Waiting]:
    """Give the files that no process writes to any more, in order of arrival.

    Each has the `side_files` beside it, by their endings. A file that vanishes meanwhile is not an error.
    A file from the future says nothing by its time: this machine's clock was set back, or that of S3 is ahead.
    """
    candidates = _candidates(inbox.entries(), pattern, side_files)
    now, compares_looks = time.time(), inbox.needs_second_look(stable_seconds)
    by_looks = candidates if compares_looks else [each for each in candidates if each.modified > now]
    stable = [] if compares_looks else [each for each in candidates if each.modified <= now - stable_seconds]
    if by_looks:
        sleep(stable_seconds)
        stable += set(by_looks) & set(_candidates(inbox.entries(), pattern, side_files))
    return sorted(stable, key=_arrival)


def name_beside(name: str, import_id: str) -> str:
    """Name a file after its import, with the ending by which it is read: that of an archive stays."""
    ending = re.search(r"\.(?:gz|zip)$", name, re.IGNORECASE | re.ASCII)
    return f"{import_id}{ending[0] if ending else '.csv'}"


def _arrival(waiting: Waiting) -> tuple[object, ...]:
    """Give the order of arrival; files of the same second are in natural order, `old_2` before `old_10`.

    S3 and SFTP servers know the second alone, and of files that are copied together the order of copying says nothing.
    """
    return int(waiting.modified), _natural(waiting.name), waiting.name


def _natural(name: str) -> list[str | int]:
    """Split a name into text and numbers, in turn."""
    parts = _NUMBER.split(name)
    return [int(part) if place % 2 else part for place, part in enumerate(parts)]


def _candidates(entries: Iterable[Waiting], pattern: str, side_files: Sequence[str]) -> list[Waiting]:
    by_name = {waiting.name: waiting for waiting in entries}
    matches = re.compile(fnmatch.translate(pattern)).match
    return [
        waiting
        for name, waiting in by_name.items()
        if not name.startswith(".")
        and not name.lower().endswith(_NOT_WAITING)
        and matches(name)
        and all(f"{name}{ending}" in by_name for ending in side_files)
    ]


def _may_be_read(path: Path) -> bool:
    """Say whether a regular file can be opened; of anything else the name is judged, and nothing is read."""
    effective = os.access in os.supports_effective_ids
    return path.is_symlink() or not path.is_file() or os.access(path, os.R_OK, effective_ids=effective)


def _modified(status: os.stat_result, now: float) -> float:
    """Give the newest time that has come: a sender's clock that is ahead must not make a file wait for ever."""
    earlier, later = sorted((status.st_mtime, status.st_ctime))
    return later if later <= now else earlier


@dataclass(frozen=True)
class FolderInbox:
    """A folder below the storage root, on disk or in a bucket."""

    folder: FilePath

    def entries(self) -> list[Waiting]:
        """List the folder; one that is not there is empty. Raises StorageFailed when it may not be read."""
        folder = self.folder
        try:
            return self._listed(os.scandir(folder) if isinstance(folder, Path) else folder.scandir())
        except FileNotFoundError:
            return []
        except PermissionError as error:
            raise StorageFailed(
                f"{folder} cannot be listed: {error.strerror}. Let the account that runs the importer read it, write "
                "to it and enter it."
            ) from None

    def _listed(self, entries: Iterable[Any]) -> list[Waiting]:
        waiting, now = [], time.time()
        for entry in entries:
            with suppress(FileNotFoundError):
                if not entry.is_dir(follow_symlinks=False):
                    status = entry.stat(follow_symlinks=False)
                    waiting.append(Waiting(entry.name, status.st_size, _modified(status, now)))
        return waiting

    def needs_second_look(self, stable_seconds: float) -> bool:
        return False

    def claim(self, name: str, staged: FilePath, import_id: str) -> bool:
        """Rename the file, which on S3 is a copy and a delete that repeating finishes.

        A file that may not be read stays where it is, where its sender can mend that. Raises StorageFailed.
        """
        source = self.folder / name
        if is_there(staged):
            if isinstance(source, S3Path):
                source.finish_rename(staged)
            return True
        if isinstance(source, Path) and not _may_be_read(source):
            raise StorageFailed(
                "The account that runs the importer may not read this file. Let it read the file, and the next run "
                "takes it."
            )
        try:
            move(source, staged)
        except FileNotFoundError:
            return is_there(staged)  # another process that finishes the same claim was faster
        return True

    def modified(self, name: str) -> float | None:
        try:
            return _modified((self.folder / name).lstat(), time.time())
        except FileNotFoundError:
            return None

    def read(self, name: str) -> bytes:
        return (self.folder / name).read_bytes()

    def delete(self, name: str) -> None:
        with suppress(IsADirectoryError):  # a folder of that name is no side file
            (self.folder / name).unlink(missing_ok=True)

    def put(self, name: str, content: bytes) -> None:
        target = self.folder / name
        make_folder(target.parent)
        with written_whole(target) as unfinished:
            unfinished.write_bytes(content)
