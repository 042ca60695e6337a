"""Which cells of a replaced row do not count, because the row in its place says nothing or something else."""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd

from include.codes import show
from include.schemas.cell_rules import as_booleans
from include.schemas.client_rows import FIELDS, Field
from include.schemas.email_addresses import email_keys
from include.transforms.csv_reading.sent_rows import column_as_sent

_NAMED = 3


def cells_that_count(pieces: Iterable[pd.DataFrame], replaced: pd.Series) -> pd.DataFrame:
    """Give the cells as cleaned of the rows that replace others: one may stand in any piece, before or after."""
    return pd.concat([rows[rows.index.isin(replaced)] for rows in pieces])


def unused_cells(
    sent: pd.DataFrame, rows: pd.DataFrame, is_new: pd.Series, replaced: pd.Series, used: pd.DataFrame
) -> dict[int, str]:
    """Give the end of the sentence about each replaced row of a piece that has such cells.

    `rows` are the cells as cleaned, `used` those that count; `replaced` as in `Resolution`. An ID tells which client is
    meant, so it is not among them; nor is what never changes, unless the client is new.
    """
    replaced = replaced[replaced.index.isin(rows.index)]
    unused: dict[int, list[str]] = {}
    for name in (name for name in sent if name in FIELDS and name != "id" and len(replaced)):
        field = FIELDS[str(name)]
        filled = rows.loc[replaced.index, field.name]
        filled = filled[filled != ""]
        other = ~_alike(field, filled, used.loc[replaced[filled.index], field.name])
        lost = filled.index[other & (field.changeable | is_new[filled.index])]
        for row, cell in column_as_sent(sent, field.name, lost).items():
            unused.setdefault(int(str(row)), []).append(f"{field.headers[0]} {show(cell.strip())}")
    return {row: _listed(cells) for row, cells in unused.items()}


def _alike(field: Field, cells: pd.Series, others: pd.Series) -> pd.Series:
    """Compare what the cells mean, place by place."""
    match field.kind:
        case "email":
            cells, others = email_keys(cells), email_keys(others)
        case "boolean":
            cells, others = (as_booleans(text).astype("str") for text in (cells, others))
        case "reference" | "choice" | "timestamp":
            cells, others = cells.str.lower(), others.str.lower()
    return cells == others.to_numpy()


def _listed(cells: list[str]) -> str:
    *first, last = cells if len(cells) <= _NAMED else [*cells[:_NAMED], f"{len(cells) - _NAMED:,} more"]
    return f"; its {', '.join(first)} and {last} were not used" if first else f"; its {last} was not used"
