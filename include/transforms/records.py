"""Text to records: strict CSV that knows at which physical line each record starts."""

from __future__ import annotations

import csv
import io
import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from include.codes import message_for
from include.errors import FileRefused
from include.schemas.feed import Feed
from include.transforms.headers import Header, fields_of, holds_required, missing_columns, read_header
from include.transforms.screening import check_text_format, refuse_content

DELIMITERS = (",", ";", "\t", "|")
_EXCEL_HINT = re.compile(r"\"?sep=([,;\t|])\"?", re.IGNORECASE)
_COUNT_UP_TO = 20  # times the limit: a file that is far too large need not be counted to its end
_LOOK_FOR_HEADER = 50  # lines
_MOST_COLUMNS = 16_384  # as many as a spreadsheet holds
# Lengths are judged cell by cell, with a code; csv's own limit would be a stack trace.
csv.field_size_limit(2**31 - 1)


@dataclass(frozen=True)
class Records:
    """`cells[i]` is record i + 1 as sent; `lines[i]` the physical line (from 1) where it starts.

    `unclear` holds the positions of records whose quotes do not say where their cells end.
    """

    header: Header
    delimiter: str
    cells: list[list[str]]
    lines: list[int]
    unclear: set[int] = field(default_factory=set)


def read_records(text: str, feed: Feed) -> Records:
    """Split text into header and records.

    Raises FILE_BROKEN_QUOTING, FILE_MISSING_COLUMN, FILE_DUPLICATE_COLUMN, FILE_NOT_CSV, FILE_EMPTY or
    FILE_TOO_MANY_RECORDS.
    """
    source, hint = _source_of(text)
    delimiter = _delimiter_of(source, feed, hint)
    header = _header(source, delimiter, text, feed)
    return _body(source, header, delimiter, feed)


def split_records(text: str, delimiter: str) -> list[tuple[int, list[str]]]:
    """(line where it starts, cells) of the header and of each record, whatever the columns mean.

    Raises FILE_BROKEN_QUOTING.
    """
    return [(start, cells) for start, cells, _ in _source_of(text)[0].records(delimiter)]


def split_lines(text: str) -> list[str]:
    """Physical lines with their ends: LF, CRLF and CR, and nothing else."""
    return list(io.StringIO(text, newline=""))


def check_announced(records: Records, announced: int | None) -> None:
    """Raises FILE_COUNT_MISMATCH when a count was announced and is not the number of records."""
    if announced is not None and announced != len(records.cells):
        shown = f"{announced:,}" if announced >= 0 else "An unreadable number of"
        facts = {"announced": shown, "found": f"{len(records.cells):,}"}
        raise FileRefused("FILE_COUNT_MISMATCH", message_for("FILE_COUNT_MISMATCH", **facts))


@dataclass(frozen=True)
class _Lines:
    """The physical lines of a file; the first `skipped` ones are not CSV; `escapes`: some quotes follow a backslash."""

    lines: Sequence[str]
    skipped: int
    escapes: bool

    def records(self, delimiter: str) -> Iterator[tuple[int, list[str], bool]]:
        """(line where it starts, cells, whether its quotes are clear) of every record; blank lines are not records.

        Raises FILE_BROKEN_QUOTING.
        """
        reader = csv.reader(itertools.islice(self.lines, self.skipped, None), delimiter=delimiter, strict=True)
        width, end = 0, self.skipped
        while True:
            start, clear = end + 1, True
            try:
                record = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                end = reader.line_num + self.skipped
                record, clear = _literal(self.lines[end - 1], delimiter, start, end, str(error)), False
            end = reader.line_num + self.skipped
            if not record or (len(record) == 1 and record[0] and not record[0].strip()):
                continue
            if end > start and width:
                _refuse_swallowed(record, delimiter, width, start)
            width = width or len(record)
            yield start, record, clear and not (self.escapes and _ends_in_an_escape(record))


def _source_of(text: str) -> tuple[_Lines, str | None]:
    """The lines, and the delimiter that a first line `sep=;` names."""
    lines = split_lines(text)
    hint = _EXCEL_HINT.fullmatch(lines[0].strip("\ufeff\r\n"))
    return _Lines(lines, 1 if hint else 0, '\\"' in text), hint[1] if hint else None


