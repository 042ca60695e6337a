"""Text to records: strict CSV that knows at which physical line each record starts."""

from __future__ import annotations

import csv
import io
import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from include.codes import message_for
from include.errors import FileRefused
from include.schemas.client_rows import WHITE_SPACE
from include.schemas.feed import Feed
from include.transforms.headers import Header, fields_of, holds_required, missing_columns, read_header
from include.transforms.quoting import check_swallowed, ends_in_an_escape, literal_pieces, refuse_quoting
from include.transforms.reports import is_report, never_corrected, restore_cells
from include.transforms.screening import check_text_format, refuse_content

DELIMITERS = (",", ";", "\t", "|")
_EXCEL_HINT = re.compile(r"\"?sep=([,;\t|])\"?(?=[\r\n])", re.IGNORECASE)
_QUOTES_UNCLEAR = "A quoted cell of the row goes on after its closing quote: nobody can say where its cells end."
_NOT_CORRECTED = "The row fitted no columns when it was sent: write its cells from `_cells` into their columns."
_COUNT_UP_TO = 20  # times the limit: a file that is far too large need not be counted to its end
_LOOK_FOR_HEADER = 50  # lines
_LONGEST_HEADER = 2_000_000  # characters: as many columns as a spreadsheet holds, with long names
_MOST_COLUMNS = 16_384  # as many as a spreadsheet holds
# Lengths are judged cell by cell, with a code; csv's own limit would be a stack trace.
csv.field_size_limit(2**31 - 1)


@dataclass(frozen=True)
class Records:
    """`cells[i]` is record i + 1 as sent; `lines[i]` the physical line (from 1) where it starts.

    `unclear`: positions of records of the right width whose cells cannot be told apart all the same, and why.
    """

    header: Header
    delimiter: str
    cells: list[list[str]]
    lines: list[int]
    unclear: dict[int, str] = field(default_factory=dict)


def read_records(text: str, feed: Feed) -> Records:
    """Split text into header and records; those of a failed-row report as they were before it was made safe.

    Raises FILE_BROKEN_QUOTING, FILE_MISSING_COLUMN, FILE_DUPLICATE_COLUMN, FILE_NOT_CSV, FILE_EMPTY or
    FILE_TOO_MANY_RECORDS.
    """
    source = _Source(text, *_begin(text))
    delimiter = _delimiter_of(source, feed)
    header = _header(source, delimiter, feed)
    records = _body(source, header, delimiter, feed)
    return _restored(records) if is_report(header.names) else records


def _restored(report: Records) -> Records:
    names = report.header.names
    left = {n: _NOT_CORRECTED for n, cells in enumerate(report.cells) if never_corrected(names, cells)}
    cells = [restore_cells(names, cells) for cells in report.cells]
    return replace(report, cells=cells, unclear=report.unclear | left)


def split_records(text: str, delimiter: str) -> list[tuple[int, list[str]]]:
    """(line where it starts, cells) of the header and of each record, whatever the columns mean.

    Raises FILE_BROKEN_QUOTING.
    """
    return [(start, cells) for start, cells, _ in _Source(text, *_begin(text)).records(delimiter)]


def split_lines(text: str) -> list[str]:
    """Physical lines with their ends: LF, CRLF and CR, and nothing else."""
    return list(_lines(text))


def check_announced(records: Records, announced: int | None) -> None:
    """Raises FILE_COUNT_MISMATCH when a count was announced and is not the number of records."""
    if announced is not None and announced != len(records.cells):
        shown = f"{announced:,}" if announced >= 0 else "An unreadable number of"
        facts = {"announced": shown, "found": f"{len(records.cells):,}"}
        raise FileRefused("FILE_COUNT_MISMATCH", message_for("FILE_COUNT_MISMATCH", **facts))


def _begin(text: str) -> tuple[int, str | None]:
    """(lines before the header: blank ones and Excel's `sep=`, the delimiter that `sep=` names).

    Raises FILE_NOT_CSV for what is no line of names, before it is read once for each delimiter.
    """
    first = text[:20].lstrip("\ufeff")
    hint = _EXCEL_HINT.match(first)
    skipped = 1 if hint else 0
    for line in itertools.islice(_lines(text), skipped, None):
        if line.strip(WHITE_SPACE):
            if len(line) > _LONGEST_HEADER:
                detail = f"its first line has {len(line):,} characters, and no header is that long"
                refuse_content(detail, skipped + 1)
            break
        skipped += 1
    return skipped, hint[1] if hint else None


def _lines(text: str) -> io.StringIO:
    """The physical lines: StringIO ends them at LF, CRLF and CR, and nowhere else."""
    return io.StringIO(text, newline="")


