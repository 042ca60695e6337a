"""Text to header and records, a piece of the file at a time (SPEC.md section 4)."""

from __future__ import annotations

import csv
import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial

from include.codes import Code, message_for
from include.errors import FileRefused
from include.schemas.feed import Feed
from include.transforms.csv_reading.csv_source import CsvSource, Record, begin, is_record
from include.transforms.csv_reading.headers import Header, fields_of, holds_required, missing_columns, read_header
from include.transforms.csv_reading.pieces import Piece, piece_of, piece_of_plain_lines
from include.transforms.csv_reading.quoting import refuse_quoting
from include.transforms.csv_reading.screening import check_text_format, refuse_content
from include.transforms.csv_reading.text import Text, count_lines, lines_of
from include.transforms.reports import is_report, never_corrected, restore_cells

DELIMITERS = (",", ";", "\t", "|")
_QUOTES_UNCLEAR = "A quoted cell of the row goes on after its closing quote: it is not clear where its cells end."
_NOT_CORRECTED = "The row fitted no columns when it was sent: write its cells from `_cells` into their columns."
_COUNT_UP_TO = 20  # times the limit: a file that is far too large need not be counted to its end
_LOOK_FOR_HEADER = 50  # lines
CELLS = 250_000  # of a piece: each is an object until it is in a column
_MOST_COLUMNS = 16_384  # as many as a spreadsheet holds
_NO_RECORD: Record = (0, [], True)


@dataclass(frozen=True)
class Records:
    """A file's header and its records; reading on in `pieces`, of which there is at least one, can refuse the file."""

    header: Header
    delimiter: str
    pieces: Iterator[Piece]


def read_records(text: Text, feed: Feed, announced: int | None = None) -> Records:
    """Split text into header and records; the cells of a failed-row report become what the sender wrote.

    Raises FILE_BROKEN_QUOTING, FILE_MISSING_COLUMN, FILE_DUPLICATE_COLUMN, FILE_NOT_CSV or FILE_EMPTY; the pieces
    raise FILE_BROKEN_QUOTING, FILE_TOO_MANY_RECORDS, and FILE_COUNT_MISMATCH when another number was `announced`.
    """
    source = begin(text)
    delimiter = _delimiter_of(source, feed)
    line, header = _header(source, delimiter, feed)
    if source.quoted or is_report(header.names):
        pieces = _pieces(source, delimiter, header, feed)
    else:
        pieces = _pieces_of_plain_lines(source, delimiter, line, header, feed)
    return Records(header, delimiter, _counted(pieces, announced))


def _counted(pieces: Iterable[Piece], announced: int | None) -> Iterator[Piece]:
    count = 0
    for piece in pieces:
        count += len(piece.lines)
        yield piece
    if announced is not None and announced != count:
        shown = f"{announced:,}" if announced >= 0 else "An unreadable number of"
        message = message_for(Code.FILE_COUNT_MISMATCH, announced=shown, found=f"{count:,}")
        raise FileRefused(Code.FILE_COUNT_MISMATCH, message)


def _header(source: CsvSource, delimiter: str, feed: Feed) -> tuple[int, Header]:
    """Give the line where the header starts, and the header."""
    line, names, clear = next(source.records(delimiter), _NO_RECORD)
    if not names:
        raise FileRefused(Code.FILE_EMPTY, message_for(Code.FILE_EMPTY, detail="has no header"))
    if len(names) > _MOST_COLUMNS:
        detail = f"its header has {len(names):,} columns, and no spreadsheet holds more than {_MOST_COLUMNS:,}"
        refuse_content(detail, line)
    missing = missing_columns(names, feed.columns)
    check_text_format(source.text, header_is_good=not missing)
    if not clear:
        refuse_quoting(f"In the header, line {line}, a quoted name goes on after its closing quote.", line)
    if is_report(names):
        names = restore_cells(names, names)
    return line, read_header(names, feed.columns, line, _where_the_header_is(source, line, feed) if missing else "")


