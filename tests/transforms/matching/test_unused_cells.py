"""A replaced row says which of its cells do not count."""

from __future__ import annotations

import pandas as pd
import pytest

from include.transforms.matching.unused_cells import cells_that_count, unused_cells
from include.transforms.validation.cleaning import clean
from tests.frames import sent_rows

ANN = {"id": "a" * 24, "first_name": "Ann", "last_name": "Lee", "email": "ann@example.com"}


def said_of(replaced: dict[str, str], counts: dict[str, str], *, is_new: bool = True, **words: dict[str, str]) -> str:
    sent = sent_rows(replaced, counts)
    rows = clean(sent, words)
    by = pd.Series([2], index=[1])
    used = cells_that_count([rows.loc[[1]], rows.loc[[2]]], by)
    return unused_cells(sent, rows, pd.Series(is_new, index=rows.index), by, used).get(1, "")


def test_a_cell_that_the_other_row_leaves_blank_or_fills_otherwise_is_named_as_it_was_sent():
    assert said_of(ANN | {"last_name": " Lee "}, ANN | {"last_name": ""}) == "; its Last Name “Lee” was not used"
    assert said_of(ANN | {"email": "x@example.com"}, ANN) == "; its Email “x@example.com” was not used"
    desk = {"London": "1" * 24}
    assert said_of(ANN | {"desk": "London"}, ANN, desk=desk) == "; its Desk “London” was not used"


def test_three_cells_are_named_in_the_order_of_the_columns_and_more_are_counted():
    three = {"username": "annlee", "type": "business", "active": "no"}
    assert said_of(three | ANN, ANN) == (
        "; its Username “annlee”, Type “business” and Active “no” were not used"
    )  # fmt: skip
    assert said_of({"last_name": "Li"} | three | ANN | {"last_name": "Li", "first_name": "An"}, ANN) == (
        "; its Last Name “Li”, Username “annlee”, Type “business” and 2 more were not used"
    )
    assert said_of({"last_name": "Li", "username": "annlee"} | ANN | {"last_name": "Li"}, ANN) == (
        "; its Last Name “Li” and Username “annlee” were not used"
    )


@pytest.mark.parametrize(
    ("replaced", "counts"),
    [
        ({}, {}),
        ({"id": ""}, {}),
        ({}, {"id": ""}),
        ({"last_name": ""}, {}),
        ({"email": "ANN@example.com"}, {}),
        ({"active": "yes"}, {"active": "TRUE"}),
        ({"type": "Personal"}, {"type": "personal"}),
        ({"desk": "A" * 24}, {"desk": "a" * 24}),
        ({"last_name": "e\u0301"}, {"last_name": "\xe9"}),
    ],
)
def test_a_cell_that_says_nothing_else_is_not_named(replaced, counts):
    assert said_of(ANN | replaced, ANN | counts) == ""


def test_created_is_named_only_where_it_could_have_counted():
    assert said_of(ANN | {"created": "2020-01-01"}, ANN) == "; its Created “2020-01-01” was not used"
    assert said_of(ANN | {"created": "2020-01-01"}, ANN, is_new=False) == ""


def test_a_long_or_hostile_cell_is_quoted_in_short_on_one_line():
    sentence = said_of(ANN | {"last_name": "a\nb" + "c" * 100}, ANN)
    assert "\n" not in sentence and len(sentence) < 120 and "…" in sentence
