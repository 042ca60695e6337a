"""Quotes that do not match: which row they hurt, or that nobody can say where records end (FILE_BROKEN_QUOTING)."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from typing import NoReturn

from include.codes import message_for
from include.errors import FileRefused

_NARROW = 5  # columns; prose in a cell rarely has more commas on one line
_LINE_END = re.compile(r"\r\n|\r|\n")


def check_swallowed(record: list[str], lines: Sequence[str], delimiter: str, width: int, start: int) -> None:
    """Raises FILE_BROKEN_QUOTING when a record of several lines looks like several records.

    Either each line by itself has the width of a record and an e-mail address, or a line inside a cell has: an address
    of a street has commas too, but no @-sign. In a wide file the commas alone are enough.
    """
    alone = all(line.count(delimiter) == width - 1 and "@" in line for line in lines)
    inside = (part for cell in record if "\n" in cell or "\r" in cell for part in _LINE_END.split(cell))
    if alone or any(part.count(delimiter) >= max(width - 1, 1) and ("@" in part or width > _NARROW) for part in inside):
        refuse_quoting(
            f"A quoted cell of the record that starts at line {start} has swallowed the records after it.", start
        )


def ends_in_an_escape(record: list[str]) -> bool:
    r"""True for `"Ann\", Lee"`: where `\"` means a quote, this is one cell and not two."""
    return any(cell.endswith("\\") and after.count('"') % 2 for cell, after in itertools.pairwise(record))


def literal_pieces(lines: Sequence[str], delimiter: str, start: int, error: str) -> list[str]:
    """The pieces of a line like `"click") ;x`, where text follows a closing quote.

    The damage is this line's alone when its quotes are even in number, or would be with `\\"` as one of them, and
    no cell is left open at its end: then only this row fails. Otherwise nobody can say where records end:
    FILE_BROKEN_QUOTING.
    """
    if "unexpected end of data" in error:
        refuse_quoting(f"A quote is opened in the record that starts at line {start} and never closed.", start)
    line = lines[0].rstrip("\r\n")
    quotes, escaped, pieces = line.count('"'), line.count('\\"'), line.split(delimiter)
    left_open = pieces[-1].startswith('"') and pieces[-1].count('"') % 2
    if len(lines) > 1 or left_open or (quotes % 2 and (quotes - escaped) % 2):
        refuse_quoting(
            f"In the record that starts at line {start} a quoted cell goes on after its closing quote.", start
        )
    return pieces


def refuse_quoting(detail: str, line: int) -> NoReturn:
    raise FileRefused("FILE_BROKEN_QUOTING", message_for("FILE_BROKEN_QUOTING", detail=detail), line) from None
