"""The Pandera model is the one description of a row: its checks carry codes, and everything else follows from it."""

from __future__ import annotations

import pandas as pd
import pandera.pandas as pa
import pytest
from pandera.errors import SchemaErrors

from include.codes import Code
from include.models import FIELD_NAMES
from include.schemas.client_rows import CLEARED, FIELDS, REQUIRED, ClientRows
from include.transforms.csv_reading.headers import fields_of

# What the checks of every field find; a field that can be cleared has the first alone.
OF_EVERY_FIELD = ["CELL_SPREADSHEET_ERROR", "CELL_NOT_CLEARABLE"]
COLUMNS = ClientRows.to_schema().columns
GOOD = {
    "id": "66829b2e43c91e3ce480b6c4", "first_name": "Ann", "middle_name": "", "last_name": "Lee",
    "email": "ann@example.com", "username": "ann.lee", "project": "any word", "desk": "any word", "active": "yes",
    "type": "personal", "created": "2024-06-13",
}  # fmt: skip


def rows(*changed: dict[str, str]) -> pd.DataFrame:
    return pd.DataFrame([GOOD | cells for cells in changed], index=range(11, 11 + len(changed)), dtype="str")


def failures(frame: pd.DataFrame) -> set[tuple[int, str, str]]:
    """(row, field, code) of each failure case."""
    try:
        ClientRows.validate(frame, lazy=True)
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
    assert [name for name, field in FIELDS.items() if field.clearable] == ["middle_name", "last_name"]
    on_create = {name: field.on_create for name, field in FIELDS.items() if field.on_create is not None}
    assert on_create == {"middle_name": "", "last_name": "", "active": True, "type": "personal"}


def test_the_model_is_a_plain_pandera_model_that_changes_nothing():
    assert issubclass(ClientRows, pa.DataFrameModel) and not any(column.coerce for column in COLUMNS.values())
    frame = rows({}, {"first_name": "Zoë"})
    pd.testing.assert_frame_equal(ClientRows.validate(frame, lazy=True), frame)
