"""From text to values; what a cell leaves open is filled for new clients, and never for existing ones."""

from __future__ import annotations

from datetime import UTC, datetime

import pandas as pd
import pytest

from include.schemas.client_rows import CLEARED, FIELDS
from include.schemas.field_names import FIELD_NAMES
from include.transforms.matching.defaults import fill, typed

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
REFERENCES = ("project", "desk")


def rows(*cells: dict[str, object]) -> pd.DataFrame:
    """Rows of new clients, unless they say `is_new=False`; blank where nothing is said."""
    whole = [
        dict.fromkeys(FIELD_NAMES, "") | {name: cell for name, cell in row.items() if name != "is_new"} for row in cells
    ]
    frame = pd.DataFrame(whole, index=range(1, len(cells) + 1), dtype="str")
    return frame.assign(is_new=pd.Series([row.get("is_new", True) for row in cells], index=frame.index, dtype="bool"))


def value(field: str, cell: str, is_new: bool = True) -> object:
    values = typed(rows({field: cell, "is_new": is_new})).at[1, field]
    return None if pd.isna(values) else values


def filled(row: dict[str, object], **defaults: str | bool) -> dict[str, object]:
    after = fill(typed(rows(row)), defaults, NOW)
    return {
        name: None if pd.isna(after.at[1, name]) else after.at[1, name]
        for name in FIELD_NAMES
        if name not in REFERENCES
    }


@pytest.mark.parametrize(
    ("field", "cell", "meaning"),
    [
        ("first_name", "0012", "0012"), ("first_name", "NULL", "NULL"), ("email", "Ann@Example.com", "Ann@Example.com"),
        ("id", "66829B2E43C91E3CE480B6C4", "66829b2e43c91e3ce480b6c4"), ("type", "BUSINESS", "business"),
        ("active", "Yes", True), ("active", "0", False), ("created", "2024-06-13", datetime(2024, 6, 13, tzinfo=UTC)),
    ],
)  # fmt: skip
def test_a_cell_becomes_the_value_of_its_field(field, cell, meaning):
    assert value(field, cell) == meaning


@pytest.mark.parametrize("field", [name for name in FIELD_NAMES if name not in REFERENCES])
def test_a_blank_cell_is_missing(field):
    assert value(field, "") is None


@pytest.mark.parametrize("field", ["middle_name", "last_name"])
def test_a_cleared_cell_empties_an_optional_text_field(field):
    assert value(field, CLEARED) == ""


@pytest.mark.parametrize("field", ["middle_name", "last_name"])
def test_what_looks_like_a_word_that_clears_is_text_once_the_cells_are_cleaned(field):
    assert value(field, "#N/A") == "#N/A"


def test_what_never_changes_is_read_for_new_clients_only():
    assert value("created", "2024-06-13", is_new=False) is None and value("id", "a" * 24, is_new=False) is None
    assert value("created", "2024-06-13") is not None


def test_a_column_has_one_type_whether_or_not_a_row_of_the_piece_uses_it():
    used = typed(rows({"active": "yes", "created": "2020-01-01", "id": "a" * 24}))
    unused = typed(rows({"is_new": False}))
    assert used.dtypes.to_dict() == unused.dtypes.to_dict() == typed(rows({}).iloc[:0]).dtypes.to_dict()


def test_project_and_desk_stay_as_they_are():
    frame = rows({"project": "p"}, {}).assign(project=pd.Series(["p", None], index=[1, 2], dtype="str"))
    assert typed(frame)["project"].isna().tolist() == [False, True]


def test_a_new_client_gets_what_the_field_says_where_the_row_says_nothing():
    of_today = {
        "id": None, "email": None, "username": None, "first_name": "Ann", "middle_name": "", "last_name": "", "active": True, "type": "personal",
        "created": NOW,
    }  # fmt: skip
    of_others = {name: field.on_create for name, field in FIELDS.items() if name not in (*of_today, *REFERENCES)}
    assert filled({"first_name": "Ann"}) == of_today | of_others


def test_the_feeds_default_comes_before_the_fields_and_is_read_as_a_cell_is():
    values = filled({}, active="no", type="BUSINESS", last_name="Lee")
    assert (values["active"], values["type"], values["last_name"]) == (False, "business", "Lee")
    assert filled({}, active=False)["active"] == False  # noqa: E712 - it is a value of numpy


def test_a_cell_comes_before_every_default():
    values = filled({"active": "yes", "type": "personal", "created": "2020-01-01"}, active="no", type="business")
    assert (values["active"], values["type"], values["created"]) == (True, "personal", datetime(2020, 1, 1, tzinfo=UTC))


def test_projects_and_desks_have_been_resolved_and_no_default_replaces_them():
    after = fill(typed(rows({"project": "p", "desk": "d"})), {"project": "other", "desk": "other"}, NOW)
    assert (after.at[1, "project"], after.at[1, "desk"]) == ("p", "d")
    without = typed(rows({})).assign(project=pd.Series([None], index=[1], dtype="str"))
    assert pd.isna(fill(without, {"project": "other"}, NOW).at[1, "project"])


def test_an_existing_client_gets_nothing():
    both = fill(typed(rows({}, {"is_new": False})), {"last_name": "Lee", "active": "no"}, NOW)
    assert (
        both.loc[2, [name for name in FIELD_NAMES if name not in REFERENCES]].isna().all()
        and both.loc[1, "last_name"] == "Lee"
    )
    only_existing = typed(rows({"is_new": False, "last_name": CLEARED}))
    assert fill(only_existing, {"last_name": "Lee"}, NOW) is only_existing and only_existing.at[1, "last_name"] == ""
