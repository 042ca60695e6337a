"""Merges beside merges: of different feeds they overlap, of one feed they keep the order of arrival."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from include.errors import ClientImportError
from tests.steps.locks.conftest import (
    ANN,
    BEA,
    CAT,
    DAN,
    PATIENCE,
    first_names,
    result_of,
    rows_of,
    select_for_update,
    wait_for_blocked,
    wait_until,
)

pytestmark = pytest.mark.usefixtures("four_clients")


def test_two_feeds_that_change_the_same_clients_in_opposite_order_both_end_right(prepared, crm, engine, clients, pool):
    """Both meet Cat, whom the CRM holds, so that they run at the same time."""
    select_for_update(crm, CAT)
    ids = [ANN, BEA, CAT, DAN]
    files = [
        prepared(*rows_of(*ids, first_name="North"), feed="north"),
        prepared(*rows_of(*reversed(ids), first_name="South"), feed="south"),
    ]
    merging = [pool.submit(file.merge) for file in files]
    wait_for_blocked(engine, crm)
    crm.commit()
    for future in merging:
        result_of(future)
    for file in files:
        assert file.outcomes == [("updated", None)] * 4
    assert len(set(first_names(clients).values())) == 1, "the later one has changed all four"


def test_two_feeds_that_swap_the_same_emails_both_end_right(prepared, crm, engine, clients, pool):
    select_for_update(crm, BEA)
    swap = [f"{ANN},Ann,bea@example.com", f"{BEA},Bea,ann@example.com"]
    files = [prepared(*swap, feed="north"), prepared(*reversed(swap), feed="south")]
    merging = [pool.submit(file.merge) for file in files]
    wait_for_blocked(engine, crm)
    crm.commit()
    for future in merging:
        result_of(future)
    assert sorted(file.outcomes[0][0] for file in files) == ["unchanged", "updated"]
    assert (clients()["bea@example.com"]["id"], clients()["ann@example.com"]["id"]) == (ANN, BEA)


@pytest.mark.usefixtures("small_budget")
def test_merges_of_different_feeds_on_different_clients_overlap(prepared, pool, paused):
    stopped, go_on = paused
    first, second = prepared(*rows_of(ANN), feed="north"), prepared(*rows_of(BEA), feed="south")
    merging = pool.submit(first.merge)
    assert stopped.wait(PATIENCE)
    second.merge()
    assert (first.entry.state, second.entry.state) == ("prepared", "merged")
    go_on.set()
    result_of(merging)
    assert first.entry.state == "merged"


def test_a_file_waits_for_the_one_of_the_same_feed_before_it(prepared, engine, pool, paused):
    stopped, go_on = paused
    first, second = prepared(*rows_of(ANN)), prepared(*rows_of(BEA))
    earlier = pool.submit(first.merge)
    assert stopped.wait(PATIENCE)
    later = pool.submit(second.merge)
    wait_until(lambda: waits_for_a_lock(engine), "the second file waits")
    assert (first.entry.state, second.entry.state) == ("prepared", "prepared")
    go_on.set()
    result_of(earlier)
    result_of(later)
    times = [file.entry.state_times["merged"] for file in (first, second)]
    assert times == sorted(times)


@pytest.mark.usefixtures("small_budget")
def test_the_wait_for_the_file_before_has_a_time_out_too(prepared, pool, paused):
    stopped, go_on = paused
    first, second = prepared(*rows_of(ANN)), prepared(*rows_of(BEA))
    merging = pool.submit(first.merge)
    assert stopped.wait(PATIENCE)
    with pytest.raises(ClientImportError):
        second.merge()
    assert second.entry.state == "failed"
    go_on.set()
    result_of(merging)
    second.merge()
    assert second.entry.state == "merged"


def waits_for_a_lock(engine: sa.Engine) -> bool:
    query = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    with engine.connect() as connection:
        return connection.scalar(sa.text(query)) is not None
