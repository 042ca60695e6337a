"""Claiming files, dying in the middle, and repeating every step."""

from __future__ import annotations

import os
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from errno import ENOSPC

import pytest
import sqlalchemy as sa

from include.adapters.database import ledger
from include.adapters.files.inbox import FolderInbox
from include.adapters.files.storage import Storage
from include.errors import AnotherRunIsAhead, FileNotInInbox, FileRefused
from include.models import RunRequest, State
from include.schemas.client_tables import Import
from include.steps.archive import archive
from include.steps.context import ImportContext
from include.steps.email_summary import email_summary
from include.steps.merge import merge, merge_all
from include.steps.prepare import prepare
from include.steps.receive import Only, receive, something_to_do
from include.steps.validate import validate

RUN = RunRequest("test", dag_id="import_clients__default", run_id="run-1")
NEXT = RunRequest("test", dag_id="import_clients__default", run_id="run-2")
NEXT_BUT_ONE = RunRequest("test", dag_id="import_clients__default", run_id="run-3")


@pytest.fixture
def drop(place):
    def _drop(name: str, text: str = "First Name,Email\nAnn,ann@example.com\n"):
        place.put(name, text)

    return _drop


# What only a folder can do: times of our choice, links, pipes, names that are no text.
only_in_a_folder = pytest.mark.parametrize("place", ["folder"], indirect=True)


class Died(BaseException):
    """A worker killed: nothing of ours handles it."""


def walk(context: ImportContext, import_id: str) -> None:
    for step in (validate, prepare, merge, archive):
        step(context, import_id)


def test_a_run_claims_at_most_as_many_files_as_the_feed_says(context, drop, place):
    for n, name in enumerate(["c.csv", "a.csv", "b.csv"]):
        drop(name, f"First Name,Email\nAnn,a{n}@example.com\n")
    few = ImportContext.of(context.feed.model_copy(update={"max_files_per_run": 2}), context.engine, place.storage)
    assert len(receive(few, RUN)) == 2
    assert len(place.names()) == 1


@pytest.mark.parametrize("name", ["x.csv.part", "x.tmp", "x.csv~", ".x.csv", "x.filepart", "x.crdownload"])
def test_a_file_still_being_written_is_left_alone(context, drop, name):
    drop(name)
    assert not something_to_do(context, RUN) and receive(context, RUN) == []


def test_a_done_file_is_waited_for_and_a_count_is_checked(context, drop, place):
    waits = ImportContext.of(context.feed.model_copy(update={"require_done_file": True}), context.engine, place.storage)
    drop("x.csv")
    assert receive(waits, RUN) == []
    drop("x.csv.count", "2\n")
    drop("x.csv.done", "")
    (entry,) = receive(waits, RUN)
    with pytest.raises(FileRefused, match="FILE_COUNT_MISMATCH: 2 records were announced, the file has 1"):
        validate(waits, entry.id)
    assert place.names() == []


@pytest.mark.parametrize(
    ("place", "name"),
    [
        *((place, name) for place in ("folder", "s3", "sftp") for name in ("x.xlsx", "x\u202egpj.csv")),
        *((place, name) for place in ("folder", "sftp") for name in ("a\nb.csv", "\udce4.csv")),
    ],
    indirect=["place"],
)
def test_a_file_name_that_is_not_plain_is_refused_and_filed_all_the_same(context, drop, place, name):
    drop(name)
    (entry,) = receive(context, RUN)
    with pytest.raises(FileRefused, match="FILE_NAME"):
        validate(context, entry.id)
    archive(context, entry.id)
    assert len(place.files("refused")) == 1 and place.files("staging") == []
    assert place.names() == []


