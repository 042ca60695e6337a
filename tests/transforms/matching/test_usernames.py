"""Usernames for new clients: the e-mail's local part, or with the first number that nobody has."""

from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.transforms.matching import usernames as usernames_module
from include.transforms.matching.usernames import generate, stem


@pytest.mark.parametrize(
    ("email", "username"),
    [
        ("john.doe@example.com", "john.doe"), ("zoë.van-dijk+news@x.org", "zoe.van-dijk.news"), ("o'neil@example.com", "o.neil"),
        ("_ann_@example.com", "ann"), ("a..b@example.com", "a.b"), ("j@example.com", "user.j"), ("用户@例子.广告", "user"),
        ("info@xn--mnchen-3ya.example", "info"), ("a" * 64 + "@example.com", "a" * 54), ("a" * 53 + "-b@example.com", "a" * 53),
    ],
)  # fmt: skip
def test_a_username_is_the_local_part_in_letters_digits_and_three_signs(email, username):
    assert stem(email) == username


LOCALS = st.sampled_from(["ann", "Ann", "ann2", "ann.2", "ann3", "ben", "bén", "a", "user.a"])
NAMES = st.lists(st.sampled_from(["ann", "ann2", "ann3", "ann4", "ben", "user.a"]), unique=True, max_size=4)


@given(local_parts=st.lists(LOCALS, max_size=12), reserved=NAMES, taken=NAMES)
def test_each_row_gets_the_first_name_that_neither_file_nor_table_has(local_parts, reserved, taken):
    addresses = [f"{local.lower()}@example.com" for local in local_parts]
    keys = pd.Series(addresses, dtype="str", index=range(5, 5 + len(addresses)))
    usernames = generate(keys, pd.Series(reserved, dtype="str"), lambda candidates: set(candidates) & set(taken))
    # Stems that are free go first, to the first row that has each.
    chosen, first = {*reserved, *taken}, {}
    for row, key in keys.items():
        if stem(key) not in chosen:
            first[row] = stem(key)
            chosen.add(stem(key))
    assert {row: name for row, name in usernames.items() if row in first} == first
    assert usernames.is_unique and not set(usernames) & {*reserved, *taken} and usernames.index.equals(keys.index)
    for row, name in usernames.items():
        number = name.removeprefix(stem(keys[row]))
        smaller = (f"{stem(keys[row])}{n}" for n in range(2, int(number or 0)))
        assert all(name in {*chosen, *usernames} for name in smaller)


def test_the_same_rows_get_the_same_usernames():
    keys = pd.Series(["ann@a.com", "ann@b.com", "ben@a.com", "ann@c.com"], dtype="str")
    none = pd.Series(dtype="str")
    assert generate(keys, none, lambda _: ()).tolist() == generate(keys, none, lambda _: ()).tolist()
    assert generate(keys, none, lambda _: ()).tolist() == ["ann", "ann2", "ben", "ann3"]


def test_no_row_without_a_username_asks_for_nothing():
    nobody = pd.Series(dtype="str")
    assert generate(nobody, pd.Series(["ann"], dtype="str"), lambda _: 1 / 0).empty


def test_many_rows_with_one_stem_take_few_questions():
    questions = []
    keys = pd.Series(["info@example.com"] * 1000, dtype="str")
    usernames = generate(keys, pd.Series(dtype="str"), lambda candidates: questions.append(candidates) or ())
    assert usernames.tolist() == ["info", *(f"info{n}" for n in range(2, 1001))] and len(questions) == 10


def test_a_file_of_any_length_asks_in_portions(monkeypatch):
    monkeypatch.setattr(usernames_module, "_AT_ONCE", 2)
    keys = pd.Series([f"{name}@example.com" for name in ("ann", "ben", "cat", "ann")], dtype="str")
    lengths = []
    usernames = generate(
        keys, pd.Series(["ben"], dtype="str"), lambda some: lengths.append(len(some)) or {"ann2"} & set(some)
    )
    assert usernames.tolist() == ["ann", "ben2", "cat", "ann3"] and max(lengths) == 2
