"""Frames of problems: one record per reason, in the order in which people read a file."""

from __future__ import annotations

import pandas as pd

from include.codes import Code
from include.schemas.client_rows import FIELDS
from include.transforms.validation.problems import (
    PROBLEM_COLUMNS,
    column_order,
    in_column_order,
    join_problems,
    no_problems,
    problem_rows,
    rows_with_errors,
)
from tests.frames import reasons


def cells(**by_row: str) -> pd.Series:
    return pd.Series({int(row.removeprefix("row")): cell for row, cell in by_row.items()}, dtype="str")


def test_each_row_gets_one_problem_with_the_cell_as_sent_and_a_sentence():
    problems = problem_rows(Code.ID_UNKNOWN, "id", cells(row3="ab", row7="cd"))
    assert list(problems) == PROBLEM_COLUMNS
    assert problems.to_dict("records")[1] == {
        "row": 7, "code": "ID_UNKNOWN", "field": "id", "value": "cd", "message": "No client has the ID “cd”.",
        "severity": "error", "meant": "",
    }  # fmt: skip


def test_facts_fill_the_sentence_of_their_own_row():
    facts = {"found": pd.Series([101, 300], index=[1, 2]), "limit": pd.Series(100, index=[1, 2])}
    problems = problem_rows(Code.CELL_TOO_LONG, "last_name", cells(row1="x", row2="y"), facts)
    assert problems["message"].tolist() == [
        "Last name has 101 characters; at most 100 fit.", "Last name has 300 characters; at most 100 fit.",
    ]  # fmt: skip


def test_the_severity_is_the_codes_unless_the_rule_says_otherwise():
    assert problem_rows(Code.CELL_READ_ONLY, "created", cells(row1=""))["severity"].tolist() == ["warning"]
    replaced = problem_rows(Code.DUPLICATE_IN_FILE, "", cells(row1=""), {"detail": cells(row1="x")}, "warning")
    assert (Code.DUPLICATE_IN_FILE.severity, replaced["severity"].tolist()) == ("error", ["warning"])


def test_what_the_feed_could_map_a_value_to_stands_beside_it():
    meant = pd.Series(["", "67a3"], dtype="str")
    problems = problem_rows(Code.ID_UNKNOWN, "id", cells(row1="a", row2="b"), meant=meant)
    assert problems["meant"].tolist() == ["", "67a3"]


def test_a_problem_repeats_at_most_1000_characters_of_a_cell_and_shows_60():
    (problem,) = problem_rows(Code.ID_UNKNOWN, "id", cells(row1="x" * 20_000)).to_dict("records")
    assert problem["value"] == "x" * 1000
    assert problem["message"] == f"No client has the ID “{'x' * 60}…”."


def test_nothing_wrong_is_an_empty_frame_with_the_same_columns():
    nothing = problem_rows(Code.ID_UNKNOWN, "id", cells())
    assert nothing.empty and list(nothing) == PROBLEM_COLUMNS
    assert join_problems().empty and join_problems(nothing, no_problems()).empty


def test_problems_are_joined_in_the_order_of_rows_and_within_a_row_as_they_came():
    first = problem_rows(Code.CELL_REQUIRED, "email", cells(row1="", row3=""))
    second = problem_rows(Code.CELL_FORMAT, "id", cells(row1="x", row2="x"), {"detail": cells(row1="a", row2="b")})
    assert reasons(join_problems(first, second)) == [
        (1, "email", "CELL_REQUIRED"), (1, "id", "CELL_FORMAT"), (2, "id", "CELL_FORMAT"), (3, "email", "CELL_REQUIRED"),
    ]  # fmt: skip


def test_the_problems_of_a_row_stand_in_the_order_of_its_columns_then_of_missing_ones_and_the_whole_row_comes_last():
    fields = ["", "desk", "id", "email", "first_name"]
    whole = join_problems(*(problem_rows(Code.CELL_REQUIRED, field, cells(row1="", row2="")) for field in fields[1:]))
    repeated = problem_rows(Code.DUPLICATE_IN_FILE, "", cells(row1=""), {"detail": cells(row1="")})
    ordered = in_column_order(join_problems(repeated, whole), ["line", "email", "3", "first_name", "ragged"])
    assert [field for row, field, _ in reasons(ordered) if row == 1] == ["email", "first_name", "id", "desk", ""]
    assert [field for row, field, _ in reasons(ordered) if row == 2] == ["email", "first_name", "id", "desk"]
    assert list(ordered) == PROBLEM_COLUMNS


def test_two_problems_of_one_cell_keep_their_order():
    both = join_problems(
        problem_rows(Code.CELL_REQUIRED, "email", cells(row1="")),
        problem_rows(Code.ID_UNKNOWN, "email", cells(row1="")),
    )
    assert reasons(in_column_order(both, ["email"])) == reasons(both)


def test_every_field_has_a_place():
    order = column_order(["email"])
    assert (
        order["email"] == 0
        and order[""] == max(order.values())
        and len(set(order.values())) == len(order) == len(FIELDS) + 1
    )


def test_rows_with_only_warnings_do_not_fail():
    problems = join_problems(
        problem_rows(Code.CELL_REQUIRED, "email", cells(row1="", row4="")),
        problem_rows(Code.CELL_REQUIRED, "first_name", cells(row4="")),
        problem_rows(Code.CELL_READ_ONLY, "created", cells(row1="", row2="")),
    )
    assert rows_with_errors(problems).tolist() == [1, 4]
    assert rows_with_errors(no_problems()).empty
