"""The Pandera model is the one description of a row: its checks carry codes, and everything else follows from it."""

from __future__ import annotations

import pandas as pd
import pandera.pandas as pa
import pytest
from pandera.errors import SchemaErrors

from include.codes import Code
from include.schemas.client_rows import CLEARED, FIELDS, REQUIRED, ClientRows, _column
from include.schemas.field_names import FIELD_NAMES
from include.transforms.csv_reading.headers import fields_of

# What the checks of every field find; a field that can be cleared has the first alone.
OF_EVERY_FIELD = ["CELL_SPREADSHEET_ERROR", "CELL_NOT_CLEARABLE"]
COLUMNS = ClientRows.to_schema().columns
GOOD = {name: field.example for name, field in FIELDS.items()} | {
    "id": "66829b2e43c91e3ce480b6c4", "middle_name": "", "project": "any word", "desk": "any word",
}  # fmt: skip


def rows(*changed: dict[str, str]) -> pd.DataFrame:
    return pd.DataFrame([GOOD | cells for cells in changed], index=range(11, 11 + len(changed)), dtype="str")


class RowsWithPhone(ClientRows):
    """No published field has this kind yet."""

    phone: str = _column("Phone", kind="phone", longest=40, clearable=True, on_create="")


def failures(frame: pd.DataFrame, model: type[ClientRows] = ClientRows) -> set[tuple[int, str, str]]:
    """(row, field, code) of each failure case."""
    try:
        model.validate(frame, lazy=True)
    except SchemaErrors as errors:
        cases = errors.failure_cases
        return set(zip(cases["index"], cases["column"], cases["check"], strict=True))
    return set()


def test_a_row_within_every_rule_passes_and_so_does_one_with_blank_optional_cells():
    only_required = {name: "" for name in GOOD if name not in REQUIRED}
    assert failures(rows({}, only_required)) == set()


@pytest.mark.parametrize(
    ("field", "codes"),
    [
        ("id", ["CELL_FORMAT"]),
        (
            "first_name",
            ["CELL_REQUIRED", "CELL_TOO_LONG", "CELL_CONTROL_CHARACTER", "CELL_EXECUTABLE", "CELL_LOOKS_DAMAGED"],
        ),
        ("middle_name", ["CELL_TOO_LONG", "CELL_CONTROL_CHARACTER", "CELL_EXECUTABLE", "CELL_LOOKS_DAMAGED"]),
        ("last_name", ["CELL_TOO_LONG", "CELL_CONTROL_CHARACTER", "CELL_EXECUTABLE", "CELL_LOOKS_DAMAGED"]),
        ("email", ["CELL_REQUIRED", "CELL_TOO_LONG", "CELL_CONTROL_CHARACTER", "CELL_FORMAT"]),
        ("username", ["CELL_TOO_LONG", "CELL_TOO_SHORT", "CELL_CONTROL_CHARACTER", "CELL_EXECUTABLE"]),
        ("project", []),
        ("desk", []),
        ("active", ["CELL_FORMAT"]),
        ("type", ["CELL_NOT_ALLOWED"]),
        ("created", ["CELL_FORMAT"]),
    ],
)
def test_each_field_has_its_checks_and_the_error_of_a_check_is_the_code(field, codes):
    of_every_field = OF_EVERY_FIELD[:1] if FIELDS[field].clearable else OF_EVERY_FIELD
    assert [Code(check.error) for check in COLUMNS[field].checks] == [*of_every_field, *codes]


