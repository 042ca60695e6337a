"""An upload is cancelled while nothing of it is written, and never after that."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from include.adapters.database import ledger, uploads
from include.adapters.files.storage import Storage
from include.errors import TooLateToCancel, UploadCancelled
from include.models import RunRequest, State
from include.steps.archive import archive
from include.steps.cancel import cancel
from include.steps.claims import claim
from include.steps.context import ImportContext
from include.steps.forget import forget
from include.steps.merge import merge
from include.steps.prepare import prepare
from include.steps.receive import Only, receive, something_to_do
from include.steps.upload import UploadRequest, Writing, files_before
from include.steps.validate import validate

RUN = RunRequest("scheduled", dag_id="import_clients__default", run_id="run-1")


@pytest.fixture
def context(feed, engine, storage) -> ImportContext:
    storage.inbox("default").mkdir(parents=True, exist_ok=True)
    return ImportContext.of(feed, engine, storage)


def send(context, **keys):
    with Writing(context, UploadRequest(**{"by": "olga", "file_name": "clients.csv", **keys})) as writing:
        writing.write(b"First Name,Email\nAnn,ann@example.com\n")
        return writing.finish()


def waits(context):
    return sorted(path.stem for path in context.storage.inbox(".uploads").glob("*"))


def test_an_upload_that_waits_leaves_the_inbox_and_its_row_says_who_cancelled_it(context):
    sent, other = send(context, key="k"), send(context)
    seen = context.storage.waiting_upload(sent.id)
    cancelled = cancel(context, sent.id, "olga")
    assert (cancelled.cancelled_by, cancelled.cancelled_at is not None) == ("olga", True)
    assert cancel(context, sent.id, "admin").cancelled_by == "olga"
    send(context, key="k")  # the same request again does not bring it back
    assert waits(context) == [other.id]
    with pytest.raises(UploadCancelled):
        something_to_do(context, RUN, Only(upload=sent.id))
    # A run that listed it before that claims nothing.
    with context.engine.connect() as connection:
        assert claim(connection, context, seen, sent, RUN) is None
    assert [entry.file_name for entry in receive(context, RUN)] == ["clients.csv"] and waits(context) == []
    forget(context.engine, context.storage, {"default": context.feed}, context.clock() + timedelta(days=8))
    row = uploads.find(context.engine, sent.id)
    assert (row.file_name, row.cancelled_by, row.import_id) == ("", "olga", None)


@pytest.mark.parametrize("done", [[], [validate], [validate, prepare]])
def test_an_upload_that_a_run_works_on_is_discarded_and_the_run_ends_without_an_error(context, clients, done):
    sent = send(context)
    (entry,) = receive(context, RUN)
    for step in done:
        step(context, entry.id)
    cancel(context, sent.id, "olga")
    for step in (validate, prepare, merge, archive):
        step(context, entry.id)
    ended = ledger.find(context.engine, entry.id)
    assert (ended.state, ended.message, ended.filed) == (State.DISCARDED, "Discarded by olga.", True)
    assert "/refused/" in f"/{ended.file_path}" and clients() == {}


@pytest.mark.parametrize("can_be_moved", [True, False])
def test_an_upload_whose_claim_died_is_cancelled_and_no_run_takes_it(context, clients, monkeypatch, can_be_moved):
    sent = send(context)

    def dies(*_):
        raise PermissionError(13, "Permission denied")

    with monkeypatch.context() as broken:
        broken.setattr(Storage, "claim", dies)
        with pytest.raises(ExceptionGroup):
            receive(context, RUN)
        if not can_be_moved:
            cancel(context, sent.id, "olga")
    cancel(context, sent.id, "olga")
    ended = ledger.find(context.engine, uploads.find(context.engine, sent.id).import_id)
    assert (ended.state, ended.inbox_name, ended.filed) == (State.DISCARDED, None, True)
    assert receive(context, RunRequest("next", dag_id="d", run_id="run-2")) == [] and clients() == {}
    if can_be_moved:
        assert ended.message == "Discarded by olga." and "/refused/" in f"/{ended.file_path}" and waits(context) == []
    else:
        assert ended.message.endswith("will be deleted. To import the file, send it again.") and waits(context)
        later = (context.storage.inbox(".uploads") / f"{sent.id}.csv").stat().st_mtime + 90_000
        forget(context.engine, context.storage, {"default": context.feed}, datetime.fromtimestamp(later, UTC))
        assert waits(context) == []


def test_a_merge_that_is_faster_is_told(context, clients):
    sent = send(context)
    (entry,) = receive(context, RUN)
    validate(context, entry.id)
    prepare(context, entry.id)
    with ThreadPoolExecutor() as at_once, context.engine.connect() as merging:
        with merging.begin():
            ledger.lock(merging, entry.id)
            cancelling = at_once.submit(cancel, context, sent.id, "olga")
            with context.engine.connect() as look:  # until it waits for the merge
                blocked = sa.text("SELECT count(*) FROM pg_locks WHERE NOT granted")
                while not look.scalar(blocked) and not cancelling.done():
                    look.rollback()
            ledger.enter_state(merging, entry.id, State.MERGED, context.clock(), created=1)
        with pytest.raises(TooLateToCancel, match=r"^It was imported already\.$"):
            cancelling.result(30)
    assert ledger.find(context.engine, entry.id).state == State.MERGED


def test_the_files_before_an_upload_are_those_that_wait_longer_or_are_claimed(context):
    first, second = send(context), send(context)
    third = send(context)
    assert [files_before(context, upload) for upload in (first, second, third)] == [0, 1, 2]
    receive(context, RUN, Only(upload=first.id))
    assert files_before(context, third) == 2
    cancel(context, second.id, "olga")
    context.storage.delete_upload(f"{second.id}.csv")
    assert files_before(context, third) == 1