@pytest.mark.parametrize("name", ["*.csv", "[ab].csv", "a?versionId=3.csv", "a#b.csv", "a%20b.csv", " a+b.csv"])
def test_a_name_that_means_more_elsewhere_is_only_a_name(context, drop, place, name):
    drop("a.csv", "First Name,Email\nBen,ben@example.com\n")
    drop("b.csv", "First Name,Email\nCat,cat@example.com\n")
    drop(name)
    (entry,) = receive(context, RUN, Only(name))
    walk(context, entry.id)
    assert ledger.find(context.engine, entry.id).counts.created == 1
    assert place.names() == ["a.csv", "b.csv"] and len(place.files("archive")) == 1


@only_in_a_folder
def test_a_link_is_refused_and_what_it_points_to_is_not_read(context, place, tmp_path):
    storage = place.storage
    (tmp_path / "secret").write_text("First Name,Email\nAnn,ann@example.com\n")
    (storage.inbox("default") / "x.csv").symlink_to(tmp_path / "secret")
    (entry,) = receive(context, RUN)
    with pytest.raises(FileRefused, match="link"):
        validate(context, entry.id)


@only_in_a_folder
@pytest.mark.timeout(60)
def test_what_is_no_regular_file_is_refused_and_never_read(context, place):
    os.mkfifo(place.storage.inbox("default") / "x.csv")
    (entry,) = receive(context, RUN)
    with pytest.raises(FileRefused, match="FILE_NAME"):
        validate(context, entry.id)


def test_a_file_too_large_is_refused_by_its_size(context, drop, place):
    small = ImportContext.of(context.feed.model_copy(update={"max_bytes": 10}), context.engine, place.storage)
    drop("x.csv")
    (entry,) = receive(small, RUN)
    with pytest.raises(FileRefused, match="FILE_TOO_LARGE: The file has 37 bytes; this feed accepts at most 10"):
        validate(small, entry.id)


@only_in_a_folder
def test_files_are_claimed_in_order_of_arrival(context, drop, place):
    for n, name in enumerate(["c.csv", "a.csv", "b.csv"]):
        drop(name, f"First Name,Email\nAnn,a{n}@example.com\n")
        os.utime(place.storage.inbox("default") / name, (1000 + n, 1000 + n))
    order = [waiting.name for waiting in place.storage.stable_files("default", "*", 0, ())]
    assert sorted(order) == ["a.csv", "b.csv", "c.csv"]
    assert [entry.file_name for entry in receive(context, RUN)] == order


def test_files_that_come_together_are_claimed_in_natural_order_from_every_kind_of_inbox(context, drop):
    time.sleep(1.05 - time.time() % 1)  # all in one second
    for number in (10, 9, 2):
        drop(f"old_{number}.csv", f"First Name,Email\nAnn{number},ann@example.com\n")
    assert [entry.file_name for entry in receive(context, RUN)] == ["old_2.csv", "old_9.csv", "old_10.csv"]


def test_two_schedulers_cannot_claim_one_file(context, drop):
    for n in range(20):
        drop(f"{n}.csv", f"First Name,Email\nAnn,a{n}@example.com\n")
    with ThreadPoolExecutor(4) as pool:
        request = [RunRequest("t", dag_id=f"dag-{n}", run_id="run") for n in range(4)]
        claimed = [entry.file_name for run in pool.map(lambda a: receive(context, a), request) for entry in run]
    assert sorted(claimed) == sorted(f"{n}.csv" for n in range(20))


def test_a_run_claims_nothing_while_a_later_run_of_its_feed_has_files_on_the_way(context, drop):
    started = datetime.now(UTC)
    drop("first.csv")
    later = replace(NEXT, started=started + timedelta(seconds=1))
    (first,) = receive(replace(context, clock=lambda: started + timedelta(seconds=2)), later)
    drop("second.csv", "First Name,Email\nBen,ben@example.com\n")
    halted = replace(RUN, started=started)
    with pytest.raises(AnotherRunIsAhead, match="run-2"):
        receive(context, halted)
    walk(context, first.id)
    assert [entry.file_name for entry in receive(context, halted)] == ["second.csv"]


