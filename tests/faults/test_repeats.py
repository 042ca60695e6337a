"""What the kills of `make faults` have found, each as the shortest case that shows it."""

from __future__ import annotations

import os
import traceback
from contextlib import suppress
from dataclasses import replace

import pytest

from include.adapters.database import ledger
from include.errors import FileRefused, StepFailed
from include.models import RunRequest
from include.steps import archive as archive_step
from include.steps import prepare as prepare_step
from include.steps import validate as validate_step
from include.steps.archive import archive
from include.steps.context import ImportContext
from include.steps.email_summary import email_summary
from include.steps.merge import merge, merge_all
from include.steps.prepare import prepare
from include.steps.receive import receive, something_to_do
from include.steps.validate import validate

RUN = RunRequest("test", dag_id="import_clients__default", run_id="run-1")
NEXT = RunRequest("test", dag_id="import_clients__default", run_id="run-2")
GOOD, HALF = "First Name,Email\nAnn,ann@example.com\n", "First Name,Email\nAnn,ann@example.com\n,x\n"


class Died(BaseException):
    """A worker is killed: no code of the project handles it."""


@pytest.fixture
def context(feed, engine, storage) -> ImportContext:
    storage.inbox("default").mkdir(parents=True)
    return ImportContext.of(feed, engine, storage)


@pytest.fixture
def received(context):
    def _received(text: str = GOOD, name: str = "x.csv"):
        (context.storage.inbox("default") / name).write_text(text)
        return receive(context, RUN)[-1]

    return _received


def walk(context: ImportContext, import_id: str) -> None:
    for step in (validate, prepare, merge, archive):
        step(context, import_id)


def test_a_receiver_of_an_older_run_claims_nothing_from_the_run_that_is_at_work(context, received):
    """Otherwise an older run that stood still leaves the newer run with no file, red, and with a wrong mail."""
    before = context.clock()
    entry = received()
    assert receive(context, replace(NEXT, started=before)) == []
    assert not something_to_do(context, replace(NEXT, started=before))
    assert [e.id for e in receive(context, replace(NEXT, started=context.clock()))] == [entry.id]


def left_in(context: ImportContext, place: str) -> list[str]:
    return [path.name for path in (context.storage.root / place).rglob("*")]


@pytest.mark.parametrize(
    ("step", "module", "where"),
    [
        (validate, validate_step, "judge_file"),
        (prepare, prepare_step, "decide"),
    ],
)
def test_a_process_that_counts_as_dead_changes_nothing_when_it_goes_on_after_the_merge(
    context, received, clients, monkeypatch, step, module, where
):
    entry, original, calls = received(), getattr(module, where), []
    if step is prepare:
        validate(context, entry.id)

    def go_on_after_the_merge(*args):
        calls.append(args)
        if len(calls) == 1:
            walk(context, entry.id)
        return original(*args)

    monkeypatch.setattr(module, where, go_on_after_the_merge)
    with suppress(StepFailed):
        step(context, entry.id)
    after = ledger.find(context.engine, entry.id)
    assert (after.state, after.counts.created, after.filed) == ("merged", 1, True)
    assert len(clients()) == 1 and left_in(context, "staging") == []


def test_a_file_refused_for_its_rows_is_archived_by_the_next_try_after_a_death(context, received, monkeypatch):
    whole = ImportContext.of(
        context.feed.model_copy(update={"on_failed_rows": "refuse_file"}), context.engine, context.storage
    )
    entry, change = received(HALF), ledger.change
    for step in (validate, prepare):
        step(whole, entry.id)
    with pytest.raises(FileRefused):
        merge(whole, entry.id)

    def die_at_the_end(*args, **values):
        if values.get("filed"):
            raise Died
        change(*args, **values)

    with monkeypatch.context() as patch:
        patch.setattr(archive_step.ledger, "change", die_at_the_end)
        with pytest.raises(Died):
            archive(whole, entry.id)
    archive(whole, entry.id)
    after = ledger.find(context.engine, entry.id)
    assert after.filed and (context.storage.root / after.report_path).is_file()
    assert left_in(context, "staging") == []


