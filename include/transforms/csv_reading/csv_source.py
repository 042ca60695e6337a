"""Split text into CSV records under any delimiter, strictly, and know at which physical line each starts."""

from __future__ import annotations

import csv
import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from include.schemas.words import WHITE_SPACE, has_text
from include.transforms.csv_reading.quoting import (
    are_padded,
    check_swallowed,
    ends_in_an_escape,
    literal_cells,
    padded_cells,
)
from include.transforms.csv_reading.screening import refuse_content
from include.transforms.csv_reading.text import Text

if TYPE_CHECKING:
    from _csv import Reader

Record = tuple[int, list[str], bool]  # line where it starts, cells, whether its quotes are clear
_DELIMITER_LINE = re.compile(r"\"?sep=([,;\t|])\"?(?=[\r\n])", re.IGNORECASE)
_LONGEST_HEADER = 2_000_000  # characters: as many columns as a spreadsheet holds, with long names
# The validation judges lengths cell by cell; csv's own limit would end in a stack trace.
csv.field_size_limit(2**31 - 1)


@dataclass
class Skipped:
    """How many blank records were skipped so far: lines of delimiters, spaces and quotes alone."""

    blank: int = 0


@dataclass(frozen=True)
class CsvSource:
    """Text whose first `skipped` lines are not CSV; `hint` is the delimiter that Excel's `sep=` line names."""

    text: Text
    skipped: int
    hint: str | None

    @cached_property
    def quoted(self) -> bool:
        return self.text.has('"')

    def records(self, delimiter: str, skipped: Skipped | None = None) -> Iterator[Record]:
        """Yield the header and every record. Raises FILE_BROKEN_QUOTING.

        Blank lines are not records, and neither are blank records, which are counted in `skipped`.
        """
        skipped = skipped or Skipped()
        lines = itertools.islice(self.text.lines(), self.skipped, None)
        reader = csv.reader(lines, delimiter=delimiter, strict=True)
        if self.quoted:
            return self._quoted_records(reader, delimiter, skipped)
        # Without quotes a line is a record, and nothing about it can be unclear.
        numbered = enumerate(reader, self.skipped + 1)
        return ((line, cells, True) for line, cells in numbered if is_record(cells, skipped))

    def _quoted_records(self, reader: Reader, delimiter: str, skipped: Skipped) -> Iterator[Record]:
        raw_lines = _RawLines(self.text)
        has_escapes, has_padding = self.text.has('\\"'), self.text.has(' "')
        width, end = 0, self.skipped
        while True:
            start, error = end + 1, ""
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as damage:
                error = str(damage)
            end = reader.line_num + self.skipped
            if error or (has_padding and start == end and are_padded(cells)):
                raw = list(itertools.islice(raw_lines.between(start, end), 2))
                if (padded := padded_cells(raw, delimiter)) is not None:
                    cells, error = padded, ""
                elif error:
                    cells = literal_cells(raw, delimiter, start, error)
            if not error and not is_record(cells, skipped):
                continue
            width = width or len(cells)
            if end > start:
                check_swallowed(cells, raw_lines.between(start, end), delimiter, width, start)
            yield start, cells, not (error or (has_escapes and ends_in_an_escape(cells)))


def is_record(cells: list[str], skipped: Skipped) -> bool:
    """Say whether a cell is filled. A blank record is counted in `skipped`, a blank line is not."""
    if has_text(cells):
        return True
    skipped.blank += len(cells) > 1
    return False


class _RawLines:
    """The physical lines of a text, for the few records that need them; callers go forward through the file."""

    def __init__(self, text: Text) -> None:
        self._numbered = enumerate(text.lines(), 1)
        self._current = (0, "")

    def between(self, start: int, end: int) -> Iterator[str]:
        """Yield the lines from `start` to `end` one at a time, because a cell may have millions."""
        while self._current[0] < start:
            self._current = next(self._numbered)
        yield self._current[1]
        while self._current[0] < end:
            self._current = next(self._numbered)
            yield self._current[1]


def begin(text: Text, skip_first_lines: int = 0) -> CsvSource:
    """Skip the lines that the feed says, then blank lines and Excel's `sep=` line.

    Raises FILE_NOT_CSV where the first line is far too long for a header, before it is read once for each delimiter.
    """
    first = next(itertools.islice(text.lines(), skip_first_lines, None), "")
    delimiter_line = _DELIMITER_LINE.match(first[:20])
    skipped = skip_first_lines + bool(delimiter_line)
    for line in itertools.islice(text.lines(), skipped, None):
        if line.strip(WHITE_SPACE):
            if len(line) > _LONGEST_HEADER:
                detail = f"its first line has {len(line):,} characters, and no header is that long"
                refuse_content(detail, skipped + 1)
            break
        skipped += 1
    return CsvSource(text, skipped, delimiter_line[1] if delimiter_line else None)
