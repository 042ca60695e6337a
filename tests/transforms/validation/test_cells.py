"""Every cell is judged by itself: what fails, with which code; and what looks strange and is only text."""

from __future__ import annotations

import pandas as pd
import pytest

from include.errors import CheckBroken
from include.schemas import cell_rules
from include.schemas.client_rows import FIELDS, ClientRows
from include.schemas.feed import Feed
from include.transforms.csv_reading.records import read_records
from include.transforms.csv_reading.sent_rows import sent_frame
from include.transforms.csv_reading.text import Text
from include.transforms.validation.cells import Known, judge_cells
from include.transforms.validation.cleaning import clean
from tests.frames import NO_RAGGED, NOW, reasons, sent_rows

FEED = Feed(name="x", title="X")


def problems_of(text: str) -> pd.DataFrame:
    records = read_records(Text(text.encode(), "utf-8"), FEED)
    (piece,) = records.pieces
    sent, ragged = sent_frame(piece, records.header, 1)
    return judge_cells(sent, clean(sent, {}), ragged, NOW)


def problems_of_row(**cells: str) -> pd.DataFrame:
    whole = {"first_name": "Ann", "email": "ann@example.com"} | cells
    quoted = ['"' + cell.replace('"', '""') + '"' for cell in whole.values()]
    return problems_of(f"{','.join(whole)}\n{','.join(quoted)}\n")


def judge(**cells: str) -> list[tuple[str, str]]:
    """(field, code) of each problem of one row."""
    return [(field, code) for _, field, code in reasons(problems_of_row(**cells))]


def message(**cells: str) -> str:
    (problem,) = problems_of_row(**cells).to_dict("records")
    return problem["message"]


def test_pandera_judges_every_column_of_clean_rows_too(monkeypatch):
    judged, validate = [], ClientRows.validate
    monkeypatch.setattr(ClientRows, "validate", lambda rows, **how: judged.append((rows, how)) or validate(rows, **how))
    assert problems_of("First Name,Email\nAnn,ann@example.com\nBen,ben@example.com\n").empty
    ((rows, how),) = judged
    assert list(rows) == list(FIELDS) and list(rows.index) == [1, 2] and how == {"lazy": True}


def test_an_exception_inside_a_check_is_a_system_error_and_never_a_problem_of_a_row(monkeypatch):
    def breaks(_text):
        raise ZeroDivisionError("Ann")

    monkeypatch.setattr(cell_rules, "is_visible", breaks)
    with pytest.raises(
        CheckBroken, match="The checks of first_name could not judge the rows: ZeroDivisionError"
    ) as error:
        problems_of("First Name,Email\nAnn,nobody\n")
    # The exception, and the frame in Pandera's own error, would show cells in a log.
    assert "Ann" not in str(error.value) and error.value.__suppress_context__


def test_every_wrong_cell_of_a_row_has_its_problem_and_one_cell_may_have_two():
    problems = judge(first_name="=" + "x" * 100, email="nobody", id="12", active="maybe", type="x", created="soon")
    assert problems == [
        ("id", "CELL_FORMAT"), ("first_name", "CELL_TOO_LONG"), ("first_name", "CELL_EXECUTABLE"), ("email", "CELL_FORMAT"),
        ("active", "CELL_FORMAT"), ("type", "CELL_NOT_ALLOWED"), ("created", "CELL_FORMAT"),
    ]  # fmt: skip


def test_a_row_that_fits_no_columns_has_that_one_problem():
    text = "First Name,Email,Active\nAnn,ann@example.com\n,nobody,maybe\n=1,ben@example.com,yes,more\n"
    assert reasons(problems_of(text)) == [
        (1, "", "ROW_RAGGED"), (2, "first_name", "CELL_REQUIRED"), (2, "email", "CELL_FORMAT"), (2, "active", "CELL_FORMAT"),
        (3, "", "ROW_RAGGED"),
    ]  # fmt: skip


def test_problems_are_in_the_order_of_rows_whatever_the_rule():
    text = "First Name,Email,Active\nAnn,a@example.com,maybe\nBen,nobody,yes\n,c@example.com,yes\n"
    assert reasons(problems_of(text)) == [
        (1, "active", "CELL_FORMAT"),
        (2, "email", "CELL_FORMAT"),
        (3, "first_name", "CELL_REQUIRED"),
    ]


def test_a_cell_of_20_000_characters_is_reported_with_its_real_length_and_only_its_beginning_is_repeated():
    (problem,) = problems_of_row(first_name="  " + "x" * 20_000 + " ").to_dict("records")
    assert problem["message"] == "First name has 20000 characters; at most 100 fit."
    assert problem["value"] == "  " + "x" * 998


@pytest.mark.parametrize(
    ("cells", "sentence"),
    [
        ({"first_name": ""}, "First name"), ({"first_name": "Zo\ufffd"}, "a letter that was lost before the file came here"),
        ({"first_name": "a\x01b"}, "an invisible character (U+0001)"), ({"email": "a\nb@example.com"}, "(U+000A)"),
        ({"last_name": "=A1"}, "is a formula that a spreadsheet would run"), ({"last_name": "<b>"}, "contains a script or markup"),
        ({"last_name": "O&#39;Neil"}, "Last name “O&#39;Neil” is written as HTML code."), ({"first_name": "A&amp;B"}, "is written as HTML code"),
        ({"last_name": "<b>&amp;"}, "contains a script or markup"),
        ({"last_name": "#REF!"}, "Last name “#REF!”: the spreadsheet could not work out this cell."),
        ({"created": "#######"}, "could not show this cell, because its column was too narrow"),
        ({"last_name": "“Lee”"}, "Last name ““Lee”” stands in quotation marks. The cell counts as it is."),
        ({"first_name": "JosÃ©"}, "First name “JosÃ©” looks like text that was decoded twice."),
        ({"username": "ab"}, "Username “ab” has 2 characters; at least 3 are needed."),
        ({"type": "company"}, "Type “company” is not one of: personal, business."),
        ({"active": "maybe"}, "is none of true, false, yes, no, 1, 0"), ({"id": "12"}, "is not an ID of 24 hexadecimal digits"),
        ({"created": "13.06.2024"}, "is no date or date-time of the form 2024-06-13"),
        ({"created": "13.06.2024"}, "the feed file can name another form (key `date_format`)"),
        ({"created": "2026-06-01T12:00:01Z"}, "lies in the future"), ({"email": "nobody"}, "it has no @-sign"),
        ({"email": "a@x.com,b@x.com"}, "more than one @-sign"),
    ],
)  # fmt: skip
def test_a_problem_says_in_words_what_is_wrong_with_the_cell(cells, sentence):
    assert sentence in message(**cells)


