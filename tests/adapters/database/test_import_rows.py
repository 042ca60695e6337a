"""The ledger keeps why rows ended as they did, and groups it by cause."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
import sqlalchemy as sa

from include.adapters.database import import_rows, ledger
from include.models import Outcome, Problem, RunRequest
from include.schemas.client_tables import ImportRow

NOW = datetime(2026, 11, 2, 6, tzinfo=UTC)


def problem(code: str, field: str, value: str, message: str, severity: str = "error", meant: str = "") -> dict:
    return {"code": code, "field": field, "value": value, "message": message, "severity": severity, "meant": meant}


@pytest.fixture
def import_id(engine) -> str:
    """An import with two rows of one cause, one of another, and a warning about a row that was imported."""
    no_desk = problem("CELL_REFERENCE_NOT_FOUND", "desk", "London", "No desk has the ID London.", meant="67a3")
    rows = [
        (1, 2, Outcome.FAILED, [no_desk, problem("CELL_FORMAT", "email", "x", "Email x has no @.")], ["Ann", "x"]),
        (2, 3, Outcome.FAILED, [no_desk], ["Ben", "b@example.com"]),
        (3, 4, Outcome.UPDATED, [problem("CELL_READ_ONLY", "created", "2020", "Ignored.", "warning")], ["Cat", "c"]),
        (4, 5, Outcome.CREATED, None, None),
    ]
    with engine.begin() as connection:
        entry = ledger.open_import(connection, "acme", "a.csv", RunRequest(), NOW)
        connection.execute(sa.insert(ImportRow), [
            {"import_id": entry.id, "row": row, "line": line, "outcome": outcome, "problems": problems, "cells": cells}
            for row, line, outcome, problems, cells in rows
        ])  # fmt: skip
    return entry.id


def test_causes_are_grouped_by_value_the_most_frequent_first_and_warnings_last(engine, import_id):
    causes = import_rows.causes(engine, import_id)
    assert [(c.code, c.value, c.rows, c.severity) for c in causes] == [
        ("CELL_REFERENCE_NOT_FOUND", "London", 2, "error"), ("CELL_FORMAT", "x", 1, "error"),
        ("CELL_READ_ONLY", "2020", 1, "warning"),
    ]  # fmt: skip
    assert causes[0].value_map == 'desk: {"London": "67a3"}'


def test_a_code_counts_the_rows_that_failed_for_it(engine, import_id):
    with engine.connect() as connection:
        kinds = connection.scalar(sa.select(import_rows.failure_kinds(import_id)))
    assert kinds == {"CELL_FORMAT email": 1, "CELL_REFERENCE_NOT_FOUND desk": 2}


def test_problems_come_in_the_order_of_rows_with_their_lines(engine, import_id):
    problems = import_rows.problems_of(engine, import_id)
    assert [(p.row, p.line, p.field) for p in problems] == [
        (1, 2, "desk"),
        (1, 2, "email"),
        (2, 3, "desk"),
        (3, 4, "created"),
    ]


def test_failed_rows_have_their_cells_as_sent(engine, import_id):
    assert [(row, line, cells) for row, line, cells, _ in import_rows.failed_rows(engine, import_id)] == [
        (1, 2, ["Ann", "x"]), (2, 3, ["Ben", "b@example.com"]),
    ]  # fmt: skip


def test_a_problem_that_lost_its_sentence_to_retention_is_shown_by_its_title():
    kept = {"code": "CELL_FORMAT", "field": "email", "severity": "error"}
    assert import_rows.problem_of(kept) == Problem("CELL_FORMAT", "email", "Not in the right format", "")
