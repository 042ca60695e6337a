"""Look for one person in the files of imports, and take the person out of them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from stat import S_ISREG

import sqlalchemy as sa

from include.adapters.database import ledger
from include.adapters.files.paths import FilePath
from include.adapters.files.storage import Storage
from include.errors import FileRefused
from include.models import FINAL_STATES, Forgotten, Import
from include.schemas.feed import Feed
from include.steps.forget import FALLBACK, Feeds, plain_message
from include.transforms.erasure import ClientFile, holds, read_client_file
from include.transforms.person import Person

_WINDOW, _OVERLAP = 8 * 1024 * 1024, 4096  # bytes of a file that is too large to be read as CSV


def at_rest(entry: Import) -> bool:
    """No step will touch the import or its files again unless a person asks for it."""
    return entry.state in FINAL_STATES and (entry.filed or entry.state in ("discarded", "reverted"))


@dataclass(frozen=True)
class FileSearch:
    """`lines`: by import id, the physical lines where the person's records start, as far as the ledger knows."""

    engine: sa.Engine
    storage: Storage
    feeds: Feeds
    person: Person
    lines: Mapping[str, Collection[int]] = field(default_factory=dict)

    def rules(self, entry: Import) -> Feed:
        found = self.feeds.get(entry.feed) or self.feeds.get(FALLBACK)
        return found or Feed(name=FALLBACK, title=FALLBACK)

    def emails(self, entry: Import) -> list[str]:
        """The e-mail cells of the person's records in an import's file."""
        found: list[str] = []
        for path in self._readable(entry):
            if not self.storage.is_report(path):
                try:
                    file = self._read(entry, path, path.read_bytes(), Person())
                except FileRefused:
                    continue
                found += file.emails_at(self.lines[entry.id])
        return found

    def erase(self, entry: Import) -> Forgotten:
        """Take the person's records out of an import's files; a file that is no CSV and holds the person goes whole.

        An import that is not at rest is only looked into.
        """
        done = Forgotten()
        for path in self._readable(entry):
            done += self._erase_in(entry, path)
        if at_rest(entry):
            self.storage.drop_leftovers(entry.id)
        return done

    def _erase_in(self, entry: Import, path: FilePath) -> Forgotten:
        lines = () if self.storage.is_report(path) else self.lines.get(entry.id, ())
        rules = self.rules(entry)
        if path.stat().st_size > rules.max_bytes and not entry.has_been("validated"):
            found = any(holds(window, rules.encoding, self.person) for window in _windows(path))
            return self._delete(entry, path) if found else Forgotten()
        content = path.read_bytes()
        if not lines and not holds(content, self._encoding(entry, path), self.person):
            unsearchable = entry.code == "FILE_NOT_CSV" and b"\0" in content
            return Forgotten(unread=(entry.id,)) if unsearchable else Forgotten()
        try:
            erased = self._read(entry, path, content, self.person).without(self.person, lines)
        except FileRefused:
            return self._delete(entry, path)
        if not erased.records:
            return Forgotten()
        return self._act(entry, Forgotten(records=erased.records),
                         lambda: self.storage.write_whole(entry.id, path, erased.content))  # fmt: skip

    def _delete(self, entry: Import, path: FilePath) -> Forgotten:
        """The ledger first: a file it does not know is found again by its name, a file that is gone is not."""
        return self._act(entry, Forgotten(files=1), path.unlink, **{self.storage.column_of(path): None})

    def _act(self, entry: Import, done: Forgotten, act: Callable[[], None], **changed: None) -> Forgotten:
        if not at_rest(entry):
            return Forgotten(left=(entry.id,))
        values = {**changed, **({"message": plain_message(entry)} if entry.state == "refused" else {})}
        if values:
            ledger.change(self.engine, entry.id, **values)
        act()
        return done

    def _read(self, entry: Import, path: FilePath, content: bytes, person: Person) -> ClientFile:
        rules = self.rules(entry).model_copy(update={"encoding": self._encoding(entry, path)})
        delimiter = (entry.delimiter or ",") if self.storage.is_report(path) else entry.delimiter
        return read_client_file(content, rules, delimiter or rules.delimiter, person)

    def _encoding(self, entry: Import, path: FilePath) -> str | None:
        return None if self.storage.is_report(path) else self.rules(entry).encoding

    def _readable(self, entry: Import) -> list[FilePath]:
        """Links and devices that were sent hold nothing of their own."""
        return [path for path in self.storage.files_of(entry) if S_ISREG(path.lstat().st_mode)]


def _windows(path: FilePath) -> Iterator[bytes]:
    with path.open("rb") as content:
        before = b""
        while window := content.read(_WINDOW):
            yield before + window
            before = window[-_OVERLAP:]
