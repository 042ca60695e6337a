"""Text to header and records, a piece of the file at a time (SPEC.md section 4)."""

from __future__ import annotations

import csv
import itertools
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace

from include.codes import Code, message_for, show
from include.errors import FileRefused
from include.schemas.client_rows import required_columns
from include.schemas.feed import Feed
from include.schemas.words import WHITE_SPACE
from include.transforms.csv_reading.csv_source import CsvSource, Record, Skipped, begin, is_record
from include.transforms.csv_reading.headers import (
    Header,
    fields_of,
    holds_required,
    missing_columns,
    needs_counts,
    read_header,
)
from include.transforms.csv_reading.misplaced_header import DELIMITERS, where_the_header_is
from include.transforms.csv_reading.pieces import Piece, mark_footer, of_width, piece_of, piece_of_plain_lines
from include.transforms.csv_reading.quoting import refuse_quoting
from include.transforms.csv_reading.screening import check_text_format, refuse_content
from include.transforms.csv_reading.text import Text, count_lines, lines_of
from include.transforms.reports import is_neutralised, never_corrected, restore_cells

_QUOTES_UNCLEAR = "A quoted cell of the row goes on after its closing quote: it is not clear where its cells end."
_NOT_CORRECTED = "The row fitted no columns when it was sent: write its cells from `_cells` into their columns."
_COUNT_UP_TO = 20  # times the limit: a file that is far too large need not be counted to its end
_SAMPLE = 20  # records whose cells tell what a column may be
CELLS = 250_000  # of a piece: each is an object until it is in a column
_MOST_COLUMNS = 16_384  # as many as a spreadsheet holds
_NO_RECORD: Record = (0, [], True)


@dataclass(frozen=True)
class Records:
    """A file's header and its records; reading on in `pieces`, of which there is at least one, can refuse the file.

    `skipped` is complete when all pieces are read.
    """

    header: Header
    delimiter: str
    pieces: Iterator[Piece]
    skipped: Skipped


@dataclass(frozen=True)
class FirstRecords:
    """The header of a file, whatever it means, and its first records."""

    delimiter: str
    names: list[str]
    cells: list[list[str]]


def first_records(text: Text, feed: Feed) -> FirstRecords:
    """Read header and first records to show them, also of a file that is refused for its header.

    Raises FILE_NOT_CSV and FILE_BROKEN_QUOTING.
    """
    source = _source_of(text, feed)
    delimiter = _delimiter_of(source, feed)
    names, cells = next(source.records(delimiter), _NO_RECORD)[1], _samples(source, delimiter)
    if is_neutralised(names):
        names, cells = restore_cells(names, names), [restore_cells(names, record) for record in cells]
    return FirstRecords(delimiter, names, cells)


def read_records(text: Text, feed: Feed, announced: int | None = None) -> Records:
    """Split text into header and records; the cells of a failed-row report or an export become what was written.

    Raises FILE_BROKEN_QUOTING, FILE_MISSING_COLUMN, FILE_DUPLICATE_COLUMN, FILE_NOT_CSV or FILE_EMPTY; the pieces
    raise FILE_BROKEN_QUOTING, FILE_TOO_MANY_RECORDS, and FILE_COUNT_MISMATCH when another number was `announced`.
    """
    source, skipped = _source_of(text, feed), Skipped()
    delimiter = _delimiter_of(source, feed)
    line, header = _header(source, delimiter, feed)
    if source.quoted or is_neutralised(header.names):
        pieces = _pieces(source, delimiter, header, feed, skipped)
    else:
        pieces = _pieces_of_plain_lines(source, delimiter, line, header, feed, skipped)
    return Records(header, delimiter, mark_footer(_checked(pieces, header, line, feed, announced)), skipped)


def _source_of(text: Text, feed: Feed) -> CsvSource:
    """Skip the lines above and below the table that the feed says. What we have written ourselves has none."""
    if feed.skip_first_lines or feed.skip_last_lines:
        whole = begin(text)
        first = next(itertools.islice(text.lines(), whole.skipped, None), "")
        if any(is_neutralised([name.strip('"') for name in first.strip().split(each)]) for each in DELIMITERS):
            return whole
    return begin(replace(text, skip_last_lines=feed.skip_last_lines), feed.skip_first_lines)


def _checked(
    pieces: Iterable[Piece], header: Header, header_line: int, feed: Feed, announced: int | None
) -> Iterator[Piece]:
    """Refuse the file at its end, where header or announced number do not fit its records."""
    count, widths, fits = 0, frozenset[int](), True
    for piece in pieces:
        count, widths, fits = count + len(piece.lines), widths | piece.widths, fits and not piece.ragged
        yield piece
    if count > 1 and not fits and len(widths) == 1:
        _check_header_fits(header, header_line, feed, *widths)
    if announced is not None and announced != count:
        raise FileRefused(Code.FILE_COUNT_MISMATCH, count_mismatch(announced, count))


def count_mismatch(announced: int, read: int) -> str:
    """Write the sentence of FILE_COUNT_MISMATCH; -1 stands for a count file that holds no number."""
    shown = f"{announced:,}" if announced >= 0 else "An unreadable number of"
    return message_for(Code.FILE_COUNT_MISMATCH, announced=shown, found=f"{read:,}")


