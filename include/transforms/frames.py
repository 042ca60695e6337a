"""The two frames that go through the corridor: rows and problems.

rows      index `row` (from 1); `line` int64, one str column per field of the file ('' for blank),
          `cells` (list[str], as sent)
problems  columns `row`, `code`, `field`, `value`, `message`, `severity`
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pandas as pd

from include.codes import message_for
from include.results import Severity
from include.schemas.client_rows import FIELDS
from include.transforms.records import Records

PROBLEM_COLUMNS = ["row", "code", "field", "value", "message", "severity"]
META_COLUMNS = ["line", "cells"]


def rows_frame(records: Records) -> tuple[pd.DataFrame, pd.Series]:
    """All records as `rows`, and the number of cells found in those that are ragged (index row)."""
    width = len(records.header.names)
    index = pd.RangeIndex(1, len(records.cells) + 1, name="row")
    lengths = pd.Series([len(cells) for cells in records.cells], index=index, dtype="int64")
    whole = [cells if len(cells) == width else [""] * width for cells in records.cells]
    columns = list(zip(*whole, strict=True)) or [()] * width
    rows = pd.DataFrame(
        {field: pd.array(columns[i], dtype="str") for field, i in records.header.positions.items()}, index=index
    )
    rows.insert(0, "line", pd.Series(records.lines, index=index, dtype="int64"))
    rows["cells"] = pd.Series(records.cells, index=index, dtype=object)
    return rows, lengths[lengths != width]


def fields_in(rows: pd.DataFrame) -> list[str]:
    return [name for name in rows.columns if name in FIELDS]


def no_problems() -> pd.DataFrame:
    return pd.DataFrame({name: pd.Series(dtype="int64" if name == "row" else "str") for name in PROBLEM_COLUMNS})


def problem_rows(
    code: str,
    field: str,
    values: Mapping[int, str] | pd.Series,
    severity: Severity = "error",
    facts: Sequence[Mapping[str, Any]] | None = None,
) -> pd.DataFrame:
    """One problem for each row in `values` (row to the value as sent); `facts` fill the code's sentence."""
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
