"""`NAME.csv.count` may come before, with or after its CSV, and is compared with no other file."""

from __future__ import annotations

import os
import time

import pytest

from include.adapters.database import ledger
from include.errors import FileRefused
from include.models import RunRequest, State
from include.steps.context import ImportContext
from include.steps.merge import merge, merge_all
from include.steps.outcome import not_done
from include.steps.prepare import prepare
from include.steps.receive import receive, something_to_do
from include.steps.validate import validate

RUN = RunRequest("test", dag_id="import_clients__default", run_id="run-1")
NEXT = RunRequest("test", dag_id="import_clients__default", run_id="run-2")
ONE = "First Name,Email\nAnn,ann@example.com\n"


def take_in(context: ImportContext, request: RunRequest) -> str:
    entry = receive(context, request)[-1]
    validate(context, entry.id)
    prepare(context, entry.id)
    return entry.id


def import_one(context: ImportContext) -> str:
    import_id = take_in(context, RUN)
    merge_all(context, RUN)
    ledger.change(context.engine, import_id, notified_state=State.MERGED)
    return import_id


def test_a_late_count_that_fits_is_gone_and_nothing_happens(context, place):
    place.put("x.csv", ONE)
    import_id = import_one(context)
    place.put("x.csv.count", "1")
    assert not something_to_do(context, NEXT) and place.names() == []
    assert ledger.find(context.engine, import_id).code is None


def test_a_late_count_that_does_not_fit_is_noted_on_its_import_and_judges_no_later_file(context, place):
    place.put("x.csv", ONE)
    import_id = import_one(context)
    place.put("x.csv.count", "7")
    assert something_to_do(context, NEXT) and place.names() == []
    place.put("x.csv", "First Name,Email\nBen,ben@example.com\n")
    found, later = receive(context, NEXT)
    assert (found.id, found.code, later.announced_records) == (import_id, "FILE_COUNT_MISMATCH", None)
    assert found.message == "7 records were announced, the file has 1." and found.notified_state is None
    assert not_done(context, NEXT)[-1] == "'x.csv': merged, but FILE_COUNT_MISMATCH"


def test_a_count_that_comes_before_the_merge_refuses_the_file(context, place):
    place.put("x.csv", ONE)
    import_id = take_in(context, RUN)
    place.put("x.csv.count", "7")
    something_to_do(context, NEXT)
    with pytest.raises(FileRefused, match="FILE_COUNT_MISMATCH"):
        merge(context, import_id)
    assert ledger.find(context.engine, import_id).state == State.REFUSED


def test_a_feed_may_wait_for_the_count(context, place):
    context = ImportContext.of(
        context.feed.model_copy(update={"require_count_file": True}), context.engine, context.storage
    )
    place.put("x.csv", ONE)
    assert not something_to_do(context, RUN)
    place.put("x.csv.count", "1")
    (entry,) = receive(context, RUN)
    assert entry.announced_records == 1 and place.names() == []


@pytest.mark.parametrize("place", ["sftp"], indirect=True)  # in a folder, no time of change can be set back
def test_a_count_left_from_long_ago_is_not_of_this_file(context, place):
    place.put("x.csv.count", "7")
    long_ago = time.time() - 7200
    os.utime(place.file("x.csv.count"), (long_ago, long_ago))
    place.put("x.csv", ONE)
    (entry,) = receive(context, RUN)
    assert entry.announced_records is None and place.names() == []


def test_the_command_line_reads_a_count_beside_the_file(bring, tmp_path):
    (tmp_path / "x.csv.count").write_text("2")
    assert bring(ONE, file_name="x.csv").code == "FILE_COUNT_MISMATCH"
