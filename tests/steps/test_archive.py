"""The file of a finished import is moved to where it stays, once, with its reports."""

from __future__ import annotations

import pytest

from include.adapters.database import ledger
from include.models import RunRequest, State
from include.steps.archive import archive
from include.steps.context import ImportContext
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


@pytest.mark.parametrize("state", [State.RECEIVED, State.VALIDATED, State.PREPARED, State.HELD, State.FAILED])
def test_an_import_that_is_not_finished_keeps_its_staged_file(context, import_id, state):
    ledger.change(context.engine, import_id, state=state)
    archive(context, import_id)
    entry = ledger.find(context.engine, import_id)
    assert not entry.filed and entry.file_path is None
    assert context.storage.staged_source(import_id).exists()
