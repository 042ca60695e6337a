"""Look first, hold, approve, discard: what is approved is exactly what was shown."""

from __future__ import annotations

import csv
import io

import pytest
import sqlalchemy as sa

from include.adapters.database import ledger
from include.schemas.feed import Hold
from include.steps.context import ImportContext
from include.steps.review import approve, carry_out, discard, question, questions_to_ask, review_run_id

HOLD = Hold(failed_over=0.4, updated_over=0.6, deactivated_over=0.3)
OLD = "First Name,Email,Active\n" + "".join(f"Ann,c{n}@example.com,yes\n" for n in range(4))


@pytest.fixture
def context(feed, engine, storage) -> ImportContext:
    return ImportContext.of(feed.model_copy(update={"hold": HOLD}), engine, storage)


@pytest.fixture
def hold(bring):
    return lambda text, **keys: bring(text, hold=HOLD, **keys)


@pytest.mark.parametrize(
    ("text", "state", "reason"),
    [
        (
            "First Name,Email\nAnn,a@example.com\n,b\n,c\n",
            "held",
            "2 of 3 rows failed (67%; the feed holds above 40%).",
        ),
        (
            "First Name,Email\nBen,c0@example.com\nBen,c1@example.com\nNew,n@example.com\n",
            "held",
            "2 of 3 rows would update",
        ),
        (
            "First Name,Email,Active\nAnn,c0@example.com,no\nX,x@example.com,no\n",
            "held",
            "1 of 2 rows would deactivate",
        ),
        ("First Name,Email\nAnn,c0@example.com\nAnn,c1@example.com\n", "merged", None),
        ("First Name,Email\n", "merged", None),
    ],
)
def test_above_a_limit_the_import_waits_and_says_why(bring, hold, clients, text, state, reason):
    bring(OLD)
    before = clients()
    result = hold(text)
    assert result.state == state and (reason or "") in (result.message or "")
    assert (clients() == before) == (state == "held" or "c0" in text or result.counts.read == 0)


def test_what_was_approved_is_merged_once_and_the_ledger_says_by_whom(bring, hold, context, clients, storage, engine):
    bring(OLD)
    held = hold("First Name,Email\nBen,c0@example.com\nBen,c1@example.com\n")
    entry = ledger.find(engine, held.import_id)
    assert entry.plan_hash and storage.staged_source(held.import_id).exists()
    for _ in range(2):
        done = approve(context, held.import_id, entry.plan_hash, "olga")
        assert (done.state, done.message, done.counts.updated, done.filed) == ("merged", "Approved by olga.", 2, True)
    assert [clients()[f"c{n}@example.com"]["first_name"] for n in range(3)] == ["Ben", "Ben", "Ann"]
    assert not storage.staged_source(held.import_id).exists()
    assert discard(context, held.import_id, "olga", "too late").state == "merged"


def test_clients_that_changed_meanwhile_make_it_a_new_question(bring, hold, context, clients, engine):
    bring(OLD)
    held = hold("First Name,Email\nBen,c0@example.com\nBen,c1@example.com\nBen,c2@example.com\n")
    shown = ledger.find(engine, held.import_id)
    told = dict.fromkeys(("notified_state", "answered_state", "posted_state"), "held")
    ledger.change(engine, held.import_id, **told)
    bring("First Name,Email\nBen,c1@example.com\nZoe,c3@example.com\n")
    again = approve(context, held.import_id, shown.plan_hash, "olga")
    assert again.state == "held" and again.plan_hash != shown.plan_hash
    assert {getattr(again, name) for name in told} == {None}, "the new plan is told anew"
    assert "row 2 would now do something else" in again.message
    assert (again.counts.updated, again.counts.unchanged) == (2, 1)
    assert review_run_id(again) != review_run_id(shown)
    assert clients()["c0@example.com"]["first_name"] == "Ann"
    assert approve(context, held.import_id, again.plan_hash, "olga").state == "merged"
    assert clients()["c2@example.com"]["first_name"] == "Ben"


def test_changes_to_other_clients_do_not_ask_again(bring, hold, context, engine):
    bring(OLD)
    held = hold("First Name,Email\nBen,c0@example.com\nNew,new@example.com\n,x\n")
    assert held.state == "merged"
    held = hold("First Name,Email\nCat,c0@example.com\nCat,c1@example.com\n")
    shown = ledger.find(engine, held.import_id)
    bring("First Name,Email\nZoe,c3@example.com\n")
    assert approve(context, held.import_id, shown.plan_hash, "olga").state == "merged"


def test_a_discarded_file_lies_in_refused_and_the_ledger_keeps_the_reason(bring, hold, context, clients, storage):
    bring(OLD)
    before = clients()
    held = hold("First Name,Email\nBen,c0@example.com\nBen,c1@example.com\n")
    for _ in range(2):
        done = discard(context, held.import_id, "olga", "wrong month")
    assert (done.state, done.message, done.filed) == ("discarded", "Discarded by olga: wrong month", True)
    assert clients() == before and "refused" in done.file_path and (storage.root / done.file_path).exists()
    assert approve(context, held.import_id, done.plan_hash, "olga").state == "discarded"


