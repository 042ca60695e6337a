"""Records as frames of cells exactly as they were sent.

The frame `sent`: index `row` (from 1); `line` int64 (physical line); one str column per column of the file, in its
order, named by its field, else by its position; `ragged`: all cells as JSON where they fit no columns, else missing.
"""

from __future__ import annotations

import json

import numpy as np
import pandas as pd

from include.transforms.csv_reading.headers import Header
from include.transforms.csv_reading.pieces import Piece


def sent_frame(piece: Piece, header: Header, first_row: int) -> tuple[pd.DataFrame, pd.Series]:
    """Give a piece's records as `sent`, and a sentence for each record that fits no columns (index `row`)."""
    index = pd.RangeIndex(first_row, first_row + len(piece.lines), name="row")
    fields = {position: field for field, position in header.positions.items()}
    columns = {fields.get(position, str(position)): column for position, column in enumerate(piece.columns)}
    ragged = {index[position]: piece.ragged[position] for position in sorted(piece.ragged)}
    cells = {row: json.dumps(record.cells, ensure_ascii=False) for row, record in ragged.items()}
    sent = pd.DataFrame({"line": np.array(piece.lines, dtype="int64"), **columns}, index=index)
    sent["ragged"] = pd.Series(cells, dtype="str").reindex(index)
    return sent, pd.Series({row: record.sentence for row, record in ragged.items()}, dtype="str")


def column_as_sent(sent: pd.DataFrame, field: str, rows: pd.Index) -> pd.Series:
    """Give one field's cells of these rows, '' where the file has no such column."""
    return sent.loc[rows, field] if field in sent else pd.Series("", index=rows, dtype="str")


def cells_as_sent(sent: pd.DataFrame, rows: pd.Index) -> dict[int, str]:
    """Give the original cells of these rows, each row as a JSON list."""
    if rows.empty:
        return {}
    chosen = sent.loc[rows].drop(columns="line")
    ragged = chosen.pop("ragged")
    cells = zip(*(chosen[name].tolist() for name in chosen), strict=True)
    return {
        row: json.dumps(whole, ensure_ascii=False) if pd.isna(all_cells) else all_cells
        for row, whole, all_cells in zip(chosen.index.tolist(), cells, ragged, strict=True)
    }
