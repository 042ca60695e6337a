"""A step that fails leaves a note: an error in the file ends the import, a system error can be retried."""

from __future__ import annotations

import gc
import os
from errno import ENOSPC

import pytest

from include.adapters.database import ledger
from include.errors import ClientsChanged, FileRefused, StepFailed
from include.models import RunRequest, State
from include.steps.context import ImportContext, already_refused, step


@pytest.fixture
def context(feed, engine, storage) -> ImportContext:
    return ImportContext.of(feed, engine, storage)


@pytest.fixture
def import_id(context) -> str:
    with context.engine.begin() as connection:
        return ledger.open_import(connection, "default", "a.csv", RunRequest(), context.clock()).id


def test_an_error_in_the_file_refuses_the_import_and_is_raised_again_by_a_repetition(context, import_id):
    with pytest.raises(FileRefused), step(context, "validate", import_id):
        raise FileRefused("FILE_EMPTY", "The file has no bytes.", 1)
    entry = ledger.find(context.engine, import_id)
    assert (entry.state, entry.code, entry.line) == (State.REFUSED, "FILE_EMPTY", 1)
    assert str(already_refused(entry)) == "FILE_EMPTY: line 1: The file has no bytes."


def test_a_system_error_is_noted_without_the_words_of_the_exception(context, import_id):
    with pytest.raises(StepFailed, match="^validate failed: ValueError$"), step(context, "validate", import_id):
        raise ValueError("zoe@example.com")
    entry = ledger.find(context.engine, import_id)
    assert (entry.state, entry.message) == (State.FAILED, "validate failed: ValueError")


def test_a_full_disk_is_noted_as_what_it_is_and_without_the_name_of_a_file(context, import_id):
    with pytest.raises(StepFailed), step(context, "validate", import_id):
        raise OSError(ENOSPC, os.strerror(ENOSPC), f"/srv/staging/{import_id}/Zoe Mark.csv")
    message = ledger.find(context.engine, import_id).message
    assert message == f"validate failed: No space left on device in staging/{import_id}"


def test_an_error_of_the_family_keeps_its_own_sentence(context, import_id):
    with pytest.raises(ClientsChanged), step(context, "merge", import_id):
        raise ClientsChanged("The clients have changed.")
    assert ledger.find(context.engine, import_id).message == "The clients have changed."


def test_an_import_that_has_ended_stays_as_it_is(context, import_id):
    ledger.change(context.engine, import_id, state=State.MERGED)
    with pytest.raises(StepFailed), step(context, "merge", import_id):
        raise OSError
    assert ledger.find(context.engine, import_id).state == State.MERGED


def test_the_search_for_cyclic_garbage_is_on_again_after_a_step(context, import_id):
    with step(context, "validate", import_id):
        assert not gc.isenabled()
    assert gc.isenabled()
