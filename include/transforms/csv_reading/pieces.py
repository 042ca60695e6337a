"""A piece of a file: records that follow each other, kept as columns."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from include.schemas.words import WHITE_SPACE, has_text

if TYPE_CHECKING:
    import pyarrow


_TOO_FEW = 2  # columns
_LONGEST_FOOTER = 10  # rows
# An e-mail address or an ID: text that names a client stands in no footer.
_KEY = re.compile(r"[^\s@]+@[^\s@]+|[0-9a-fA-F]{24}")
_FOOTER = (
    "Only its first cell is filled and no record follows: it looks like a footer. Delete the line, or let the feed skip"
    " it (key `skip_last_lines`)."
)


@dataclass(frozen=True)
class Ragged:
    """A record whose cells cannot be assigned to columns, and a sentence that says why."""

    cells: list[str]
    sentence: str


@dataclass(frozen=True)
class Piece:
    """Records that follow each other.

    lines    the physical line (from 1) where each record starts
    columns  for each column of the file the cells as sent; those of a ragged record are blank
    ragged   the ragged records, by position in the piece
    widths   how many cells its records have, as sent
    """

    lines: Sequence[int]
    columns: list[pd.api.extensions.ExtensionArray]
    ragged: dict[int, Ragged]
    widths: frozenset[int]


def piece_of(records: list[list[str]], lines: Sequence[int], width: int, least: int, unclear: dict[int, str]) -> Piece:
    """Turn records into columns.

    A record has at least as many cells as the last column with a name, `least`, and beyond the header only blank ones.
    `unclear` says which records of the right width are ragged all the same, and why.
    """
    widths = frozenset(map(len, records))
    if widths - {width}:
        records = [of_width(cells, width, least) for cells in records]
    of_other_width = {
        position: f"The row has {len(cells):,} cell{'s' * (len(cells) != 1)}, the header has {width:,}."
        for position, cells in enumerate(records)
        if len(cells) != width
    }
    ragged = {position: Ragged(records[position], why) for position, why in (unclear | of_other_width).items()}
    blank = [""] * width
    whole = [blank if position in ragged else cells for position, cells in enumerate(records)] if ragged else records
    by_column = list(zip(*whole, strict=True)) or [()] * width
    return Piece(lines, [pd.array(cells, dtype="str") for cells in by_column], ragged, widths)


def of_width(cells: list[str], width: int, least: int) -> list[str]:
    """Take away blank cells beyond the header, and add those of columns without a name that the record lacks."""
    if len(cells) > width and not has_text(cells[width:]):
        return cells[:width]
    return cells + [""] * (width - len(cells)) if least <= len(cells) < width else cells


def piece_of_plain_lines(text: str, lines: range, delimiter: str, width: int) -> tuple[Piece, int] | None:
    """Turn lines without quotes into the same columns, ten times as fast; None where a line is blank or ragged.

    `lines` are the numbers of the lines in `text`. Gives also how many records were blank and are left out.
    """
    if text.startswith("\ufeff"):  # Arrow would take it for a byte-order mark
        return None
    try:
        table = _read_with_arrow(text.encode(), delimiter, width)
    except ValueError:
        return None
    if table.num_rows != len(lines):
        return None
    blank = _is_blank(table)
    if not blank.any():
        return Piece(lines, [pd.array(column, dtype="str") for column in table.columns], {}, frozenset({width})), 0
    columns = [pd.array(column, dtype="str")[~blank] for column in table.columns]
    return Piece(np.array(lines)[~blank].tolist(), columns, {}, frozenset({width})), int(blank.sum())


def _is_blank(table: pyarrow.Table) -> np.ndarray:
    """Say which records have only blank cells. A look at the first columns is enough for most files."""
    from pyarrow import compute

    blank = np.ones(table.num_rows, dtype=bool)
    for column in table.columns:
        if not blank.any():
            break
        blank &= compute.equal(compute.utf8_trim(column, WHITE_SPACE), "").to_numpy()
    return blank


def mark_footer(pieces: Iterable[Piece]) -> Iterator[Piece]:
    """Make the rows at the end of a file ragged in which only the first cell is filled, as in `Total: 83`."""
    held: list[Piece] = []
    rows_before = 0
    for piece in pieces:
        held.append(piece)
        # A footer begins in no piece that ends with another row; nearly every piece goes on at once.
        while held and (not any(_footers(held)) or sum(len(later.lines) for later in held[1:]) >= _LONGEST_FOOTER):
            rows_before += len(held[0].lines)
            yield held.pop(0)
    footers = _footers(held)
    has_records = rows_before + sum(len(piece.lines) for piece in held) > sum(map(len, footers))
    for piece, positions in zip(held, footers, strict=True):
        yield _as_ragged(piece, positions) if positions and has_records else piece


def _footers(pieces: Sequence[Piece]) -> list[list[int]]:
    """Give the positions in each of the last pieces that belong to the footer. Two columns are too few to tell."""
    footers: list[list[int]] = [[] for _ in pieces]
    for piece, positions in zip(reversed(pieces), reversed(footers), strict=True):
        for position in reversed(range(len(piece.lines))):
            longest = sum(map(len, footers)) == _LONGEST_FOOTER
            if longest or len(piece.columns) <= _TOO_FEW or not _is_of_footer(_cells_at(piece, position)):
                return footers
            positions.append(position)
    return footers


def _cells_at(piece: Piece, position: int) -> list[str]:
    ragged = piece.ragged.get(position)
    return ragged.cells if ragged else [column[position] for column in piece.columns]


def _is_of_footer(cells: list[str]) -> bool:
    return has_text(cells[:1]) and not has_text(cells[1:]) and not _KEY.fullmatch(cells[0].strip(WHITE_SPACE))


def _as_ragged(piece: Piece, positions: list[int]) -> Piece:
    ragged = {position: Ragged(_cells_at(piece, position), _FOOTER) for position in positions}
    columns = [column.copy() for column in piece.columns]
    for column in columns:
        column[np.array(positions)] = ""
    return replace(piece, columns=columns, ragged=piece.ragged | ragged)


def _read_with_arrow(text: bytes, delimiter: str, width: int) -> pyarrow.Table:
    """Raise ArrowInvalid, which is a ValueError, where a line has another number of cells."""
    import pyarrow
    from pyarrow import csv

    names = [str(number) for number in range(width)]
    return csv.read_csv(
        pyarrow.BufferReader(text),
        csv.ReadOptions(column_names=names, use_threads=False, block_size=len(text) + 1),
        csv.ParseOptions(delimiter=delimiter, quote_char=False),
        csv.ConvertOptions(column_types=dict.fromkeys(names, pyarrow.large_string()), check_utf8=False),
    )
