"""The mail about a late feed says since when, and what to do."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from include.emails.late import LateFeed
from include.schemas.feed import Feed

LAST = datetime(2026, 11, 2, 6, tzinfo=UTC)


def late(every: timedelta = timedelta(days=1), **keys) -> LateFeed:
    feed = Feed(name="acme", title="Acme <partner>", **keys)
    return LateFeed(feed, LAST, every, LAST + every, "http://airflow/run")


def test_the_subject_names_the_feed_and_its_last_arrival():
    assert late().subject == "acme: LATE, no file since 2026-11-02 06:00 UTC"


@pytest.mark.parametrize(
    ("every", "text"),
    [
        (timedelta(days=1), "every 1 day,"), (timedelta(hours=26), "every 26 hours,"),
        (timedelta(days=7), "every 7 days,"), (timedelta(minutes=90), "every 90 minutes,"),
    ],
)  # fmt: skip
def test_the_time_between_files_is_written_in_its_largest_whole_unit(every, text):
    assert text in late(every).text()


def test_what_the_inbox_receives_is_said():
    text = late(file_pattern="*.csv", require_done_file=True).text()
    assert "inbox/acme receives files that match *.csv, each with its .done file." in text


def test_the_html_is_escaped():
    assert "Acme &lt;partner&gt; (acme)" in late().html()


def test_times_are_those_of_the_feeds_time_zone():
    berlin = late(timezone="Europe/Berlin")
    assert berlin.subject == "acme: LATE, no file since 2026-11-02 07:00 CET"
    assert "the feed is late since 2026-11-03 07:00 CET." in berlin.text()
