"""Know where files lie below the storage root, and move them without overwriting one (SPEC.md section 8).

The root is a folder or a prefix of an S3 bucket; both have paths with the same methods. An inbox may be elsewhere.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from include.adapters.files.inbox import SIDE_FILES, FolderInbox, Inbox, Waiting, stable_files
from include.adapters.files.paths import FilePath, delete_folder, is_there, move, put_whole
from include.errors import StorageMissing
from include.schemas.client_tables import Import

# The folder for files of all feeds that came through the page or its API. No feed's inbox can have this name.
UPLOADS = ".uploads"
# What a file is called once its own name, which held a person's address, is forgotten.
FORGOTTEN_NAME = "forgotten.csv"
_ENDINGS = (("archive", "csv"), ("refused", "csv"), ("reports", "failed.csv"), ("reports", "planned.csv"))


def _no_servers(url: str) -> Inbox:
    raise StorageMissing(f"This process cannot open the inbox {url}.")


@dataclass(frozen=True)
class Storage:
    """All files of the importer. Paths are relative to `root`, which is absolute, unless a method says otherwise.

    `server_inbox` opens an inbox that is a URL; any other inbox is a folder below `inbox`.
    """

    root: FilePath
    server_inbox: Callable[[str], Inbox] = field(default=_no_servers, repr=False, compare=False)

    def inbox(self, folder: str) -> FilePath:
        return self.root / "inbox" / folder

    def staged_source(self, import_id: str) -> FilePath:
        """Give the place of an import's file until it is archived; the sender's name is never used as a path."""
        return self.root / "staging" / import_id / "source.csv"

    def stable_files(self, folder: str, pattern: str, stable_seconds: float, done_file: bool) -> list[Waiting]:
        """Give the files that no process writes to any more, in order of arrival.

        Raises StorageMissing when there is no `inbox`: a storage that is not mounted must not look like an empty one.
        """
        return stable_files(self._inbox(folder), pattern, stable_seconds, done_file)

    def is_in_inbox(self, folder: str, name: str) -> bool:
        return any(waiting.name == name for waiting in self._inbox(folder).entries())

    def _inbox(self, folder: str) -> Inbox:
        if "://" in folder:
            return self.server_inbox(folder)
        self._must_be_mounted()
        return FolderInbox(self.inbox(folder))

    def _must_be_mounted(self) -> None:
        # A missing bucket raises an error by itself, and a bucket has no folder once its last file is claimed.
        if isinstance(self.root, Path) and not (self.root / "inbox").is_dir():
            raise StorageMissing(
                f"{self.root} has no folder `inbox`. Is the storage mounted? If it is new, make that folder."
            )

    def put_upload(self, source: Path, upload_id: str) -> None:
        """Copy a file from disk to the folder of uploads, whole or not at all. Raises StorageMissing."""
        self._must_be_mounted()  # never makes `inbox` on a disk that is not the storage: the file would be lost there
        target = self.inbox(UPLOADS) / upload_name(upload_id)
        target.parent.mkdir(parents=True, exist_ok=True)
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
        staged.parent.mkdir(parents=True, exist_ok=True)
        claimed = self._inbox(folder).claim(name, staged, import_id)
        if not claimed:
            with suppress(OSError):
                staged.parent.rmdir()
        return claimed

    def stage(self, import_id: str, source: Path) -> None:
        """Stage a file that stays where it is."""
        staged = self.staged_source(import_id)
        staged.parent.mkdir(parents=True, exist_ok=True)
        put_whole(source, staged)

    def announced_count(self, folder: str, name: str) -> int | None:
        """Read the number in `NAME.csv.count`: None without such a file, -1 when the file holds no number."""
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

        The name contains the import's id, so no other file has it. Other staged files stay.
        """
        path = _last_place(place, feed, received, name, f"{import_id}.csv")
        source, target = self.staged_source(import_id), self.root / path
        if is_there(source):
            target.parent.mkdir(parents=True, exist_ok=True)
            with suppress(FileNotFoundError):  # another process that does the same was faster
                move(source, target)
        return path

    def write_report(
        self, import_id: str, feed: str, received: datetime, name: str, content: bytes, kind: str = "failed"
    ) -> str:
        """Write a report (`failed` rows or `planned` changes), whole or not at all, and give its path.

        Half a report never leaves staging. Raises FileNotFoundError when staging is gone: the import is archived.
        """
        path = _last_place("reports", feed, received, name, f"{import_id}.{kind}.csv")
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        unfinished = self.staged_source(import_id).with_name(f"report.{os.getpid()}.tmp")
        unfinished.write_bytes(content)
        move(unfinished, target)
        return path

    def read(self, path: str) -> bytes:
        """Read a report, or a file in its last place, by its path as the ledger keeps it."""
        return (self.root / path).read_bytes()

    def rewrite_report(self, import_id: str, feed: str, received: datetime, name: str, content: bytes) -> str:
        """Write the failed-row report of an import whose staging is gone, as `write_report` does.

        What a killed process leaves behind lies in that staging, which `delete_files` empties.
        """
        self.staged_source(import_id).parent.mkdir(parents=True, exist_ok=True)
        return self.write_report(import_id, feed, received, name, content)

    def files_of(self, entry: Import) -> list[FilePath]:
        """Every file of an import that exists (absolute): staged, archived or refused, and its reports.

        Not only those the ledger knows: a process may have been killed between file and ledger.
        """
        known = [path for path in (entry.file_path, entry.report_path, entry.planned_path) if path]
        for name in (entry.file_name, FORGOTTEN_NAME):
            for place, ending in _ENDINGS:
                known.append(_last_place(place, entry.feed, entry.received_at, name, f"{entry.id}.{ending}"))
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


def _last_place(place: str, feed: str, received: datetime, name: str, ending: str) -> str:
    stem = re.sub(r"[^\w.-]+", "_", Path(name).stem, flags=re.ASCII)[:80] or "file"
    return f"{place}/{feed}/{received:%Y-%m-%d}/{stem}--{ending}"


def upload_name(upload_id: str) -> str:
    return f"{upload_id}.csv"
