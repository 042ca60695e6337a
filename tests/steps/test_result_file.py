"""The result file has every record of a file as it was sent, and what became of it."""

from __future__ import annotations

import csv
from datetime import UTC, datetime, timedelta

import pytest

from include.adapters.database import ledger
from include.models import RunRequest
from include.steps.context import ImportContext
from include.steps.forget import forget
from include.steps.result_file import has_result, result_file
from include.steps.revert import revert
from include.transforms.csv_reading.decoding import decode
from include.transforms.csv_reading.records import read_records

TEXT = (
    "First Name,Email,E-mail,Notes\n"
    'Ann,ann@example.com,,"two\nlines"\n'
    "Ben,ben@example.com,,=1+1\n"
    "Old,old@example.com,,\n"
    ",no@example.com,,\n"
    "Two,more,,in,this,row\n"
    "Ben,ben@example.com,,again\n"
)


@pytest.fixture
def result_of(engine, storage, feed):
    def _result_of(import_id, **keys):
        context = ImportContext.of(feed.model_copy(update=keys), engine, storage)
        content = b"".join(result_file(context, ledger.find(engine, import_id)))
        assert content.startswith(b"\xef\xbb\xbf")
        return list(csv.DictReader(content.decode("utf-8-sig").splitlines(keepends=True)))

    return _result_of


@pytest.fixture
def imported(bring):
    bring("First Name,Email\nOld,old@example.com\n")
    return bring(TEXT).import_id


def test_every_record_is_there_with_its_cells_outcome_client_and_problems(imported, result_of, clients):
    rows = result_of(imported)
    assert [row["_outcome"] for row in rows] == ["created", "duplicate", "unchanged", "failed", "failed", "created"]
    assert [row["_row"] for row in rows] == list("123456") and rows[0]["Notes"] == "two\nlines"
    known = {name: client["id"] for name, client in clients().items()}
    assert [row["_client_id"] for row in rows] == [
        known["ann@example.com"], known["ben@example.com"], known["old@example.com"], "", "", known["ben@example.com"],
    ]  # fmt: skip
    assert "First name is blank" in rows[3]["_problems"] and rows[3]["_codes"] == "CELL_REQUIRED"
    assert rows[4]["Email"] == "" and rows[4]["_cells"] == "Two | more |  | in | this | row"


def test_no_cell_is_a_formula_and_the_importer_reads_what_was_sent(imported, result_of, engine, storage, feed):
    assert result_of(imported)[1]["Notes"] == "'=1+1"
    context = ImportContext.of(feed, engine, storage)
    content = b"".join(result_file(context, ledger.find(engine, imported)))
    (piece,) = read_records(decode(content), feed).pieces
    assert piece.columns[3].tolist()[1] == "=1+1"


def test_what_the_feed_says_today_does_not_change_how_the_file_is_read(imported, result_of):
    rows = result_of(imported, delimiter=";", max_records=1, columns={"Notes": "last_name"})
    assert [row["First Name"] for row in rows] == ["Ann", "Ben", "Old", "", "", "Ben"]
    rows = result_of(imported, skip_first_lines=1)  # it cannot be read the same way: what the ledger keeps is there
    assert [row["First Name"] for row in rows] == ["", "Ben", "", "", "", ""] and len(rows) == 6


def test_after_retention_there_is_no_result_file(imported, engine, storage, feed):
    assert has_result(ledger.find(engine, imported))
    forget(engine, storage, {"default": replace_retention(feed)}, datetime.now(UTC) + timedelta(days=9))
    assert not has_result(ledger.find(engine, imported))


def replace_retention(feed):
    return feed.model_copy(update={"retention_days": 1})


def test_an_undo_lists_its_clients(imported, result_of, engine):
    undone = revert(engine, imported, RunRequest(by="Ann"))
    assert [row["_outcome"] for row in result_of(undone.revert_id)] == ["reverted", "reverted"]
