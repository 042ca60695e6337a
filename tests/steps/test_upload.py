"""Files that come through the page or its API: whole, once, and with what their sender asked for."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from include.adapters import import_ledger, upload_ledger
from include.errors import FileNotInInbox, FileRefused, KeyUsedOtherwise, TakenByAnotherRun
from include.results import Requested
from include.steps import upload as uploading
from include.steps.corridor import Corridor
from include.steps.file_away import file_away
from include.steps.forget import forget
from include.steps.merge import merge
from include.steps.prepare import prepare
from include.steps.receive import Only, receive, something_to_do
from include.steps.upload import Wish, Writing
from include.steps.validate import validate

RUN = Requested("scheduled", dag_id="import_clients__default", run_id="run-1")
NEXT = Requested("scheduled", dag_id="import_clients__default", run_id="run-2")
TEXT = b"First Name,Email\nAnn,ann@example.com\n"


@pytest.fixture
def corridor(feed, engine, storage) -> Corridor:
    """A feed whose own rules would never take the uploaded file: it waits to settle, for a done-file, by pattern."""
    storage.inbox("default").mkdir(parents=True, exist_ok=True)
    slow = feed.model_copy(update={"settle_seconds": 60, "require_done_file": True, "file_pattern": "partner_*.csv"})
    return Corridor.of(slow, engine, storage)


def send(corridor, text=TEXT, **wish):
    with Writing(corridor, Wish(**{"by": "olga", "file_name": "clients.csv", **wish})) as writing:
        for start in range(0, len(text), 7):
            writing.write(text[start : start + 7])
        return writing.finish()


def inbox(corridor):
    return sorted(path.name for path in corridor.storage.inbox(".uploads").glob("*"))


def test_an_upload_is_taken_at_once_under_its_senders_name_and_wishes(corridor):
    sent = send(corridor, file_name="Müller & <b>.csv", dry_run=True, note="for Olga")
    assert inbox(corridor) == [f"{sent.id}.csv"]
    (entry,) = receive(corridor, RUN)
    assert (entry.file_name, entry.requested_by, entry.dry_run) == ("Müller & <b>.csv", "olga", True)
    taken = upload_ledger.find(corridor.engine, sent.id)
    assert (taken.import_id, taken.file_name) == (entry.id, "") and inbox(corridor) == []
    for step in (validate, prepare, merge, file_away):
        step(corridor, entry.id)
    assert import_ledger.find(corridor.engine, entry.id).state == "previewed"


def test_a_run_for_one_upload_leaves_everything_else(corridor):
    first, second = send(corridor), send(corridor, TEXT + b"Ben,ben@example.com\n")
    (corridor.storage.inbox("default") / "partner_a.csv").write_bytes(TEXT)
    assert something_to_do(corridor, RUN, Only(upload=second.id))
    (entry,) = receive(corridor, RUN, Only(upload=second.id))
    assert upload_ledger.find(corridor.engine, second.id).import_id == entry.id
    assert [upload.id for upload in upload_ledger.waiting(corridor.engine, "default")] == [first.id]


def test_a_run_for_an_upload_that_another_run_took_has_nothing_to_do_and_says_so(corridor):
    sent = send(corridor)
    (entry,) = receive(corridor, RUN)
    import_ledger.enter_state(
        corridor.engine, entry.id, "merged", corridor.clock(), filed=True, notified_state="merged"
    )
    with pytest.raises(TakenByAnotherRun, match="taken by another run"):
        something_to_do(corridor, NEXT, Only(upload=sent.id))


def test_a_run_of_another_feed_never_takes_an_upload(corridor):
    sent = send(corridor)
    other = replace(corridor, feed=corridor.feed.model_copy(update={"name": "acme"}))
    assert receive(other, replace(NEXT, dag_id="import_clients__acme")) == []
    with pytest.raises(FileNotInInbox):
        something_to_do(other, NEXT, Only(upload=sent.id))


def test_the_same_key_twice_is_one_upload_even_when_it_was_taken_meanwhile(corridor):
    first = send(corridor, key="k-1")
    assert send(corridor, key="k-1").id == first.id and len(inbox(corridor)) == 1
    (entry,) = receive(corridor, RUN)
    assert send(corridor, key="k-1").import_id == entry.id and inbox(corridor) == []


def test_a_key_with_another_file_or_wish_is_an_error_and_leaves_no_file(corridor):
    send(corridor, key="k-1")
    for other in ({"text": TEXT + b"\n"}, {"dry_run": True}):
        with pytest.raises(KeyUsedOtherwise):
            send(corridor, key="k-1", **other)
    assert len(inbox(corridor)) == 1
    assert send(corridor, key="k-1", by="ben").requested_by == "ben"


def test_a_process_that_dies_before_the_file_has_its_name_loses_nothing_to_a_repeated_request(corridor, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(type(corridor.storage), "put_upload", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            send(corridor, key="k-1")
    assert inbox(corridor) == [] and receive(corridor, RUN) == []
    again = send(corridor, key="k-1")
    assert uploading.is_there(corridor, again)
    assert len(receive(corridor, RUN)) == 1


def test_a_file_over_the_limit_ends_at_the_first_byte_too_many_and_leaves_nothing(corridor):
    small = replace(corridor, feed=corridor.feed.model_copy(update={"max_bytes": 10}))
    with pytest.raises(FileRefused, match="FILE_TOO_LARGE"), Writing(small, Wish("olga", "a.csv")) as writing:
        writing.write(b"12345678901")
    assert inbox(small) == [] and upload_ledger.waiting(small.engine, "default") == []


@pytest.mark.parametrize(
    ("name", "text"), [("a.exe", TEXT), ("../a.csv", TEXT), ("a\u202evsc.csv", TEXT), ("a.csv", b"")]
)
def test_what_is_plainly_wrong_is_refused_at_once(corridor, name, text):
    with pytest.raises(FileRefused):
        send(corridor, text, file_name=name)
    assert inbox(corridor) == []


def test_the_daily_look_deletes_copies_that_nobody_takes_and_no_upload_that_waits(corridor):
    waits, taken = send(corridor), send(corridor, TEXT + b"Ben,ben@example.com\n")
    receive(corridor, RUN, Only(upload=taken.id))
    folder = corridor.storage.inbox(".uploads")
    for name in (f"{taken.id}.csv", f"{taken.id}.123.tmp"):
        (folder / name).write_bytes(TEXT)
    forget(corridor.engine, corridor.storage, {}, datetime.now(UTC))
    assert len(inbox(corridor)) == 3  # a day's grace: it may be written just now
    forget(corridor.engine, corridor.storage, {}, datetime.now(UTC) + timedelta(days=2))
    assert inbox(corridor) == [f"{waits.id}.csv"]
