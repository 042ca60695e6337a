"""A client that the CRM creates between plan and writes of a merge: no lock can hold it, the unique keys decide."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import sqlalchemy as sa

from tests.steps.locks.conftest import (
    ANN,
    EVE,
    add_client,
    first_names,
    result_of,
    rows_of,
    wait_for_blocked,
    wait_until,
)

pytestmark = pytest.mark.usefixtures("four_clients")


@pytest.fixture
def creates(crm, before_writing) -> Callable[..., list[sa.Connection]]:
    """Let the CRM create Eve between plan and writes; `commits` says whether it also commits then."""

    def _creates(commits: bool = True, **values: str) -> list[sa.Connection]:
        def create(_: sa.Connection) -> None:
            add_client(crm, EVE, **values)
            if commits:
                crm.commit()

        return before_writing(create)

    return _creates


def test_one_with_the_same_email_is_updated(prepared, creates, clients):
    creates(username="evelyn")
    file = prepared(*rows_of(ANN), ",Eve New,eve@example.com")
    file.merge()
    assert file.outcomes == [("updated", None), ("updated", None)]
    eve = clients()["eve@example.com"]
    assert (eve["id"], eve["first_name"], eve["username"]) == (EVE, "Eve New", "evelyn")


@pytest.mark.parametrize(("end", "outcome"), [("commit", "updated"), ("rollback", "created")])
def test_one_that_is_not_committed_yet_is_waited_for(prepared, creates, crm, engine, pool, end, outcome):
    tries = creates(commits=False)
    file = prepared(*rows_of(ANN), ",Eve New,eve@example.com")
    merging = pool.submit(file.merge)
    wait_until(lambda: tries, "the import is about to write")
    wait_for_blocked(engine, crm)
    getattr(crm, end)()
    result_of(merging)
    assert file.outcomes == [("updated", None), (outcome, None)]


def test_one_with_the_same_username_fails_the_row(prepared, creates, clients):
    creates(email="other@example.com", username="evelyn")
    file = prepared(f"{ANN},New,ann@example.com,", ",Eve,eve@example.com,evelyn", header="ID,First Name,Email,Username")
    file.merge()
    assert file.outcomes == [("updated", None), ("failed", "USERNAME_TAKEN")]
    assert first_names(clients)[ANN] == "New"


def test_one_with_the_username_that_was_generated_leads_to_another_username(prepared, creates, clients):
    creates(email="other@example.com", username="eve.lee")
    file = prepared(",Eve,eve.lee@example.com")
    file.merge()
    assert file.outcomes == [("created", None)]
    assert clients()["eve.lee@example.com"]["username"] not in ("", "eve.lee")
