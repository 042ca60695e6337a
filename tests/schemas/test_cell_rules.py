"""Rules about text, each for a whole column: what a person, a spreadsheet and a calendar make of a cell."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone

import pandas as pd
import pytest
from ftfy.badness import is_bad
from hypothesis import given
from hypothesis import strategies as st

from include.schemas import cell_rules
from include.schemas.cell_rules import as_booleans, as_iso, as_timestamps


def column(*cells: str) -> pd.Series:
    return pd.Series(cells, dtype="str", index=range(7, 7 + len(cells)))


def one(rule, cell: str):
    return rule(column(cell)).iloc[0]


def test_a_blank_cell_meets_every_rule_but_that_it_is_filled():
    blank = column("")
    assert not one(cell_rules.is_filled, "") and not one(cell_rules.is_visible, "")
    rules = ("has_control_characters", "has_invisible_characters", "is_formula", "is_executable",
             "is_spreadsheet_error", "looks_damaged")  # fmt: skip
    for rule in rules:
        assert not getattr(cell_rules, rule)(blank).any(), rule


@pytest.mark.parametrize("cell", ["\u200b", "\u2800", "\u3164", "\u00ad", "\ufe0f", "\u2028"])
def test_a_cell_of_which_no_character_can_be_seen_is_filled_and_not_visible(cell):
    assert one(cell_rules.is_filled, cell) and not one(cell_rules.is_visible, cell)


@pytest.mark.parametrize("cell", ["a", "-", "李", "😀", "\u200ba", "٠"])
def test_one_character_that_can_be_seen_makes_a_cell_visible(cell):
    assert one(cell_rules.is_visible, cell)


def test_line_breaks_and_tabs_are_text_in_a_name_and_invisible_in_an_address():
    cells = column("a\nb", "a\tb", "a\rb")
    assert not cell_rules.has_control_characters(cells).any()
    assert cell_rules.has_invisible_characters(cells).all()


def test_the_sign_for_a_lost_letter_is_reported_in_names_and_addresses():
    assert one(cell_rules.has_control_characters, "Zo\ufffd") and one(
        cell_rules.has_invisible_characters, "zo\ufffd@x.com"
    )


@pytest.mark.parametrize("cell", ["=A1", "+1+1", "@SUM(1)", "-2+3", "＝1", "'=1", "\u200b=1"])
def test_what_a_spreadsheet_would_run_is_a_formula(cell):
    assert one(cell_rules.is_formula, cell) and one(cell_rules.is_executable, cell)


@pytest.mark.parametrize("cell", ["-", "+49", "-1.234,50", "−5", "a=1", "e=mc2"])
def test_a_lone_sign_or_a_number_or_a_sign_inside_is_no_formula(cell):
    assert not one(cell_rules.is_formula, cell)


def test_script_and_markup_are_executable_without_being_a_formula():
    cells = column("<script>alert(1)</script>", "javascript:alert(1)", "x onload=alert(1)")
    assert cell_rules.is_executable(cells).all() and not cell_rules.is_formula(cells).any()


@pytest.mark.parametrize(
    "cell", ["O&#39;Neil", "O&#x27;Neil", "&#x3c;b", "A&amp;B", "Jos&eacute;", "&nbsp;", "Lee &amp; Sons"]
)
def test_characters_written_as_html_writes_them_are_html_code(cell):
    assert one(cell_rules.is_html_code, cell) and one(cell_rules.is_executable, cell)


@pytest.mark.parametrize(
    "cell", ["AT&T", "A&B", "AT&T;", "Lee&Sons; London", "Tom &#1", "R&D", "A & B; C", "Ben&copy", "#39;"]
)
def test_an_ampersand_in_a_name_is_text(cell):
    assert not one(cell_rules.is_html_code, cell) and not one(cell_rules.is_executable, cell)


PIECES = ["<", "＜", "﹤", "script", "SVG", "/", ">", " ", "javascript", ":", "data", "text/html", ",", "&#", "x3c", "on", "load", "=", "a",
          "＝", "-", "1", "'", "\n", "&amp;", "&", "amp", ";"]  # fmt: skip


@given(st.lists(st.lists(st.sampled_from(PIECES), max_size=8).map("".join), min_size=1, max_size=20))
def test_one_look_for_the_signs_of_code_overlooks_nothing(cells):
    text = pd.Series(cells, dtype="str")
    code = text.str.contains(cell_rules._MARKUP, regex=True) | cell_rules.is_html_code(text)
    assert cell_rules.is_executable(text).tolist() == (cell_rules.is_formula(text) | code).tolist()


ERRORS = ["#N/A", "#REF!", "#VALUE!", "#NAME?", "#DIV/0!", "#NUM!", "#NULL!", "#SPILL!", "#CALC!", "#n/a", "#NV", "#BEZUG!", "#WERT!",
          "#ZAHL!", "#ÜBERLAUF!", "#überlauf!", "#KALK!", "#VALEUR!", "#NOM?", "#NOMBRE!", "#NUL!", "#PROPAGATION!", "#N/D", "#¡REF!",
          "#¡VALOR!", "#¿NOMBRE?", "#¡DIV/0!", "#¡NUM!", "#¡NULO!", "#¡DESBORDAMIENTO!", "#RIF!", "#VALORE!", "#NOME?", "#NULLO!",
          "Err:502", "Err :522", "#GETTING_DATA", "########", "###"]  # fmt: skip


@pytest.mark.parametrize("cell", ERRORS)
def test_what_a_spreadsheet_writes_where_it_has_no_result_is_its_error_in_each_language(cell):
    assert one(cell_rules.is_spreadsheet_error, cell)


@pytest.mark.parametrize(
    "cell", ["N/A", "#N/A!", "#1", "#", "##", "#CLEAR", "REF!", "Lee #REF!", "Err:12", "Error", "Errol", "#NVA"]
)
def test_other_text_with_a_number_sign_is_no_error_of_a_spreadsheet(cell):
    assert not one(cell_rules.is_spreadsheet_error, cell)


DAMAGED = ["“Ann”", "„Ann“", "”Ann”", "«Ann»", "»Ann«", "‘Ann’", "‚Ann‘", "‹Ann›", "JosÃ©", "MÃ¼ller", "naÃ¯ve", "Ð˜Ð²Ð°Ð½", "Â Ann",
           "RenÃ© & Co", "â€œAnnâ€\u009d"]  # fmt: skip


@pytest.mark.parametrize("cell", DAMAGED)
def test_a_name_in_typographic_quotes_or_decoded_twice_looks_damaged(cell):
    assert one(cell_rules.looks_damaged, cell)


NAMES = ["Ann", "José", "Müller", "O’Neil", "D‘Arcy", "Nguyễn Thị Ánh", "Đặng", "Růžička", "Łukasz Żółć", "ÅSE ØRSTED", "Þórður", "Çağrı Şükrü",
         "Иванов", "Ґалаґан", "Παπαδόπουλος", "李小龍", "山田太郎", "محمد", "ยุพิน", "Ann “Annie” Lee", "’s-Gravenhage", "Zoë", "ÉLÈVE", "Ñuñoa", "Straße",
         "Sœur", "Jean‑Luc", "Lee – Low", "Ann™", "50 €", "Nº 5", "😀😀"]  # fmt: skip


@pytest.mark.parametrize("cell", NAMES)
def test_names_of_all_languages_do_not_look_damaged(cell):
    assert not one(cell_rules.looks_damaged, cell)


@given(st.lists(st.sampled_from("aZ é ÃÂÐâ€œ©¼Œœ°ГВ‚√ß№«»\u009d\u00a0"), max_size=8).map("".join))
def test_one_look_overlooks_little_that_was_decoded_twice(cell):
    """Only a lone control character, which fails the row by itself, and a lone ligature are not looked at."""
    alone = re.sub(r"[\x80-\x9f]|[Œœ](?=[ -~])", "", cell)
    if cell == alone and is_bad(cell):
        assert one(cell_rules.looks_damaged, cell)


def test_six_words_in_any_case_are_true_or_false_and_nothing_else_is():
    values = as_booleans(column("true", "YES", "1", "False", "no", "0", "", "y", "t", "on", "１"))
    assert values.iloc[:6].tolist() == [True, True, True, False, False, False]
    assert values.iloc[6:].isna().all() and list(values.index) == list(range(7, 18))


@pytest.mark.parametrize(
    ("cell", "instant"),
    [
        ("2024-06-13", datetime(2024, 6, 13, tzinfo=UTC)),
        ("0001-01-01", datetime(1, 1, 1, tzinfo=UTC)),
        ("2024-06-13T15:06", datetime(2024, 6, 13, 15, 6, tzinfo=UTC)),
        ("2024-06-13 15:06:02", datetime(2024, 6, 13, 15, 6, 2, tzinfo=UTC)),
        ("2024-06-13t15:06:02z", datetime(2024, 6, 13, 15, 6, 2, tzinfo=UTC)),
        ("2024-06-13T15:06:02.123456789+02:00", datetime(2024, 6, 13, 13, 6, 2, 123456, tzinfo=UTC)),
        ("2024-06-13T15:06:02,5-0330", datetime(2024, 6, 13, 18, 36, 2, 500000, tzinfo=UTC)),
        ("9999-12-31T23:59:59Z", datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)),
    ],
)
def test_iso_dates_and_date_times_are_instants_and_no_zone_means_utc(cell, instant):
    assert one(as_timestamps, cell) == instant


@pytest.mark.parametrize(
    "cell", ["", "2024-02-30", "2023-02-29", "0000-01-01", "2024-06-13T24:00", "13.06.2024", "20240613"]
)
def test_nothing_rolls_over_and_nothing_else_is_a_date(cell):
    assert pd.isna(one(as_timestamps, cell))


FORMS = ["%d.%m.%Y", "%d/%m/%Y %H:%M", "%m/%d/%Y %I:%M %p", "%Y%m%d", "%d-%b-%Y", "%Y-%d-%m", "%d.%m.%Y %H:%M:%S.%f"]


@given(
    st.lists(st.datetimes(datetime(1000, 1, 1), datetime(9998, 12, 31)), min_size=1, max_size=8), st.sampled_from(FORMS)
)
def test_dates_in_the_form_of_the_feed_are_read_as_python_reads_them(moments, form):
    cells = [moment.strftime(form) for moment in moments]
    read = as_timestamps(as_iso(pd.Series(cells, dtype="str"), form))
    assert read.tolist() == [pd.Timestamp(datetime.strptime(cell, form), tz="UTC") for cell in cells]


@pytest.mark.parametrize(
    "cell", ["", "31/02/2024 10:00", "13/06/2024", "now", "today", "2024-06-13", "13/06/2024 15:06 x"]
)
def test_a_cell_of_another_form_stays_as_it_is(cell):
    assert one(lambda cells: as_iso(cells, "%d/%m/%Y %H:%M"), cell) == cell


def test_a_number_that_has_lost_a_zero_is_no_date_because_it_could_be_two():
    cells = as_iso(column("01112024", "1112024", "13062024"), "%d%m%Y")
    assert cells.tolist() == ["2024-11-01T00:00:00", "1112024", "2024-06-13T00:00:00"]


def test_a_zone_in_the_form_of_the_feed_counts():
    assert (
        one(lambda cells: as_iso(cells, "%d.%m.%Y %H:%M %z"), "13.06.2024 15:06 +0200") == "2024-06-13T15:06:00+02:00"
    )


ZONES = st.integers(-23 * 60, 23 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))


@given(st.lists(st.datetimes(datetime(2, 1, 1), datetime(9998, 12, 31), timezones=ZONES), min_size=1, max_size=8))
def test_a_column_of_instants_is_read_as_python_reads_each(instants):
    read = as_timestamps(pd.Series([instant.isoformat() for instant in instants], dtype="str"))
    assert read.tolist() == [pd.Timestamp(instant).tz_convert("UTC") for instant in instants]