@pytest.mark.parametrize(
    ("field", "cell", "sentence"),
    [
        ("created", "2026/06/13",
         "is no date of the feed's form `%d.%m.%Y`, such as 13.06.2024, nor of the form 2024-06-13 or 2024-06-13T15:06:02Z."),
        ("active", "maybe", "is none of true, false, yes, no, 1, 0, ja, nein."),
        ("type", "company", "is not one of: personal, business, Firma, <b>."),
    ],
)  # fmt: skip
def test_what_the_feed_understands_is_named_too(field, cell, sentence):
    words = {"active": {"ja": "yes", "nein": "no", "Yes": "yes"}, "type": {"Firma": "business", "<b>": "personal"}}
    sent = sent_rows({"first_name": "Ann", "email": "ann@example.com", field: cell})
    problems = judge_cells(sent, clean(sent, words), NO_RAGGED, NOW, known=Known(words, "%d.%m.%Y"))
    assert [each[-len(sentence) :] for each in problems["message"]] == [sentence]


@pytest.mark.parametrize(
    "cell",
    ["NULL", "None", "NaN", "NA", "nan", "true", "0012", "1E5", "1e5", "-", "+", "=", "@", "-5", "+49", "-1.234,50", "O'Neil",
     "D'Arcy", "Ann-Marie", "Jr.", "van der Berg", "Nguyễn", "李小龍", "محمد", "😀", "a\nb", "a\tb", "Robert'); DROP TABLE clients;--",
     "${jndi:ldap://x}", "{{7*7}}", "$(id)", "`id`", "%00", "\\x00", "../../etc/passwd", "I <3 you", "AT&T", "－", "＋", "＝", "＠", "−", "－１", "＋５", "−5", "A < Ben", "A<B", "x <y", "Tom &#1",
     "A&#B", "Online=Ja", "Ontario=CA", "Data: Sales/Marketing", "5 > 3", "e=mc2",
     "Infinity", "undefined", "\u202eabc", "a\u200db", "x" * 100, "ﬁ", "Ⅷ", "\ufeffAnn", "'s-Gravenhage", "#N/A!", "N/A", "#CLEAR"],
)  # fmt: skip
def test_text_that_looks_strange_is_text(cell):
    assert judge(first_name=cell) == []


def test_a_spreadsheets_error_is_all_that_is_said_of_the_cell_in_each_field():
    for cell in ("#N/A", " #nv ", "Err:502"):
        assert judge(**dict.fromkeys(FIELDS, cell)) == [(field, "CELL_SPREADSHEET_ERROR") for field in FIELDS]


def test_a_spreadsheets_error_hides_nothing_that_is_wrong_with_the_other_cells_of_the_row():
    assert judge(first_name="#N/A", email="nobody", last_name="=A1") == [
        ("first_name", "CELL_SPREADSHEET_ERROR"), ("last_name", "CELL_EXECUTABLE"), ("email", "CELL_FORMAT"),
    ]  # fmt: skip


def test_the_word_that_clears_fails_alone_where_a_field_cannot_be_cleared():
    sent = sent_rows(dict.fromkeys(FIELDS, "#Clear"))
    problems = judge_cells(sent, clean(sent, {}, clear_word="#CLEAR"), NO_RAGGED, NOW)
    fixed = [name for name, field in FIELDS.items() if not field.clearable]
    assert reasons(problems) == [(1, name, "CELL_NOT_CLEARABLE") for name in fixed]
    *others, last = [field.label for field in FIELDS.values() if field.clearable]
    assert problems.at[1, "message"] == f"First name cannot be cleared; only {', '.join(others)} and {last} can."


def test_a_name_that_looks_damaged_is_a_warning_and_no_error():
    (problem,) = problems_of_row(first_name="„Ann“").to_dict("records")
    assert (problem["code"], problem["severity"]) == ("CELL_LOOKS_DAMAGED", "warning")
    assert judge(username="JosÃ©", email="jos@example.com") == []


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
     "O&#39;Neil", "A&amp;B", "Jos&eacute;", "javascript:alert(1)", "JaVaScRiPt:alert(1)", "java\tscript:alert(1)", "j\na\nv\nascript:x", "vbscript:x",
     "data:text/html,<b>", "data:image/svg+xml;base64,AA", "&#106;avascript", "&#x3c;b", "x onmouseover=alert(1)",
     "a<svg/onload=alert(1)>", "<%= 1 %>", "<script", "&#106avascript:alert(1)", '" onfocus=alert(1) x="', "<a href=x"],
)  # fmt: skip
def test_script_and_markup_fail(cell):
    assert judge(middle_name=cell) == [("middle_name", "CELL_EXECUTABLE")]


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
    assert (problem["row"], problem["code"]) == (2, "CELL_FORMAT")
    assert "the header stands here once more" in problem["message"]
