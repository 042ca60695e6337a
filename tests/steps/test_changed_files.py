"""A sender that goes on writing after its file was taken loses nothing, and people hear of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TextIO

import pytest

from include.adapters.database import ledger
from include.models import RunRequest, State
from include.schemas.client_tables import Import
from include.steps.archive import archive
from include.steps.context import ImportContext
from include.steps.merge import merge, merge_all
from include.steps.outcome import not_done
from include.steps.prepare import prepare
from include.steps.receive import receive, something_to_do
from include.steps.validate import validate

HEADER, ANN, BEN = "First Name,Email\n", "Ann,ann@example.com\n", "Ben,ben@example.com\n"
open_for_long = pytest.mark.parametrize("place", ["folder", "sftp"], indirect=True)


def run(number: int) -> RunRequest:
    return RunRequest("test", dag_id="import_clients__default", run_id=f"run-{number}")


@pytest.fixture
def writer(place) -> Iterator[TextIO]:
    """A sender with the file open in the inbox; what it writes is there at once."""
    with place.file("x.csv").open("w", buffering=1) as file:
        file.write(HEADER + ANN)
        yield file


def take_in(context: ImportContext, request: RunRequest) -> list[Import]:
    entries = receive(context, request)
    for entry in entries:
        validate(context, entry.id)
        prepare(context, entry.id)
    return entries


def emails(clients) -> list[str]:
    return sorted(clients())


@pytest.mark.parametrize("place", ["folder"], indirect=True)
def test_what_is_written_before_the_merge_is_read_again(context, place, clients, writer):
    (entry,) = take_in(context, run(1))
    writer.write(BEN)
    merge_all(context, run(1))
    assert emails(clients) == ["ann@example.com", "ben@example.com"]
    done = ledger.find(context.engine, entry.id)
    assert (done.state, done.code, done.read) == (State.MERGED, None, 2) and not_done(context, run(1)) == []
    assert place.storage.read(done.file_path).decode() == HEADER + ANN + BEN


@open_for_long
def test_what_is_written_after_the_merge_brings_the_whole_file_back_and_makes_the_run_red(
    context, place, clients, writer
):
    (entry,) = take_in(context, run(1))
    merge(context, entry.id)
    writer.write(BEN)
    for _ in range(2):
        archive(context, entry.id)
    done = ledger.find(context.engine, entry.id)
    assert (done.state, done.code) == (State.MERGED, "FILE_CHANGED_AFTER_READING") and done.filed
    assert not_done(context, run(1)) == ["'x.csv': merged, but FILE_CHANGED_AFTER_READING"]
    assert place.names() == ["x.csv"] and place.file("x.csv").read_text() == HEADER + ANN + BEN

    again = take_in(context, run(2))[-1]
    merge_all(context, run(2))
    counts = ledger.find(context.engine, again.id).counts
    assert (counts.created, counts.unchanged) == (1, 1) and place.names() == []
    assert emails(clients) == ["ann@example.com", "ben@example.com"]


@pytest.mark.parametrize("place", ["folder"], indirect=True)
def test_what_is_written_after_the_file_was_archived_is_found_by_the_next_run(context, place, clients, writer):
    (entry,) = take_in(context, run(1))
    merge_all(context, run(1))
    ledger.change(context.engine, entry.id, notified_state=State.MERGED)
    assert not something_to_do(context, run(2))
    writer.write(BEN)
    assert something_to_do(context, run(2))
    found, again = take_in(context, run(2))
    assert (found.id, again.file_name) == (entry.id, "x.csv")
    merge_all(context, run(2))
    assert emails(clients) == ["ann@example.com", "ben@example.com"]
    assert not_done(context, run(2)) == ["'x.csv': merged, but FILE_CHANGED_AFTER_READING"]


@open_for_long
def test_a_newer_file_of_the_same_name_is_not_replaced(context, place, writer):
    (entry,) = take_in(context, run(1))
    merge(context, entry.id)
    place.put("x.csv", HEADER + "Cat,cat@example.com\n")
    writer.write(BEN)
    archive(context, entry.id)
    assert place.names() == sorted(["x.csv", f"{entry.id}.csv"])


@open_for_long
def test_a_refused_file_that_was_not_complete_comes_back_too(context, place, clients):
    with place.file("x.csv").open("w", buffering=1) as file:
        file.write('First Name,Email\n"Ann')
        (entry,) = receive(context, run(1))
        with pytest.raises(Exception, match="FILE_BROKEN_QUOTING"):
            validate(context, entry.id)
        file.write('",ann@example.com\n')
        archive(context, entry.id)
    ledger.change(context.engine, entry.id, notified_state=State.REFUSED)
    take_in(context, run(2))
    merge_all(context, run(2))
    assert emails(clients) == ["ann@example.com"]


def test_a_file_that_no_one_writes_to_leaves_nothing_in_its_inbox(context, place):
    place.put("x.csv", HEADER + ANN)
    take_in(context, run(1))
    merge_all(context, run(1))
    assert place.names() == [] and place.everything() == []


@pytest.mark.parametrize("place", ["folder"], indirect=True)
def test_what_was_only_checked_does_not_come_back_to_be_imported(context, place, writer):
    (entry,) = take_in(context, replace(run(1), dry_run=True))
    merge(context, entry.id)
    writer.write(BEN)
    archive(context, entry.id)
    assert place.names() == []
