"""Rows of one client as if they came one after another (`duplicates: combine`, SPEC.md section 6).

The rows of a client may stand in different pieces of a file, so one piece hands over to the next what it leaves.
"""

from __future__ import annotations

import pandas as pd

from include.schemas.client_rows import FIELDS

# Usernames, projects and desks are judged before.
_COMBINED = [name for name, field in FIELDS.items() if field.kind not in ("id", "username", "reference")]
_FIRST_GIVEN = [name for name in _COMBINED if not FIELDS[name].changeable]


def combine_cells(
    rows: pd.DataFrame, replaced: pd.Series, open_cells: pd.DataFrame | None
) -> tuple[pd.DataFrame, pd.DataFrame | None]:
    """Fill blank cells of the rows that stand for several with the last that their client's earlier rows give.

    `rows` are cells as cleaned, of one piece; `replaced` as in `Resolution`, with each client's last row in place of
    the others. What never changes is what the first row gives. `open_cells`, and the second result, are the cells of
    clients whose last row has not come yet, one record for each.
    """
    stands_for = _stands_for(rows.index, replaced)
    if stands_for.empty:
        return rows, open_cells
    cells = pd.concat([open_cells, rows.loc[stands_for.index, _COMBINED].assign(by=stands_for)])
    texts = cells[_COMBINED]
    given = texts.mask(texts == "").groupby(cells["by"])
    whole = given.ffill().assign(**{name: given[name].transform("first") for name in _FIRST_GIVEN})
    whole = whole.fillna("")
    combined = rows.copy()
    combined.loc[stands_for.index, _COMBINED] = whole.loc[stands_for.index]
    is_open = (cells["by"] > rows.index[-1]) & ~cells["by"].duplicated(keep="last")
    return combined, whole[is_open].assign(by=cells["by"][is_open])


def _stands_for(rows: pd.Index, replaced: pd.Series) -> pd.Series:
    """Map rows of a client that has several to its last one."""
    earlier = replaced[replaced.index.isin(rows)]
    last = rows[rows.isin(replaced)]
    stands_for: pd.Series = pd.concat([earlier, pd.Series(last, index=last)])
    return stands_for.sort_index()
