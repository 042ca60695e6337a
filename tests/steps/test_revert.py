"""Undoing an import: everything it did, nothing else, once."""

from __future__ import annotations

import os

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from include.adapters.database import import_rows, ledger
from include.adapters.files.storage import Storage
from include.codes import Code
from include.emails.summary import FileSummary
from include.errors import ImportNotFound, NothingToRevert
from include.models import RunRequest
from include.schemas.feed import Feed
from include.steps.context import utc_now
from include.steps.erase import erase_person
from include.steps.import_file import import_file, result_of
from include.steps.revert import revert
from tests.conftest import LONDON, PARTNERS
from tests.steps.reference_model import COLUMNS, Row
from tests.steps.test_merge_rules import _fill, _write, cells, tables

REQUEST = RunRequest("olga", note="wrong file")
ALL_FIELDS = "ID,First Name,Middle Name,Last Name,Email,Username,Project,Desk,Active,Type\n"


@pytest.fixture
def shared_engine(engine_on_every_server):
    return engine_on_every_server


def whole(engine):
    """Every client, but for who wrote it last and when."""
    query = sa.text("SELECT to_jsonb(c) - 'updated_at' - 'last_import_id' FROM clients c ORDER BY id")
    with engine.connect() as connection:
        return list(connection.scalars(query))


def reasons(engine, revert_id):
    query = sa.text(
        "SELECT client_id, outcome, problems->0->>'code' FROM import_rows WHERE import_id = :id ORDER BY row"
    )
    with engine.connect() as connection:
        return [(row[1], row[2]) for row in connection.execute(query, {"id": revert_id})]


def test_created_clients_go_and_changed_ones_get_every_old_value_back(bring, engine):
    bring(f"{ALL_FIELDS},Ann,M,Lee,ann@example.com,annie,{PARTNERS},{LONDON},no,business\n")
    bring("First Name,Email\nZoe,zoe@example.com\n")
    before = whole(engine)
    ann = next(c["id"] for c in before if c["email"] == "ann@example.com")
    done = bring(f"{ALL_FIELDS}{ann},Anna,#CLEAR,Low,anna@example.com,anna,default,default,yes,personal\n"
                 ",Ben,,,ben@example.com,,,,,\n,Zoe,,,zoe@example.com,,,,,\n")  # fmt: skip
    assert (done.counts.created, done.counts.updated, done.counts.unchanged) == (1, 1, 1)
    assert whole(engine) != before
    result = revert(engine, done.import_id, REQUEST)
    assert (result.reverted, result.kept, result.failed) == (2, 0, 0)
    assert whole(engine) == before


def test_undoing_twice_does_nothing_and_the_undo_is_an_import_of_its_own(bring, engine):
    done = bring("First Name,Email\nAnn,ann@example.com\n")
    first = revert(engine, done.import_id, REQUEST)
    bring("First Name,Email\nAnn,ann@example.com\n", force=True)
    assert revert(engine, done.import_id, REQUEST) == first and len(whole(engine)) == 1
    with engine.connect() as connection:
        query = sa.text("SELECT state, reverted, kept, failed, read, requested_by, note FROM imports WHERE id = :id")
        assert connection.execute(query, {"id": first.revert_id}).one() == ("merged", 1, 0, 0, 1, "olga", "wrong file")
        query = sa.text("SELECT state, created FROM imports WHERE id = :id")
        assert connection.execute(query, {"id": done.import_id}).one() == ("reverted", 1)
        changes = sa.text("SELECT before->>'first_name', after FROM client_changes WHERE import_id = :id")
        assert connection.execute(changes, {"id": first.revert_id}).one() == ("Ann", None)


def test_a_reverted_file_can_be_imported_again(bring, engine):
    text = "First Name,Email\nAnn,ann@example.com\n"
    revert(engine, bring(text).import_id, REQUEST)
    assert bring(text).counts.created == 1


