"""Files that are the whole list of a feed's clients: who is missing becomes inactive, and nobody else."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from include.adapters.database import import_rows, ledger
from include.adapters.files.storage import Storage
from include.models import RunRequest
from include.schemas.feed import Feed, Hold
from include.steps.context import ImportContext, utc_now
from include.steps.import_file import import_file
from include.steps.preview import preview
from include.steps.result_file import result_file
from include.steps.revert import revert
from include.steps.review import approve
from tests.steps.reference_model import COLUMNS, Row
from tests.steps.test_merge_rules import EXAMPLES, _fill, _write, cells, tables

LIST = {"snapshot": "deactivate_missing", "hold": Hold(deactivated_over=1)}
ABC = "First Name,Email\nAnn,ann@example.com\nBen,ben@example.com\nCat,cat@example.com\n"


@pytest.fixture
def active(clients):
    """Give the first names of the clients that are active."""
    return lambda: sorted(c["first_name"] for c in clients().values() if c["active"])


def notes(engine, result):
    return [p["message"] for p in ledger.find(engine, result.import_id).file_problems if p["code"] == "MISSING_KEPT"]


def test_who_is_missing_becomes_inactive_as_a_row_of_its_own_that_an_undo_takes_back(
    bring, engine, storage, feed, clients, active
):
    bring(ABC)
    ben = clients()["ben@example.com"]["id"]
    done = bring("First Name,Email\nAnn,ann@example.com\nCatherine,cat@example.com\nDan,dan@example.com\n", **LIST)
    counts = done.counts
    assert (counts.read, counts.created, counts.updated, counts.unchanged, counts.deactivated) == (3, 1, 1, 1, 1)
    assert active() == ["Ann", "Catherine", "Dan"]
    rows = list(import_rows.every_row(engine, done.import_id))
    assert rows[-1] == (4, 0, "deactivated", ben, None, [])
    (change,) = (c for c in import_rows.planned_changes(engine, done.import_id) if c["outcome"] == "deactivated")
    assert (change["before"]["active"], change["after"]["active"]) == (True, False)
    context = ImportContext.of(feed, engine, storage)
    lines = b"".join(result_file(context, ledger.find(engine, done.import_id))).decode().splitlines()
    assert lines[-1] == f",,4,,deactivated,{ben},,,{done.import_id},"

    undone = revert(engine, done.import_id, RunRequest("olga"))
    assert (undone.reverted, undone.kept) == (3, 0)
    assert active() == ["Ann", "Ben", "Cat"]


def test_an_undo_leaves_a_client_inactive_that_somebody_has_changed_since(bring, engine, active):
    bring(ABC)
    done = bring("First Name,Email\nAnn,ann@example.com\nCat,cat@example.com\n", **LIST)
    with engine.begin() as connection:
        connection.execute(sa.text("UPDATE clients SET last_name = 'Lee' WHERE first_name = 'Ben'"))
    undone = revert(engine, done.import_id, RunRequest("olga"))
    assert (undone.reverted, undone.kept, active()) == (0, 1, ["Ann", "Cat"])


def test_only_clients_that_the_feed_has_created_are_missing(bring, feed, engine, storage, tmp_path, active):
    bring(ABC)
    other = tmp_path / "other.csv"
    other.write_text("First Name,Email\nZoe,zoe@example.com\n")
    import_file(other, feed=Feed(name="other", title="Other"), engine=engine, storage=storage)
    assert bring("First Name,Email\nAnn,ann@example.com\n", **LIST).counts.deactivated == 2
    assert active() == ["Ann", "Zoe"]
    # Who is inactive already is not written again.
    assert bring("First Name,Email\nAnna,ann@example.com\n", **LIST).counts.deactivated == 0


@pytest.mark.parametrize(
    "row", [",ann@example.com,", "Ann,ann@example.com,Madrid", "Ann,ann@example.com,\nAnna,ann@example.com,"]
)
def test_a_failed_or_repeated_row_is_no_missing_one(bring, active, row):
    bring(ABC)
    done = bring(f"First Name,Email,Desk\nBen,BEN@example.com,\nCat,cat@example.com,\n{row}\n", **LIST)
    assert (done.counts.deactivated, active()[-2:]) == (0, ["Ben", "Cat"])
    assert len(active()) == 3


def test_a_wrong_id_beside_a_known_address_is_no_missing_client(bring, engine, active):
    bring(ABC)
    done = bring("ID,First Name,Email\n17,Ann,ann@example.com\n,Ben,ben@example.com\n", **LIST)
    assert (done.counts.failed, done.counts.deactivated, active()) == (1, 1, ["Ann", "Ben"])
    assert notes(engine, done) == []


@pytest.mark.parametrize(
    "file, hold, why",
    [
        ("First Name,Email\n", {}, "the file has no records."),
        ("First Name,Email\nAnn,ann@example.com\nBen,ben-example.com\n", {},
         "1 failed row does not say which client is meant."),
        ("ID,First Name,Email\n,Ann,ann@example.com\n0123456789abcdef01234567,Ben,ben-example.com\n", {},
         "1 failed row does not say which client is meant."),
        ("First Name,Email\nAnn,ann@example.com\nBen\n", {}, "1 failed row does not say which client is meant."),
        ("First Name,Email\n,ann@example.com\nBen,ben@example.com\n", {"failed_over": 0.4}, "1 of 2 rows failed."),
    ],
)  # fmt: skip
def test_a_file_that_may_not_be_whole_makes_no_client_inactive_and_says_so(bring, engine, active, file, hold, why):
    bring(ABC)
    hold = Hold(deactivated_over=1, from_records=50, **hold)
    done = bring(file, snapshot="deactivate_missing", hold=hold)
    assert (done.state, done.counts.deactivated, active()) == ("merged", 0, ["Ann", "Ben", "Cat"])
    (note,) = notes(engine, done)
    assert note.endswith(f"of this feed. They stay as they are: {why}")


def test_a_file_that_is_cut_is_held_and_makes_no_client_inactive_once_it_is_approved(
    bring, engine, storage, feed, active
):
    for name in ("Ann", "Anna", "Anne"):
        bring(ABC.replace("Ann", name))
    cut = {**LIST, "hold": Hold(deactivated_over=1, fewer_than=0.5)}
    held = bring("First Name,Email\nAnn,ann@example.com\n", **cut)
    assert held.state == "held"
    approve(_context(feed, engine, storage, cut), held.import_id, _hash(engine, held), "olga")
    assert (active(), len(notes(engine, held))) == (["Ann", "Ben", "Cat"], 1)


def test_corrected_rows_are_no_list(bring, engine, storage, active):
    bring(ABC)
    failed = bring("First Name,Email\n,ann@example.com\nBen,ben@example.com\nCat,cat@example.com\n", **LIST)
    report = storage.read(failed.report).decode("utf-8-sig").replace(",ann@", "Anna,ann@")
    assert bring(report, **LIST).counts.updated == 1
    assert active() == ["Anna", "Ben", "Cat"]


def test_few_records_left_are_held_by_the_clients_that_would_go_and_the_plan_that_was_shown_is_approved(
    bring, engine, storage, feed, active
):
    bring(ABC)
    keys = {"snapshot": "deactivate_missing", "hold": Hold(deactivated_over=0.5, from_records=3)}
    file = "First Name,Email\nAnn,ann@example.com\n"
    checked = bring(file, dry_run=True, **keys)
    assert (checked.state, checked.counts.deactivated, active()) == ("previewed", 2, ["Ann", "Ben", "Cat"])
    held = bring(file, **keys)
    sentence = "2 of 3 rows and missing clients would deactivate a client (67%; the feed holds above 50%)."
    assert (held.state, held.message, active()) == ("held", sentence, ["Ann", "Ben", "Cat"])
    planned = storage.read(held.planned).decode()
    assert planned.count("deactivated") == 2

    shown = _hash(engine, held)
    with engine.begin() as connection:
        connection.execute(sa.text("UPDATE clients SET active = false WHERE first_name = 'Ben'"))
    context = _context(feed, engine, storage, keys)
    again = approve(context, held.import_id, shown, "olga")
    assert (again.state, again.deactivated) == ("held", 1)
    assert "other clients are missing in the file now" in again.message
    assert approve(context, held.import_id, again.plan_hash, "olga").state == "merged"
    assert active() == ["Ann"]


def test_the_check_before_a_file_is_sent_counts_the_missing_or_says_why_they_stay(
    bring, engine, tmp_path, feed, active
):
    bring(ABC)
    path = tmp_path / "list.csv"
    path.write_text("First Name,Email\nAnn,ann@example.com\n")
    listed = feed.model_copy(update=LIST)
    plan = preview("list.csv", path, listed, engine, utc_now()).plan
    assert (plan.counts.deactivated, plan.counts.read, plan.notes) == (2, 1, [])
    path.write_text("First Name,Email\n,ann@example.com\nBen,nobody\n")
    plan = preview("list.csv", path, listed, engine, utc_now()).plan
    assert (plan.counts.deactivated, len(plan.notes), active()) == (0, 1, ["Ann", "Ben", "Cat"])


@given(table=tables, file=st.lists(cells, max_size=8), flags=st.lists(st.booleans(), min_size=10, max_size=10))
@settings(
    max_examples=EXAMPLES, deadline=None, print_blob=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)  # fmt: skip
def test_missing_is_whom_no_row_names_by_id_or_address(shared_engine, tmp_path, table, file, flags):
    people, ids, emails, usernames = table
    before = {
        id: {"email": email, "username": username, "first_name": first, "last_name": last, "desk": desk,
             "project": _project_of(shared_engine, desk)}
        for (first, last, desk), id, email, username in zip(people, ids, emails, usernames, strict=False)
        if _project_of(shared_engine, desk)
    }  # fmt: skip
    _fill(shared_engine, before)
    own = {id for id, is_own in zip(before, flags, strict=False) if is_own}
    inactive = {id for id, is_off in zip(before, reversed(flags), strict=False) if is_off}
    with shared_engine.begin() as connection:
        query = "UPDATE clients SET created_by_feed = 'list', active = id <> ALL(:inactive) WHERE id = ANY(:own)"
        connection.execute(sa.text(query), {"own": list(own), "inactive": list(inactive)})

    rows = [Row(number, row) for number, row in enumerate((r for r in file if any(r.values())), 1)]
    path = _write(tmp_path, list(COLUMNS), rows)
    feed = Feed(name="list", title="List", **LIST)
    done = import_file(path, feed=feed, engine=shared_engine, storage=Storage(tmp_path / "storage"))

    named = {row.cells["id"] for row in rows} | {row.cells["email"] for row in rows}
    nameless = any(row.cells["id"] not in before and row.cells["email"] not in emails for row in rows)
    is_list = done.counts.read > 0 and not nameless
    missing = {id for id in own - inactive if id not in named and before[id]["email"] not in named}
    with shared_engine.connect() as connection:
        gone = connection.scalars(
            sa.text("SELECT client_id FROM import_rows WHERE import_id = :id AND outcome = 'deactivated'"),
            {"id": done.import_id},
        )
        assert set(gone) == (missing if is_list else set())
        still = sa.text("SELECT count(*) FROM clients WHERE id = ANY(:ids) AND active")
        assert connection.scalar(still, {"ids": list(missing)}) == (0 if is_list else len(missing))


def _project_of(engine, desk):
    with engine.connect() as connection:
        return connection.scalar(sa.text("SELECT project_id FROM desks WHERE id = :id"), {"id": desk})


def _context(feed, engine, storage, keys):
    return ImportContext.of(feed.model_copy(update=keys), engine, storage)


def _hash(engine, result):
    return ledger.find(engine, result.import_id).plan_hash
