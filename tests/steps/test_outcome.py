"""A run is red for a refused file or a system error, and for a file that is not in its final folder."""

from __future__ import annotations

import pytest

from include.adapters.database import ledger
from include.models import RunRequest, State
from include.steps.context import ImportContext
from include.steps.outcome import not_done

RUN = RunRequest(dag_id="import_clients__default", run_id="run-1")


@pytest.fixture
def context(feed, engine, storage) -> ImportContext:
    return ImportContext.of(feed, engine, storage)


@pytest.mark.parametrize(
    ("state", "filed", "sentences"),
    [
        (State.MERGED, True, []),
        (State.PREVIEWED, True, []),
        (State.HELD, False, []),
        (State.DISCARDED, False, []),
        (State.REVERTED, True, []),
        (State.MERGED, False, ["'a.csv': merged, but the file is not in its final folder yet"]),
        (State.REFUSED, True, ["'a.csv': refused (FILE_EMPTY)"]),
        (State.FAILED, False, ["'a.csv': failed (FILE_EMPTY)"]),
        (State.PREPARED, False, ["'a.csv': prepared (FILE_EMPTY)"]),
    ],
)
def test_each_file_that_is_not_done_has_a_sentence(context, state, filed, sentences):
    with context.engine.begin() as connection:
        entry = ledger.open_import(connection, "default", "a.csv", RUN, context.clock())
    code = "FILE_EMPTY" if "FILE_EMPTY" in str(sentences) else None
    ledger.change(context.engine, entry.id, state=state, filed=filed, code=code)
    assert not_done(context, RUN) == sentences


def test_a_run_without_files_has_a_sentence(context):
    assert not_done(context, RUN) == ["The run received no file: the task `sense_inbox` failed."]