def test_a_client_changed_since_is_kept_and_reported(bring, engine):
    done = bring("First Name,Email\nAnn,ann@example.com\nBen,ben@example.com\n")
    bring("First Name,Email\nAnna,ann@example.com\nBen,ben@example.com\n")
    result = revert(engine, done.import_id, REQUEST)
    assert (result.reverted, result.kept, result.failed) == (1, 1, 0)
    assert [c["first_name"] for c in whole(engine)] == ["Anna"]
    assert reasons(engine, result.revert_id) == [("kept", "CLIENT_CHANGED_SINCE"), ("reverted", None)]
    (cause,) = import_rows.causes(engine, result.revert_id)
    assert (cause.code, cause.severity, cause.rows, cause.message) == (
        "CLIENT_CHANGED_SINCE", "warning", 1, Code.CLIENT_CHANGED_SINCE.template,
    )  # fmt: skip


def test_the_problems_of_an_undo_are_read_like_those_of_any_import(bring, engine):
    done = bring("First Name,Email\nAnn,ann@example.com\n")
    bring("First Name,Email\nAnna,ann@example.com\n")
    undone = result_of(engine, revert(engine, done.import_id, REQUEST).revert_id)
    assert [(p.code, p.severity, p.message) for p in undone.problems] == [
        ("CLIENT_CHANGED_SINCE", "warning", Code.CLIENT_CHANGED_SINCE.template)
    ]


def test_a_client_whose_old_address_is_in_use_is_kept_and_so_is_the_one_that_waits_for_it(bring, engine):
    bring("First Name,Email\nAnn,a@example.com\nBen,b@example.com\n")
    ids = {c["email"][0]: c["id"] for c in whole(engine)}
    moved = bring(f"ID,First Name,Email\n{ids['a']},Ann,c@example.com\n{ids['b']},Ben,a@example.com\n")
    bring("First Name,Email\nNew,b@example.com\n")
    result = revert(engine, moved.import_id, REQUEST)
    assert (result.reverted, result.kept, result.failed) == (0, 2, 0)
    assert reasons(engine, result.revert_id) == [("kept", "OLD_VALUES_TAKEN"), ("kept", "OLD_VALUES_TAKEN")]
    assert {c["email"] for c in whole(engine)} == {"a@example.com", "b@example.com", "c@example.com"}


def test_a_swap_of_addresses_is_swapped_back(bring, engine):
    bring("First Name,Email\nAnn,a@example.com\nBen,b@example.com\n")
    before, ids = whole(engine), {c["email"][0]: c["id"] for c in whole(engine)}
    swap = bring(f"ID,First Name,Email\n{ids['a']},Ann,b@example.com\n{ids['b']},Ben,a@example.com\n")
    assert revert(engine, swap.import_id, REQUEST).reverted == 2 and whole(engine) == before


def test_a_dry_run_of_an_undo_changes_no_client_and_counts_the_same(bring, engine):
    done = bring("First Name,Email\nAnn,ann@example.com\n")
    before = whole(engine)
    shown = revert(engine, done.import_id, RunRequest("olga", dry_run=True))
    assert (shown.reverted, whole(engine)) == (1, before) and "would be reverted" in str(shown)
    assert revert(engine, done.import_id, REQUEST).reverted == 1 and whole(engine) == []


def test_an_erased_person_is_not_undone_and_the_sentence_says_neither_more_nor_less(bring, engine, storage, feed):
    done = bring("First Name,Email\nAnn,ann@example.com\nZoe,zoe@example.com\n")
    erase_person(engine, storage, {"default": feed}, email="zoe@example.com")
    result = revert(engine, done.import_id, REQUEST)
    assert str(result) == f"Import {done.import_id}: 1 client reverted, 0 kept, 1 failed."
    assert [client["first_name"] for client in whole(engine)] == ["Zoe"]
    (problem,) = result_of(engine, result.revert_id).problems
    assert problem.message == (
        "The values before the import are deleted (its retention ended, or the person was erased), "
        "so they cannot be given back."
    )
    reverted = FileSummary(ledger.find(engine, done.import_id), ())
    assert reverted.headline == "Imported, and undone later."