def test_all_failures_of_all_rows_are_reported_at_once_with_their_row_numbers():
    wrong = rows({}, {"first_name": "", "email": "nobody", "type": "x"}, {}, {"id": "12", "active": "maybe"})
    assert failures(wrong) == {
        (12, "first_name", "CELL_REQUIRED"), (12, "email", "CELL_FORMAT"), (12, "type", "CELL_NOT_ALLOWED"),
        (14, "id", "CELL_FORMAT"), (14, "active", "CELL_FORMAT"),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("field", "cell", "codes"),
    [
        ("first_name", "x" * 100, set()), ("first_name", "x" * 101, {"CELL_TOO_LONG"}),
        ("first_name", "=" + "x" * 100, {"CELL_TOO_LONG", "CELL_EXECUTABLE"}), ("first_name", "\u200b", {"CELL_REQUIRED"}),
        ("middle_name", "\u200b", set()), ("username", "ab", {"CELL_TOO_SHORT"}), ("username", "abc", set()),
        ("username", "x" * 65, {"CELL_TOO_LONG"}), ("email", "", {"CELL_REQUIRED"}),
        ("email", "a" * 250 + "@example.com", {"CELL_TOO_LONG"}), ("email", "an\u200bn@example.com", {"CELL_CONTROL_CHARACTER"}),
        ("type", "BUSINESS", set()), ("id", "66829B2E43C91E3CE480B6C4", set()),
        ("id", "66829b2e43c91e3ce480b6c4\n", {"CELL_FORMAT"}), ("created", "2024-06-13\n", {"CELL_FORMAT"}),
        ("last_name", "#REF!", {"CELL_SPREADSHEET_ERROR"}), ("desk", "#N/A", {"CELL_SPREADSHEET_ERROR"}),
        ("last_name", CLEARED, set()), ("desk", CLEARED, {"CELL_NOT_CLEARABLE"}), ("first_name", "JosÃ©", {"CELL_LOOKS_DAMAGED"}),
        ("active", "yes\n", {"CELL_FORMAT"}), ("type", "personal\n", {"CELL_NOT_ALLOWED"}),
    ],
)  # fmt: skip
def test_a_cell_fails_every_check_that_it_fails_and_is_reported_for_nothing_twice(field, cell, codes):
    assert failures(rows({field: cell})) == {(11, field, code) for code in codes}


@pytest.mark.parametrize(
    "cell",
    ["+49 30 1234567", "(030) 123-45 67", "+1 (555) 010-9999 ext. 12", "0049/30/123", "(+49) 30.1234 X7", "110", "5550100#1",
     "030\u00a0123\u20114567", "", CLEARED],
)  # fmt: skip
def test_a_telephone_number_is_what_people_write(cell):
    assert failures(rows({}).assign(phone=pd.Series([cell], index=[11], dtype="str")), RowsWithPhone) == set()


@pytest.mark.parametrize(
    ("cell", "code"),
    [
        *((cell, "CELL_FORMAT") for cell in (
            "-2+3", "+1+1", "=1+1", "@SUM(1)", "+cmd|'/C calc'!A0", "4.93012E+11", "12", "1" * 16, "+", "\uff0b49301234",
            "030 123456 / 01711234567", "030 123 ext", "call me", "+49 30 1234567 <b>", "<script>")),
        ("\u202a+49 30 123\u202c", "CELL_CONTROL_CHARACTER"), ("30 12\n3", "CELL_CONTROL_CHARACTER"), ("1234567" + " " * 40 + "8", "CELL_TOO_LONG"),
        ("#####", "CELL_SPREADSHEET_ERROR"),
    ],
)  # fmt: skip
def test_no_telephone_number_is_a_formula_two_numbers_or_what_a_spreadsheet_has_left_of_one(cell, code):
    found = failures(rows({}).assign(phone=pd.Series([cell], index=[11], dtype="str")), RowsWithPhone)
    assert (11, "phone", code) in found and {name for _, name, _ in found} == {"phone"}


def test_the_fields_follow_from_the_model_and_a_feed_file_can_name_all_of_them():
    assert tuple(FIELDS) == FIELD_NAMES == tuple(COLUMNS) == tuple(ClientRows.__annotations__)
    assert [field.name for field in FIELDS.values()] == list(FIELDS)
    assert {name: column.title for name, column in COLUMNS.items()} == {n: field.label for n, field in FIELDS.items()}
    assert REQUIRED == ("first_name", "email")


def test_a_field_is_found_in_a_header_by_each_of_its_names():
    headers = [(header, name) for name, field in FIELDS.items() for header in field.headers]
    assert fields_of([header for header, _ in headers], {}) == [name for _, name in headers]


def test_what_never_changes_and_what_can_be_cleared_is_said_by_the_fields():
    assert [name for name, field in FIELDS.items() if not field.changeable] == ["id", "created"]
    assert FIELDS["middle_name"].clearable and FIELDS["last_name"].clearable and not FIELDS["desk"].clearable
    on_create = {name: field.on_create for name, field in FIELDS.items() if not field.clearable and field.on_create}
    assert on_create == {"active": True, "type": "personal"}
    assert all(field.on_create == "" and not field.required for field in FIELDS.values() if field.clearable)


def test_the_model_is_a_plain_pandera_model_that_changes_nothing():
    assert issubclass(ClientRows, pa.DataFrameModel) and not any(column.coerce for column in COLUMNS.values())
    frame = rows({}, {"first_name": "Zoë"})
    pd.testing.assert_frame_equal(ClientRows.validate(frame, lazy=True), frame)
