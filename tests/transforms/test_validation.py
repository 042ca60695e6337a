"""Every cell is judged by itself: what fails, with which code; and what looks strange and is only text."""

from __future__ import annotations

from datetime import UTC, datetime

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.schemas import client_rows
from include.schemas.feed import Feed
from include.transforms.csv_reading.records import read_records
from include.transforms.csv_reading.text import Text
from include.transforms.validation.cells import find_problems
from include.transforms.validation.cleaning import clean
from include.transforms.validation.problems import sent_frame

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
FEED = Feed(name="x", title="X")


def problems_of(text: str) -> pd.DataFrame:
    records = read_records(Text(text.encode(), "utf-8"), FEED)
    (piece,) = records.pieces
    sent, ragged = sent_frame(piece, records.header, 1)
    return find_problems(sent, clean(sent, {}), ragged, NOW)


def judge(**cells: str) -> list[tuple[str, str]]:
    """(field, code) of each problem of one row."""
    whole = {"first_name": "Ann", "email": "ann@example.com"} | cells
    quoted = ['"' + cell.replace('"', '""') + '"' for cell in whole.values()]
    problems = problems_of(f"{','.join(whole)}\n{','.join(quoted)}\n")
    return list(zip(problems["field"], problems["code"], strict=True))


@pytest.mark.parametrize(
    "cell",
    ["NULL", "None", "NaN", "NA", "nan", "true", "0012", "1E5", "1e5", "-", "+", "=", "@", "-5", "+49", "-1.234,50", "O'Neil",
     "D'Arcy", "Ann-Marie", "Jr.", "van der Berg", "Nguyễn", "李小龍", "محمد", "😀", "a\nb", "a\tb", "Robert'); DROP TABLE clients;--",
     "${jndi:ldap://x}", "{{7*7}}", "$(id)", "`id`", "%00", "\\x00", "../../etc/passwd", "I <3 you", "AT&T", "－", "＋", "＝", "＠", "−", "－１", "＋５", "−5", "A < Ben", "A<B", "x <y", "Tom &#1",
     "A&#B", "Online=Ja", "Ontario=CA", "Data: Sales/Marketing", "5 > 3", "e=mc2",
     "Infinity", "undefined", "\u202eabc", "a\u200db", "x" * 100, "ﬁ", "Ⅷ", "\ufeffAnn", "'s-Gravenhage", "#N/A!", "#REF!"],
)  # fmt: skip
def test_text_that_looks_strange_is_text(cell):
    assert judge(first_name=cell) == []


@pytest.mark.parametrize(
    "cell",
    ["=1+1", "+1+1", "-2+3", "@SUM(1)", "=cmd|'/C calc'!A0", "＝1+1", "＝1", "－1+1", "＠SUM(1)", " =1", "\t=1", "\r=1", "\n=1",
     '"=1"', "'=1", "\u200b=1", "\u00a0=1", "\u3000=1", "\ufeff=1", "`=1", "''=1", "-van", "@home",
     "+49 (0) 30", "--", "=-", "\u2060@x"],
)  # fmt: skip
def test_a_formula_fails_in_whatever_disguise(cell):
    assert judge(last_name=cell) == [("last_name", "CELL_EXECUTABLE")]


@pytest.mark.parametrize(
    "cell",
    ["<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "<IMG SRC=x>", "</b>", "<!-- x -->", "<?php", "＜script＞",
     "javascript:alert(1)", "JaVaScRiPt:alert(1)", "java\tscript:alert(1)", "j\na\nv\nascript:x", "vbscript:x",
     "data:text/html,<b>", "data:image/svg+xml;base64,AA", "&#106;avascript", "&#x3c;b", "x onmouseover=alert(1)",
     "a<svg/onload=alert(1)>", "<%= 1 %>", "<script", "&#106avascript:alert(1)", '" onfocus=alert(1) x="', "<a href=x"],
)  # fmt: skip
def test_script_and_markup_fail(cell):
    assert judge(middle_name=cell) == [("middle_name", "CELL_EXECUTABLE")]


PIECES = ["<", "＜", "﹤", "script", "SVG", "/", ">", " ", "javascript", ":", "data", "text/html", ",", "&#", "x3c", "on", "load", "=", "a",
          "＝", "-", "1", "'", "\n"]  # fmt: skip


@given(st.lists(st.lists(st.sampled_from(PIECES), max_size=8).map("".join), min_size=1, max_size=20))
def test_one_quick_look_for_code_overlooks_nothing(cells):
    text = pd.Series(cells, dtype="str")
    markup = text.str.contains(client_rows._MARKUP, regex=True)
    assert client_rows.is_executable(text).tolist() == (client_rows.is_formula(text) | markup).tolist()