def test_a_death_while_writing_the_report_leaves_no_half_report_behind(context, received, monkeypatch):
    entry, rename = received(HALF), os.rename
    for step in (validate, prepare, merge):
        step(context, entry.id)

    def die(source, target):
        if "reports" in str(target):
            raise Died
        rename(source, target)

    with monkeypatch.context() as patch:
        patch.setattr(os, "rename", die)
        with pytest.raises(Died):
            archive(context, entry.id)
    assert not [path for path in (context.storage.root / "reports").rglob("*") if path.is_file()]
    archive(context, entry.id)
    assert sum(name.endswith(".failed.csv") for name in left_in(context, "reports")) == 1
    assert left_in(context, "staging") == []


def test_two_runs_that_finish_the_same_claim_do_not_lose_the_file(context, received, monkeypatch):
    rename = os.rename

    def rename_after_another_run(source, target):
        rename(source, target)
        raise FileNotFoundError

    with monkeypatch.context() as patch:
        patch.setattr(os, "rename", rename_after_another_run)
        entry = received()
    walk(context, entry.id)
    assert ledger.find(context.engine, entry.id).state == "merged"


def test_a_file_that_left_the_inbox_leaves_no_empty_folder_behind(context, received, monkeypatch):
    def gone(source, _target):
        os.unlink(source)
        raise FileNotFoundError

    with monkeypatch.context() as patch:
        patch.setattr(os, "rename", gone)
        assert received().state == "discarded"
    assert left_in(context, "staging") == []


def test_a_system_error_with_one_file_stops_the_later_ones_until_the_last_try(context, received):
    (first, second) = (
        received(f"First Name,Email\n{name},ann@example.com\n", f"{name}.csv") for name in ("Ann", "Bea")
    )
    for entry in (first, second):
        validate(context, entry.id)
        prepare(context, entry.id)
    prepared = context.storage.root / "staging" / first.id / "prepared.arrow"
    prepared.rename(prepared.with_suffix(".away"))
    with pytest.raises(ExceptionGroup, match="1 file"):
        merge_all(context, RUN, last_try=False)
    assert ledger.find(context.engine, second.id).state == "prepared"
    prepared.with_suffix(".away").rename(prepared)
    merge_all(context, RUN, last_try=False)
    merged = [ledger.find(context.engine, entry.id).state_times["merged"] for entry in (first, second)]
    assert merged == sorted(merged)


def test_a_run_that_died_before_its_mail_leaves_the_mail_to_the_next_run(context, received):
    entry, sent = received(), []
    walk(context, entry.id)
    assert something_to_do(context, NEXT)
    receive(context, NEXT)
    email_summary(context, NEXT, "http://link", lambda _, summary, __: sent.append(summary.subject))
    assert sent == ["default: 1 file, 1 created"] or context.feed.notify.to == []
    assert not something_to_do(context, RunRequest("test", dag_id=RUN.dag_id, run_id="run-3"))


def test_a_staged_file_that_is_gone_is_a_system_error_and_refuses_nothing(context, received):
    entry = received()
    source = context.storage.staged_source(entry.id)
    content = source.read_bytes()
    source.unlink()
    with pytest.raises(StepFailed, match="validate failed: No such file or directory"):
        validate(context, entry.id)
    assert ledger.find(context.engine, entry.id).state == "failed"
    source.write_bytes(content)
    walk(context, entry.id)
    assert ledger.find(context.engine, entry.id).state == "merged"


def test_a_system_error_shows_where_it_happened_and_no_cell(context, received, monkeypatch):
    entry, cell = received(), GOOD.splitlines()[1]

    def bug(*_):
        raise ValueError(f"cannot make sense of {cell}")

    monkeypatch.setattr(validate_step, "judge_file", bug)
    with pytest.raises(StepFailed) as caught:
        validate(context, entry.id)
    shown = "".join(traceback.format_exception(caught.value))
    assert "in bug" in shown and "validate failed: ValueError" in shown
    assert cell not in shown + str(ledger.find(context.engine, entry.id).message)
