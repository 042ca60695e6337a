"""Which mapping a file is read with: its sender's, else that of the import it corrects, else its feed's."""

from __future__ import annotations

from include.adapters.database import ledger, remembered
from include.adapters.files.paths import FilePath
from include.codes import Code
from include.errors import FileRefused, ImportNotFound
from include.models import Problem
from include.schemas.client_tables import Import
from include.schemas.feed import Feed
from include.schemas.mapping import Mapping
from include.steps.check_feed import read_references
from include.steps.context import ImportContext
from include.steps.file_checks import check_unread, read_sent
from include.transforms.csv_reading.decoding import decode
from include.transforms.csv_reading.records import first_records
from include.transforms.csv_reading.unpacking import is_compressed
from include.transforms.reports import parent_named
from include.transforms.validation.usable_mapping import usable

_LOOKED_AT = 65_536  # bytes; a report says in its header that it is one
_MARKS = tuple("_import".encode(encoding) for encoding in ("utf-8", "utf-16-le", "utf-16-be"))


def mapping_for(context: ImportContext, entry: Import, file: FilePath) -> tuple[Mapping, list[str]]:
    """Give the mapping, and a sentence for each entry of it that cannot be used (any more)."""
    own = Mapping.kept(entry.mapping or {})
    parent = _of_parent(context, entry, file)
    whole = own.over(parent).over(remembered.of_feed(context.engine, entry.feed)).only_beside(context.feed)
    if not whole:
        return whole, []
    return usable(whole, read_references(context.engine), context.clock())


def note(sentence: str) -> Problem:
    """Make a note about the file of a sentence about its mapping."""
    return Problem(Code.MAPPING_UNUSED, "", sentence, "", "note")


def _of_parent(context: ImportContext, entry: Import, file: FilePath) -> Mapping:
    """Give the mapping of the import whose failed rows the file corrects: its columns have the same names."""
    parent_id = entry.parent_import_id or _parent_named(entry.file_name, file, context.feed)
    if parent_id is None:
        return Mapping()
    try:
        parent = ledger.find(context.engine, parent_id)
    except ImportNotFound:
        return Mapping()
    return Mapping.kept(parent.mapping) if parent.feed == entry.feed else Mapping()


def _parent_named(name: str, file: FilePath, feed: Feed) -> str | None:
    """Read the import that the first row of a failed-row report names. A file that is refused names none."""
    try:
        check_unread(name, file, feed)
        with file.open("rb") as opened:
            start = opened.read(_LOOKED_AT)
        if not is_compressed(name, feed.compression) and not any(mark in start for mark in _MARKS):
            return None
        _, content = read_sent(name, file, feed)
        first = first_records(decode(content, feed.encoding), feed)
    except FileRefused:
        return None
    return parent_named(first.names, first.cells[0]) if first.cells else None
