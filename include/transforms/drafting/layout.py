"""How a partner's sample is laid out: encoding, delimiter, and the lines around the table."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from include.codes import Code
from include.errors import FileRefused
from include.schemas.words import has_text
from include.transforms.csv_reading.decoding import decode
from include.transforms.csv_reading.headers import fields_of
from include.transforms.csv_reading.misplaced_header import DELIMITERS
from include.transforms.csv_reading.text import Text

# Of most files that are not UTF-8: what Windows calls ANSI in Western Europe and America.
_OTHER_ENCODING = "cp1252"
_LOOK_AT = 200  # records
_MOST_ABOVE, _MOST_BELOW = 50, 10  # lines
_TOTAL = re.compile(r"\s*(?:total|totale|totaal|sum|summe|gesamt|somme|suma|somma)\b", re.IGNORECASE)
_ADDRESS = re.compile(r"[^\s@]+@[^\s@]+")


@dataclass(frozen=True)
class Layout:
    """Where the table of a file is. `encoding` is None for what is recognised; `records` are cells below the header."""

    encoding: str | None
    delimiter: str
    skip_first_lines: int
    skip_last_lines: int
    names: Sequence[str]
    records: Sequence[Sequence[str]]


def find_layout(content: bytes) -> Layout:
    """Find the table in a sample. Raises FileRefused for a file that is no CSV file in any encoding we would guess."""
    encoding, text = _decoded(content)
    lines = "".join(text.lines())
    return max(
        (layout for delimiter in DELIMITERS if (layout := _with_delimiter(lines, delimiter, encoding))),
        key=_likelihood,
        default=Layout(encoding, ",", 0, 0, [], []),
    )


def _decoded(content: bytes) -> tuple[str | None, Text]:
    try:
        return None, decode(content)
    except FileRefused as refused:
        if refused.code != Code.FILE_ENCODING:
            raise
        return _OTHER_ENCODING, decode(content, _OTHER_ENCODING)


def _with_delimiter(text: str, delimiter: str, encoding: str | None) -> Layout | None:
    """Take the widest shape that many records share for the table, and its first record for the header."""
    reader = csv.reader(text.splitlines(keepends=True), delimiter=delimiter, skipinitialspace=True)
    try:
        numbered = [(reader.line_num, cells) for cells in reader]
    except csv.Error:
        return None
    rows = [(line, cells) for line, cells in numbered if has_text(cells)]
    widths = Counter(_width(cells) for _, cells in rows[:_LOOK_AT])
    usual = max((width for width, count in widths.items() if count * 4 >= len(rows[:_LOOK_AT])), default=0)
    at = next((n for n, (_, cells) in enumerate(rows[:_MOST_ABOVE]) if _is_header(cells, usual)), None)
    if at is None:
        return None
    table = [cells for _, cells in rows[at:]]
    below = _below(table[1:], usual)
    first = rows[at - 1][0] if at else 0
    blank = sum(1 for line, cells in numbered if first < line < rows[at][0] and not has_text(cells))
    above = first + blank if at else 0
    return Layout(encoding, delimiter, above, below, table[0], table[1 : len(table) - below])


def _width(cells: Sequence[str]) -> int:
    """Count the cells up to the last that is filled."""
    return max((number for number, cell in enumerate(cells, 1) if cell.strip()), default=0)


def _is_header(cells: Sequence[str], usual: int) -> bool:
    """Say whether a record can be the header: as wide as the table, filled with names, and none of them an address."""
    filled = [cell for cell in cells if cell.strip()]
    return len(filled) > 1 and _width(cells) * 2 > usual and not any(_ADDRESS.search(cell) for cell in filled)


def _below(records: Sequence[Sequence[str]], usual: int) -> int:
    """Count the records at the end with text in the first cell alone, or with a total."""
    count = 0
    for cells in reversed(records):
        looks_so = _width(cells) == 1 or _TOTAL.match(cells[0])
        is_footer = usual > 2 and looks_so and not any(map(_ADDRESS.search, cells))
        if not is_footer or count == _MOST_BELOW:
            break
        count += 1
    return count


def _likelihood(layout: Layout) -> tuple[int, int]:
    known = sum(field is not None for field in fields_of(layout.names, {}))
    return known, len(layout.names)
