"""A transaction of the CRM that stays open beside a merge (SPEC.md section 7)."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from include.adapters.database import transactions
from include.errors import ClientImportError
from tests.steps.locks.conftest import (
    ANN,
    BEA,
    CAT,
    DAN,
    EVE,
    add_client,
    change,
    change_at_once,
    first_names,
    result_of,
    rows_of,
    select_for_update,
    wait_for_blocked,
)

pytestmark = pytest.mark.usefixtures("four_clients")
IN_THE_WAY = "another transaction holds clients that this file changes"


@pytest.mark.usefixtures("small_budget")
def test_a_transaction_that_is_idle_on_another_client_delays_nothing(prepared, crm, clients):
    change(crm, BEA, "first_name", "Beate")
    file = prepared(*rows_of(ANN, CAT), ",Eve,eve@example.com")
    file.merge()
    assert file.outcomes == [("updated", None), ("updated", None), ("created", None)]
    crm.commit()
    assert set(first_names(clients).values()) == {"New", "Beate", "Dan", "Eve"}


def test_a_transaction_that_is_idle_on_a_client_of_the_file_delays_the_import_only(
    prepared, crm, engine, clients, pool
):
    change(crm, ANN, "middle_name", "Maria")
    file = prepared(*rows_of(ANN, BEA))
    merging = pool.submit(file.merge)
    wait_for_blocked(engine, crm)
    change_at_once(engine, CAT, "first_name", "Catherine")
    with engine.begin() as another_user:
        add_client(another_user, EVE)
    assert not merging.done()
    crm.commit()
    result_of(merging)
    assert first_names(clients) == {ANN: "New", BEA: "New", CAT: "Catherine", DAN: "Dan", EVE: "Eve"}
    assert clients()["ann@example.com"]["middle_name"] == "Maria"
    with engine.connect() as connection:
        query = sa.text("SELECT before->>'middle_name' FROM client_changes WHERE import_id = :id AND client_id = :ann")
        assert connection.scalar(query, {"id": file.id, "ann": ANN}) == "Maria"


@pytest.mark.usefixtures("small_budget")
def test_past_the_budget_the_import_ends_as_a_system_error_in_plain_words_and_a_repetition_merges(
    prepared, crm, clients
):
    change(crm, ANN, "middle_name", "Maria")
    file = prepared(*rows_of(ANN, BEA))
    with pytest.raises(ClientImportError, match=IN_THE_WAY):
        file.merge()
    assert (file.entry.state, file.entry.code) == ("failed", None)
    assert IN_THE_WAY in file.entry.message
    crm.commit()
    file.merge()
    assert file.entry.state == "merged"
    assert first_names(clients) == {ANN: "New", BEA: "New", CAT: "Cat", DAN: "Dan"}


def test_a_user_who_selects_for_update_and_then_updates_never_fails(prepared, crm, engine, clients, pool):
    select_for_update(crm, ANN)
    file = prepared(*rows_of(ANN, BEA))
    merging = pool.submit(file.merge)
    wait_for_blocked(engine, crm)
    change(crm, ANN, "middle_name", "Maria")
    crm.commit()
    result_of(merging)
    ann = clients()["ann@example.com"]
    assert (file.entry.state, ann["first_name"], ann["middle_name"]) == ("merged", "New", "Maria")


def test_where_a_user_and_the_import_wait_for_each_other_the_import_gives_way(prepared, crm, engine, clients, pool):
    """The import has locked Ann and waits for Bea; the user has locked Bea and updates Ann."""
    select_for_update(crm, BEA)
    file = prepared(*rows_of(ANN, BEA))
    merging = pool.submit(file.merge)
    wait_for_blocked(engine, crm)
    change(crm, ANN, "middle_name", "Maria")
    change(crm, BEA, "middle_name", "Berta")
    crm.commit()
    result_of(merging)
    assert file.entry.state == "merged"
    assert [clients()[f"{name}@example.com"]["middle_name"] for name in ("ann", "bea")] == ["Maria", "Berta"]


def test_the_import_gives_way_before_the_server_looks_for_a_deadlock(engine):
    """The server fails the transaction that finds a deadlock, which is the user's if the import waits longer."""
    with engine.connect() as connection:
        query = "SELECT setting::int / 1000.0 FROM pg_settings WHERE name = 'deadlock_timeout'"
        deadlock_timeout = float(connection.scalar(sa.text(query)))
    assert deadlock_timeout > transactions.CLIENT_LOCK_TIMEOUT_SECONDS


def test_a_client_that_is_deleted_while_the_import_waits_is_created_again(prepared, crm, engine, pool):
    crm.execute(sa.text("DELETE FROM clients WHERE id = :id"), {"id": ANN})
    file = prepared(*rows_of(ANN, BEA))
    merging = pool.submit(file.merge)
    wait_for_blocked(engine, crm)
    crm.commit()
    result_of(merging)
    assert file.outcomes == [("created", None), ("updated", None)]


def test_an_email_that_is_changed_while_the_import_waits_means_another_client(prepared, crm, engine, pool):
    """The row without ID means Ann by her e-mail, until the CRM gives her another one: then it is a new client."""
    query = sa.text("UPDATE clients SET email = 'x@example.com', email_key = 'x@example.com' WHERE id = :id")
    crm.execute(query, {"id": ANN})
    file = prepared(",New,ann@example.com", *rows_of(BEA))
    merging = pool.submit(file.merge)
    wait_for_blocked(engine, crm)
    crm.commit()
    result_of(merging)
    assert file.outcomes == [("created", None), ("updated", None)]