def test_the_question_names_counts_causes_and_newer_files_and_no_cell(bring, hold, context, feed):
    held = hold("First Name,Email\nSecretname,secret@example.com\n,hidden@example.com\nx,wrongmail\n")
    assert [q["conf"]["import_id"] for q in questions_to_ask(context)] == [held.import_id]
    assert "merged already" not in question(context, held.import_id).body
    bring("First Name,Email\nNew,new@example.com\n")
    body = question(context, held.import_id).body
    assert "2 of 3 rows failed" in body and "1 × Required cell is blank (First name)" in body
    assert "1 newer file of this feed is merged already" in body
    assert not any(cell in body for cell in ("Secretname", "secret@", "hidden@", "wrongmail"))


def test_a_dry_run_shows_old_and_new_values_and_leaves_nothing_behind(bring, storage, clients, engine):
    bring("First Name,Email,Last Name\nAnn,ann@example.com,Lee\n")
    before = clients()
    text = "First Name,Email,Last Name\nAnna,ann@example.com,=x\nAnna,ann@example.com,\nBen,ben@example.com,Low\n"
    shown = [bring(text, dry_run=True, force=True) for _ in range(2)]
    assert {(r.state, r.counts.created, r.counts.updated, r.counts.failed) for r in shown} == {("previewed", 1, 1, 1)}
    planned = list(csv.DictReader(io.StringIO((storage.root / shown[0].planned).read_bytes().decode("utf-8-sig"))))
    assert {(p["outcome"], p["field"], p["old"], p["new"]) for p in planned} >= {
        ("updated", "first_name", "Ann", "Anna"), ("created", "email", "", "ben@example.com"),
    }  # fmt: skip
    assert clients() == before
    with engine.connect() as connection:
        assert connection.scalar(sa.text("SELECT count(*) FROM pg_locks WHERE relation = 'clients'::regclass")) <= 1


def test_a_watched_feed_has_limits_of_its_own_and_says_so_only_from_20_records_on():
    from include.schemas.feed import Feed

    assert Feed(name="x", title="X", schedule="watch").hold == Hold(
        failed_over=0.5, deactivated_over=0.2, fewer_than=0.5, missing_columns=True, from_records=20
    )
    assert Feed(name="x", title="X").hold == Hold()
    assert Feed(name="x", title="X", schedule="watch", hold={}).hold == Hold()


def test_a_file_that_is_not_as_the_last_ones_were_is_held_and_a_new_column_is_a_note(bring, clients):
    hold = Hold(fewer_than=0.5, missing_columns=True)
    people = [f"Ann,Lee,{n}@example.com\n" for n in range(6)]
    for n in range(3):
        assert (
            bring(f"First Name,Last Name,Email\n{''.join(people)}Bo,{n},bo@example.com\n", hold=hold).state == "merged"
        )
    held = bring("First Name,Email,Shoe size\nAnn,0@example.com,40\n", hold=hold)
    assert held.state == "held" and held.message == (
        "1 records, where the last 3 files had 7 as a rule (the feed holds below 50%). "
        "The last 3 files had the column “Last Name”; this one does not."
    )
    assert [problem.message for problem in held.problems if problem.code == "COLUMN_NEW"] == [
        "The column “Shoe size” is new: the feed's last files had none of this name."
    ]


def test_an_answer_is_carried_out_and_another_plan_is_the_next_question(bring, hold, context, engine):
    bring(OLD)
    held = hold("First Name,Email\nBen,c0@example.com\nBen,c1@example.com\n")
    shown = ledger.find(engine, held.import_id)
    ledger.change(engine, held.import_id, notified_state="held")
    bring("First Name,Email\nZoe,c1@example.com\n")
    yes = {
        "chosen_options": ["Approve"],
        "params_input": {"reason": None},
        "responded_by_user": {"id": "1", "name": "olga"},
    }
    (again,) = carry_out(context, held.import_id, shown.plan_hash, yes)
    entry = ledger.find(engine, held.import_id)
    assert again["trigger_run_id"] == review_run_id(entry) and entry.notified_state is None
    with_reason = {**yes, "params_input": {"reason": "as agreed"}}
    assert carry_out(context, held.import_id, entry.plan_hash, with_reason) == []
    assert ledger.find(engine, held.import_id).message == "Approved by olga: as agreed"


def test_no_answer_in_time_discards(hold, context, engine):
    held = hold("First Name,Email\n,a@example.com\n")
    shown = ledger.find(engine, held.import_id)
    silence = {"chosen_options": ["Discard"], "params_input": {}, "responded_by_user": None}
    assert carry_out(context, held.import_id, shown.plan_hash, silence) == []
    assert ledger.find(engine, held.import_id).message == "Discarded by nobody (no answer in time)."