@pytest.fixture
def orders(engine):
    """A table of the CRM that refers to clients."""
    with engine.begin() as connection:
        connection.execute(sa.text("CREATE TABLE orders (client text REFERENCES clients (id))"))
    yield
    with engine.begin() as connection:
        connection.execute(sa.text("DROP TABLE orders"))


@pytest.mark.usefixtures("orders")
def test_what_the_crm_refers_to_and_what_is_forgotten_fails_and_the_rest_is_reverted(bring, engine):
    bring("First Name,Email\nCat,cat@example.com\n")
    done = bring("First Name,Email\nAnn,ann@example.com\nBen,ben@example.com\nCatherine,cat@example.com\n")
    with engine.begin() as connection:
        connection.execute(sa.text("INSERT INTO orders SELECT id FROM clients WHERE email = 'ann@example.com'"))
        forget = "UPDATE import_rows SET before = NULL, after = NULL WHERE import_id = :id AND before IS NOT NULL"
        connection.execute(sa.text(forget), {"id": done.import_id})
    result = revert(engine, done.import_id, REQUEST)
    assert (result.reverted, result.kept, result.failed) == (1, 0, 2)
    assert reasons(engine, result.revert_id) == [
        ("failed", "REFERRED_TO"), ("reverted", None), ("failed", "OLD_VALUES_FORGOTTEN"),
    ]  # fmt: skip


@pytest.mark.usefixtures("orders")
def test_a_client_whose_old_address_an_undeletable_client_holds_is_kept(bring, engine):
    ann, eve = "a" * 24, "e" * 24
    bring(f"ID,First Name,Email\n{ann},Ann,ann@example.com\n")
    done = bring(f"ID,First Name,Email\n{eve},Eve,ann@example.com\n{ann},Ann,new@example.com\n")
    with engine.begin() as connection:
        connection.execute(sa.text("INSERT INTO orders VALUES (:eve)"), {"eve": eve})
    result = revert(engine, done.import_id, REQUEST)
    assert (result.reverted, result.kept, result.failed) == (0, 1, 1)
    assert reasons(engine, result.revert_id) == [("failed", "REFERRED_TO"), ("kept", "OLD_VALUES_TAKEN")]


def test_only_a_merged_import_can_be_reverted(bring, engine):
    refused = bring("First Name\nAnn\n")
    with pytest.raises(NothingToRevert, match="is refused; only a merged import"):
        revert(engine, refused.import_id, REQUEST)
    with pytest.raises(ImportNotFound):
        revert(engine, "00000000-0000-0000-0000-000000000000", REQUEST)
    forgotten = bring("First Name,Email\nBen,ben@example.com\n")
    ledger.change(engine, forgotten.import_id, forgotten_at=utc_now())
    with pytest.raises(NothingToRevert, match="is forgotten"):
        revert(engine, forgotten.import_id, REQUEST)
    done = revert(engine, bring("First Name,Email\nAnn,ann@example.com\n").import_id, REQUEST)
    with pytest.raises(NothingToRevert, match="is itself a revert"):
        revert(engine, done.revert_id, REQUEST)


@given(table=tables, file=st.lists(cells, max_size=8))
@settings(
    max_examples=int(os.environ.get("PROPERTY_EXAMPLES", "25")),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_whatever_a_file_did_an_undo_at_once_restores_every_client(shared_engine, tmp_path, table, file):
    clients, ids, emails, usernames = table
    _fill(shared_engine, {
        id: {
            "email": email, "username": username, "first_name": first, "last_name": last,
            "project": PARTNERS, "desk": LONDON,
        }
        for (first, last, _), id, email, username in zip(clients, ids, emails, usernames, strict=False)
    })  # fmt: skip
    before = whole(shared_engine)
    path = _write(tmp_path, list(COLUMNS), [Row(number, each) for number, each in enumerate(file, 1)])
    feed = Feed(name="rules", title="Rules")
    done = import_file(path, feed=feed, engine=shared_engine, storage=Storage(tmp_path / "s"))
    result = revert(shared_engine, done.import_id, REQUEST)
    assert (result.reverted, result.kept, result.failed) == (done.counts.created + done.counts.updated, 0, 0)
    assert whole(shared_engine) == before
