"""Quotes that do not match: one row fails, or it is unknown where records end (FILE_BROKEN_QUOTING)."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Sequence
from functools import cache
from typing import NoReturn

from include.codes import Code, message_for
from include.errors import FileRefused
from include.transforms.csv_reading.text import lines_of

_NARROW = 5  # columns; prose in a cell rarely has more commas on one line


def check_swallowed(cells: Sequence[str], raw_lines: Iterable[str], delimiter: str, width: int, start: int) -> None:
    """Raise FILE_BROKEN_QUOTING when a record of several lines looks like several records.

    Either each line by itself has the width of a record and an e-mail address, or a line inside a cell has: an address
    of a street has commas too, but no @-sign. In a wide file the commas alone are enough.
    """
    each_line = all(line.count(delimiter) == width - 1 and "@" in line for line in raw_lines)
    if each_line or any(_contains_a_record(cell, delimiter, width) for cell in cells):
        refuse_quoting(
            f"A quoted cell of the record that starts at line {start} has swallowed the records after it.", start
        )


def _contains_a_record(cell: str, delimiter: str, width: int) -> bool:
    is_wide = width > _NARROW
    if delimiter not in cell or not ("\n" in cell or "\r" in cell) or not (is_wide or "@" in cell):
        return False
    return any(line.count(delimiter) >= max(width - 1, 1) and (is_wide or "@" in line) for line in lines_of(cell))


def ends_in_an_escape(cells: Sequence[str]) -> bool:
    r"""Say whether this could be one cell of two: in `"Ann\", Lee"` the sender may mean a quote by `\"`."""
    return any(cell.endswith("\\") and after.count('"') % 2 for cell, after in itertools.pairwise(cells))


def are_padded(cells: Sequence[str]) -> bool:
    """Say whether a quote stands after spaces at the beginning of a cell."""
    return any(cell[:1] == " " and cell.lstrip(" ")[:1] == '"' for cell in cells)


def padded_cells(raw_lines: Sequence[str], delimiter: str) -> list[str] | None:
    """Split a line in which spaces stand around quoted cells: `Bo , "Ek, Jr." , x`; None where it is no such line.

    A cell is quoted when it begins and ends with a quote, without the spaces around it.
    """
    if len(raw_lines) != 1:
        return None
    line, cells, position = raw_lines[0].rstrip("\r\n"), [], 0
    while cell := _padded_cell(delimiter).match(line, position):
        quoted, plain = cell.groups()
        cells.append(plain if quoted is None else quoted.replace('""', '"'))
        if cell.end() == len(line):
            return cells
        position = cell.end() + 1
    return None


@cache
def _padded_cell(delimiter: str) -> re.Pattern[str]:
    """Match a cell up to a delimiter or the end; a quote without a space before it is no beginning of a plain cell."""
    d = re.escape(delimiter)
    return re.compile(rf'(?: *"((?:[^"]|"")*)" *|((?!")[^{d}]*))(?={d}|$)')


def literal_cells(raw_lines: Sequence[str], delimiter: str, start: int, error: str) -> list[str]:
    """Split a line like `"click") ;x`, where text follows a closing quote, at every delimiter.

    The damage is this line's alone when its quotes are even in number, or would be with `\\"` as one of them, and
    no cell is left open at its end: then only this row fails. Otherwise it is unknown where records end, and this
    raises FILE_BROKEN_QUOTING.
    """
    if "unexpected end of data" in error:
        refuse_quoting(f"A quote is opened in the record that starts at line {start} and never closed.", start)
    line, is_only_line = raw_lines[0].rstrip("\r\n"), len(raw_lines) == 1
    quotes, escaped, cells = line.count('"'), line.count('\\"'), line.split(delimiter)
    left_open = cells[-1].startswith('"') and cells[-1].count('"') % 2
    if not is_only_line or left_open or (quotes % 2 and (quotes - escaped) % 2):
        refuse_quoting(
            f"In the record that starts at line {start} a quoted cell goes on after its closing quote.", start
        )
    return cells


def refuse_quoting(detail: str, line: int) -> NoReturn:
    raise FileRefused(Code.FILE_BROKEN_QUOTING, message_for(Code.FILE_BROKEN_QUOTING, detail=detail), line) from None
