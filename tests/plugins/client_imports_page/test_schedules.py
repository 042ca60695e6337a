"""When a feed runs, in words, and when its next file is expected."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from include.schemas.feed import Feed

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)


@pytest.fixture
def schedules(airflow):
    from client_imports_page import schedules

    return schedules


def feed(**keys):
    return Feed(name="acme", title="Acme", **keys)


@pytest.mark.parametrize(
    ("schedule", "words"),
    [
        (None, "By hand only"),
        ("watch", "When a file arrives"),
        ("@daily", "Every day at 00:00"),
        ("30 2 * * *", "Every day at 02:30"),
        ("0 6 * * 1-5", "At 06:00, Monday through Friday"),
        ("0 0 L * *", "At 00:00, on the last day of the month"),
    ],
)
def test_a_schedule_is_said_in_words(schedules, schedule, words):
    assert schedules.schedule_in_words(feed(schedule=schedule)) == words


def test_every_preset_has_words(schedules):
    from include.schemas.feed_types import _PRESETS

    for preset in set(_PRESETS) - {"watch"}:
        assert "@" not in schedules.schedule_in_words(feed(schedule=preset))


def test_a_feed_is_late_when_its_file_is_due_and_none_waits_in_the_inbox(schedules):
    daily, came = feed(expected_every="24h"), NOW - timedelta(hours=25)
    late = schedules.next_expected(daily, came, False, None, NOW)
    assert (late.at, late.is_late, late.has_come) == (NOW - timedelta(hours=1), True, False)
    waiting = schedules.next_expected(daily, came, True, None, NOW)
    assert (waiting.is_late, waiting.has_come) == (False, True)
    assert not schedules.next_expected(daily, NOW, False, None, NOW).is_late
    assert schedules.next_expected(daily, None, False, None, NOW) is None


def test_a_feed_without_expectation_says_when_it_looks_next(schedules):
    nightly, later = feed(schedule="@daily"), NOW + timedelta(hours=12)
    assert schedules.next_expected(nightly, NOW, False, later, NOW) == schedules.Expected(later, is_file=False)
    assert schedules.next_expected(feed(schedule="watch"), NOW, False, later, NOW) is None
