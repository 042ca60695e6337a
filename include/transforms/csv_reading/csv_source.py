"""Strict CSV that knows at which physical line each record starts, under whatever delimiter."""

from __future__ import annotations

import csv
import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from include.schemas.client_rows import WHITE_SPACE
from include.transforms.csv_reading.quoting import check_swallowed, ends_in_an_escape, literal_pieces
from include.transforms.csv_reading.screening import refuse_content
from include.transforms.csv_reading.text import Text

Record = tuple[int, list[str], bool]
_EXCEL_HINT = re.compile(r"\"?sep=([,;\t|])\"?(?=[\r\n])", re.IGNORECASE)
_LONGEST_HEADER = 2_000_000  # characters: as many columns as a spreadsheet holds, with long names
# Lengths are judged cell by cell, with a code; csv's own limit would be a stack trace.
csv.field_size_limit(2**31 - 1)


@dataclass(frozen=True)
class CsvSource:
    """The first `skipped` lines are not CSV; `hint`: the delimiter that Excel says it used."""

    text: Text
    skipped: int
    hint: str | None

    @cached_property
    def quoted(self) -> bool:
        return self.text.has('"')

    def records(self, delimiter: str) -> Iterator[Record]:
        """(line where it starts, cells, whether its quotes are clear) of every record; blank lines are not records.

        Raises FILE_BROKEN_QUOTING.
        """
        reader = csv.reader(itertools.islice(self.text.lines(), self.skipped, None), delimiter=delimiter, strict=True)
        if not self.quoted:
            # A line is a record then, and nothing about it can be unclear.
            for number, record in enumerate(reader, self.skipped + 1):
                if is_record(record):
                    yield number, record, True
            return
        raw = _Raw(self.text)
        escapes = self.text.has('\\"')
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


def is_record(record: list[str]) -> bool:
    return len(record) > 1 or bool(record and record[0].strip(WHITE_SPACE))


class _Raw:
    """The physical lines of a text once more, for the few records that need them; asked for in order."""

    def __init__(self, text: Text) -> None:
        self._text = text
        self._rest: Iterator[str] | None = None
        self._given = 0
        self._last: list[str] = []

    def lines(self, start: int, end: int) -> list[str]:
        if self._rest is None:
            self._rest = self._text.lines()
        if self._given < end:
            self._last = list(itertools.islice(self._rest, start - self._given - 1, end - self._given))
            self._given = end
        return self._last


def begin(text: Text) -> CsvSource:
    """Past blank lines and Excel's `sep=`.

    Raises FILE_NOT_CSV for what is no line of names, before it is read once for each delimiter.
    """
    first = text.beginning(20)
    hint = _EXCEL_HINT.match(first)
    skipped = 1 if hint else 0
    for line in itertools.islice(text.lines(), skipped, None):
        if line.strip(WHITE_SPACE):
            if len(line) > _LONGEST_HEADER:
                detail = f"its first line has {len(line):,} characters, and no header is that long"
                refuse_content(detail, skipped + 1)
            break
        skipped += 1
    return CsvSource(text, skipped, hint[1] if hint else None)