@pytest.mark.parametrize("where", ["claim", "announced_count", "drop_side_files"])
def test_a_worker_that_dies_while_taking_a_file_loses_nothing(context, drop, monkeypatch, where):
    drop("x.csv")

    def die(*_):
        raise Died

    with monkeypatch.context() as patch:
        patch.setattr(Storage, where, die)
        with pytest.raises(Died):
            receive(context, RUN)
    (entry,) = receive(context, NEXT)
    assert something_to_do(context, NEXT)
    walk(context, entry.id)
    assert ledger.find(context.engine, entry.id).state == "merged"
    assert len(ledger.of_run(context.engine, NEXT.dag_id, NEXT.run_id)) == 1


@pytest.mark.parametrize("where", ["drop_side_files", "staged_source"])
def test_side_files_of_a_claimed_file_never_count_for_the_next_one(context, drop, place, monkeypatch, where):
    drop("x.csv")
    drop("x.csv.count", "1\n")
    original, calls = getattr(Storage, where), []

    def die_once(self, *args):
        calls.append(args)
        if len(calls) == (1 if where == "drop_side_files" else 2):
            raise Died
        return original(self, *args)

    with monkeypatch.context() as patch:
        patch.setattr(Storage, where, die_once)
        with pytest.raises(Died):
            receive(context, RUN)
    (entry,) = receive(context, NEXT)
    assert (entry.announced_records, place.names()) == (1, [])


@pytest.mark.parametrize("steps", [0, 1, 2, 3])
def test_what_a_dead_run_left_is_finished_by_the_next_run(context, drop, clients, steps):
    drop("x.csv")
    (entry,) = receive(context, RUN)
    for step in (validate, prepare, merge)[:steps]:
        step(context, entry.id)
    assert something_to_do(context, NEXT)
    (adopted,) = receive(context, NEXT)
    walk(context, adopted.id)
    email_summary(context, NEXT, "http://link", lambda *_: None)
    assert adopted.id == entry.id and len(clients()) == 1
    assert not something_to_do(context, RunRequest("t", dag_id=RUN.dag_id, run_id="run-3"))


def test_every_step_can_be_repeated_and_changes_nothing(context, drop, engine, clients):
    drop("x.csv")
    (entry,) = receive(context, RUN)
    walk(context, entry.id)
    before, row = clients(), row_of(engine, entry.id)
    walk(context, entry.id)
    merge_all(context, RUN)
    assert [e.id for e in receive(context, RUN)] == [entry.id]
    assert (clients(), row_of(engine, entry.id)) == (before, row)


def row_of(engine, import_id):
    with engine.connect() as connection:
        return connection.execute(sa.select(Import.__table__).where(Import.id == import_id)).one()


def test_a_system_error_is_no_refusal_and_a_repetition_mends_it(context, drop, engine, clients, monkeypatch):
    drop("x.csv")
    (entry,) = receive(context, RUN)
    validate(context, entry.id)
    prepare(context, entry.id)
    with monkeypatch.context() as patch:
        patch.setattr("include.adapters.database.plan._INSERT", "INSERT INTO no_such_table VALUES (1)")
        with pytest.raises(ExceptionGroup):
            merge_all(context, RUN)
    failed = ledger.find(engine, entry.id)
    assert failed.state == "failed" and "a table is missing" in failed.message and clients() == {}
    merge_all(context, RUN)
    assert ledger.find(engine, entry.id).state == "merged" and len(clients()) == 1


def test_one_file_that_cannot_be_merged_does_not_stop_the_next(context, drop, clients, monkeypatch):
    for n in range(2):
        drop(f"{n}.csv", f"First Name,Email\nAnn,a{n}@example.com\n")
    first, second = receive(context, RUN)
    for entry in (first, second):
        validate(context, entry.id)
        prepare(context, entry.id)
    (context.storage.root / "staging" / first.id / "prepared.arrow").unlink()
    with pytest.raises(ExceptionGroup, match="1 file"):
        merge_all(context, RUN)
    assert list(clients()) == ["a1@example.com"]


