"""A measure has the name of one of the metrics, and its value in the unit that StatsD expects."""

from __future__ import annotations

from datetime import timedelta

from include.metrics import METRICS, Measure, counted, state, took


def test_a_count_a_state_and_a_time_carry_their_tags():
    assert counted("rows", 3, feed="acme") == Measure("incr", "client_imports.rows", 3, {"feed": "acme"})
    assert state("held", 2, feed="acme") == Measure("gauge", "client_imports.held", 2, {"feed": "acme"})
    assert took("duration", timedelta(seconds=2)) == Measure("timing", "client_imports.duration", 2_000, {})
    assert {f"client_imports.{name}" for name in ("rows", "held", "duration")} < set(METRICS)
