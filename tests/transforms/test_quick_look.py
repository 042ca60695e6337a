"""The quick look says too little at worst: whoever goes the long way comes to the same verdict."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pytest
from email_validator import validate_email
from hypothesis import given, settings
from hypothesis import strategies as st

from include.schemas import client_rows
from include.schemas.client_rows import FIELDS
from include.transforms.validation import cells, emails
from include.transforms.validation.cells import find_problems
from include.transforms.validation.cleaning import clean
from include.transforms.validation.quick_look import QuickLook

NOW = datetime(2026, 1, 1, tzinfo=UTC)
NO_ROWS = pd.Series(dtype="str")
SIGNS = "abzAZ059 '.,-_()/@=+<>:&#;\"`\t\n\r\x00\x1b\x7f\x85\xa0\xad×÷ÀåÉñſ\u0301\u034f\u180e\u200b\u202e\ufeff\ufffd＝﹤山😀"
CELLS = st.one_of(
    st.text(st.sampled_from(SIGNS), max_size=8),
    st.text(max_size=4),
    st.sampled_from(["Ann", "Zoë", "O'Neil", "ann@example.com", "A.b+c@x-y.example.org", "a..b@example.com", ".a@example.com",
                     "a.@example.com", "a@b@example.com", "ann@xn--mnchen-3ya.example", "ann@localhost", "a@x.local", "0" * 24, "F" * 24,
                     "0" * 25, "yes", "TRUE", "business", "#N/A", "2024-01-31", "2024-01-31T10:00:00Z", "2024-02-30T10:00:00Z",
                     "2030-01-01T00:00:00Z", "0000-01-01T00:00:00Z", "2024-01-31T24:00:00Z", "x" * 100, "é" * 51, "é" * 101, "ab", "éé"]),
)  # fmt: skip


@st.composite
def frames(draw) -> pd.DataFrame:
    names = ["first_name", "email", *draw(st.lists(st.sampled_from(sorted(FIELDS)), unique=True))]
    height = draw(st.integers(0, 6))
    columns = {
        name: pd.array(draw(st.lists(CELLS, min_size=height, max_size=height)), dtype="str")
        for name in dict.fromkeys(names)
    }
    index = pd.RangeIndex(7, 7 + height, name="row")
    sent = pd.DataFrame({"line": np.arange(height) + 8, **columns}, index=index)
    return sent.iloc[draw(st.integers(0, height)) :]  # a part of a column, too


@settings(max_examples=500)
@given(frames())
def test_with_and_without_a_quick_look_cells_are_cleaned_and_judged_alike(sent):
    quick = clean(sent, {})
    problems = find_problems(sent, quick, NO_ROWS, NOW)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(QuickLook, "is_clean", lambda _: False)
        patch.setattr(QuickLook, "is_plain_address", lambda look: np.zeros(len(look.lengths), dtype=bool))
        patch.setattr(cells, "_looks_good", lambda _field, rows, _now: np.zeros(len(rows), dtype=bool))
        patch.setattr(client_rows, "_plain_timestamps", lambda _: None)
        slow = clean(sent, {})
        expected = find_problems(sent, slow, NO_ROWS, NOW)
    pd.testing.assert_frame_equal(quick, slow)
    pd.testing.assert_frame_equal(problems, expected)


@given(st.lists(CELLS, min_size=1, max_size=5))
def test_dates_of_the_usual_form_are_the_instants_that_any_form_gives(cells):
    text = pd.Series(cells, dtype="str")
    quick = client_rows._plain_timestamps(text)
    if quick is not None:
        slow = client_rows.as_timestamps(pd.Series([*cells, "2024-01-01"], dtype="str"))[:-1]
        pd.testing.assert_series_equal(quick, slow)


@settings(max_examples=500)
@given(
    st.text(st.sampled_from("az09-.xn"), max_size=12)
    | st.sampled_from(["a.test", "a.arpa", "x.b.onion", "a.invalid", "a" * 64 + ".com", "a.b1"])
)
def test_a_domain_that_looks_plain_is_one_that_the_library_takes_as_it_is(domain):
    if emails._is_plain(domain):
        assert validate_email(f"a@{domain}", check_deliverability=False).ascii_domain == domain


def test_ordinary_cells_need_no_second_look():
    sent = pd.DataFrame(
        {"line": [2], "first_name": ["Zoë-Ann"], "email": ["zoe@example.com"], "active": ["yes"]}, index=[1]
    )
    rows = clean(sent.astype({name: "str" for name in ("first_name", "email", "active")}), {})
    assert not cells.doubtful_cells(rows, NOW).any(axis=None) and QuickLook.at(rows["first_name"]).is_clean()
