"""Text to records: strict CSV that knows at which physical line each record starts."""

from __future__ import annotations

import csv
import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from include.codes import message_for
from include.errors import FileRefused
from include.schemas.feed import Feed
from include.transforms.csv_reading.csv_source import CsvSource, Record, begin, is_record
from include.transforms.csv_reading.headers import Header, fields_of, holds_required, missing_columns, read_header
from include.transforms.csv_reading.pieces import Piece, piece_of, plain_piece
from include.transforms.csv_reading.quoting import refuse_quoting
from include.transforms.csv_reading.screening import check_text_format, refuse_content
from include.transforms.csv_reading.text import Text, count_lines, lines_of
from include.transforms.reports import is_report, never_corrected, restore_cells

DELIMITERS = (",", ";", "\t", "|")
_QUOTES_UNCLEAR = "A quoted cell of the row goes on after its closing quote: nobody can say where its cells end."
_NOT_CORRECTED = "The row fitted no columns when it was sent: write its cells from `_cells` into their columns."
_COUNT_UP_TO = 20  # times the limit: a file that is far too large need not be counted to its end
_LOOK_FOR_HEADER = 50  # lines
CELLS = 250_000  # of a piece: each is an object until it is in a column
_MOST_COLUMNS = 16_384  # as many as a spreadsheet holds


@dataclass(frozen=True)
class Records:
    """`pieces`: all records once, at least one piece; what refuses the file is raised where it is met."""

    header: Header
    delimiter: str
    pieces: Iterator[Piece]


def read_records(text: Text, feed: Feed, announced: int | None = None) -> Records:
    """Split text into header and records; those of a failed-row report as they were before it was made safe.

    Raises FILE_BROKEN_QUOTING, FILE_MISSING_COLUMN, FILE_DUPLICATE_COLUMN, FILE_NOT_CSV or FILE_EMPTY; the pieces
    FILE_BROKEN_QUOTING, FILE_TOO_MANY_RECORDS, and FILE_COUNT_MISMATCH when another number was `announced`.
    """
    source = begin(text)
    delimiter = _delimiter_of(source, feed)
    line, header = _header(source, delimiter, feed)
    plain = not source.quoted and not is_report(header.names)
    pieces = _plain_body(source, delimiter, line, header, feed) if plain else _body(source, delimiter, header, feed)
    return Records(header, delimiter, _counted(pieces, announced))


def split_records(text: Text, delimiter: str) -> list[tuple[int, list[str]]]:
    """(line where it starts, cells) of the header and of each record, whatever the columns mean.

    Raises FILE_BROKEN_QUOTING.
    """
    return [(start, cells) for start, cells, _ in begin(text).records(delimiter)]


def _counted(pieces: Iterable[Piece], announced: int | None) -> Iterator[Piece]:
    found = 0
    for piece in pieces:
        found += len(piece.lines)
        yield piece
    if announced is not None and announced != found:
        shown = f"{announced:,}" if announced >= 0 else "An unreadable number of"
        facts = {"announced": shown, "found": f"{found:,}"}
        raise FileRefused("FILE_COUNT_MISMATCH", message_for("FILE_COUNT_MISMATCH", **facts))


def _header(source: CsvSource, delimiter: str, feed: Feed) -> tuple[int, Header]:
    """(line where it starts, header)."""
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
    return line, read_header(names, feed.columns, line, _where_the_header_is(source, line, feed) if missing else "")


def _body(source: CsvSource, delimiter: str, header: Header, feed: Feed) -> Iterator[Piece]:
    numbered = itertools.islice(source.records(delimiter), 1, None)
    size, left = max(1, CELLS // len(header.names)), feed.max_records
    batch = list(itertools.islice(numbered, min(size, left)))
    yield from [] if batch else [piece_of([], [], len(header.names), {})]
    while batch:
        left -= len(batch)
        if not left:
            _check_no_more(numbered, feed)
        yield _piece(batch, header)
        batch = list(itertools.islice(numbered, min(size, left)))


def _piece(batch: list[Record], header: Header) -> Piece:
    lines, cells = [start for start, _, _ in batch], [record for _, record, _ in batch]
    unclear = {position: _QUOTES_UNCLEAR for position, (_, _, clear) in enumerate(batch) if not clear}
    if is_report(header.names):
        names = header.names
        unclear |= {n: _NOT_CORRECTED for n, record in enumerate(cells) if never_corrected(names, record)}
        cells = [restore_cells(names, record) for record in cells]
    return piece_of(cells, lines, len(header.names), unclear)


def _plain_body(source: CsvSource, delimiter: str, header_line: int, header: Header, feed: Feed) -> Iterator[Piece]:
    """`_body` of a text without quotes, where a line is a record."""
    left, after = feed.max_records, 1
    for text in source.text.pieces():
        first, after = after, after + count_lines(text) + (not text.endswith(("\n", "\r")))
        head = list(itertools.islice(lines_of(text), max(0, header_line + 1 - first)))
        first, body = first + len(head), text[sum(map(len, head)) :]
        piece = plain_piece(body, range(first, after), delimiter, len(header.names))
        if piece is None:
            records = enumerate(csv.reader(lines_of(body), delimiter=delimiter), first)
            piece = _piece([(line, record, True) for line, record in records if is_record(record)], header)
        left -= len(piece.lines)
        if left < 0:
            _check_no_more(itertools.islice(source.records(delimiter), 1 + feed.max_records, None), feed)
        yield piece


def _check_no_more(numbered: Iterator[Record], feed: Feed) -> None:
    """Raises FILE_TOO_MANY_RECORDS when there is a record after as many as are allowed."""
    if (first := next(numbered, None)) is not None:
        more = sum(1 for _ in itertools.islice(numbered, feed.max_records * _COUNT_UP_TO))
        found = f"{feed.max_records + 1 + more:,}"
        found = f"more than {found}" if next(numbered, None) else found
        facts = {"found": found, "limit": f"{feed.max_records:,}"}
        raise FileRefused("FILE_TOO_MANY_RECORDS", message_for("FILE_TOO_MANY_RECORDS", **facts), first[0])


def _delimiter_of(source: CsvSource, feed: Feed) -> str:
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


def _where_the_header_is(source: CsvSource, line: int, feed: Feed) -> str:
    """A hint when one of the first lines is a header under some delimiter; '' otherwise."""
    looked_at = itertools.islice(source.text.lines(), source.skipped, source.skipped + _LOOK_FOR_HEADER)
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