def _header(source: _Lines, delimiter: str, text: str, feed: Feed) -> Header:
    line, names, clear = next(source.records(delimiter), (0, [], True))
    if not names:
        raise FileRefused("FILE_EMPTY", message_for("FILE_EMPTY", detail="has no header"))
    if len(names) > _MOST_COLUMNS:
        detail = f"its header has {len(names):,} columns, and no spreadsheet holds more than {_MOST_COLUMNS:,}"
        refuse_content(detail, line)
    missing = missing_columns(names, feed.columns)
    check_text_format(text, header_is_good=not missing)
    if missing:
        hint = _where_the_header_is(source, line, feed)
        return read_header(names, feed.columns, line, hint)
    if not clear:
        _refuse_quoting(f"In the header, line {line}, a quoted name goes on after its closing quote.", line)
    return read_header(names, feed.columns, line)


def _body(source: _Lines, header: Header, delimiter: str, feed: Feed) -> Records:
    numbered = itertools.islice(source.records(delimiter), 1, None)
    cells: list[list[str]] = []
    lines: list[int] = []
    unclear: set[int] = set()
    for start, record, clear in itertools.islice(numbered, feed.max_records):
        if not clear:
            unclear.add(len(cells))
        lines.append(start)
        cells.append(record)
    if (first := next(numbered, None)) is not None:
        more = sum(1 for _ in itertools.islice(numbered, feed.max_records * _COUNT_UP_TO))
        found = f"{len(cells) + 1 + more:,}"
        found = f"more than {found}" if next(numbered, None) else found
        facts = {"found": found, "limit": f"{feed.max_records:,}"}
        raise FileRefused("FILE_TOO_MANY_RECORDS", message_for("FILE_TOO_MANY_RECORDS", **facts), first[0])
    return Records(header, delimiter, cells, lines, unclear)


def _refuse_swallowed(record: list[str], delimiter: str, width: int, start: int) -> None:
    """Raises FILE_BROKEN_QUOTING when a line inside a cell has as many delimiters as a record of its own."""
    another = rf"[\r\n](?:[^\r\n{re.escape(delimiter)}]*{re.escape(delimiter)}){{{max(width - 1, 1)}}}"
    if any(re.search(another, cell) for cell in record):
        _refuse_quoting(
            f"A quoted cell of the record that starts at line {start} has swallowed the records after it.", start
        )


def _ends_in_an_escape(record: list[str]) -> bool:
    r"""True for `"Ann\", Lee"`: where `\"` means a quote, this is one cell and not two."""
    return any(cell.endswith("\\") and after.count('"') % 2 for cell, after in itertools.pairwise(record))


def _literal(line: str, delimiter: str, start: int, end: int, error: str) -> list[str]:
    """The pieces of a line like `"click") ;x`, where text follows a closing quote.

    The damage is this line's alone when its quotes are even in number, or would be with `\\"` as one of them:
    then only this row fails.
    Otherwise nobody can say where records end: FILE_BROKEN_QUOTING.
    """
    if "unexpected end of data" in error:
        _refuse_quoting(f"A quote is opened in the record that starts at line {start} and never closed.", start)
    quotes, escaped = line.count('"'), line.count('\\"')
    if end > start or (quotes % 2 and (quotes - escaped) % 2):
        _refuse_quoting(
            f"In the record that starts at line {start} a quoted cell goes on after its closing quote.", start
        )
    return line.rstrip("\r\n").split(delimiter)


def _refuse_quoting(detail: str, line: int) -> None:
    raise FileRefused("FILE_BROKEN_QUOTING", message_for("FILE_BROKEN_QUOTING", detail=detail), line) from None


def _delimiter_of(source: _Lines, feed: Feed, hint: str | None) -> str:
    """The delimiter under which the header holds the required columns; else the one that names most fields."""
    if feed.delimiter:
        return feed.delimiter
    found: dict[str, tuple[int, int]] = {}
    for delimiter in dict.fromkeys((*([hint] if hint else []), *DELIMITERS)):
        try:
            names = next(source.records(delimiter), (0, [], True))[1][: _MOST_COLUMNS + 1]
        except FileRefused:
            continue
        if holds_required(names, feed.columns):
            return delimiter
        found[delimiter] = (sum(f is not None for f in fields_of(names, feed.columns)), len(names))
    return max(found, key=lambda d: found[d]) if found else ","


def _where_the_header_is(source: _Lines, line: int, feed: Feed) -> str:
    """A hint when one of the first lines is a header under some delimiter; '' otherwise."""
    for number, text in enumerate(source.lines[source.skipped : _LOOK_FOR_HEADER], source.skipped + 1):
        for delimiter in DELIMITERS:
            if not holds_required(next(csv.reader([text[:2000]], delimiter=delimiter), []), feed.columns):
                continue
            if number != line:
                return f" The header seems to stand in line {number}: delete the lines above it."
            shown = {"\t": "tab"}.get(delimiter, delimiter)
            return f" This feed's delimiter is {feed.delimiter!r}, and the header seems to use {shown!r}."
    return ""
