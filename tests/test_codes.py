"""The table of codes is complete, and its sentences can be filled."""

from __future__ import annotations

import string

import pytest

from include.codes import Code, for_the_log, message_for, printable, show


@pytest.mark.parametrize("code", Code)
def test_a_code_equals_its_name_and_has_a_title_a_sentence_and_an_advice(code):
    assert code == code.name and code is Code(code.name)
    assert code.title[0].isupper() and code.template and code.advice.endswith(".")
    assert code.severity in ("error", "warning", "note") and code.about in ("file", "row")


@pytest.mark.parametrize("code", Code)
def test_a_sentence_needs_nothing_but_the_field_the_value_and_the_facts_it_names(code):
    names = {name for _, name, _, _ in string.Formatter().parse(code.template) if name}
    facts = dict.fromkeys(names - {"label", "shown"}, "x")
    assert "{" not in message_for(code, label="Email", value="x", **facts)


def test_a_refusal_in_the_log_quotes_nothing_of_the_file():
    assert for_the_log("FILE_ENCODING", 3) == (
        "FILE_ENCODING, line 3: Wrong character encoding. Save the file as 'CSV UTF-8' and send it again."
    )
    assert for_the_log(Code.FILE_EMPTY, None).startswith("FILE_EMPTY: File is empty.")


def test_a_cell_in_a_sentence_is_one_visible_line_and_not_too_long():
    assert show("a\nb\u202e") == "“a\\u000ab\\u202e”"
    assert show("x" * 70) == f"“{'x' * 60}…”"
    assert printable("a\n\x07", keep="\n") == "a\n\\u0007"
