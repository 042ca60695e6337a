"""Write the result file of an import: every record as sent, what became of it, and why (SPEC.md section 10).

The ledger keeps the cells of rows with problems alone, so those of the others are read from the archived file again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from itertools import chain
from typing import Any

from include.adapters.database import import_rows
from include.errors import FileRefused
from include.models import State
from include.schemas.client_tables import Import
from include.schemas.feed import Feed
from include.steps.context import ImportContext
from include.steps.file_checks import text_in
from include.transforms.csv_reading.decoding import decode
from include.transforms.csv_reading.pieces import Piece
from include.transforms.csv_reading.records import read_records
from include.transforms.reports import ResultRow, write_result

_MOST_RECORDS = 2**24 - 1
# How a file was read does not depend on what its feed says today.
_ANY_SIZE: Mapping[str, Any] = {"max_records": _MOST_RECORDS, "max_bytes": 1 << 30}


def has_result(entry: Import) -> bool:
    """Say whether every record of an import has an outcome, and the outcomes are still kept."""
    ended = entry.state in (State.MERGED, State.REVERTED, State.PREVIEWED, State.HELD)
    return ended and entry.forgotten_at is None and entry.counts.read + entry.reverted + entry.kept > 0


def result_file(context: ImportContext, entry: Import) -> Iterator[bytes]:
    """Give the result file, a line at a time.

    The cells of a row are blank where a person was erased, or where the file cannot be read as it was read then.
    """
    return write_result(entry.header, _rows(context, entry), entry.id, entry.delimiter or ",")


def _rows(context: ImportContext, entry: Import) -> Iterator[ResultRow]:
    archived = _archived_cells(context, entry)
    for row, line, outcome, client_id, cells, problems in import_rows.every_row(context.engine, entry.id):
        sent = next(archived, None)
        reasons = [import_rows.problem_of(problem) for problem in problems]
        yield ResultRow(row, line, outcome, client_id or "", sent or cells, reasons)


def _archived_cells(context: ImportContext, entry: Import) -> Iterator[list[str]]:
    """Read the cells of each record of the file again; none where it is gone, or is not read the same way any more."""
    content = _content(context, entry)
    if content is None or hashlib.sha256(content).hexdigest() != entry.sha256:
        return
    feed = _as_it_was_read(context.feed, entry)
    try:
        records = read_records(decode(text_in(entry.file_name, content, feed), feed.encoding), feed)
        if records.header.names == entry.header:
            yield from chain.from_iterable(map(_cells_of, records.pieces))
    except FileRefused:  # the feed's settings have changed since
        return


def _content(context: ImportContext, entry: Import) -> bytes | None:
    try:
        if entry.state == State.HELD:
            return context.storage.staged_source(entry.id).read_bytes()
        return context.storage.read(entry.file_path) if entry.file_path else None
    except FileNotFoundError:
        return None


def _as_it_was_read(feed: Feed, entry: Import) -> Feed:
    named = list(zip(entry.header, entry.fields, strict=False))
    # Of two names that differ in their case alone, the one that was read says what both mean, as it did then.
    columns = {name: "ignore" for name, field in named if field is None} | {
        name: field for name, field in named if field
    }
    return feed.model_copy(update={**_ANY_SIZE, "delimiter": entry.delimiter, "columns": columns or feed.columns})


def _cells_of(piece: Piece) -> Iterator[list[str]]:
    for position, cells in enumerate(zip(*(column.tolist() for column in piece.columns), strict=True)):
        ragged = piece.ragged.get(position)
        yield ragged.cells if ragged else list(cells)
