"""Know where files lie below the storage root, and move them without overwriting one (SPEC.md section 8).

The root is a folder or a prefix of an S3 bucket; both have paths with the same methods. An inbox may be elsewhere.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import product
from pathlib import Path

from include.adapters.files.inbox import (
    ANSWERS,
    COUNT,
    SIDE_FILES,
    FolderInbox,
    Inbox,
    ServerInbox,
    Waiting,
    name_beside,
    stable_files,
)
from include.adapters.files.paths import (
    FilePath,
    delete_folder,
    is_there,
    make_folder,
    move,
    move_beside,
    protect,
    put_whole,
    sha256_of,
)
from include.errors import StorageFailed, StorageMissing
from include.schemas.client_tables import Import

# The folder for files of all feeds that came through the page or its API. No feed's inbox can have this name.
UPLOADS = ".uploads"
# What a file is called once its own name, which held a person's address, is forgotten.
FORGOTTEN_NAME = "forgotten.csv"
LONGEST_NAME = 255  # bytes, on nearly every file system
REPORTS = ("failed.csv", "planned.csv")


def _no_servers(url: str) -> ServerInbox:
    raise StorageMissing(f"This process cannot open the inbox {url}.")


@dataclass(frozen=True)
class Storage:
    """All files of the importer. Paths are relative to `root`, which is absolute, unless a method says otherwise.

    `received` gives the day of a folder, so it is a time in the feed's time zone.
    `server_inbox` opens an inbox that is a URL; any other inbox is a folder below `inbox`.
    """

    root: FilePath
    server_inbox: Callable[[str], ServerInbox] = field(default=_no_servers, repr=False, compare=False)

    def inbox(self, folder: str) -> FilePath:
        return self.root / "inbox" / folder

    def staged_source(self, import_id: str) -> FilePath:
        """Give the place of an import's file until it is archived; the sender's name is never used as a path."""
        return self.root / "staging" / import_id / "source.csv"

    def stable_files(
        self, folder: str, pattern: str, stable_seconds: float, side_files: Sequence[str] = ()
    ) -> list[Waiting]:
        """Give the files that no process writes to any more, in order of arrival.

        Raises StorageMissing when there is no `inbox`: a storage that is not mounted must not look like an empty one.
        """
        return stable_files(self._inbox(folder), pattern, stable_seconds, side_files)

    def is_in_inbox(self, folder: str, name: str) -> bool:
        return any(waiting.name == name for waiting in self._inbox(folder).entries())

    def _inbox(self, folder: str) -> Inbox:
        if "://" in folder:
            return self.server_inbox(folder)
        self._must_be_mounted()
        self.make_inbox(folder)
        return FolderInbox(self.inbox(folder))

    def make_inbox(self, folder: str) -> None:
        """Make the folder of an inbox, or else a file that a person copies there takes its name.

        Raises StorageMissing when that has happened. For a process that may not make it, an inbox is only empty.
        """
        inbox = self.inbox(folder)
        if isinstance(inbox, Path) and not os.path.isdir(inbox):
            try:
                inbox.mkdir(parents=True, exist_ok=True)
            except (FileExistsError, NotADirectoryError):
                advice = "Rename the file, make the folder, and move the file into it."
                raise StorageMissing(f"{inbox} must be a folder and is a file. {advice}") from None
            except OSError:
                return

    def _must_be_mounted(self) -> None:
        # A missing bucket raises an error by itself, and a bucket has no folder once its last file is claimed.
        if isinstance(self.root, Path) and not os.path.isdir(self.root / "inbox"):
            raise StorageMissing(
                f"{self.root} has no folder `inbox`. Is the storage mounted? If it is new, make that folder."
            )

    def put_upload(self, source: Path, upload_id: str) -> None:
        """Copy a file from disk to the folder of uploads, whole or not at all. Raises StorageMissing."""
        self._must_be_mounted()  # never makes `inbox` on a disk that is not the storage: the file would be lost there
        target = self.inbox(UPLOADS) / upload_name(upload_id)
        make_folder(target.parent)
        put_whole(source, target)
        if isinstance(target, Path):
            with target.open("rb") as written:  # the page then says that the file is safe
                os.fsync(written.fileno())

    def waiting_upload(self, upload_id: str) -> Waiting | None:
        """Give an upload with its folder in its name; None: not there yet, or claimed. Raises StorageMissing."""
        self._must_be_mounted()
        name = f"{UPLOADS}/{upload_name(upload_id)}"
        try:
            status = self.inbox(name).lstat()
        except FileNotFoundError:
            return None
        return Waiting(name, status.st_size, status.st_mtime)

    def uploads(self) -> list[Waiting]:
        """List the files in the folder of uploads, also those that a killed process left half-written."""
        return FolderInbox(self.inbox(UPLOADS)).entries()

    def delete_upload(self, name: str) -> None:
        FolderInbox(self.inbox(UPLOADS)).delete(name)

    def claim(self, folder: str, name: str, import_id: str) -> bool:
        """Move a file from its inbox to staging, whole. False when it is in neither place."""
        staged = self.staged_source(import_id)
        make_folder(staged.parent)
        claimed = self._inbox(folder).claim(name, staged, import_id)
        protect(staged)
        if not claimed:
            with suppress(OSError):
                staged.parent.rmdir()
        return claimed

    def is_as_it_was(self, folder: str, import_id: str, path: FilePath, size: int, sha256: str | None) -> bool:
        """Say whether a claimed file, which is at `path` now, is what was read.

        An object in S3 never changes once it is claimed. A server still has the file that was copied from it.
        """
        if "://" in folder:
            return self.server_inbox(folder).size_of_claimed(import_id) in (None, size)
        return self.has_size(path, size) and (sha256 is None or self.hash_of(path) in (None, sha256))

    def has_size(self, path: FilePath, size: int) -> bool:
        """Say whether a file has this many bytes; an object in S3, and a file that is gone, always have."""
        return not isinstance(path, Path) or not is_there(path) or path.lstat().st_size == size

    def hash_of(self, path: FilePath) -> str | None:
        """Give the SHA-256 of a file on disk; None for an object in S3, and for a file that is gone."""
        return sha256_of(path) if isinstance(path, Path) and is_there(path) else None

    def give_back(self, folder: str, name: str, import_id: str, path: FilePath) -> None:
        """Put a claimed file back into its inbox, beside a newer file of its name. Repeating it changes nothing."""
        if "://" in folder:
            return self.server_inbox(folder).give_back(name, import_id)
        if isinstance(path, Path):
            move_beside(path, Path(str(self.inbox(folder))), (name, name_beside(name, import_id)))
        return None

    def release(self, folder: str, import_id: str) -> None:
        """Delete what a server keeps of a claimed file."""
        if "://" in folder:
            self.server_inbox(folder).release(import_id)

    def stage(self, import_id: str, source: Path) -> None:
        """Stage a file that stays where it is."""
        staged = self.staged_source(import_id)
        make_folder(staged.parent)
        put_whole(source, staged)

    def lone_counts(self, folder: str) -> dict[str, float]:
        """Give the names whose `NAME.csv.count` alone is in the inbox, with the time when it was written."""
        entries = {waiting.name: waiting.modified for waiting in self._inbox(folder).entries()}
        counts = {name.removesuffix(COUNT): time for name, time in entries.items() if name.endswith(COUNT)}
        return {name: time for name, time in counts.items() if name not in entries}

    def count_written(self, folder: str, name: str) -> float | None:
        """Give the time when `NAME.csv.count` was written; None without such a file."""
        return self._inbox(folder).modified(f"{name}{COUNT}")

    def announced_count(self, folder: str, name: str) -> int | None:
        """Read the number in `NAME.csv.count`: None without such a file, -1 when the file holds no number.

        Raises PermissionError for one that may not be read: a number that was announced has to be compared.
        """
        if not _can_have_side_files(name):
            return None
        try:
            return number_in(self._inbox(folder).read(f"{name}{COUNT}"))
        except (FileNotFoundError, IsADirectoryError):
            return None

    def drop_side_files(self, folder: str, name: str) -> None:
        for ending in SIDE_FILES if _can_have_side_files(name) else ():
            self._inbox(folder).delete(f"{name}{ending}")

    def put_answer(self, folder: str, name: str, content: bytes) -> str | None:
        """Write an answer to a sender beside the inbox; gives its path, None where it is on another's server."""
        self._answers(folder).put(f"{ANSWERS}/{name}", content)
        return None if "://" in folder else f"inbox/{folder}/{ANSWERS}/{name}"

    def delete_answer(self, folder: str, name: str) -> None:
        self._answers(folder).delete(f"{ANSWERS}/{name}")

    def _answers(self, folder: str) -> Inbox:
        """Open an inbox to answer. Raises StorageFailed where a sender has put a link in place of the folder."""
        answers = self.inbox(folder) / ANSWERS if "://" not in folder else None
        if isinstance(answers, Path) and answers.is_symlink():
            raise StorageFailed(f"{answers} is a link, and answers go into a folder alone. Remove the link.")
        return self._inbox(folder)

    def archive(self, import_id: str, place: str, feed: str, received: datetime, name: str) -> str:
        """Move the staged file to its last place and give that path. Repeating it changes nothing.

        The name contains the import's id, so no other file has it. Other staged files stay.
        """
        path = _last_place(place, feed, _day(received), name, name_beside(name, import_id))
        source, target = self.staged_source(import_id), self.root / path
        if is_there(source):
            make_folder(target.parent)
            with suppress(FileNotFoundError):  # another process that does the same was faster
                move(source, target)
        return path

    def write_report(
        self, import_id: str, feed: str, received: datetime, name: str, content: bytes, kind: str = "failed"
    ) -> str:
        """Write a report (`failed` rows or `planned` changes), whole or not at all, and give its path.

        Half a report never leaves staging. Raises FileNotFoundError when staging is gone: the import is archived.
        """
        path = _last_place("reports", feed, _day(received), name, f"{import_id}.{kind}.csv")
        target = self.root / path
        make_folder(target.parent)
        unfinished = self.staged_source(import_id).with_name(f"report.{os.getpid()}.tmp")
        unfinished.write_bytes(content)
        protect(unfinished)
        move(unfinished, target)
        return path

    def read(self, path: str) -> bytes:
        """Read a report, or a file in its last place, by its path as the ledger keeps it."""
        return (self.root / path).read_bytes()

    def rewrite_report(self, import_id: str, feed: str, received: datetime, name: str, content: bytes) -> str:
        """Write the failed-row report of an import whose staging is gone, as `write_report` does.

        What a killed process leaves behind lies in that staging, which `delete_files` empties.
        """
        make_folder(self.staged_source(import_id).parent)
        return self.write_report(import_id, feed, received, name, content)

    def files_of(self, entry: Import) -> list[FilePath]:
        """Every file of an import that exists (absolute): staged, archived or refused, and its reports.

        Not only those the ledger knows: a process may have been killed between file and ledger.
        """
        known = [path for path in (entry.file_path, entry.report_path, entry.planned_path) if path]
        days = {Path(path).parent.name for path in known} or _days_of(entry.received_at)
        for name, day in product((entry.file_name, FORGOTTEN_NAME), sorted(days)):
            places = [(place, name_beside(name, entry.id)) for place in ("archive", "refused")]
            places += [("reports", f"{entry.id}.{ending}") for ending in REPORTS]
            known += [_last_place(place, entry.feed, day, name, ending) for place, ending in places]
        known += [entry.answer_path] if entry.answer_path else []
        paths = (self.staged_source(entry.id), *(self.root / path for path in dict.fromkeys(known)))
        return [path for path in paths if is_there(path)]

    def delete_files(self, entry: Import, but: str | None = None) -> list[FilePath]:
        """Delete every file of an import `but` one, and its staging. Returns the paths of the deleted files."""
        kept = self.root / but if but else None
        paths = [path for path in self.files_of(entry) if path != kept]
        for path in paths:
            path.unlink(missing_ok=True)
        self.empty_staging(entry.id)
        return paths

    def delete_empty_folders(self, deleted: list[FilePath]) -> None:
        """Delete the folders of days long past that are empty now. Today's may just have been made for a file."""
        for folder in {path.parent for path in deleted}:
            with suppress(OSError):  # not empty, or another process was quicker
                folder.rmdir()

    def empty_staging(self, import_id: str) -> None:
        delete_folder(self.staged_source(import_id).parent)


def number_in(count_file: bytes) -> int:
    """Read the number that a `.count` file holds, -1 where it is none."""
    text = count_file.decode("ascii", errors="replace").strip()
    return int(text) if re.fullmatch(r"\d{1,12}", text) else -1


def _can_have_side_files(name: str) -> bool:
    """Say whether the name is short enough for another ending."""
    return len(os.fsencode(name)) + max(map(len, SIDE_FILES)) <= LONGEST_NAME


def _last_place(place: str, feed: str, day: str, name: str, ending: str) -> str:
    stem = re.sub(r"[^\w.-]+", "_", Path(name).stem, flags=re.ASCII)[:80] or "file"
    return f"{place}/{feed}/{day}/{stem}--{ending}"


def _day(received: datetime) -> str:
    return f"{received:%Y-%m-%d}"


def _days_of(received: datetime) -> set[str]:
    """Give the days that it can be at this instant (UTC), since each feed has its time zone."""
    return {_day(received + timedelta(hours=offset)) for offset in (-12, 0, 14)}


def upload_name(upload_id: str) -> str:
    return f"{upload_id}.csv"
