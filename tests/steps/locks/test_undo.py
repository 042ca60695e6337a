"""An undo beside a transaction of the CRM: it waits, gives way and repeats as a merge does."""

from __future__ import annotations

import pytest

from include.adapters.database import ledger
from include.errors import ClientImportError
from include.models import RunRequest
from include.steps.revert import revert
from tests.steps.locks.conftest import (
    ANN,
    BEA,
    CAT,
    DAN,
    change,
    change_at_once,
    first_names,
    result_of,
    rows_of,
    select_for_update,
    wait_for_blocked,
)

OLGA = RunRequest("olga")


@pytest.fixture
def merged(prepared, four_clients) -> str:
    """An import that has given Ann and Bea new names."""
    file = prepared(*rows_of(ANN, BEA))
    file.merge()
    return file.id


def test_it_waits_for_an_open_transaction_and_keeps_the_client_that_was_changed(merged, crm, engine, clients, pool):
    change(crm, ANN, "first_name", "Anna")
    reverting = pool.submit(revert, engine, merged, OLGA)
    wait_for_blocked(engine, crm)
    change_at_once(engine, CAT, "first_name", "Catherine")
    crm.commit()
    result = result_of(reverting)
    assert (result.reverted, result.kept) == (1, 1)
    assert first_names(clients) == {ANN: "Anna", BEA: "Bea", CAT: "Catherine", DAN: "Dan"}


@pytest.mark.usefixtures("small_budget")
def test_a_transaction_that_is_idle_on_another_client_does_not_delay_it(merged, crm, engine, clients):
    change(crm, CAT, "first_name", "Catherine")
    assert revert(engine, merged, OLGA).reverted == 2
    crm.rollback()
    assert set(first_names(clients).values()) == {"Ann", "Bea", "Cat", "Dan"}


def test_where_a_user_and_the_undo_wait_for_each_other_the_undo_gives_way(merged, crm, engine, pool):
    select_for_update(crm, BEA)
    reverting = pool.submit(revert, engine, merged, OLGA)
    wait_for_blocked(engine, crm)
    change(crm, ANN, "middle_name", "Maria")
    crm.commit()
    result = result_of(reverting)
    assert (result.reverted, result.kept) == (1, 1)


@pytest.mark.usefixtures("small_budget")
def test_past_the_budget_it_says_in_plain_words_what_is_in_its_way_and_a_repetition_reverts(merged, crm, engine):
    change(crm, ANN, "middle_name", "Maria")
    with pytest.raises(ClientImportError, match="another transaction holds clients"):
        revert(engine, merged, OLGA)
    assert ledger.find(engine, merged).state == "merged"
    crm.rollback()
    assert revert(engine, merged, OLGA).reverted == 2