def test_a_file_requested_by_name_that_was_claimed_before_says_where_it_went(context, drop):
    drop("x.csv")
    (entry,) = receive(context, RUN)
    with pytest.raises(FileNotInInbox, match=f"It was claimed before: import {entry.id}, received"):
        something_to_do(context, NEXT.__class__("t", dag_id="other", run_id="r"), Only("x.csv"))


def test_the_same_bytes_are_merged_once_even_when_two_runs_race(context, drop, engine, clients):
    drop("a.csv")
    drop("b.csv")
    first, second = receive(context, RUN)
    for entry in (first, second):
        validate(context, entry.id)
        prepare(context, entry.id)
    merge(context, first.id)
    merge(context, second.id)
    assert ledger.find(context.engine, second.id).state == State.SKIPPED
    with engine.connect() as connection:
        assert connection.scalar(sa.text("SELECT count(*) FROM client_changes")) == 1


@only_in_a_folder
def test_a_claim_that_failed_is_tried_again_by_the_next_run_when_nothing_else_waits(context, drop, monkeypatch):
    drop("x.csv")

    def full(*_):
        raise OSError(ENOSPC, "x")

    with monkeypatch.context() as patch:
        patch.setattr(Storage, "claim", full)
        with pytest.raises(ExceptionGroup):
            receive(context, RUN)
    assert something_to_do(context, NEXT)
    (entry,) = receive(context, NEXT)
    walk(context, entry.id)
    ledger.change(context.engine, entry.id, notified_state=State.MERGED)
    assert ledger.find(context.engine, entry.id).state == "merged" and not something_to_do(context, NEXT_BUT_ONE)


@only_in_a_folder
def test_a_clock_that_was_set_back_stops_no_run_and_merges_nothing_twice(context, drop, clients):
    """The worker's clock was ten years ahead, the worker died, and the clock was set right."""
    ahead = replace(context, clock=lambda: datetime.now(UTC) + timedelta(days=3650))
    drop("x.csv")
    (first,) = receive(ahead, replace(RUN, started=datetime.now(UTC)))
    validate(ahead, first.id)
    drop("y.csv", "First Name,Email\nBen,ben@example.com\n")
    later = replace(NEXT, started=datetime.now(UTC))
    assert something_to_do(context, later)
    received = receive(context, later)
    assert [entry.id for entry in received][0] == first.id and len(received) == 2
    for entry in received:
        walk(context, entry.id)
    assert sorted(clients()) == ["ann@example.com", "ben@example.com"]
    with context.engine.connect() as connection:
        assert connection.scalar(sa.text("SELECT count(*) FROM client_changes")) == 2


@only_in_a_folder
def test_a_clock_set_back_by_an_hour_during_a_run_changes_nothing_of_its_end(context, drop, clients):
    back = replace(context, clock=lambda: datetime.now(UTC) - timedelta(hours=1))
    drop("x.csv")
    request = replace(RUN, started=datetime.now(UTC))
    (entry,) = receive(context, request)
    validate(context, entry.id)
    assert [again.id for again in receive(back, request)] == [entry.id]
    for step in (validate, prepare, merge, archive):
        step(back, entry.id)
    email_summary(back, request, "http://link", lambda *_: None)
    done = ledger.find(back.engine, entry.id)
    assert (done.state, done.filed, len(clients())) == ("merged", True, 1)
    assert not something_to_do(back, replace(NEXT, started=back.clock()))


@only_in_a_folder
def test_each_claim_looks_at_its_own_files_and_not_at_the_whole_inbox(context, drop, monkeypatch):
    for number in range(5):
        drop(f"{number}.csv", f"First Name,Email\nAnn,a{number}@example.com\n")
        drop(f"{number}.csv.count", "1")
    looks, original = [], FolderInbox.entries

    def look(self):
        looks.append(self)
        return original(self)

    monkeypatch.setattr(FolderInbox, "entries", look)
    received = receive(context, RUN)
    assert [entry.announced_records for entry in received] == [1] * 5 and len(looks) == 2
