"""The frames that go through the context, a piece of the file at a time: sent, rows and problems.

sent      index `row` (from 1); `line` int64, one str column per column of the file, in its order, called by its field
          or else by its position; `ragged`: all cells as JSON where they belong to no column, which are blank then
rows      index `row`; `line`, one str column per field of the file, cleaned ('' for blank), `email_key`
problems  columns `row`, `code`, `field`, `value`, `message`, `severity`, `meant`
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any

import numpy as np
import pandas as pd

from include.codes import message_for
from include.models import Severity
from include.schemas.client_rows import FIELDS
from include.transforms.csv_reading.headers import Header
from include.transforms.csv_reading.pieces import Piece

PROBLEM_COLUMNS = ["row", "code", "field", "value", "message", "severity", "meant"]


def sent_frame(piece: Piece, header: Header, first_row: int) -> tuple[pd.DataFrame, pd.Series]:
    """A piece's records as `sent`, and a sentence for each that fits no columns (index row)."""
    index = pd.RangeIndex(first_row, first_row + len(piece.lines), name="row")
    fields = {position: field for field, position in header.positions.items()}
    columns = {fields.get(position, str(position)): column for position, column in enumerate(piece.columns)}
    ragged = {index[position]: piece.ragged[position] for position in sorted(piece.ragged)}
    cells = {row: json.dumps(each.cells, ensure_ascii=False) for row, each in ragged.items()}
    sent = pd.DataFrame({"line": np.array(piece.lines, dtype="int64"), **columns}, index=index)
    sent["ragged"] = pd.Series(cells, dtype="str").reindex(index)
    return sent, pd.Series({row: each.sentence for row, each in ragged.items()}, dtype="str")


def cells_as_sent(sent: pd.DataFrame, rows: pd.Index) -> dict[int, str]:
    """The original cells of these rows, as JSON."""
    if rows.empty:
        return {}
    chosen = sent.loc[rows].drop(columns="line")
    ragged = chosen.pop("ragged")
    cells = zip(*(chosen[name].tolist() for name in chosen), strict=True)
    return {
        row: json.dumps(whole, ensure_ascii=False) if pd.isna(odd) else odd
        for row, whole, odd in zip(chosen.index.tolist(), cells, ragged, strict=True)
    }


def fields_in(rows: pd.DataFrame) -> list[str]:
    return [name for name in rows.columns if name in FIELDS]


@cache
def no_problems() -> pd.DataFrame:
    """One frame for everybody: most rules find nothing in most files, and frames are never changed."""
    return pd.DataFrame({name: pd.Series(dtype="int64" if name == "row" else "str") for name in PROBLEM_COLUMNS})


def problem_rows(
    code: str,
    field: str,
    values: Mapping[int, str] | pd.Series,
    severity: Severity = "error",
    facts: Sequence[Mapping[str, Any]] | None = None,
    meant: Sequence[str] | str = "",
) -> pd.DataFrame:
    """One problem for each row in `values` (row to the value as sent); `facts` fill the code's sentence.

    `meant` is what the feed could map the value to, '' where nobody knows.
    """
    pairs = list(values.items())
    if not pairs:
        return no_problems()
    label = FIELDS[field].label if field else ""
    filled: Iterable[Mapping[str, Any]] = facts if facts is not None else [{}] * len(pairs)
    return pd.DataFrame(
        {
            "row": [int(row) for row, _ in pairs],  # type: ignore[call-overload]
            "code": code,
            "field": field,
            "value": [value for _, value in pairs],
            "message": [
                message_for(code, label=label, value=value, **fact)
                for (_, value), fact in zip(pairs, filled, strict=True)
            ],
            "severity": severity,
            "meant": meant,
        }
    )


def join_problems(*parts: pd.DataFrame) -> pd.DataFrame:
    """All problems in the order of rows; within a row in the order they were found."""
    filled = [part for part in parts if len(part)]
    if not filled:
        return no_problems()
    return pd.concat(filled, ignore_index=True).sort_values("row", kind="stable", ignore_index=True)


def without_errors(rows: pd.DataFrame, problems: pd.DataFrame) -> pd.DataFrame:
    return rows.drop(rows_with_errors(problems), errors="ignore") if len(problems) else rows


def rows_with_errors(problems: pd.DataFrame) -> pd.Index:
    errors = problems["row"][problems["severity"] == "error"]
    found: pd.Index = pd.Index(errors.drop_duplicates(), name="row")
    return found
