"""Where files lie below one storage root, and moving them without ever overwriting one (SPEC.md section 8)."""

from __future__ import annotations

import fnmatch
import os
import re
import shutil
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from include.results import Import

# What a file is called once its own name, which held a person's address, is forgotten.
FORGOTTEN_NAME = "forgotten.csv"
_TEMPORARY = (".part", ".tmp", ".filepart", ".crdownload", "~")
_ENDINGS = (("archive", "csv"), ("refused", "csv"), ("reports", "failed.csv"), ("reports", "planned.csv"))
_SIDE_FILES = (".done", ".count")


@dataclass(frozen=True)
class Waiting:
    """A settled file in an inbox. `name` may hold anything a sender can put into a file name."""

    name: str
    size: int
    modified: float


@dataclass(frozen=True)
class Storage:
    """`root` is an absolute folder; paths given to and by methods are relative to it unless they say otherwise."""

    root: Path

    def inbox(self, folder: str) -> Path:
        return self.root / "inbox" / folder

    def staged_source(self, import_id: str) -> Path:
        """The file of an import while it is on its way; the sender's name is never used as a path."""
        return self.root / "staging" / import_id / "source.csv"

    def settled(self, folder: str, pattern: str, settle_seconds: float, done_file: bool) -> list[Waiting]:
        """Files nobody writes to any more, in order of arrival. A file that just vanished is not an error."""
        newest = time.time() - settle_seconds
        waiting = [w for w in self._candidates(folder, pattern) if w.modified <= newest]
        if done_file:
            waiting = [w for w in waiting if (self.inbox(folder) / f"{w.name}.done").exists()]
        return sorted(waiting, key=lambda w: (w.modified, w.name))

    def _candidates(self, folder: str, pattern: str) -> Iterator[Waiting]:
        try:
            entries = list(os.scandir(self.inbox(folder)))
        except FileNotFoundError:
            return
        for entry in entries:
            name = entry.name
            if name.startswith(".") or name.lower().endswith((*_TEMPORARY, *_SIDE_FILES)):
                continue
            if not fnmatch.fnmatch(name, pattern) or entry.is_dir(follow_symlinks=False):
                continue
            try:
                found = entry.stat(follow_symlinks=False)
            except FileNotFoundError:
                continue
            # A clock that is ahead on the sender's side must not make a file wait for ever.
            yield Waiting(name, found.st_size, min(max(found.st_mtime, found.st_ctime), time.time()))

    def look(self, folder: str, name: str) -> Waiting | None:
        """One file of an inbox by its name, settled or not; None when it is not there."""
        try:
            found = (self.inbox(folder) / name).stat(follow_symlinks=False)
        except FileNotFoundError:
            return None
        return Waiting(name, found.st_size, found.st_mtime)

    def begin_upload(self, folder: str, upload_id: str) -> Path:
        """Where to write what is being uploaded (absolute): in the inbox, under a name that is never taken."""
        place = self.inbox(folder) / f".upload-{upload_id}.part"
        place.parent.mkdir(parents=True, exist_ok=True)
        return place

    def finish_upload(self, folder: str, part: Path, upload_id: str) -> None:
        """Let a run take what is written: it is on disk, then it gets its name."""
        with part.open("rb") as written:
            os.fsync(written.fileno())
        os.replace(part, self.inbox(folder) / upload_name(upload_id))

    def take(self, folder: str, name: str, import_id: str) -> bool:
        """Move a file from its inbox to staging in one rename. False when it is in neither place."""
        source, target = self.inbox(folder) / name, self.staged_source(import_id)
        target.parent.mkdir(parents=True, exist_ok=True)
        if not os.path.lexists(target):
            try:
                os.rename(source, target)
            except FileNotFoundError:
                if os.path.lexists(target):  # somebody who finishes the same claim was faster
                    return True
                with suppress(OSError):
                    target.parent.rmdir()
                return False
        return True

    def announced_count(self, folder: str, name: str) -> int | None:
        """The number in `NAME.csv.count`, None without such a file, -1 when it holds no number."""
        try:
            text = (self.inbox(folder) / f"{name}.count").read_text("ascii", errors="replace").strip()
        except OSError:
            return None
        return int(text) if re.fullmatch(r"\d{1,12}", text) else -1

    def drop_side_files(self, folder: str, name: str) -> None:
        for ending in _SIDE_FILES:
            (self.inbox(folder) / f"{name}{ending}").unlink(missing_ok=True)

    def file_away(self, import_id: str, place: str, feed: str, received: datetime, name: str) -> str:
        """Move the staged file to its last place and give that path. Repeating it changes nothing.

        The import's id is part of the name, so it cannot collide. What else is staged stays.
        """
        target = self._last_place(place, feed, received, name, f"{import_id}.csv")
        source = self.staged_source(import_id)
        if os.path.lexists(source):
            target.parent.mkdir(parents=True, exist_ok=True)
            with suppress(FileNotFoundError):  # somebody who does the same was faster
                os.rename(source, target)
        return str(target.relative_to(self.root))

    def write_report(
        self, import_id: str, feed: str, received: datetime, name: str, content: bytes, kind: str = "failed"
    ) -> str:
        """Write a report (`failed` rows or `planned` changes), whole or not at all, and give its path.

        Half a report never leaves staging. Where staging is gone the import is filed: FileNotFoundError.
        """
        target = self._last_place("reports", feed, received, name, f"{import_id}.{kind}.csv")
        target.parent.mkdir(parents=True, exist_ok=True)
        unfinished = self.staged_source(import_id).with_name(f"report.{os.getpid()}.tmp")
        unfinished.write_bytes(content)
        os.replace(unfinished, target)
        return str(target.relative_to(self.root))

    def read(self, path: str) -> bytes:
        """A report, or a file in its last place, by its path below the root as the ledger keeps it."""
        return (self.root / path).read_bytes()

    def write_whole(self, import_id: str, target: Path, content: bytes) -> None:
        """Write or replace a file (absolute path), whole or not at all.

        What a killed process leaves behind lies in the import's staging, which is emptied when the import is filed.
        """
        unfinished = self.staged_source(import_id).with_name(f"{target.name}.{os.getpid()}.tmp")
        unfinished.parent.mkdir(parents=True, exist_ok=True)
        unfinished.write_bytes(content)
        with suppress(FileNotFoundError):
            shutil.copymode(target, unfinished)
        os.replace(unfinished, target)

    def files_of(self, entry: Import) -> list[Path]:
        """Every file of an import that exists (absolute): staged, archived or refused, and its reports.

        Not only those the ledger knows: a process may have been killed between file and ledger.
        """
        known = [self.root / path for path in (entry.file_path, entry.report_path, entry.planned_path) if path]
        for name in (entry.file_name, FORGOTTEN_NAME):
            for place, ending in _ENDINGS:
                known.append(self._last_place(place, entry.feed, entry.received_at, name, f"{entry.id}.{ending}"))
        return [path for path in dict.fromkeys((self.staged_source(entry.id), *known)) if os.path.lexists(path)]

    def is_report(self, path: Path) -> bool:
        return path.is_relative_to(self.root / "reports")

    def column_of(self, path: Path) -> str:
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
        shutil.rmtree(self.staged_source(import_id).parent, ignore_errors=True)

    def drop_leftovers(self, import_id: str) -> None:
        """Delete what lies in an import's staging beside its file."""
        folder = self.staged_source(import_id).parent
        for path in folder.glob("*"):
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
                os.rename(path, _without_name(path))
        known = {name: getattr(entry, name) for name in ("file_path", "report_path", "planned_path")}
        paths = {column: str(_without_name(Path(path))) for column, path in known.items() if path}
        return {"file_name": FORGOTTEN_NAME, **paths}

    def _last_place(self, place: str, feed: str, received: datetime, name: str, ending: str) -> Path:
        stem = re.sub(r"[^\w.-]+", "_", Path(name).stem, flags=re.ASCII)[:80] or "file"
        return self.root / place / feed / f"{received:%Y-%m-%d}" / f"{stem}--{ending}"


def upload_name(upload_id: str) -> str:
    """What an upload is called in the inbox. It starts with a dot: only who knows of the upload takes it."""
    return f".upload-{upload_id}.csv"


def _without_name(path: Path) -> Path:
    return path.with_name(f"{Path(FORGOTTEN_NAME).stem}--{path.name.rpartition('--')[2]}")
