"""When two words of a feed are one, and which forms of dates a feed may name."""

from __future__ import annotations

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.schemas.words import all_of, check_date_format, folded, is_run_together, same_words


@pytest.mark.parametrize(("words", "text"), [("A", "A"), ("AB", "A and B"), ("ABC", "A, B and C")])
def test_all_words_of_a_sentence_have_one_and_before_the_last(words, text):
    assert all_of(words) == text


@pytest.mark.parametrize("word", ["wahr", "WAHR", " Wahr\t", "\u00a0wahr"])
def test_case_and_surrounding_space_do_not_make_another_word(word):
    assert folded(word) == folded("Wahr")


def test_one_letter_in_two_unicode_forms_is_one_letter():
    assert folded("Zu\u0308rich") == folded("ZÜRICH") and folded("Straße") == folded("STRASSE")


def test_words_that_are_one_and_mean_two_things_are_named_with_the_first_of_them():
    assert same_words({"Ja": "true", "JA ": "true", "ja": "false", "Nein": "false"}) == {"ja": "Ja"}
    assert same_words({"Ja": "true", "JA": "true"}) == {}


@pytest.mark.parametrize(
    ("form", "sentence"),
    [
        ("", "must name the day once, as %d"), ("%d.%m", "must name the year once, as %Y or %y; for example %d.%m.%Y"),
        ("%Y", "must name the day once"), ("%d/%Y", "must name the month once, as %m or %b or %B"),
        ("%d.%m.%Y %m", "must name the month once"), ("%d %b %m %Y", "must name the month once"),
        ("%d.%m.%Y %j", "'%j' is not one of %d, %m, %b"), ("%-d.%m.%Y", "'%-' is not one of"), ("%x", "'%x' is not one of"),
        ("%d.%m.%Y %", "'%' is not one of"), ("%d.%m.%Y %I:%M", "%I and %p belong together"),
        ("%d.%m.%Y %H:%M %p", "%I and %p belong together"), ("%d.%m.%Y %H:%M:%M", "'%M' stands there twice"),
        ("dd.mm.yyyy", "must name the day once"),
    ],
)  # fmt: skip
def test_a_form_of_dates_that_cannot_be_read_says_what_is_missing(form, sentence):
    with pytest.raises(ValueError, match="^must|^'%|^%I") as error:
        check_date_format(form)
    assert sentence in str(error.value)


PARTS = st.permutations(["%d", "%m", "%Y"]).flatmap(
    lambda parts: st.sampled_from(["", ".", "/", "-", " ", "%%", "年"]).map(lambda sign: sign.join(parts))
)
TIMES = st.sampled_from(["", " %H:%M", " %H:%M:%S", "T%H:%M:%S.%f", " %I:%M:%S %p"])


@given(PARTS, TIMES, st.datetimes(datetime(1000, 1, 1), datetime(9999, 12, 31)))
def test_every_form_that_is_accepted_reads_back_the_day_that_it_writes(date, time, moment):
    check_date_format(date + time)
    assert datetime.strptime(moment.strftime(date + time), date + time).date() == moment.date()


@pytest.mark.parametrize(
    ("form", "touch"), [("%d%m%Y", True), ("%Y%m%d %H:%M", True), ("%d.%m.%Y", False), ("%d%b%Y", False)]
)
def test_a_form_is_run_together_where_two_numbers_touch(form, touch):
    assert is_run_together(form) is touch
