"""When a feed's last file came, and whether people know that the next one is late."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from include.adapters.database import ledger
from include.adapters.database.arrivals import Arrivals, arrivals, expect, notify_once
from include.models import RunRequest, State

START = datetime(2026, 11, 2, 6, tzinfo=UTC)
HOUR = timedelta(hours=1)


def came(engine, hours: int, **request):
    with engine.begin() as connection:
        return ledger.open_import(connection, "acme", "a.csv", RunRequest(**request), START + hours * HOUR)


def test_without_a_file_the_wait_begins_when_one_is_first_expected(engine):
    assert arrivals(engine, ["acme"]) == {"acme": Arrivals(None, None, 0)}
    expect(engine, ["acme"], [], START)
    expect(engine, ["acme"], [], START + HOUR)
    assert arrivals(engine, ["acme"]) == {"acme": Arrivals(START, None, 0)}


def test_a_dry_run_is_no_arrival_and_held_imports_are_counted(engine):
    expect(engine, ["acme"], [], START)
    came(engine, 2, dry_run=True)
    ledger.change(engine, came(engine, 1).id, state=State.HELD)
    assert arrivals(engine, ["acme"])["acme"] == Arrivals(START + HOUR, None, 1)


def test_people_are_notified_once_and_not_at_all_when_the_mail_fails(engine):
    expect(engine, ["acme"], [], START)
    with pytest.raises(OSError, match="no mail"), notify_once(engine, "acme", START):
        raise OSError("no mail")
    for expected in (True, False):
        with notify_once(engine, "acme", START) as is_new:
            assert is_new is expected
    with notify_once(engine, "acme", START + HOUR) as is_new:
        assert is_new


def test_a_feed_that_expects_nothing_any_more_is_dropped_but_not_one_whose_file_is_broken(engine):
    expect(engine, ["acme", "broken"], [], START)
    expect(engine, [], ["broken"], START + HOUR)
    expect(engine, ["acme"], ["broken"], START + 2 * HOUR)
    known = arrivals(engine, ["acme", "broken"])
    assert (known["acme"].last_arrival, known["broken"].last_arrival) == (START + 2 * HOUR, START)
