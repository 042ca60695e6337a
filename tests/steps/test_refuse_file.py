"""A feed that takes a file whole or not at all (`on_failed_rows: refuse_file`), and causes that read like a to-do list."""

from __future__ import annotations

import csv
import io

import pytest
import sqlalchemy as sa

from include.adapters.database import import_rows
from tests.conftest import LONDON

FILE = "First Name,Email\nAnn,ann@example.com\n,nobody@example.com\nBen,ben@example.com\n"


@pytest.fixture
def refuse(bring):
    return lambda text, **keys: bring(text, on_failed_rows="refuse_file", **keys)


@pytest.mark.parametrize("dry_run", [False, True])
def test_one_failed_row_refuses_the_file_and_keeps_every_reason(refuse, clients, dry_run):
    result = refuse(FILE, dry_run=dry_run)
    assert (result.state, result.code, result.counts.failed, result.counts.read) == (
        "refused",
        "FILE_FAILED_ROWS",
        1,
        3,
    )
    assert [(p.code, p.row, p.line) for p in result.problems] == [("CELL_REQUIRED", 2, 3)]
    assert clients() == {}


def test_the_report_holds_all_rows_so_that_the_corrected_one_brings_everything(refuse, storage, clients):
    first = refuse(FILE)
    text = (storage.root / first.report).read_bytes().decode("utf-8-sig")
    assert [row["_codes"] for row in csv.DictReader(io.StringIO(text))] == ["", "CELL_REQUIRED", ""]
    second = refuse(text.replace("\r\n,nobody@", "\r\nNora,nobody@").encode("utf-8-sig"))
    assert (second.state, second.counts.created) == ("merged", 3) and len(clients()) == 3


def test_a_row_that_only_the_client_table_fails_refuses_the_file_too(bring, refuse, clients):
    bring("First Name,Email,Username\nAnn,ann@example.com,annie\n")
    result = refuse("First Name,Email,Username\nBen,ben@example.com,annie\nCat,cat@example.com,\n")
    assert (result.code, [p.code for p in result.problems]) == ("FILE_FAILED_ROWS", ["USERNAME_TAKEN"])
    assert set(clients()) == {"ann@example.com"}


def test_a_file_without_failed_rows_is_imported(refuse):
    assert refuse("First Name,Email\nAnn,ann@example.com\n").state == "merged"


def test_the_same_wrong_word_is_one_cause_with_a_ready_line_for_the_feed(bring, engine):
    rows = "".join(f"Ann,a{n}@example.com,London,{'maybe' if n % 2 else 'perhaps'}\n" for n in range(10))
    result = bring(f"First Name,Email,Desk,Active\n{rows}")
    causes = {(c.code, c.field, c.value): c.rows for c in import_rows.causes(engine, result.import_id)}
    assert causes == {
        ("CELL_REFERENCE_NOT_FOUND", "desk", "London"): 10,
        ("CELL_FORMAT", "active", "maybe"): 5,
        ("CELL_FORMAT", "active", "perhaps"): 5,
    }
    result = bring("First Name,Email,Desk\n" + "".join(f"Ann,b{n}@example.com, London \n" for n in range(7)))
    (cause,) = import_rows.causes(engine, result.import_id)
    assert (cause.rows, cause.value_map) == (7, f'desk: {{"London": "{LONDON}"}}')


def test_the_ready_line_makes_the_word_understood(bring):
    assert bring("First Name,Email,Project,Desk\nAnn,a@example.com,Partners,\n").counts.failed == 1
    values = {"project": {"Partners": "6655aa10caa3558dd8f8da99"}}
    assert (
        bring("First Name,Email,Project,Desk\nAnn,a@example.com,Partners,\n", values=values, force=True).counts.created
        == 1
    )


def test_warnings_are_causes_too_and_fail_nothing(bring, engine):
    bring("First Name,Email,Created\nAnn,ann@example.com,2020-01-01\n")
    result = bring("First Name,Email,Created\nAnna,ann@example.com,2021-01-01\n")
    (cause,) = import_rows.causes(engine, result.import_id)
    assert (cause.code, cause.severity, cause.rows) == ("CELL_READ_ONLY", "warning", 1)


def test_what_a_report_shows_is_what_was_sent_even_for_5000_rows_of_one_client(bring, engine):
    text = "First Name,Email\n" + "Ann,ann@example.com\n" * 5000
    result = bring(text, duplicates="reject")
    assert result.counts.failed == 5000
    assert result.problems[0].message == "Rows 2, 3, 4, 5, 6 and 4,994 more of this file mean the same client."
    kept = bring(text, duplicates="keep_last", force=True)
    assert (kept.counts.created, kept.counts.duplicate) == (1, 4999)
    with engine.connect() as connection:
        query = sa.text("SELECT row FROM import_rows WHERE import_id = :id AND outcome = 'created'")
        assert connection.scalar(query, {"id": kept.import_id}) == 5000
