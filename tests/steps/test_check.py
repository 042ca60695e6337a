"""Checking a file without a database says all that can be said without one, and writes nothing."""

from __future__ import annotations

import pytest

from include.models import State
from include.schemas.feed import Feed
from include.steps.check import check
from tests.frames import NOW

ANN, BEN = "a" * 24, "b" * 24


@pytest.fixture
def result_of(tmp_path):
    def _result_of(content: str, **keys: object):
        (tmp_path / "x.csv").write_text(content)
        result = check(tmp_path / "x.csv", Feed(name="x", title="X", **keys), NOW)
        assert [path.name for path in tmp_path.iterdir()] == ["x.csv"]
        return result

    return _result_of


def problems_of(result) -> list[tuple[int, str, str]]:
    return [(problem.row, problem.field, problem.code) for problem in result.problems]


def test_a_clean_file_is_validated_and_counted(result_of):
    result = result_of("First Name,Email\nAnn,ann@example.com\nBen,ben@example.com\n")
    assert (result.state, result.import_id, result.problems) == (State.VALIDATED, None, ())
    assert (result.counts.read, result.counts.failed, result.counts.duplicate) == (2, 0, 0)


def test_every_problem_of_a_row_is_reported_in_the_order_of_the_columns_with_its_line(result_of):
    result = result_of('Active,Email,First Name\nyes,ann@example.com,"Ann\nLee"\nmaybe,nobody,\n')
    assert problems_of(result) == [
        (2, "active", "CELL_FORMAT"),
        (2, "email", "CELL_FORMAT"),
        (2, "first_name", "CELL_REQUIRED"),
    ]
    assert {problem.line for problem in result.problems} == {4} and result.counts.failed == 1


def test_projects_and_desks_are_not_looked_up_and_no_client_is_known(result_of):
    text = f"ID,First Name,Email,Project,Desk\n{ANN},Ann,ann@example.com,Nowhere,Oslo\n"
    assert result_of(text).problems == () and result_of(text, mode="update_only", unknown_id="reject").problems == ()


def test_duplicates_of_the_file_are_counted_as_they_will_be(result_of):
    text = f"ID,First Name,Email\n{ANN},Ann,ann@example.com\n,Ann,Ann@example.com\n,Ben,ben@example.com\n"
    kept = result_of(text)
    assert problems_of(kept) == [(1, "", "DUPLICATE_IN_FILE")]
    assert (kept.counts.duplicate, kept.counts.failed, kept.counts.warnings) == (1, 0, 1)
    rejected = result_of(text, duplicates="reject")
    assert (rejected.counts.duplicate, rejected.counts.failed) == (0, 2)


def test_an_email_of_two_ids_is_reported_to_a_row_that_fails_anyway(result_of):
    text = f"ID,First Name,Email\n{ANN},,ann@example.com\n{BEN},Ben,ann@example.com\n"
    assert problems_of(result_of(text)) == [(1, "first_name", "CELL_REQUIRED"), (1, "email", "EMAIL_REPEATED")]


def test_what_is_said_of_the_file_as_a_whole_has_row_0(result_of):
    result = result_of("First Name,Email,Shoe size\nAnn,ann@example.com,42\n")
    assert problems_of(result) == [(0, "", "COLUMN_UNKNOWN")]
    assert result.counts.warnings == 1


def test_a_file_that_cannot_be_read_is_refused_with_its_line(result_of):
    result = result_of('First Name,Email\nAnn,ann@example.com\n"Ben,ben@example.com\n')
    assert (result.state, result.code, result.line) == (State.REFUSED, "FILE_BROKEN_QUOTING", 3)


def test_a_feed_that_takes_a_file_whole_or_not_at_all_refuses_it_and_keeps_the_reasons(result_of):
    result = result_of("First Name,Email\nAnn,ann@example.com\n,nobody\n", on_failed_rows="refuse_file")
    assert (result.state, result.code, result.counts.failed) == (State.REFUSED, "FILE_FAILED_ROWS", 1)
    assert problems_of(result) == [(2, "first_name", "CELL_REQUIRED"), (2, "email", "CELL_FORMAT")]
