"""The two frames that go through the corridor: rows and problems.

rows      index `row` (from 1); `line` int64, one str column per field of the file ('' for blank),
          `cells` (list[str], as sent)
problems  columns `row`, `code`, `field`, `value`, `message`, `severity`, `meant`
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any

import pandas as pd

from include.codes import message_for
from include.results import Severity
from include.schemas.client_rows import FIELDS
from include.transforms.records import Records

PROBLEM_COLUMNS = ["row", "code", "field", "value", "message", "severity", "meant"]
META_COLUMNS = ["line", "cells"]


def rows_frame(records: Records) -> tuple[pd.DataFrame, pd.Series]:
    """All records as `rows`, and a sentence for each that is ragged (index row): its cells belong to no column."""
    width = len(records.header.names)
    index = pd.RangeIndex(1, len(records.cells) + 1, name="row")
    ragged = {
        position: f"The row has {len(cells):,} cells, the header has {width:,}."
        for position, cells in enumerate(records.cells)
        if len(cells) != width
    }
    ragged = records.unclear | ragged
    whole = records.cells
    if ragged:
        blank = [""] * width
        whole = [blank if position in ragged else cells for position, cells in enumerate(whole)]
    positions = records.header.positions.items()
    by_column = list(zip(*whole, strict=True)) or [()] * width
    columns = {field: pd.array(by_column[i], dtype="str") for field, i in positions}
    rows = pd.DataFrame(columns, index=index)
    rows.insert(0, "line", pd.Series(records.lines, index=index, dtype="int64"))
    rows["cells"] = pd.Series(records.cells, index=index, dtype=object)
    return rows, pd.Series({index[position]: ragged[position] for position in sorted(ragged)}, dtype="str")


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


def rows_with_errors(problems: pd.DataFrame) -> pd.Index:
    errors = problems["row"][problems["severity"] == "error"]
    found: pd.Index = pd.Index(errors.drop_duplicates(), name="row")
    return found