@pytest.mark.parametrize("cell", ["a\x01b", "a\x0bb", "\x0cAnn", "a\x1b[31m", "a\x7f", "a\x85b", "Zo\ufffd", "\x1fAnn"])
def test_control_characters_and_lost_letters_fail(cell):
    assert judge(first_name=cell) == [("first_name", "CELL_CONTROL_CHARACTER")]


@pytest.mark.parametrize("cell", ["", "   ", "\u00a0", "\u3000\t\n", "\u200b", "\u200b \ufeff", "\u2800", "\u3164"])
def test_a_name_of_which_nothing_can_be_seen_is_blank(cell):
    assert judge(first_name=cell) == [("first_name", "CELL_REQUIRED")]


@pytest.mark.parametrize("sign", ["\u200b", "\u202e", "\u200e", "\u00ad", "\ufeff", "\n", "\t", "\x01", "\u2028"])
def test_nothing_invisible_is_inside_an_address(sign):
    assert judge(email=f"an{sign}n@example.com") == [("email", "CELL_CONTROL_CHARACTER")]


def test_white_space_around_an_address_is_none_of_it():
    assert judge(email=" \u00a0ann@example.com\n") == []


@pytest.mark.parametrize(
    ("field", "cell", "code"),
    [
        ("first_name", "x" * 101, "CELL_TOO_LONG"), ("username", "ab", "CELL_TOO_SHORT"), ("username", "x" * 65, "CELL_TOO_LONG"),
        ("email", "a" * 250 + "@example.com", "CELL_TOO_LONG"), ("id", "66829b2e43c91e3ce480b6c", "CELL_FORMAT"),
        ("id", "66829b2e43c91e3ce480b6cg", "CELL_FORMAT"), ("id", "６6829b2e43c91e3ce480b6c4", "CELL_FORMAT"),
        ("active", "y", "CELL_FORMAT"), ("active", "2", "CELL_FORMAT"), ("active", "１", "CELL_FORMAT"),
        ("type", "company", "CELL_NOT_ALLOWED"), ("username", "=1+1", "CELL_EXECUTABLE"),
        *(("created", text, "CELL_FORMAT") for text in (
            "2024-02-30", "2023-02-29", "1900-02-29", "2024-13-01", "2024-00-10", "01/02/2024", "13.06.2024", "20240613", "2024-6-3",
            "2024-06-13T25:00", "2024-06-13T24:00:00", "2024-06-13T12:60", "2024-06-13T23:59:60Z", "2024-06-13T12:00+25:00",
            "2024-W24-4", "2024-06", "1718290000", "yesterday", "٢٠٢٤-٠٦-١٣", "2026-06-01T12:00:01Z", "2026-06-01T13:00+00:30",
            "9999-12-31", "2024-06-13 ,", "0000-01-01")),
    ],
)  # fmt: skip
def test_a_cell_out_of_its_rule_fails_with_its_code_and_no_other(field, cell, code):
    assert judge(**{field: cell}) == [(field, code)]


@pytest.mark.parametrize(
    ("field", "cell"),
    [
        ("id", "66829B2E43C91E3CE480B6C4"), ("active", "TRUE"), ("active", "Yes"), ("active", "0"), ("type", "BUSINESS"),
        ("type", " Personal "), *(("created", text) for text in (
            "2024-02-29", "2000-02-29", "0001-01-01", "2024-06-13T15:06:02Z", "2024-06-13t15:06:02z", "2024-06-13 15:06",
            "2024-06-13T15:06:02.123456789+02:00", "2024-06-13T15:06:02,5-0330", "2026-06-01", "2026-06-01T13:00+02:00")),
    ],
)  # fmt: skip
def test_a_cell_within_its_rule_is_good(field, cell):
    assert judge(**{field: cell}) == []


def test_the_verdict_on_a_date_does_not_depend_on_the_rows_beside_it():
    text = "first_name,email,created\nA,a@example.com,2024-06-13T15:06:02.123456789Z\nB,b@example.com,0001-01-01\n"
    assert problems_of(text).empty


def test_the_header_repeated_in_the_middle_says_so():
    (problem,) = problems_of("First Name,Email\nAnn,a@example.com\nFirst Name,Email\n").to_dict("records")
    assert (problem["row"], problem["code"]) == (2, "CELL_FORMAT") and "the header stands here once more" in problem[
        "message"
    ]
