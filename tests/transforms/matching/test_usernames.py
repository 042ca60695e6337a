"""Usernames for new clients: the e-mail's local part, or with the first number that nobody has."""

from __future__ import annotations

import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from include.transforms.matching import usernames
from include.transforms.matching.usernames import generate, stem

LOCALS = st.sampled_from(["ann", "Ann", "ann2", "ann.2", "ann3", "ben", "bén", "a", "user.a"])
NAMES = st.lists(st.sampled_from(["ann", "ann2", "ann3", "ann4", "ben", "user.a"]), unique=True, max_size=4)


@given(local_parts=st.lists(LOCALS, max_size=12), reserved=NAMES, taken=NAMES)
def test_each_row_gets_the_first_name_that_neither_file_nor_table_has(local_parts, reserved, taken):
    keys = pd.Series(
        [f"{local.lower()}@example.com" for local in local_parts], dtype="str", index=range(5, 5 + len(local_parts))
    )
    found = generate(keys, pd.Series(reserved, dtype="str"), lambda request: set(request) & set(taken))
    # Stems that are free go first, to the first row that has each.
    chosen, names = {*reserved, *taken}, {}
    for row, name in ((row, stem(key)) for row, key in keys.items()):
        if name not in chosen:
            names[row] = name
            chosen.add(name)
    assert {row: name for row, name in found.items() if row in names} == names
    assert found.is_unique and not set(found) & {*reserved, *taken} and list(found.index) == list(keys.index)
    for row, name in found.items():
        number = name.removeprefix(stem(keys[row]))
        smaller = (f"{stem(keys[row])}{n}" for n in range(2, int(number or 0)))
        assert all(name in {*chosen, *found} for name in smaller)


def test_many_rows_with_one_stem_take_few_questions():
    request = []
    keys = pd.Series(["info@example.com"] * 1000, dtype="str")
    found = generate(keys, pd.Series(dtype="str"), lambda candidates: request.append(candidates) or ())
    assert found.tolist() == ["info", *(f"info{n}" for n in range(2, 1001))] and len(request) == 10


def test_as_many_as_there_are_they_are_asked_for_in_portions(monkeypatch):
    monkeypatch.setattr(usernames, "_AT_ONCE", 2)
    keys = pd.Series([f"{name}@example.com" for name in ("ann", "ben", "cat", "ann")], dtype="str")
    longest = []
    found = generate(
        keys, pd.Series(["ben"], dtype="str"), lambda some: longest.append(len(some)) or {"ann2"} & set(some)
    )
    assert found.tolist() == ["ann", "ben2", "cat", "ann3"] and max(longest) == 2
