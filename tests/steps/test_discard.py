"""An import that no one goes on with can be ended, and one file never stands in the way of the others."""

from __future__ import annotations

import pytest

from include.adapters.database import ledger
from include.adapters.files.storage import Storage
from include.models import RunRequest, State
from include.steps.discard import discard
from include.steps.merge import merge_all
from include.steps.outcome import not_done
from include.steps.prepare import prepare
from include.steps.receive import receive
from include.steps.validate import validate

RUN = RunRequest("test", dag_id="import_clients__default", run_id="run-1")
NEXT = RunRequest("test", dag_id="import_clients__default", run_id="run-2")
ANN = "First Name,Email\nAnn,ann@example.com\n"


@pytest.mark.parametrize("steps", [(), (validate,), (validate, prepare)], ids=len)
def test_a_stuck_import_is_discarded_and_its_file_kept(context, place, clients, steps):
    place.put("x.csv", ANN)
    (entry,) = receive(context, RUN)
    for step in steps:
        step(context, entry.id)
    done = discard(context, entry.id, "olga", "the sender sent the wrong month")
    assert (done.state, done.message) == (State.DISCARDED, "Discarded by olga: the sender sent the wrong month")
    assert place.storage.read(done.file_path).decode() == ANN and place.everything() == []
    merge_all(context, RUN)
    assert not_done(context, RUN) == [] and clients() == {} and place.files("staging") == []


def test_an_import_that_has_ended_stays_as_it_is(context, place):
    place.put("x.csv", ANN)
    (entry,) = receive(context, RUN)
    for step in (validate, prepare):
        step(context, entry.id)
    merge_all(context, RUN)
    assert discard(context, entry.id, "olga").state == State.MERGED


@pytest.mark.parametrize("place", ["folder"], indirect=True)
def test_a_file_that_cannot_be_claimed_is_noted_and_the_others_go_on(context, place, clients, monkeypatch):
    place.put("a.csv", ANN)
    place.put("b.csv", "First Name,Email\nBen,ben@example.com\n")
    claim = Storage.claim

    def no_room(self, folder, name, import_id):
        if name == "a.csv":
            raise PermissionError(13, "Permission denied")
        return claim(self, folder, name, import_id)

    monkeypatch.setattr(Storage, "claim", no_room)
    (received,) = receive(context, RUN)
    assert received.file_name == "b.csv"
    for step in (validate, prepare):
        step(context, received.id)
    merge_all(context, RUN)
    ledger.change(context.engine, received.id, notified_state=State.MERGED)
    assert list(clients()) == ["ben@example.com"] and not_done(context, RUN)[0].startswith("'a.csv': failed")
    with pytest.raises(ExceptionGroup, match=r"1 file\(s\) could not be claimed"):
        receive(context, NEXT)  # nothing else waits, so the storage may be what is wrong

    monkeypatch.setattr(Storage, "claim", claim)
    mended = next(entry for entry in receive(context, NEXT) if entry.file_name == "a.csv")
    for step in (validate, prepare):
        step(context, mended.id)
    merge_all(context, NEXT)
    assert sorted(clients()) == ["ann@example.com", "ben@example.com"] and not_done(context, NEXT) == []


@pytest.mark.parametrize("place", ["folder"], indirect=True)
def test_a_file_that_cannot_be_claimed_can_be_given_up_and_stays_in_the_inbox(context, place, monkeypatch):
    place.put("a.csv", ANN)
    monkeypatch.setattr(Storage, "claim", lambda *_: (_ for _ in ()).throw(PermissionError(13, "Permission denied")))
    with pytest.raises(ExceptionGroup):
        receive(context, RUN)
    (claimed,) = ledger.claims(context.engine, "default")
    done = discard(context, claimed.id, "olga")
    assert done.state == State.DISCARDED and "still in the inbox" in done.message and place.names() == ["a.csv"]


def test_a_file_whose_claim_died_after_the_move_is_kept(context, place, monkeypatch):
    place.put("a.csv", ANN)
    with monkeypatch.context() as killed:
        killed.setattr("include.steps.claims.note_content", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            receive(context, RUN)
    (claimed,) = ledger.claims(context.engine, "default")
    done = discard(context, claimed.id, "olga")
    assert done.message == "Discarded by olga." and place.storage.read(done.file_path).decode() == ANN


def test_a_name_of_255_bytes_is_a_name_like_any_other(context, place, clients):
    place.put(f"{'é' * 125}x.csv", ANN)
    place.put(f"{'a' * 251}.csv", "First Name,Email\nBen,ben@example.com\n")
    for entry in receive(context, RUN):
        validate(context, entry.id)
        prepare(context, entry.id)
    merge_all(context, RUN)
    assert len(clients()) == 2 and place.everything() == [] and not_done(context, RUN) == []
