"""Text to records: strict CSV that knows at which physical line each record starts."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass

from include.codes import message_for
from include.errors import FileRefused
from include.schemas.feed import Feed
from include.transforms.headers import Header, fields_of, holds_required, read_header

DELIMITERS = (",", ";", "\t", "|")
_EXCEL_HINT = re.compile(r"sep=([,;\t|])(?:\r\n|\r|\n)", re.IGNORECASE)
# Lengths are judged cell by cell, with a code; csv's own limit would be a stack trace.
csv.field_size_limit(2**31 - 1)


@dataclass(frozen=True)
class Records:
    """`cells[i]` is record i + 1 as sent; `lines[i]` the physical line (from 1) where it starts."""

    header: Header
    delimiter: str
    cells: list[list[str]]
    lines: list[int]


def read_records(text: str, feed: Feed) -> Records:
    """Split text into header and records.

    Raises FILE_BROKEN_QUOTING, FILE_MISSING_COLUMN, FILE_DUPLICATE_COLUMN or FILE_TOO_MANY_RECORDS.
    """
    hint = _EXCEL_HINT.match(text)
    delimiter = feed.delimiter or (hint and hint[1]) or _delimiter_of(text, feed)
    records = _records(text, delimiter)
    line, names = next(records)
    header = read_header(names, feed.columns, line)
    lines, cells = [], []
    for start, record in records:
        lines.append(start)
        cells.append(record)
    if len(cells) > feed.max_records:
        facts = {"found": f"{len(cells):,}", "limit": f"{feed.max_records:,}"}
        raise FileRefused("FILE_TOO_MANY_RECORDS", message_for("FILE_TOO_MANY_RECORDS", **facts))
    return Records(header, delimiter, cells, lines)


def check_announced(records: Records, announced: int | None) -> None:
    """Raises FILE_COUNT_MISMATCH when a count was announced and is not the number of records."""
    if announced is not None and announced != len(records.cells):
        shown = f"{announced:,}" if announced >= 0 else "An unreadable number of"
        facts = {"announced": shown, "found": f"{len(records.cells):,}"}
        raise FileRefused("FILE_COUNT_MISMATCH", message_for("FILE_COUNT_MISMATCH", **facts))


def _records(text: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """(line where it starts, cells) of every record; blank lines are not records."""
    lines = _Lines(text)
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    skipped = 1 if _EXCEL_HINT.match(text) and next(lines) else 0
    width = 0
    while True:
        start = reader.line_num + 1 + skipped
        try:
            record = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            record = _literal(lines.last, delimiter, start, reader.line_num + skipped, str(error))
        if reader.line_num + skipped > start and width:
            _refuse_swallowed(record, delimiter, width, start)
        width = width or len(record)
        if len(record) > 1 or (record and record[0].strip()):
            yield start, record


def _refuse_swallowed(record: list[str], delimiter: str, width: int, start: int) -> None:
    """Raises FILE_BROKEN_QUOTING when a line inside a cell has as many delimiters as a record of its own."""
    for cell in record:
        for line in cell.splitlines()[1:]:
            if line.count(delimiter) >= max(width - 1, 1):
                detail = f"A quoted cell of the record that starts at line {start} has swallowed the records after it."
                raise FileRefused("FILE_BROKEN_QUOTING", message_for("FILE_BROKEN_QUOTING", detail=detail), start)


class _Lines:
    """The physical lines of a text, with their line ends; remembers the last one it gave."""

    def __init__(self, text: str) -> None:
        self._lines = io.StringIO(text, newline="")
        self.last = ""

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        self.last = next(self._lines)
        return self.last


def _literal(line: str, delimiter: str, start: int, end: int, error: str) -> list[str]:
    """The cells of a line like `"click") ;x`, where text follows a closing quote: taken letter for letter.

    The damage is this line's alone when its quotes are even in number, so only this row is judged by it
    (usually ROW_RAGGED). Otherwise nobody can say where records end: FILE_BROKEN_QUOTING.
    """
    if end > start or line.count('"') % 2 or "unexpected end of data" in error:
        raise FileRefused("FILE_BROKEN_QUOTING", _quoting_sentence(error, start), start) from None
    return line.rstrip("\r\n").split(delimiter)


def _quoting_sentence(error: str, line: int) -> str:
    if "unexpected end of data" in error:
        detail = f"A quote is opened in the record that starts at line {line} and never closed."
    else:
        detail = f"In the record that starts at line {line} a quoted cell goes on after its closing quote."
    return message_for("FILE_BROKEN_QUOTING", detail=detail)


def _delimiter_of(text: str, feed: Feed) -> str:
    """The delimiter under which the header holds the required columns; else the one that names most fields."""
    candidates = [(d, names) for d in DELIMITERS if (names := _header_under(text, d))]
    for delimiter, names in candidates:
        if holds_required(names, feed.columns):
            return delimiter
    found = {d: (sum(f is not None for f in fields_of(names, feed.columns)), len(names)) for d, names in candidates}
    return max(found, key=lambda d: found[d]) if found else ","


def _header_under(text: str, delimiter: str) -> list[str] | None:
    try:
        return next(_records(text, delimiter))[1]
    except FileRefused:
        return None
