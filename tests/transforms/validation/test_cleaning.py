"""Cleaning takes away what nobody sees around a word, puts text in one Unicode form, and does nothing else."""

from __future__ import annotations

import unicodedata

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.models import FIELD_NAMES
from include.schemas.cell_rules import WHITE_SPACE
from include.transforms.validation.cleaning import LONGEST_JUDGED, clean, trimmed
from tests.frames import sent_rows


def cleaned(cell: str, field: str = "first_name", **values: dict[str, str]) -> str:
    return clean(sent_rows({field: cell}), values).at[1, field]


def test_there_is_one_column_for_each_field_and_what_the_file_lacks_is_blank():
    sent = sent_rows({"email": "ann@example.com"}, {"email": ""}).assign(ragged=pd.NA, **{"3": "ignored"})
    rows = clean(sent, {})
    assert list(rows) == ["line", *FIELD_NAMES] and list(rows.index) == [1, 2] and rows["line"].tolist() == [2, 3]
    assert (rows.loc[1, list(FIELD_NAMES)] != "").sum() == 1


@pytest.mark.parametrize("cell", [" Ann ", "\u00a0Ann\u3000", "\tAnn\r\n", "\u2028Ann", "Ann"])
def test_white_space_around_a_cell_goes(cell):
    assert cleaned(cell) == "Ann"


@pytest.mark.parametrize(
    "cell", ["\x1fAnn", "Ann\x0c", "\ufeffAnn", "\u200bAnn", "Ann  Lee", "Ann\nLee", "aNN", "NULL", "0012"]
)
def test_control_characters_and_what_stands_inside_a_cell_stay_letter_for_letter(cell):
    assert cleaned(cell) == cell


def test_a_letter_and_its_accent_become_one_letter_and_nothing_else_changes_its_shape():
    assert cleaned("Zoe\u0308") == "Zoë"
    assert cleaned("ﬁ Ⅷ") == "ﬁ Ⅷ"


@given(st.text(max_size=20))
def test_any_short_text_is_stripped_and_normal_and_cleaning_it_again_changes_nothing(text):
    once = cleaned(text)
    assert once == unicodedata.normalize("NFC", text.strip(WHITE_SPACE))
    # NFC can bring no white space to an end of the text.
    assert cleaned(once) == once


def test_no_more_of_a_cell_is_judged_than_any_field_may_hold():
    assert cleaned(" " + "x" * 20_000) == "x" * LONGEST_JUDGED
    assert trimmed(pd.Series([" " + "x" * 20_000], dtype="str")).str.len().tolist() == [20_000]


def test_a_word_of_the_feed_is_understood_in_either_unicode_form_and_with_white_space_around_it():
    words = {"Zürich": "67a3470d8092c651c9193390", " London ": "67a3470d8092c651c9193391"}
    assert cleaned(" Zu\u0308rich ", "desk", desk=words) == "67a3470d8092c651c9193390"
    assert cleaned("London", "desk", desk=words) == "67a3470d8092c651c9193391"


@pytest.mark.parametrize("cell", ["LONDON", "London 2", "Madrid", ""])
def test_a_word_that_the_feed_does_not_name_stays(cell):
    assert cleaned(cell, "desk", desk={"London": "67a3470d8092c651c9193391"}) == cell


def test_a_blank_cell_stays_blank_whatever_the_feed_says_it_means():
    assert cleaned(" ", "active", active={"": "no"}) == ""
    assert clean(sent_rows({"email": "ann@example.com"}), {"active": {"": "no"}}).at[1, "active"] == ""