def _pieces(source: CsvSource, delimiter: str, header: Header, feed: Feed) -> Iterator[Piece]:
    records = itertools.islice(source.records(delimiter), 1, None)
    size = max(1, CELLS // len(header.names))
    # Nothing here keeps a batch: its cells need not be in memory beside the piece made of them.
    yield from map(partial(_piece, header), _batches(itertools.islice(records, feed.max_records), size))
    _check_no_more(records, feed)


def _batches(records: Iterator[Record], size: int) -> Iterator[list[Record]]:
    """Yield at least one batch, so that a file without records is one piece."""
    yield list(itertools.islice(records, size))
    yield from iter(lambda: list(itertools.islice(records, size)), [])


def _piece(header: Header, batch: list[Record]) -> Piece:
    lines, cells = [start for start, _, _ in batch], [record for _, record, _ in batch]
    unclear = {position: _QUOTES_UNCLEAR for position, (_, _, clear) in enumerate(batch) if not clear}
    if is_report(header.names):
        names = header.names
        unclear |= {n: _NOT_CORRECTED for n, record in enumerate(cells) if never_corrected(names, record)}
        cells = [restore_cells(names, record) for record in cells]
    return piece_of(cells, lines, len(header.names), unclear)


def _pieces_of_plain_lines(
    source: CsvSource, delimiter: str, header_line: int, header: Header, feed: Feed
) -> Iterator[Piece]:
    """Yield the pieces of a text without quotes, where a line is a record."""
    left, after = feed.max_records, 1
    for text in source.text.pieces():
        first, after = after, after + count_lines(text) + (not text.endswith(("\n", "\r")))
        head = list(itertools.islice(lines_of(text), max(0, header_line + 1 - first)))
        first, body = first + len(head), text[sum(map(len, head)) :]
        piece = piece_of_plain_lines(body, range(first, after), delimiter, len(header.names))
        if piece is None:
            numbered = enumerate(csv.reader(lines_of(body), delimiter=delimiter), first)
            piece = _piece(header, [(line, cells, True) for line, cells in numbered if is_record(cells)])
        left -= len(piece.lines)
        if left < 0:
            _check_no_more(itertools.islice(source.records(delimiter), 1 + feed.max_records, None), feed)
        yield piece


def _check_no_more(records: Iterator[Record], feed: Feed) -> None:
    """Raise FILE_TOO_MANY_RECORDS when there is a record after as many as the feed allows."""
    line, cells, _ = next(records, _NO_RECORD)
    if cells:
        more = sum(1 for _ in itertools.islice(records, feed.max_records * _COUNT_UP_TO))
        count = f"{feed.max_records + 1 + more:,}"
        count = f"more than {count}" if next(records, None) else count
        message = message_for(Code.FILE_TOO_MANY_RECORDS, found=count, limit=f"{feed.max_records:,}")
        raise FileRefused(Code.FILE_TOO_MANY_RECORDS, message, line)


def _delimiter_of(source: CsvSource, feed: Feed) -> str:
    """Choose the delimiter under which the header holds the required columns; else the one that names most fields."""
    if feed.delimiter:
        return feed.delimiter
    known_and_all: dict[str, tuple[int, int]] = {}
    for delimiter in dict.fromkeys((*([source.hint] if source.hint else []), *DELIMITERS)):
        try:
            names = next(source.records(delimiter), _NO_RECORD)[1][: _MOST_COLUMNS + 1]
        except FileRefused:
            continue
        if holds_required(names, feed.columns):
            return delimiter
        known_and_all[delimiter] = (sum(f is not None for f in fields_of(names, feed.columns)), len(names))
    return max(known_and_all, key=lambda each: known_and_all[each]) if known_and_all else ","


def _where_the_header_is(source: CsvSource, line: int, feed: Feed) -> str:
    """Give a hint when one of the first lines is a header under some delimiter; '' otherwise."""
    first_lines = itertools.islice(source.text.lines(), source.skipped, source.skipped + _LOOK_FOR_HEADER)
    for number, text in enumerate(first_lines, source.skipped + 1):
        for delimiter in DELIMITERS:
            if not holds_required(next(csv.reader([text[:2000]], delimiter=delimiter), []), feed.columns):
                continue
            if number != line:
                return f" The header seems to stand in line {number}: delete the lines above it."
            if feed.delimiter:
                shown = {"\t": "tab"}.get(delimiter, delimiter)
                return f" This feed's delimiter is {feed.delimiter!r}, and the header seems to use {shown!r}."
    return ""
