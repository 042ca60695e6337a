"""Errors of the server that a repetition cures, and those that it does not."""

from __future__ import annotations

import time
from types import SimpleNamespace

import pytest
import sqlalchemy as sa

from include.adapters.database import plan, transactions
from include.errors import ClientImportError
from tests.steps.locks.conftest import ANN, rows_of

pytestmark = pytest.mark.usefixtures("four_clients")
CURED = {
    "deadlock": "40P01", "serialisation failure": "40001", "lock time-out": "55P03",
    "unique key": "23505", "foreign key": "23503",
}  # fmt: skip


@pytest.fixture
def pauses(monkeypatch) -> list[float]:
    """The pauses between repetitions; here they take no time."""
    pauses: list[float] = []
    monkeypatch.setattr(transactions, "time", SimpleNamespace(monotonic=time.monotonic, sleep=pauses.append))
    return pauses


@pytest.fixture
def fail_first(monkeypatch):
    """Let the server end the first merges with an error; gives the connections of all tries."""

    def _fail_first(number: int, sqlstate: str) -> list[sa.Connection]:
        original, tries = plan.apply_plan, []

        def apply_plan(connection, *args):
            tries.append(connection)
            if len(tries) <= number:
                connection.exec_driver_sql(f"DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = '{sqlstate}'; END $$")
            return original(connection, *args)

        monkeypatch.setattr(plan, "apply_plan", apply_plan)
        return tries

    return _fail_first


@pytest.mark.parametrize("sqlstate", CURED.values(), ids=CURED)
def test_an_error_that_a_repetition_cures_is_repeated_with_growing_pauses(prepared, fail_first, pauses, sqlstate):
    tries = fail_first(3, sqlstate)
    file = prepared(*rows_of(ANN))
    file.merge()
    assert (file.entry.state, len(tries)) == ("merged", 4)
    assert "failed" not in file.entry.state_times
    assert len(pauses) == 3 and pauses == sorted(set(pauses))


def test_an_error_that_no_repetition_cures_ends_at_once(prepared, fail_first, pauses):
    tries = fail_first(9, "53100")  # disk full
    file = prepared(*rows_of(ANN))
    with pytest.raises(ClientImportError, match="53100"):
        file.merge()
    assert (file.entry.state, len(tries), pauses) == ("failed", 1, [])
