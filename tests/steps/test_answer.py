"""What the sender of a file is answered: a receipt and the failed rows beside the inbox, and a mail."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from include.adapters.database import ledger
from include.emails.receipt import receipt
from include.errors import FileRefused, StorageFailed, sentence_of
from include.models import RunRequest, State
from include.schemas.feed import Notify
from include.steps.answer import answer_decision, answer_run
from include.steps.archive import archive
from include.steps.context import ImportContext, utc_now
from include.steps.discard import discard
from include.steps.erase import erase_person
from include.steps.forget import forget
from include.steps.merge import merge
from include.steps.prepare import prepare
from include.steps.receive import receive, something_to_do
from include.steps.revert import revert
from include.steps.upload import UploadRequest, Writing
from include.steps.validate import validate
from tests.inboxes import in_a_folder

HALF = "First Name,Email\nAnn,ann@example.com\n,private@example.com\n"
GOOD = "First Name,Email\nAnn,ann@example.com\n"


def answers(place) -> dict[str, str]:
    """Read what lies in `answers/` of the inbox."""
    folder = place.folder / "answers" if place.folder else place.storage.inbox(place.inbox) / "answers"
    paths = folder.iterdir() if not place.folder or folder.is_dir() else ()
    return {path.name: path.read_bytes().decode() for path in sorted(paths, key=str)}


def answering(context, **keys) -> ImportContext:
    return replace(context, feed=context.feed.model_copy(update={"answer": True, **keys}))


def run(context, number: int = 1, **request) -> RunRequest:
    """Import what is in the inbox, up to the answer."""
    made = RunRequest("test", dag_id="import_clients__x", run_id=f"run-{number}", **request)
    for entry in receive(context, made):
        for step in (validate, prepare, merge):
            try:
                step(context, entry.id)
            except FileRefused:
                break
        archive(context, entry.id)
        ledger.change(context.engine, entry.id, notified_state=ledger.find(context.engine, entry.id).state)
    return made


def answer(context, request: RunRequest) -> list:
    mails = []
    answer_run(context, request, lambda to, letter: mails.append((to, letter)))
    return mails


def test_a_file_is_answered_beside_its_inbox_and_no_answer_is_taken_for_a_file(context, place):
    context = answering(context)
    place.put("acme.csv", HALF)
    answer(context, run(context))
    told = answers(place)
    assert list(told) == ["acme.csv.failed.csv", "acme.csv.receipt.json"]
    assert "private@example.com" in told["acme.csv.failed.csv"]
    content = json.loads(told["acme.csv.receipt.json"])
    assert (content["state"], content["counts"]["created"], content["counts"]["failed"]) == ("merged", 1, 1)
    failure = {"code": "CELL_REQUIRED", "field": "first_name", "rows": 1, "title": "Required cell is blank"}
    assert {**content["failures"][0], "title": ""} == {**failure, "title": ""}
    assert content["failed_rows_file"] == "acme.csv.failed.csv"
    assert "private" not in told["acme.csv.receipt.json"]
    assert not something_to_do(context, RunRequest())

    place.put("acme.csv", GOOD.replace("Ann", "Anna"))
    answer(context, run(context, 2))
    told = answers(place)
    assert list(told) == ["acme.csv.receipt.json"]  # the failed rows were those of the file before
    assert json.loads(told["acme.csv.receipt.json"])["counts"]["updated"] == 1


@pytest.fixture
def here(tmp_path):
    return in_a_folder(tmp_path)


@pytest.fixture
def local(feed, engine, here) -> ImportContext:
    return answering(ImportContext.of(feed, engine, here.storage))


def test_a_refused_file_has_a_receipt_and_a_dry_run_or_an_upload_has_none(local, here, engine, tmp_path):
    here.put("empty.csv", "")
    answer(local, run(local))
    content = json.loads(answers(here)["empty.csv.receipt.json"])
    assert (content["state"], content["code"], content["failed_rows_file"]) == ("refused", "FILE_EMPTY", None)

    here.put("dry.csv", HALF)
    answer(local, run(local, 2, dry_run=True))
    with Writing(local, UploadRequest("olga", "up.csv")) as writing:
        writing.write(HALF.encode())
        writing.finish()
    answer(local, run(local, 3))
    assert ledger.newest_of_name(engine, "default", "up.csv").failed == 1
    assert list(answers(here)) == ["empty.csv.receipt.json"]


def test_repeating_the_task_writes_the_same_and_mails_once(local, here, engine):
    local = answering(local, notify=Notify(sender=["partner@example.com"]))
    here.put("acme.csv", HALF)
    request = run(local)
    ((to, letter),) = answer(local, request)
    before = answers(here)
    assert answer(local, request) == []
    ledger.change(engine, ledger.newest_of_name(engine, "default", "acme.csv").id, answered_state=None)
    assert len(answer(local, request)) == 1
    assert answers(here) == before
    assert (to, letter.subject) == (["partner@example.com"], "“acme.csv”: Imported with failed rows")
    assert "answers/acme.csv.failed.csv" in letter.text() and "private" not in letter.text()


def test_an_earlier_file_that_is_answered_late_does_not_stand_in_the_place_of_a_newer_one(local, here, engine):
    here.put("acme.csv", HALF)
    first = run(local)
    here.put("acme.csv", GOOD)
    answer(local, run(local, 2))
    newest = answers(here)["acme.csv.receipt.json"]
    answer(local, first)
    (earlier,) = ledger.of_run(engine, "import_clients__x", "run-1")
    told = answers(here)
    assert set(told) == {"acme.csv.receipt.json"} | {
        f"acme.csv.{earlier.id}.{kind}" for kind in ("receipt.json", "failed.csv")
    }
    assert told["acme.csv.receipt.json"] == newest


def test_a_name_that_could_be_more_than_a_name_is_not_used(local, here, engine):
    for name in ("a\u202eb.csv", "a\nb.csv", "<b>.csv", "x" * 200 + ".csv"):
        here.put(name, GOOD)
    request = run(local)
    answer(local, request)
    entries = ledger.of_run(engine, "import_clients__x", "run-1")
    assert set(answers(here)) == {f"{entry.id}.receipt.json" for entry in entries} and len(entries) == 4


def test_a_link_in_place_of_the_folder_is_not_followed(local, here, tmp_path):
    local = answering(local, file_pattern="*.csv")
    (here.folder / "answers").symlink_to(tmp_path)
    here.put("acme.csv", HALF)
    with pytest.raises(ExceptionGroup) as raised:
        answer(local, run(local))
    assert isinstance(raised.value.exceptions[0], StorageFailed)
    assert not (tmp_path / "acme.csv.failed.csv").exists()


@pytest.mark.parametrize("forgets", ["retention", "erasure"])
def test_failed_rows_in_answers_go_with_what_else_is_kept_of_them(local, here, engine, forgets):
    here.put("acme.csv", HALF)
    answer(local, run(local))
    feeds = {"default": local.feed}
    if forgets == "retention":
        forget(engine, here.storage, feeds, utc_now() + timedelta(days=400))
    else:
        erase_person(engine, here.storage, feeds, email="private@example.com")
    assert list(answers(here)) == ["acme.csv.receipt.json"]


@pytest.mark.parametrize("deed", ["undone", "discarded"])
def test_what_a_person_does_later_writes_the_receipt_anew(local, here, engine, deed):
    here.put("acme.csv", HALF)
    if deed == "undone":
        answer(local, run(local))
    else:
        receive(local, RunRequest("test", dag_id="import_clients__x", run_id="run-1"))
    (entry,) = ledger.of_run(engine, "import_clients__x", "run-1")
    if deed == "undone":
        revert(engine, entry.id, RunRequest("olga"))
    else:
        discard(local, entry.id, "olga")
    answer_decision(local, entry.id, lambda to, letter: None)
    content = json.loads(answers(here)["acme.csv.receipt.json"])
    assert content["state"] == {"undone": "reverted"}.get(deed, deed)


def test_a_file_of_the_command_line_is_not_answered_in_the_inbox(local, here, bring):
    result = bring(HALF)
    answer_decision(local, result.import_id, lambda to, letter: None)
    assert answers(here) == {}


@pytest.mark.parametrize("what", ["a file", "a folder in place of the receipt"])
def test_what_stands_in_the_way_of_an_answer_is_told_and_changes_no_import(local, here, engine, what):
    way = here.folder / "answers" if here.folder else here.storage.inbox(here.inbox) / "answers"
    local = answering(local, file_pattern="*.csv")
    here.put("acme.csv", GOOD)
    if what == "a file":
        way.write_text("no folder")
    else:
        (way / "acme.csv.receipt.json").mkdir(parents=True)
    with pytest.raises(ExceptionGroup) as raised:
        answer(local, run(local))
    assert "answers" in sentence_of(raised.value)
    (entry,) = ledger.of_run(engine, "import_clients__x", "run-1")
    assert (entry.state, entry.answered_state) == ("merged", None)


def test_a_held_file_is_answered_now_and_again_when_it_is_decided(local, here, engine):
    here.put("acme.csv", HALF)
    request = run(local)
    (entry,) = ledger.of_run(engine, "import_clients__x", "run-1")
    held = receipt(entry)
    assert set(held) == set(json.loads(json.dumps(held)))
    ledger.change(engine, entry.id, answered_state=State.HELD)
    answer(local, request)
    assert json.loads(answers(here)["acme.csv.receipt.json"])["state"] == "merged"
