"""Where files lie below one storage root, and moving them without ever overwriting one (SPEC.md section 8).

The root is a folder or a prefix of an S3 bucket, whose paths know the same words; an inbox may also be elsewhere.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from include.adapters.files.inbox import SIDE_FILES, FolderInbox, Inbox, Waiting, stable_files
from include.adapters.files.paths import FilePath, delete_folder, is_there, move, put_whole
from include.errors import StorageMissing
from include.models import Import

# Where files lie that came through the page or its API, of all feeds. No feed's inbox can be called so.
UPLOADS = ".uploads"
# What a file is called once its own name, which held a person's address, is forgotten.
FORGOTTEN_NAME = "forgotten.csv"
_ENDINGS = (("archive", "csv"), ("refused", "csv"), ("reports", "failed.csv"), ("reports", "planned.csv"))


def _nowhere_else(url: str) -> Inbox:
    raise StorageMissing(f"Nobody said how to reach the inbox {url}.")


@dataclass(frozen=True)
class Storage:
    """`root` is absolute; paths given to and by methods are relative to it unless they say otherwise.

    `elsewhere` opens an inbox that is a URL; any other is a folder below `inbox`.
    """

    root: FilePath
    elsewhere: Callable[[str], Inbox] = field(default=_nowhere_else, repr=False, compare=False)

    def inbox(self, folder: str) -> FilePath:
        return self.root / "inbox" / folder

    def staged_source(self, import_id: str) -> FilePath:
        """The file of an import while it is on its way; the sender's name is never used as a path."""
        return self.root / "staging" / import_id / "source.csv"

    def stable_files(self, folder: str, pattern: str, stable_seconds: float, done_file: bool) -> list[Waiting]:
        """Files nobody writes to any more, in order of arrival.

        Raises StorageMissing when there is no `inbox`: a storage that is not mounted must not look like an empty one.
        """
        return stable_files(self._inbox(folder), pattern, stable_seconds, done_file)

    def is_in_inbox(self, folder: str, name: str) -> bool:
        return any(waiting.name == name for waiting in self._inbox(folder).entries())

    def _inbox(self, folder: str) -> Inbox:
        if "://" in folder:
            return self.elsewhere(folder)
        self._must_be_mounted()
        return FolderInbox(self.inbox(folder))

    def _must_be_mounted(self) -> None:
        # A bucket that is not there says so itself, and has no folder once the last file is taken.
        if isinstance(self.root, Path) and not (self.root / "inbox").is_dir():
            raise StorageMissing(
                f"{self.root} has no folder `inbox`. Is the storage mounted? If it is new, make that folder."
            )

    def put_upload(self, source: Path, upload_id: str) -> None:
        """Copy a file from disk to where a run takes uploads from, whole or not at all. Raises StorageMissing."""
        self._must_be_mounted()  # never makes `inbox` on a disk that is not the storage: the file would be lost there
        target = self.inbox(UPLOADS) / upload_name(upload_id)
        target.parent.mkdir(parents=True, exist_ok=True)
        put_whole(source, target)
        if isinstance(target, Path):
            with target.open("rb") as written:  # who sent it is told that it is safe
                os.fsync(written.fileno())

    def waiting_upload(self, upload_id: str) -> Waiting | None:
        """By its name with its folder; None when it is not there: not yet, or taken. Raises StorageMissing."""
        self._must_be_mounted()
        name = f"{UPLOADS}/{upload_name(upload_id)}"
        try:
            found = self.inbox(name).lstat()
        except FileNotFoundError:
            return None
        return Waiting(name, found.st_size, found.st_mtime)

    def uploads(self) -> list[Waiting]:
        """Every file where uploads wait, also what a dead process left half-written."""
        return FolderInbox(self.inbox(UPLOADS)).entries()

    def delete_upload(self, name: str) -> None:
        FolderInbox(self.inbox(UPLOADS)).delete(name)

    def take(self, folder: str, name: str, import_id: str) -> bool:
        """Move a file from its inbox to staging, whole. False when it is in neither place."""
        staged = self.staged_source(import_id)
        staged.parent.mkdir(parents=True, exist_ok=True)
        taken = self._inbox(folder).take(name, staged, import_id)
        if not taken:
            with suppress(OSError):
                staged.parent.rmdir()
        return taken

    def stage(self, import_id: str, source: Path) -> None:
        """Stage a file that stays where it is."""
        staged = self.staged_source(import_id)
        staged.parent.mkdir(parents=True, exist_ok=True)
        put_whole(source, staged)

    def announced_count(self, folder: str, name: str) -> int | None:
        """The number in `NAME.csv.count`, None without such a file, -1 when it holds no number."""
        try:
            text = self._inbox(folder).read(f"{name}.count").decode("ascii", errors="replace").strip()
        except (FileNotFoundError, IsADirectoryError, PermissionError):
            return None
        return int(text) if re.fullmatch(r"\d{1,12}", text) else -1

    def drop_side_files(self, folder: str, name: str) -> None:
        for ending in SIDE_FILES:
            self._inbox(folder).delete(f"{name}{ending}")

    def archive(self, import_id: str, place: str, feed: str, received: datetime, name: str) -> str:
        """Move the staged file to its last place and give that path. Repeating it changes nothing.

        The import's id is part of the name, so it cannot collide. What else is staged stays.
        """
        path = _last_place(place, feed, received, name, f"{import_id}.csv")
        source, target = self.staged_source(import_id), self.root / path
        if is_there(source):
            target.parent.mkdir(parents=True, exist_ok=True)
            with suppress(FileNotFoundError):  # somebody who does the same was faster
                move(source, target)
        return path

    def write_report(
        self, import_id: str, feed: str, received: datetime, name: str, content: bytes, kind: str = "failed"
    ) -> str:
        """Write a report (`failed` rows or `planned` changes), whole or not at all, and give its path.

        Half a report never leaves staging. Where staging is gone the import is filed: FileNotFoundError.
        """
        path = _last_place("reports", feed, received, name, f"{import_id}.{kind}.csv")
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        unfinished = self.staged_source(import_id).with_name(f"report.{os.getpid()}.tmp")
        unfinished.write_bytes(content)
        move(unfinished, target)
        return path

    def read(self, path: str) -> bytes:
        """A report, or a file in its last place, by its path below the root as the ledger keeps it."""
        return (self.root / path).read_bytes()

    def write_whole(self, import_id: str, target: FilePath, content: bytes) -> None:
        """Replace a file (absolute path), whole or not at all.

        What a killed process leaves behind lies in the import's staging, which is emptied when the import is filed.
        """
        unfinished = self.staged_source(import_id).with_name(f"{target.name}.{os.getpid()}.tmp")
        unfinished.parent.mkdir(parents=True, exist_ok=True)
        unfinished.write_bytes(content)
        if isinstance(target, Path) and isinstance(unfinished, Path):
            with suppress(FileNotFoundError):
                shutil.copymode(target, unfinished)
        target.parent.mkdir(parents=True, exist_ok=True)  # a bucket's rule may have let the folder expire
        move(unfinished, target)

    def files_of(self, entry: Import) -> list[FilePath]:
        """Every file of an import that exists (absolute): staged, archived or refused, and its reports.

        Not only those the ledger knows: a process may have been killed between file and ledger.
        """
        known = [path for path in (entry.file_path, entry.report_path, entry.planned_path) if path]
        for name in (entry.file_name, FORGOTTEN_NAME):
            for place, ending in _ENDINGS:
                known.append(_last_place(place, entry.feed, entry.received_at, name, f"{entry.id}.{ending}"))
        found = (self.staged_source(entry.id), *(self.root / path for path in dict.fromkeys(known)))
        return [path for path in found if is_there(path)]

    def is_report(self, path: FilePath) -> bool:
        return path.parent.parent.parent == self.root / "reports"

    def column_of(self, path: FilePath) -> str:
        """Where the ledger keeps this path."""
        if not self.is_report(path):
            return "file_path"
        return "planned_path" if path.name.endswith(".planned.csv") else "report_path"

    def delete_files(self, entry: Import) -> int:
        """Delete every file of an import, its staging, and the day's folder when that was the last; how many."""
        found = self.files_of(entry)
        for path in found:
            path.unlink(missing_ok=True)
        self.empty_staging(entry.id)
        for folder in {path.parent for path in found}:
            with suppress(OSError):  # not empty, or somebody was quicker
                folder.rmdir()
        return len(found)

    def empty_staging(self, import_id: str) -> None:
        delete_folder(self.staged_source(import_id).parent)

    def drop_leftovers(self, import_id: str) -> None:
        """Delete what lies in an import's staging beside its file."""
        folder = self.staged_source(import_id).parent
        with suppress(FileNotFoundError):
            for path in folder.iterdir():
                if path != self.staged_source(import_id):
                    path.unlink(missing_ok=True)
        with suppress(OSError):  # not there, or not empty
            folder.rmdir()

    def forget_name(self, entry: Import) -> dict[str, str]:
        """Rename an import's files as if the sender had named the file FORGOTTEN_NAME; gives the ledger's new values.

        Repeating it gives the same.
        """
        for path in self.files_of(entry):
            if path != self.staged_source(entry.id):
                path.parent.mkdir(parents=True, exist_ok=True)
                move(path, path.with_name(_without_name(path.name)))
        known = {name: getattr(entry, name) for name in ("file_path", "report_path", "planned_path")}
        paths = {column: str(Path(path).with_name(_without_name(path))) for column, path in known.items() if path}
        return {"file_name": FORGOTTEN_NAME, **paths}


def _last_place(place: str, feed: str, received: datetime, name: str, ending: str) -> str:
    stem = re.sub(r"[^\w.-]+", "_", Path(name).stem, flags=re.ASCII)[:80] or "file"
    return f"{place}/{feed}/{received:%Y-%m-%d}/{stem}--{ending}"


def _without_name(name: str) -> str:
    return f"{Path(FORGOTTEN_NAME).stem}--{name.rpartition('--')[2]}"


def upload_name(upload_id: str) -> str:
    return f"{upload_id}.csv"
