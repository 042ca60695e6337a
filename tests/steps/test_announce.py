"""Each end of an import is announced by one run, and by that run as often as it is repeated."""

from __future__ import annotations

import pytest

from include.adapters.database import ledger
from include.models import RunRequest, State
from include.steps.announce import announce_decision, announce_run
from include.steps.context import utc_now
from include.steps.revert import revert

PEOPLE = "First Name,Email\nAnn,ann@example.com\n,nobody@example.com\n"


@pytest.fixture
def run_of(engine):
    """Make the import part of a run, and give the request of that run."""

    def _run_of(result, run_id="first"):
        ledger.change(engine, result.import_id, dag_id="feed", run_id=run_id)
        return RunRequest(dag_id="feed", run_id=run_id)

    return _run_of


def test_repeating_the_run_announces_the_same_and_another_run_announces_nothing(bring, engine, run_of):
    result = bring(PEOPLE)
    request = run_of(result)
    first = announce_run(engine, request)
    assert first.event["created"] == 1 and len(first.measures) == 4
    assert announce_run(engine, request).event == first.event
    assert announce_run(engine, run_of(result, "second")).imports == []


def test_the_next_state_of_an_import_is_announced_again(bring, engine, run_of):
    result = bring(PEOPLE)
    request = run_of(result)
    ledger.change(engine, result.import_id, state=State.HELD)
    held = announce_run(engine, request)
    assert held.event is None and [measure.tags["state"] for measure in held.measures] == ["held"]
    with engine.begin() as connection:
        ledger.enter_state(connection, result.import_id, State.MERGED, utc_now())
    assert announce_decision(engine, result.import_id, "review").event["imports"][0]["import_id"] == result.import_id
    assert announce_run(engine, request).imports == []


@pytest.mark.parametrize("state", [State.RECEIVED, State.VALIDATED, State.PREPARED, State.REVERTED])
def test_what_is_unfinished_or_announced_by_its_undo_is_not_announced(bring, engine, run_of, state):
    result = bring(PEOPLE)
    request = run_of(result)
    ledger.change(engine, result.import_id, state=state)
    assert announce_run(engine, request).imports == []


def test_an_undo_announces_what_it_undid_and_a_dry_run_of_it_nothing(bring, engine):
    result = bring(PEOPLE)
    revert(engine, result.import_id, RunRequest(dag_id="revert", run_id="dry", dry_run=True))
    assert announce_run(engine, RunRequest(dag_id="revert", run_id="dry")).event is None
    revert(engine, result.import_id, RunRequest(dag_id="revert", run_id="real"))
    event = announce_run(engine, RunRequest(dag_id="revert", run_id="real")).event
    assert event["reverted"] == 1 and event["imports"][0]["reverts_import_id"] == result.import_id


def test_a_merge_that_changed_no_client_is_no_event_but_is_counted(bring, engine, run_of):
    bring(PEOPLE)
    announced = announce_run(engine, run_of(bring(PEOPLE.replace(",nobody@example.com\n", ""))))
    assert announced.event is None
    assert {measure.tags.get("outcome") for measure in announced.measures} == {None, "unchanged"}
