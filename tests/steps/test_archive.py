"""The file of a finished import is moved to where it stays, once, with its reports."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from include.adapters.database import ledger
from include.models import RunRequest, State
from include.steps.archive import archive
from include.steps.context import ImportContext
from include.steps.import_file import import_file
from include.steps.receive import receive_copy


@pytest.fixture
def context(feed, engine, storage) -> ImportContext:
    return ImportContext.of(feed, engine, storage)


@pytest.fixture
def import_id(context, tmp_path) -> str:
    (tmp_path / "a.csv").write_text("First Name,Email\nAnn,ann@example.com\n")
    return receive_copy(context, tmp_path / "a.csv", RunRequest()).id


@pytest.mark.parametrize(
    ("state", "folder"),
    [
        (State.MERGED, "archive/"), (State.PREVIEWED, "archive/"), (State.REFUSED, "refused/"), (State.DISCARDED, "refused/"),
    ],
)  # fmt: skip
def test_a_finished_import_leaves_staging_for_its_folder(context, import_id, state, folder):
    ledger.change(context.engine, import_id, state=state)
    archive(context, import_id)
    entry = ledger.find(context.engine, import_id)
    assert entry.filed and entry.file_path.startswith(folder)
    assert context.storage.read(entry.file_path).startswith(b"First Name")
    assert not context.storage.staged_source(import_id).exists()
    archive(context, import_id)
    assert ledger.find(context.engine, import_id).file_path == entry.file_path


def test_the_day_of_a_folder_is_that_of_the_feeds_time_zone(feed, engine, storage, tmp_path):
    late_in_the_day = datetime(2026, 3, 1, 23, 30, tzinfo=UTC)
    (tmp_path / "a.csv").write_text("First Name,Email\n,ann@example.com\nBen,ben@example.com\n")
    paths = {}
    for zone in ("UTC", "Europe/Berlin", "America/New_York"):
        result = import_file(
            tmp_path / "a.csv", feed=feed.model_copy(update={"timezone": zone, "name": zone.lower().replace("/", "_")}),
            engine=engine, storage=storage, clock=lambda: late_in_the_day,
        )  # fmt: skip
        entry = ledger.find(engine, result.import_id)
        paths[zone] = {path.split("/")[2] for path in (entry.file_path, entry.report_path)}
        forgotten = replace_paths(entry)
        assert len(storage.files_of(forgotten)) == 2, "a process was killed before it noted the paths"
    assert paths == {"UTC": {"2026-03-01"}, "Europe/Berlin": {"2026-03-02"}, "America/New_York": {"2026-03-01"}}


def replace_paths(entry):
    entry.file_path = entry.report_path = entry.planned_path = None
    return entry


@pytest.mark.parametrize("state", [State.RECEIVED, State.VALIDATED, State.PREPARED, State.HELD, State.FAILED])
def test_an_import_that_is_not_finished_keeps_its_staged_file(context, import_id, state):
    ledger.change(context.engine, import_id, state=state)
    archive(context, import_id)
    entry = ledger.find(context.engine, import_id)
    assert not entry.filed and entry.file_path is None
    assert context.storage.staged_source(import_id).exists()
