"""Frames of problems: one record per reason, made a column at a time.

Columns: `row`, `code`, `field` ('' for the row as a whole), `value` (the cell as sent), `message`, `severity`, `meant`
(what the feed could map the value to, '' where nothing is known).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache

import pandas as pd

from include.codes import Code, message_for
from include.models import Severity
from include.schemas.client_rows import FIELDS

PROBLEM_COLUMNS = ["row", "code", "field", "value", "message", "severity", "meant"]
LONGEST_VALUE = 1000  # characters of a cell that a problem repeats; the report has the whole cell


@cache
def no_problems() -> pd.DataFrame:
    """Give one shared empty frame: most rules find nothing in most files, and frames are never changed."""
    return pd.DataFrame({name: pd.Series(dtype="int64" if name == "row" else "str") for name in PROBLEM_COLUMNS})


def problem_rows(
    code: Code,
    field: str,
    values: pd.Series,
    facts: Mapping[str, pd.Series] | None = None,
    severity: Severity | None = None,
    meant: pd.Series | str = "",
) -> pd.DataFrame:
    """Make one problem for each row of `values` (index `row`, the cells as sent).

    `facts` fill the code's template: a Series per placeholder, in the order of `values`.
    """
    if values.empty:
        return no_problems()
    values = values.str.slice(stop=LONGEST_VALUE)
    return pd.DataFrame(
        {
            "row": values.index.to_numpy(),
            "code": str(code),
            "field": field,
            "value": values.to_numpy(),
            "message": _messages(code, field, values, facts or {}),
            "severity": severity or code.severity,
            "meant": meant if isinstance(meant, str) else meant.to_numpy(),
        }
    )


def _messages(code: Code, field: str, values: pd.Series, facts: Mapping[str, pd.Series]) -> list[str]:
    """Fill the template once for each distinct combination: a wrong word often stands in many rows."""
    label = FIELDS[field].label if field else ""
    known: dict[tuple[object, ...], str] = {}
    messages = []
    for combination in zip(values.tolist(), *(column.tolist() for column in facts.values()), strict=True):
        if combination not in known:
            value, *details = combination
            filled = dict(zip(facts, details, strict=True))
            known[combination] = message_for(code, label=label, value=value, **filled)
        messages.append(known[combination])
    return messages


def join_problems(*parts: pd.DataFrame) -> pd.DataFrame:
    """Put problems together in the order of rows; within a row the order of `parts` stays."""
    filled = [part for part in parts if len(part)]
    if not filled:
        return no_problems()
    return pd.concat(filled, ignore_index=True).sort_values("row", kind="stable", ignore_index=True)


def column_order(columns: Iterable[str]) -> dict[str, int]:
    """Give the place of each field in a row's list of problems: as in the file; the row as a whole comes last."""
    return {name: place for place, name in enumerate(dict.fromkeys([*columns, *FIELDS, ""]))}


def in_column_order(problems: pd.DataFrame, columns: Iterable[str]) -> pd.DataFrame:
    """Sort the problems of each row by the column they are about."""
    if problems.empty:
        return problems
    place = problems["field"].map(column_order(columns))
    placed = problems.assign(place=place).sort_values(["row", "place"], kind="stable", ignore_index=True)
    return placed.drop(columns="place")


def rows_with_errors(problems: pd.DataFrame) -> pd.Index:
    """Give the numbers of the rows that fail."""
    failed: pd.Index = pd.Index(problems["row"][problems["severity"] == "error"].drop_duplicates(), name="row")
    return failed