def _header(source: CsvSource, delimiter: str, feed: Feed) -> tuple[int, Header]:
    """Give the line where the header starts, and the header."""
    line, names, clear = next(source.records(delimiter), _NO_RECORD)
    if not names:
        raise FileRefused(Code.FILE_EMPTY, message_for(Code.FILE_EMPTY, detail="has no header"))
    if len(names) > _MOST_COLUMNS:
        detail = f"its header has {len(names):,} columns, and no spreadsheet holds more than {_MOST_COLUMNS:,}"
        refuse_content(detail, line)
    required = required_columns(feed.mode)
    missing = missing_columns(names, feed.columns, required)
    check_text_format(source.text, header_is_good=not missing)
    if not clear:
        refuse_quoting(f"In the header, line {line}, a quoted name goes on after its closing quote.", line)
    if is_neutralised(names):
        names = restore_cells(names, names)
    hint = where_the_header_is(source, line, feed) if missing else ""
    filled = _count_filled(source, delimiter, len(names)) if needs_counts(names, feed.columns) else None
    samples = _samples(source, delimiter) if missing else None
    return line, read_header(names, feed.columns, line, hint, filled, samples, required)


def _samples(source: CsvSource, delimiter: str) -> list[list[str]]:
    """Read a few records, as far as they can be read."""
    samples: list[list[str]] = []
    with suppress(FileRefused):
        samples.extend(cells for _, cells, _ in itertools.islice(source.records(delimiter), 1, _SAMPLE))
    return samples


def _count_filled(source: CsvSource, delimiter: str, columns: int) -> list[int]:
    """Count the cells of each column that are not blank."""
    counts = [0] * columns
    for _, cells, _ in itertools.islice(source.records(delimiter), 1, None):
        for position, cell in enumerate(cells[:columns]):
            counts[position] += bool(cell.strip(WHITE_SPACE))
    return counts


def _check_header_fits(header: Header, line: int, feed: Feed, width: int) -> None:
    """Raise FILE_HEADER_MISMATCH when all records have the same number of cells, and the header has another."""
    named = len(header.names)
    if width != named:
        joined = next((name for name in header.names if width > named and _is_two_names(name, feed)), None)
        hint = f" Is a delimiter missing in {show(joined)}?" if joined else ""
        cells, names = f"{width:,} cell{'s' * (width != 1)}", f"{named:,} column{'s' * (named != 1)}"
        detail = f"Every row has {cells}, the header names {names}.{hint}"
        raise FileRefused(Code.FILE_HEADER_MISMATCH, message_for(Code.FILE_HEADER_MISMATCH, detail=detail), line)


def _is_two_names(name: str, feed: Feed) -> bool:
    """Say whether a name such as `ProjectDesk` is the names of two fields."""
    halves = ((name[:end], name[end:]) for end in range(1, min(len(name), 200)))
    return any(None not in fields_of(pair, feed.columns) for pair in halves)


def _pieces(source: CsvSource, delimiter: str, header: Header, feed: Feed, skipped: Skipped) -> Iterator[Piece]:
    records = itertools.islice(source.records(delimiter, skipped), 1, None)
    size = max(1, CELLS // len(header.names))
    # Nothing here keeps a batch: its cells need not be in memory beside the piece made of them.
    yield from (_piece(header, batch) for batch in _batches(itertools.islice(records, feed.max_records), size))
    _check_no_more(records, feed)


def _batches(records: Iterator[Record], size: int) -> Iterator[list[Record]]:
    """Yield at least one batch, so that a file without records is one piece."""
    yield list(itertools.islice(records, size))
    yield from iter(lambda: list(itertools.islice(records, size)), [])


def _piece(header: Header, batch: list[Record]) -> Piece:
    lines, cells = [start for start, _, _ in batch], [record for _, record, _ in batch]
    unclear = {position: _QUOTES_UNCLEAR for position, (_, _, clear) in enumerate(batch) if not clear}
    if is_neutralised(header.names):
        names = header.names
        cells = [of_width(record, len(names), _last_named(names)) for record in cells]
        unclear |= {n: _NOT_CORRECTED for n, record in enumerate(cells) if never_corrected(names, record)}
        cells = [restore_cells(names, record) for record in cells]
    return piece_of(cells, lines, len(header.names), _last_named(header.names), unclear)


def _last_named(names: list[str]) -> int:
    """Give the position (from 1) of the last column that has a name."""
    return max(position for position, name in enumerate(names, 1) if name.strip())


def _pieces_of_plain_lines(
    source: CsvSource, delimiter: str, header_line: int, header: Header, feed: Feed, skipped: Skipped
) -> Iterator[Piece]:
    """Yield the pieces of a text without quotes, where a line is a record."""
    left, after = feed.max_records, 1
    for text in source.text.pieces():
        first, after = after, after + count_lines(text) + (not text.endswith(("\n", "\r")))
        head = list(itertools.islice(lines_of(text), max(0, header_line + 1 - first)))
        first, body = first + len(head), text[sum(map(len, head)) :]
        read = piece_of_plain_lines(body, range(first, after), delimiter, len(header.names))
        if read is None:
            numbered = enumerate(csv.reader(lines_of(body), delimiter=delimiter), first)
            piece = _piece(header, [(line, cells, True) for line, cells in numbered if is_record(cells, skipped)])
        else:
            piece, blank = read
            skipped.blank += blank
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
        if holds_required(names, feed.columns, required_columns(feed.mode)):
            return delimiter
        known_and_all[delimiter] = (sum(f is not None for f in fields_of(names, feed.columns)), len(names))
    return max(known_and_all, key=lambda each: known_and_all[each]) if known_and_all else ","
