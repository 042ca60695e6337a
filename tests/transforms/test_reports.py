"""A failed-row report is safe in a spreadsheet, has every cell as sent, and is read back as what was sent."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.models import Problem
from include.transforms.csv_reading.pieces import piece_of
from include.transforms.reports import (
    FailedRow,
    PlannedChange,
    is_report,
    neutralise,
    never_corrected,
    parent_of,
    parents_in,
    restore,
    restore_cells,
    write_planned,
    write_report,
)

IMPORT = "0190b3c1-0000-7000-8000-000000000001"
TOO_LONG = Problem("CELL_TOO_LONG", "first_name", "First name is too long.", "x")
BLANK = Problem("CELL_REQUIRED", "email", "E-mail is blank.", "")
RAGGED = Problem("ROW_RAGGED", "", "The row has 1 cell.", "")


def rows_of(content: bytes, delimiter: str = ",") -> list[dict[str, str]]:
    assert content.startswith(b"\xef\xbb\xbf") and content.endswith(b"\r\n")
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline=""), delimiter=delimiter))


def test_a_report_has_the_columns_of_the_file_and_then_row_line_codes_problems_and_import():
    failed = FailedRow(3, 5, ['Ann, "A"\n', ""], [TOO_LONG, BLANK])
    (row,) = rows_of(write_report(["First Name", "Email"], [failed], IMPORT, ","))
    assert row == {
        "First Name": 'Ann, "A"\n', "Email": "", "_row": "3", "_line": "5", "_codes": "CELL_TOO_LONG CELL_REQUIRED",
        "_problems": "First name is too long. E-mail is blank.", "_import": IMPORT, "_cells": "",
    }  # fmt: skip


def test_warnings_are_no_reason_why_a_row_failed():
    warning = Problem("CELL_READ_ONLY", "created", "Created is ignored.", "", "warning")
    (row,) = rows_of(write_report(["Email"], [FailedRow(1, 2, [""], [warning, BLANK])], IMPORT, ";"), ";")
    assert (row["_codes"], row["_problems"]) == ("CELL_REQUIRED", "E-mail is blank.")


def test_a_row_that_fits_no_columns_stands_in_the_column_cells():
    (row,) = rows_of(write_report(["First Name", "Email"], [FailedRow(1, 2, ["=a"], [RAGGED])], IMPORT, ","))
    assert (row["First Name"], row["Email"], row["_cells"]) == ("", "", "'=a")


def test_a_report_of_a_report_has_the_added_columns_once():
    header = ["First Name", "_row", "_line", "_codes", "_problems", "_import", "_cells"]
    failed = FailedRow(1, 2, ["", "9", "9", "OLD", "Old.", "old", "Ben | ben@example"], [RAGGED])
    (row,) = rows_of(write_report(header, [failed], IMPORT, ","))
    assert list(row) == header and (row["_row"], row["_codes"], row["_import"]) == ("1", "ROW_RAGGED", IMPORT)
    assert row["_cells"] == "Ben | ben@example"


@given(st.lists(st.text(st.sampled_from('a",;|\t\r\n é山')), min_size=2, max_size=2), st.sampled_from(",;\t|"))
def test_cells_are_quoted_as_the_csv_module_quotes_them(cells, delimiter):
    expected = io.StringIO()
    csv.writer(expected, delimiter=delimiter, lineterminator="\r\n").writerow(map(neutralise, cells))
    content = write_report(["a", "b"], [FailedRow(1, 2, cells, [BLANK])], IMPORT, delimiter).decode("utf-8-sig")
    assert f"\r\n{expected.getvalue().removesuffix(chr(13) + chr(10))}{delimiter}1{delimiter}2" in content


@pytest.mark.parametrize("cell", ["=1", "+1", "-1", "@x", "＝1", "−1", " =1", "\t", "\rx", "\u200b=1", "'=1", "''+1"])
def test_a_cell_that_a_spreadsheet_would_run_gets_an_apostrophe(cell):
    assert neutralise(cell) == f"'{cell}" and restore(f"'{cell}") == cell


@pytest.mark.parametrize("cell", ["", "Ann", "'s-Gravenhage", "O'Neil", "1=1", "a@example.com", "'"])
def test_any_other_cell_stays_as_it_is_in_both_directions(cell):
    assert neutralise(cell) == cell and restore(cell) == cell


@given(st.text(st.sampled_from("'=+-@ \t\rax\u200b＝"), max_size=8))
def test_what_is_neutralised_comes_back_letter_for_letter(cell):
    safe = neutralise(cell)
    assert restore(safe) == cell
    assert not safe.startswith(("\t", "\r")) and not safe.lstrip(" \t\r\u200b").startswith(("=", "+", "-", "@", "＝"))


def test_the_columns_that_a_report_added_are_not_restored():
    assert restore_cells(["Name", "_problems"], ["'=1", "'=1"]) == ["=1", "'=1"]
    assert restore_cells(["Name"], ["'=1", "x"]) == ["'=1", "x"]


def test_a_report_is_recognised_by_its_columns_in_any_order():
    assert is_report(["Name", "_import", " _codes ", "_row"]) and not is_report(["_row", "_codes", "Name"])


@pytest.mark.parametrize(
    ("cells", "answer"),
    [
        (["", "1", "ROW_RAGGED", IMPORT, "Ben | b"], True),
        (["Ben", "1", "ROW_RAGGED", IMPORT, "Ben | b"], False),
        (["", "1", "CELL_REQUIRED", IMPORT, ""], False),
        (["", "1"], False),
    ],
)
def test_a_row_still_in_the_column_cells_alone_was_never_corrected(cells, answer):
    assert never_corrected(["Name", "_row", "_codes", "_import", "_cells"], cells) is answer


def test_a_corrected_report_names_its_parent_also_in_rows_that_fit_no_columns():
    names = ["Name", "_row", "_codes", "_import"]
    cells = [["Ann", "1", "X", IMPORT], ["Ben", "2", "X", f" {IMPORT} "], ["Cat", "3", "X", ""]]
    assert parents_in(names, piece_of(cells, [2, 3, 4], 4, 4, {1: "Quotes."})) == {IMPORT}
    assert parents_in(["Name"], piece_of([["Ann"]], [2], 1, 1, {})) == set()


@pytest.mark.parametrize(("ids", "parent"), [({IMPORT}, IMPORT), ({IMPORT, "x"}, None), (set(), None), ({"x"}, None)])
def test_a_parent_is_known_when_all_rows_name_the_same_import(ids, parent):
    assert parent_of(ids) == parent


def test_planned_changes_are_one_line_for_each_field_that_would_change():
    changes = [
        PlannedChange(1, 2, "updated", "a" * 24, {"email": "a@x.com", "last_name": "=1"}, {"email": "a@x.com", "last_name": ""}),
        PlannedChange(2, 3, "created", "b" * 24, None, {"email": "b@x.com", "active": True}),
    ]  # fmt: skip
    assert [tuple(row.values()) for row in rows_of(write_planned(changes))] == [
        ("1", "2", "updated", "a" * 24, "last_name", "'=1", ""),
        ("2", "3", "created", "b" * 24, "email", "", "b@x.com"),
        ("2", "3", "created", "b" * 24, "active", "", "True"),
    ]
