"""The ledger keeps each import in one state, and only along the table of transitions."""

from __future__ import annotations

from datetime import datetime

import pytest
import sqlalchemy as sa

from include.adapters.database import ledger
from include.errors import ImportNotFound, TransitionNotAllowed
from include.models import TRANSITIONS, RunRequest, State
from include.steps.context import utc_now

PAIRS = [(source, target) for source in State for target in State]


def opened(engine: sa.Engine, state: State = State.RECEIVED) -> str:
    with engine.begin() as connection:
        entry = ledger.open_import(connection, "acme", "a.csv", RunRequest(), utc_now())
    ledger.change(engine, entry.id, state=state)
    return entry.id


def enter(engine: sa.Engine, import_id: str, state: State, now: datetime | None = None, **values: object) -> None:
    with engine.begin() as connection:
        ledger.enter_state(connection, import_id, state, now or utc_now(), **values)


def test_the_ledger_goes_the_ways_of_the_table_and_refuses_every_other(engine):
    for source, target in PAIRS:
        import_id = opened(engine, source)
        if target in TRANSITIONS[source]:
            enter(engine, import_id, target, message="gone on")
            assert ledger.find(engine, import_id).state == target
            continue
        with pytest.raises(TransitionNotAllowed, match=f"is {source} and cannot become {target}"):
            enter(engine, import_id, target, message="gone on")
        entry = ledger.find(engine, import_id)
        assert (entry.state, entry.message, entry.has_been(target)) == (source, None, target == State.RECEIVED)


def test_each_state_is_noted_with_its_time(engine):
    import_id, validated = opened(engine), utc_now()
    enter(engine, import_id, State.VALIDATED, validated)
    entry = ledger.find(engine, import_id)
    assert list(entry.state_times) == [State.RECEIVED, State.VALIDATED]
    assert entry.state_times[State.VALIDATED] == validated.isoformat()
    assert entry.has_been(State.RECEIVED) and not entry.has_been(State.PREPARED)


def test_advancing_to_a_state_that_was_reached_before_does_nothing(engine):
    import_id = opened(engine)
    assert ledger.advance(engine, import_id, State.VALIDATED, utc_now())
    assert ledger.advance(engine, import_id, State.PREPARED, utc_now())
    assert not ledger.advance(engine, import_id, State.VALIDATED, utc_now())
    assert ledger.find(engine, import_id).state == State.PREPARED


def test_nothing_advances_an_import_that_has_ended(engine):
    import_id = opened(engine, State.REFUSED)
    assert not ledger.advance(engine, import_id, State.VALIDATED, utc_now())


@pytest.mark.parametrize("import_id", ["00000000-0000-0000-0000-000000000000", "no id", ""])
def test_an_unknown_import_is_an_error_of_its_own(engine, import_id):
    with pytest.raises(ImportNotFound):
        ledger.find(engine, import_id)
