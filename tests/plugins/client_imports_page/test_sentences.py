"""Sentences on screen: code, times and links instead of backticks, UTC and IDs, and never markup."""

from __future__ import annotations

import re

import pytest

from tests.plugins.page import ROOT

ID = "0195a2b4-0000-7000-8000-000000000000"


@pytest.fixture
def html(airflow):
    from client_imports_page.sentences import as_html

    return lambda sentence: str(as_html(sentence, "/page"))


def test_what_stands_between_backticks_is_code(html):
    assert html("Add it (key `values`).") == "Add it (key <code>values</code>)."
    assert html("`<b>` and `") == "<code>&lt;b&gt;</code> and `"


def test_what_a_sentence_quotes_is_left_as_it_is(html):
    quoted = "Desk “`a` (import {ID}) 2026-11-26 20:45 UTC <img>” is unknown."
    assert html(quoted) == quoted.replace("<img>", "&lt;img&gt;")
    assert html("a\u202eb") == "a\\u202eb"


def test_times_and_imports_are_what_a_person_can_use(html):
    at = "2026-11-26T20:45:00.000+00:00"
    assert html(f"Imported on 2026-11-26 20:45 UTC as a.csv (import {ID}).") == (
        f'Imported on <time datetime="{at}" title="{at}">2026-11-26 20:45</time> as a.csv '
        f'(<a href="/page/imports/{ID}" title="{ID}">that import</a>).'
    )
    assert html("On 2026-13-99 20:45 UTC") == "On 2026-13-99 20:45 UTC"


def test_the_line_of_a_refusal_is_part_of_its_sentence(web, imported):
    import_id = imported('First Name,Email\n"Ann,ann@example.com\nBen,ben@example.com\n')
    page = web("olga").get(f"{ROOT}/imports/{import_id}").text
    assert re.search(r"Quotes do not match: [^<]*[^.] \(line 2\)\. Put quotes", page)
