"""Rows of one client become one row, cell by cell, in whatever pieces of the file they stand."""

from __future__ import annotations

import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from include.transforms.matching.combined_rows import combine_cells
from include.transforms.validation.cleaning import clean
from tests.frames import sent_rows

CELLS = st.fixed_dictionaries(
    {
        "email": st.sampled_from("abc"),
        "last_name": st.sampled_from(["", "", "Lee", "Li", "#CLEAR"]),
        "active": st.sampled_from(["", "yes", "no"]),
        "created": st.sampled_from(["", "2020-01-01", "2021-01-01"]),
    }
)


def one_after_another(rows: list[dict[str, str]]) -> dict[str, dict[str, str]]:
    clients: dict[str, dict[str, str]] = {}
    for row in rows:
        client = clients.setdefault(row["email"], row)
        later = {name: cell for name, cell in row.items() if cell}
        clients[row["email"]] = client | later | ({"created": client["created"]} if client["created"] else {})
    return clients


@given(st.lists(CELLS, min_size=1, max_size=9), st.integers(1, 9))
def test_the_last_row_of_a_client_has_what_its_rows_would_leave_one_after_another(given_rows, size):
    rows = clean(sent_rows(*given_rows), {})
    last = rows["email"].map(pd.Series(rows.index, index=rows["email"]).groupby(level=0).last())
    replaced = last[last != last.index]
    pieces, open_cells = [], None
    for start in range(0, len(rows), size):
        combined, open_cells = combine_cells(rows.iloc[start : start + size], replaced, open_cells)
        pieces.append(combined)
    assert open_cells is None or open_cells.empty
    stand = pd.concat(pieces).drop(replaced.index).set_index("email")
    names = ["last_name", "active", "created"]
    found = {client: dict(zip(names, cells, strict=True)) for client, *cells in stand[names].itertuples(name=None)}
    assert found == {
        client: {name: row[name] for name in names} for client, row in one_after_another(given_rows).items()
    }


def test_only_clients_whose_last_row_is_to_come_are_handed_over():
    rows = clean(sent_rows(*({"email": client, "last_name": "Lee"} for client in "aabbcc")), {})
    replaced = pd.Series([2, 4, 6], index=[1, 3, 5])
    _, open_cells = combine_cells(rows.iloc[:3], replaced, None)
    assert open_cells.index.tolist() == [3]


def test_a_piece_without_repeated_clients_stays_the_frame_it_is():
    rows = clean(sent_rows({"email": "a"}, {"email": "b"}), {})
    assert combine_cells(rows, pd.Series(dtype="int64"), None)[0] is rows