@dataclass(frozen=True)
class _Source:
    """A file's text; the first `skipped` lines are not CSV; `hint`: the delimiter that Excel says it used."""

    text: str
    skipped: int
    hint: str | None

    def records(self, delimiter: str) -> Iterator[tuple[int, list[str], bool]]:
        """(line where it starts, cells, whether its quotes are clear) of every record; blank lines are not records.

        Raises FILE_BROKEN_QUOTING.
        """
        reader = csv.reader(itertools.islice(_lines(self.text), self.skipped, None), delimiter=delimiter, strict=True)
        if '"' not in self.text:
            # A line is a record then, and nothing about it can be unclear.
            for number, record in enumerate(reader, self.skipped + 1):
                if len(record) > 1 or (record and record[0].strip(WHITE_SPACE)):
                    yield number, record, True
            return
        raw = _Raw(self.text)
        escapes = '\\"' in self.text
        width, end = 0, self.skipped
        while True:
            start, clear = end + 1, True
            try:
                record = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                end = reader.line_num + self.skipped
                record, clear = literal_pieces(raw.lines(start, end), delimiter, start, str(error)), False
            end = reader.line_num + self.skipped
            if not record:
                continue
            if len(record) == 1 and clear and not record[0].strip(WHITE_SPACE) and '"' not in raw.lines(start, end)[0]:
                continue
            width = width or len(record)
            if end > start:
                check_swallowed(record, raw.lines(start, end), delimiter, width, start)
            yield start, record, clear and not (escapes and ends_in_an_escape(record))


class _Raw:
    """The physical lines of a text once more, for the few records that need them; asked for in order."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._rest: Iterator[str] | None = None
        self._given = 0
        self._last: list[str] = []

    def lines(self, start: int, end: int) -> list[str]:
        if self._rest is None:
            self._rest = _lines(self._text)
        if self._given < end:
            self._last = list(itertools.islice(self._rest, start - self._given - 1, end - self._given))
            self._given = end
        return self._last


def _header(source: _Source, delimiter: str, feed: Feed) -> Header:
    line, names, clear = next(source.records(delimiter), (0, [], True))
    if not names:
        raise FileRefused("FILE_EMPTY", message_for("FILE_EMPTY", detail="has no header"))
    if len(names) > _MOST_COLUMNS:
        detail = f"its header has {len(names):,} columns, and no spreadsheet holds more than {_MOST_COLUMNS:,}"
        refuse_content(detail, line)
    missing = missing_columns(names, feed.columns)
    check_text_format(source.text, header_is_good=not missing)
    if not clear:
        refuse_quoting(f"In the header, line {line}, a quoted name goes on after its closing quote.", line)
    if is_report(names):
        names = restore_cells(names, names)
    return read_header(names, feed.columns, line, _where_the_header_is(source, line, feed) if missing else "")


def _body(source: _Source, header: Header, delimiter: str, feed: Feed) -> Records:
    numbered = itertools.islice(source.records(delimiter), 1, None)
    cells: list[list[str]] = []
    lines: list[int] = []
    unclear: dict[int, str] = {}
    for start, record, clear in itertools.islice(numbered, feed.max_records):
        if not clear:
            unclear[len(cells)] = _QUOTES_UNCLEAR
        lines.append(start)
        cells.append(record)
    if (first := next(numbered, None)) is not None:
        more = sum(1 for _ in itertools.islice(numbered, feed.max_records * _COUNT_UP_TO))
        found = f"{len(cells) + 1 + more:,}"
        found = f"more than {found}" if next(numbered, None) else found
        facts = {"found": found, "limit": f"{feed.max_records:,}"}
        raise FileRefused("FILE_TOO_MANY_RECORDS", message_for("FILE_TOO_MANY_RECORDS", **facts), first[0])
    return Records(header, delimiter, cells, lines, unclear)


def _delimiter_of(source: _Source, feed: Feed) -> str:
    """The delimiter under which the header holds the required columns; else the one that names most fields."""
    if feed.delimiter:
        return feed.delimiter
    found: dict[str, tuple[int, int]] = {}
    for delimiter in dict.fromkeys((*([source.hint] if source.hint else []), *DELIMITERS)):
        try:
            names = next(source.records(delimiter), (0, [], True))[1][: _MOST_COLUMNS + 1]
        except FileRefused:
            continue
        if holds_required(names, feed.columns):
            return delimiter
        found[delimiter] = (sum(f is not None for f in fields_of(names, feed.columns)), len(names))
    return max(found, key=lambda d: found[d]) if found else ","


def _where_the_header_is(source: _Source, line: int, feed: Feed) -> str:
    """A hint when one of the first lines is a header under some delimiter; '' otherwise."""
    looked_at = itertools.islice(_lines(source.text), source.skipped, source.skipped + _LOOK_FOR_HEADER)
    for number, text in enumerate(looked_at, source.skipped + 1):
        for delimiter in DELIMITERS:
            if not holds_required(next(csv.reader([text[:2000]], delimiter=delimiter), []), feed.columns):
                continue
            if number != line:
                return f" The header seems to stand in line {number}: delete the lines above it."
            if feed.delimiter:
                shown = {"\t": "tab"}.get(delimiter, delimiter)
                return f" This feed's delimiter is {feed.delimiter!r}, and the header seems to use {shown!r}."
    return ""
