"""The rows of the screen Feeds: what each feed waits for, what waits in it, and what is wrong with its file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import groupby

from client_imports_page import connections, feeds
from client_imports_page.charts import Chart, chart
from client_imports_page.inbox_looks import Look, looks
from client_imports_page.permissions import Person
from client_imports_page.schedules import Expected, next_expected, schedule_in_words
from include.adapters.database import page_feeds, page_imports
from include.adapters.database.page_feeds import Activity
from include.airflow_support import runs
from include.airflow_support.runs import DagStatus, dag_id_of
from include.errors import FeedInvalid
from include.schemas.feed import Feed
from include.schemas.feed_folder import find_feed
from include.settings import read_settings
from include.steps.check_feed import check_feed

DAYS = 30


@dataclass(frozen=True)
class FeedRow:
    """One feed of the screen.

    feed      None where it has no file, or a broken one
    faults    what is wrong with its file: a sentence for each fault
    has_file  whether it has a file, good or broken
    airflow   what Airflow plans for its DAG; None where Airflow knows no such DAG
    look      what waits in its inbox; None where nobody knows where that is
    """

    name: str
    feed: Feed | None
    faults: Sequence[str]
    has_file: bool
    activity: Activity
    airflow: DagStatus | None
    look: Look | None
    expected: Expected | None
    chart: Chart

    @property
    def title(self) -> str:
        return self.feed.title if self.feed else self.name

    @property
    def dag_id(self) -> str:
        return dag_id_of(self.name)

    @property
    def schedule(self) -> str:
        return schedule_in_words(self.feed) if self.feed else ""

    @property
    def is_being_looked_at(self) -> bool:
        return self.look is not None and self.look.files is None and not self.look.failed


def feed_rows(person: Person, now: datetime) -> list[FeedRow]:
    """Give a row for each feed that the person may see: late ones and broken ones first, then by title."""
    names, known = sorted(person.feeds), feeds.known()
    since = _midnight(now.date() - timedelta(days=DAYS - 1))
    active = page_feeds.activity(connections.engine(), names, since)
    airflow = runs.dag_statuses([dag_id_of(name) for name in names])
    charts = _charts(names, now.date(), since)
    rows = [_row(name, known, person, active[name], airflow.get(dag_id_of(name)), charts[name], now) for name in names]
    return sorted(rows, key=lambda row: (not (row.faults or (row.expected and row.expected.is_late)), row.title))


def _row(
    name: str, known: Mapping[str, Feed | None], person: Person, activity: Activity, airflow: DagStatus | None,
    drawn: Chart, now: datetime,
) -> FeedRow:  # fmt: skip
    feed = known.get(name)
    look = looks.at(connections.storage(), feed) if feed else None
    expected = None
    if feed:
        waits = bool(activity.uploads or (look and look.files))
        next_run = airflow.next_run if airflow and not airflow.is_paused else None
        expected = next_expected(feed, activity.last_arrival, waits, next_run, now)
    faults = _faults(feed, known, person, now) if feed else _why_broken(name) if name in known else []
    return FeedRow(name, feed, faults, name in known, activity, airflow, look, expected, drawn)


def _why_broken(name: str) -> list[str]:
    try:
        find_feed(read_settings().feeds, name)
    except FeedInvalid as error:
        return error.sentences
    return []  # mended in this moment


def _faults(feed: Feed, known: Mapping[str, Feed | None], person: Person, now: datetime) -> list[str]:
    """Say what makes the runs of a feed fail before they claim a file (SPEC.md section 9)."""
    sentences: list[str] = []
    try:
        check_feed(feed, connections.engine(), now)
    except FeedInvalid as error:
        sentences = [*error.sentences]
    for other in known.values():
        if other is not None and other.name != feed.name and feed.shares_files_with(other):
            # A feed that the person may not see has no name here.
            named = other.file.name if other.name in person.feeds else "another feed"
            sentences.append(
                f"can take the same files as {named}: one name in the inbox can match the `file_pattern` of both. "
                "Give one feed another inbox, or patterns that share no name."
            )
    return sentences


def _charts(names: Sequence[str], today: date, since: datetime) -> dict[str, Chart]:
    days = page_imports.days(connections.engine(), names, since)
    by_feed = {feed: list(of_feed) for feed, of_feed in groupby(days, key=lambda day: day.feed)}
    return {name: chart(name, by_feed.get(name, []), today, DAYS) for name in names}


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
