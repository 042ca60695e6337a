"""Merges beside merges: of different feeds they overlap, of one feed they keep the order of arrival."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from include.steps.merge import merge_all
from tests.steps.locks.conftest import (
    ANN,
    BEA,
    CAT,
    DAN,
    PATIENCE,
    RUN,
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


def test_two_processes_of_one_run_merge_its_files_once_and_in_order_of_arrival(prepared, engine, pool, paused):
    """As when Airflow starts a task again whose first process is still alive."""
    stopped, go_on = paused
    first, second = prepared(*rows_of(ANN)), prepared(*rows_of(BEA))
    processes = [pool.submit(merge_all, first.context, RUN)]
    assert stopped.wait(PATIENCE)
    processes.append(pool.submit(merge_all, first.context, RUN))
    wait_until(lambda: waits_for_a_lock(engine), "the second process waits for the first file")
    assert (first.entry.state, second.entry.state) == ("prepared", "prepared")
    go_on.set()
    for process in processes:
        result_of(process)
    times = [file.entry.state_times["merged"] for file in (first, second)]
    assert times == sorted(times)
    assert (first.outcomes, second.outcomes) == ([("updated", None)], [("updated", None)])


@pytest.mark.usefixtures("small_budget")
def test_the_wait_for_the_other_process_has_a_time_out_and_stops_the_files_after_it(prepared, pool, paused):
    stopped, go_on = paused
    first, second = prepared(*rows_of(ANN)), prepared(*rows_of(BEA))
    merging = pool.submit(first.merge)
    assert stopped.wait(PATIENCE)
    with pytest.raises(ExceptionGroup, match="1 file"):
        merge_all(first.context, RUN, last_try=False)
    assert second.entry.state == "prepared"
    go_on.set()
    result_of(merging)
    merge_all(first.context, RUN, last_try=False)
    assert [file.entry.state for file in (first, second)] == ["merged", "merged"]


def waits_for_a_lock(engine: sa.Engine) -> bool:
    query = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    with engine.connect() as connection:
        return connection.scalar(sa.text(query)) is not None
