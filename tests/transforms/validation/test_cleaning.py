"""Cleaning takes away what nobody sees around a word, puts text in one Unicode form, and does nothing else."""

from __future__ import annotations

import unicodedata

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.schemas.client_rows import CLEARED
from include.schemas.field_names import FIELD_NAMES
from include.schemas.words import WHITE_SPACE
from include.transforms.validation.cleaning import LONGEST_JUDGED, clean, trimmed
from tests.frames import sent_rows


def cleaned(cell: str, field: str = "first_name", **values: dict[str, str]) -> str:
    return clean(sent_rows({field: cell}), values).at[1, field]


def is_unseen(character: str) -> bool:
    fillers = "\t\n\r\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0" + "".join(map(chr, range(0xFE00, 0xFE10)))
    return character in fillers or unicodedata.category(character) in ("Zs", "Zl", "Zp", "Cf")


def cleared(word: str, **cells: str) -> dict[str, str]:
    """The cells of a row whose feed says that `word` clears a field."""
    return clean(sent_rows(cells), {}, clear_word=word).loc[1, list(cells)].to_dict()


def test_there_is_one_column_for_each_field_and_what_the_file_lacks_is_blank():
    sent = sent_rows({"email": "ann@example.com"}, {"email": ""}).assign(ragged=pd.NA, **{"3": "ignored"})
    rows = clean(sent, {})
    assert list(rows) == ["line", *FIELD_NAMES] and list(rows.index) == [1, 2] and rows["line"].tolist() == [2, 3]
    assert (rows.loc[1, list(FIELD_NAMES)] != "").sum() == 1


@pytest.mark.parametrize("cell", [" Ann ", "\u00a0Ann\u3000", "\tAnn\r\n", "\u2028Ann", "Ann"])
def test_white_space_around_a_cell_goes(cell):
    assert cleaned(cell) == "Ann"


@pytest.mark.parametrize(
    "cell", ["\x1fAnn", "\x1f", "Ann\x0c", "\ufeffAnn", "\u200bAnn", "Ann  Lee", "Ann\nLee", "aNN", "NULL", "0012"]
)
def test_control_characters_and_what_stands_inside_a_cell_stay_letter_for_letter(cell):
    assert cleaned(cell) == cell


def test_a_letter_and_its_accent_become_one_letter_and_nothing_else_changes_its_shape():
    assert cleaned("Zoe\u0308") == "Zoë"
    assert cleaned("ﬁ Ⅷ") == "ﬁ Ⅷ"


@given(st.text(max_size=20))
def test_any_short_text_is_stripped_and_normal_and_cleaning_it_again_changes_nothing(text):
    once = cleaned(text)
    normal = unicodedata.normalize("NFC", text.strip(WHITE_SPACE))
    assert once == ("" if all(map(is_unseen, normal)) else normal)
    # NFC can bring no white space to an end of the text.
    assert cleaned(once) == once


@pytest.mark.parametrize("field", ["first_name", "last_name", "email", "id", "desk"])
@pytest.mark.parametrize("cell", ["\u200b", "\u200b \ufeff", "\u2800", "\u3164", "\u00ad\n\u200e"])
def test_a_cell_of_which_nothing_can_be_seen_is_blank(cell, field):
    assert cleaned(cell, field) == ""


def test_an_address_keeps_the_sign_that_nfc_would_make_another_one_of():
    assert cleaned(" a<\u0338b@example.com ", "email") == "a<\u0338b@example.com"
    assert cleaned("zoe\u0308@example.com", "email") == "zoë@example.com"
    assert cleaned("a<\u0338b") == "a\u226eb"


def test_no_more_of_a_cell_is_judged_than_any_field_may_hold():
    assert cleaned(" " + "x" * 20_000) == "x" * LONGEST_JUDGED
    assert trimmed(pd.Series([" " + "x" * 20_000], dtype="str")).str.len().tolist() == [20_000]


def test_a_word_of_the_feed_is_understood_in_either_unicode_form_and_with_white_space_around_it():
    words = {"Zürich": "67a3470d8092c651c9193390", " London ": "67a3470d8092c651c9193391"}
    assert cleaned(" Zu\u0308rich ", "desk", desk=words) == "67a3470d8092c651c9193390"
    assert cleaned("London", "desk", desk=words) == "67a3470d8092c651c9193391"


@pytest.mark.parametrize("cell", ["wahr", "WAHR", " Wahr "])
def test_a_word_of_the_feed_is_understood_in_any_case(cell):
    assert cleaned(cell, "active", active={"WAHR": "true"}) == "true"
    assert cleaned(cell.replace("wahr", "straße").upper(), "active", active={"Wahr": "1", "Straße": "1"}) == "1"


@pytest.mark.parametrize("cell", ["Londen", "London 2", "Madrid", ""])
def test_a_word_that_the_feed_does_not_name_stays(cell):
    assert cleaned(cell, "desk", desk={"London": "67a3470d8092c651c9193391"}) == cell


def test_a_blank_cell_stays_blank_whatever_the_feed_says_it_means():
    assert cleaned(" ", "active", active={"": "no"}) == ""
    assert clean(sent_rows({"email": "ann@example.com"}), {"active": {"": "no"}}).at[1, "active"] == ""


# The feed's word that clears a field.


@pytest.mark.parametrize("cell", ["#CLEAR", "#clear", " #Clear "])
def test_the_word_clears_whatever_its_case_and_stands_in_no_cell_after_that(cell):
    assert cleared("#CLEAR", last_name=cell, first_name=cell, desk=cell) == dict.fromkeys(
        ["last_name", "first_name", "desk"], CLEARED
    )


def test_another_word_and_a_cell_that_only_holds_it_are_text():
    assert cleared("LEER", last_name="#CLEAR", first_name="LEER x") == {"last_name": "#CLEAR", "first_name": "LEER x"}
    assert cleared(" Leer ", last_name="leer") == {"last_name": CLEARED}


def test_without_a_word_nothing_is_cleared():
    assert cleaned("#CLEAR", "last_name") == "#CLEAR"


def test_where_the_word_is_a_spreadsheets_error_it_clears_only_what_can_be_cleared():
    cells = cleared("#N/A", last_name="#N/A", first_name="#N/A", email="#N/A")
    assert cells == {"last_name": CLEARED, "first_name": "#N/A", "email": "#N/A"}


def test_the_feeds_words_are_understood_before_they_clear():
    rows = clean(sent_rows({"last_name": "-"}), {"last_name": {"-": "#CLEAR"}}, clear_word="#CLEAR")
    assert rows.at[1, "last_name"] == CLEARED


@given(st.text(max_size=8))
def test_no_cell_is_cleared_but_by_the_word(text):
    said = text.strip(WHITE_SPACE).lower() == "#clear"
    assert (cleared("#CLEAR", last_name=text)["last_name"] == CLEARED) == said


# The feed's form of dates.


def test_only_a_date_in_the_form_of_the_feed_is_written_anew():
    sent = sent_rows({"created": " 13/06/2024 15:06 ", "last_name": "13/06/2024 15:06"}, {"created": "2024-06-13"})
    rows = clean(sent, {}, date_format="%d/%m/%Y %H:%M")
    assert rows["created"].tolist() == ["2024-06-13T15:06:00", "2024-06-13"]
    assert rows.at[1, "last_name"] == "13/06/2024 15:06"
