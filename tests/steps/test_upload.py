"""Files that come through the page or its API: whole, once, and with what their sender asked for."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from include.adapters.database import ledger, uploads
from include.errors import ClaimedByAnotherRun, FileNotInInbox, FileRefused, KeyUsedOtherwise, TooManyUploads
from include.models import RunRequest, State
from include.steps import upload as uploading
from include.steps.archive import archive
from include.steps.context import ImportContext
from include.steps.forget import forget
from include.steps.merge import merge
from include.steps.prepare import prepare
from include.steps.receive import Only, receive, something_to_do
from include.steps.upload import UploadRequest, Writing
from include.steps.validate import validate

RUN = RunRequest("scheduled", dag_id="import_clients__default", run_id="run-1")
NEXT = RunRequest("scheduled", dag_id="import_clients__default", run_id="run-2")
TEXT = b"First Name,Email\nAnn,ann@example.com\n"


@pytest.fixture
def context(feed, engine, storage) -> ImportContext:
    """A feed whose own rules would never claim the uploaded file: stability, done-file and pattern."""
    storage.inbox("default").mkdir(parents=True, exist_ok=True)
    slow = feed.model_copy(update={"stable_seconds": 60, "require_done_file": True, "file_pattern": "partner_*.csv"})
    return ImportContext.of(slow, engine, storage)


def send(context, text=TEXT, **upload_request):
    with Writing(context, UploadRequest(**{"by": "olga", "file_name": "clients.csv", **upload_request})) as writing:
        for start in range(0, len(text), 7):
            writing.write(text[start : start + 7])
        return writing.finish()


def inbox(context):
    return sorted(path.name for path in context.storage.inbox(".uploads").glob("*"))


def test_an_upload_is_claimed_at_once_with_its_senders_name_and_options(context):
    sent = send(context, file_name="Müller & <b>.csv", dry_run=True, note="for Olga")
    assert inbox(context) == [f"{sent.id}.csv"]
    (entry,) = receive(context, RUN)
    assert (entry.file_name, entry.requested_by, entry.dry_run) == ("Müller & <b>.csv", "olga", True)
    claimed = uploads.find(context.engine, sent.id)
    assert (claimed.import_id, claimed.file_name) == (entry.id, "") and inbox(context) == []
    for step in (validate, prepare, merge, archive):
        step(context, entry.id)
    assert ledger.find(context.engine, entry.id).state == "previewed"


def test_a_run_for_one_upload_leaves_everything_else(context):
    first, second = send(context), send(context, TEXT + b"Ben,ben@example.com\n")
    (context.storage.inbox("default") / "partner_a.csv").write_bytes(TEXT)
    assert something_to_do(context, RUN, Only(upload=second.id))
    (entry,) = receive(context, RUN, Only(upload=second.id))
    assert uploads.find(context.engine, second.id).import_id == entry.id
    assert [upload.id for upload in uploads.waiting(context.engine, "default")] == [first.id]


def test_a_run_for_an_upload_that_another_run_claimed_has_nothing_to_do_and_says_so(context):
    sent = send(context)
    (entry,) = receive(context, RUN)
    ledger.change(context.engine, entry.id, state=State.MERGED, filed=True, notified_state=State.MERGED)
    with pytest.raises(ClaimedByAnotherRun, match="Another run has claimed"):
        something_to_do(context, NEXT, Only(upload=sent.id))


def test_a_run_of_another_feed_never_claims_an_upload(context):
    sent = send(context)
    other = replace(context, feed=context.feed.model_copy(update={"name": "acme"}))
    assert receive(other, replace(NEXT, dag_id="import_clients__acme")) == []
    with pytest.raises(FileNotInInbox):
        something_to_do(other, NEXT, Only(upload=sent.id))


def test_the_same_key_twice_is_one_upload_even_when_it_was_claimed_meanwhile(context):
    first = send(context, key="k-1")
    assert send(context, key="k-1").id == first.id and len(inbox(context)) == 1
    (entry,) = receive(context, RUN)
    assert send(context, key="k-1").import_id == entry.id and inbox(context) == []


def test_a_key_with_another_file_or_wish_is_an_error_and_leaves_no_file(context):
    send(context, key="k-1")
    for other in ({"text": TEXT + b"\n"}, {"dry_run": True}):
        with pytest.raises(KeyUsedOtherwise):
            send(context, key="k-1", **other)
    assert len(inbox(context)) == 1
    assert send(context, key="k-1", by="ben").requested_by == "ben"


def test_a_process_that_dies_before_the_file_has_its_name_loses_nothing_to_a_repeated_request(context, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(type(context.storage), "put_upload", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            send(context, key="k-1")
    assert inbox(context) == [] and receive(context, RUN) == []
    again = send(context, key="k-1")
    assert uploading.is_there(context, again)
    assert len(receive(context, RUN)) == 1


def test_a_file_over_the_limit_ends_at_the_first_byte_too_many_and_leaves_nothing(context):
    small = replace(context, feed=context.feed.model_copy(update={"max_bytes": 10}))
    with pytest.raises(FileRefused, match="FILE_TOO_LARGE"), Writing(small, UploadRequest("olga", "a.csv")) as writing:
        writing.write(b"12345678901")
    assert inbox(small) == [] and uploads.waiting(small.engine, "default") == []


def test_a_file_that_is_announced_as_too_large_is_refused_before_it_comes(context):
    small = replace(context, feed=context.feed.model_copy(update={"max_bytes": 10}))
    with pytest.raises(FileRefused, match="FILE_TOO_LARGE"):
        Writing(small, UploadRequest("olga", "a.csv"), announced=11)


def test_uploads_whose_file_never_came_do_not_count_as_waiting(context, monkeypatch):
    """A process may have died between the row and the file, and a disk may have been full."""
    monkeypatch.setattr(uploading, "MOST_WAITING", 2)
    with monkeypatch.context() as patch:
        patch.setattr(type(context.storage), "put_upload", lambda *_: None)
        send(context), send(context)
    with pytest.raises(TooManyUploads):
        send(context)  # the files may be on their way
    later = replace(context, clock=lambda: datetime.now(UTC) + timedelta(minutes=2))
    assert send(later).requested_by == "olga"


def test_a_file_name_of_255_bytes_is_kept_as_it_is(context):
    name = f"{'ä' * 125}x.csv"
    sent = send(context, file_name=name)
    assert len(name.encode()) == 255 and sent.file_name == name
    (entry,) = receive(context, RUN)
    for step in (validate, prepare, merge, archive):
        step(context, entry.id)
    assert ledger.find(context.engine, entry.id).file_name == name


@pytest.mark.parametrize(
    ("name", "text"),
    [("a.exe", TEXT), ("../a.csv", TEXT), ("a\u202evsc.csv", TEXT), (f"{'ä' * 126}.csv", TEXT), ("a.csv", b"")],
)
def test_what_is_plainly_wrong_is_refused_at_once(context, name, text):
    with pytest.raises(FileRefused):
        send(context, text, file_name=name)
    assert inbox(context) == []


def test_the_daily_cleanup_deletes_copies_that_no_run_claims_and_no_upload_that_waits(context):
    waits, claimed = send(context), send(context, TEXT + b"Ben,ben@example.com\n")
    receive(context, RUN, Only(upload=claimed.id))
    folder = context.storage.inbox(".uploads")
    for name in (f"{claimed.id}.csv", f"{claimed.id}.123.tmp"):
        (folder / name).write_bytes(TEXT)
    forget(context.engine, context.storage, {}, datetime.now(UTC))
    assert len(inbox(context)) == 3  # a day's grace: it may be written just now
    forget(context.engine, context.storage, {}, datetime.now(UTC) + timedelta(days=2))
    assert inbox(context) == [f"{waits.id}.csv"]
