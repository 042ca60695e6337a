"""When files of a feed came, and whether people were notified that none did. In our database, not in Airflow's."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from include.models import State
from include.schemas.client_tables import ExpectedFeed


@dataclass(frozen=True)
class Arrivals:
    """What is known of one feed.

    last_arrival         when its newest file came or, where none has, since when one is expected; None when no file
                         is expected and none came
    late_notified_after  the arrival after which people were notified that the next file is late
    held                 how many imports wait for a decision now
    """

    last_arrival: datetime | None
    late_notified_after: datetime | None
    held: int


# A dry run only looks at a sample, and an undo has no file.
_ARRIVALS = sa.text(f"""
    SELECT f.feed, e.late_notified_after,
           greatest(e.since, (SELECT i.received_at FROM imports i
                              WHERE i.feed = f.feed AND NOT i.dry_run AND i.reverts_import_id IS NULL
                              ORDER BY i.received_at DESC LIMIT 1)) AS last_arrival,
           (SELECT count(*) FROM imports i
            WHERE i.feed = f.feed AND i.state = '{State.HELD}' AND NOT i.filed) AS held
    FROM unnest(CAST(:feeds AS text[])) f (feed) LEFT JOIN expected_feeds e ON e.feed = f.feed
""")


def arrivals(engine: sa.Engine, feeds: Collection[str]) -> dict[str, Arrivals]:
    """Read what is known of each feed, by its name."""
    with engine.connect() as connection:
        rows = connection.execute(_ARRIVALS, {"feeds": list(feeds)})
        return {row.feed: Arrivals(row.last_arrival, row.late_notified_after, row.held) for row in rows}


def expect(engine: sa.Engine, feeds: Collection[str], also_known: Collection[str], now: datetime) -> None:
    """Expect files of these feeds from `now`, where they were not expected before; drop all but `also_known`."""
    with engine.begin() as connection:
        gone = ExpectedFeed.feed.not_in([*feeds, *also_known])
        connection.execute(sa.delete(ExpectedFeed).where(gone))
        if feeds:
            rows = [{"feed": feed, "since": now} for feed in feeds]
            connection.execute(insert(ExpectedFeed).values(rows).on_conflict_do_nothing())


@contextmanager
def notify_once(engine: sa.Engine, feed: str, last_arrival: datetime) -> Iterator[bool]:
    """Give False when people were notified before that nothing came after `last_arrival`; else note that they are.

    No other process notifies at the same time. Nothing is noted when the block raises, so a process that dies inside
    it may cause a second mail.
    """
    with engine.begin() as connection:
        one = ExpectedFeed.feed == feed
        before = connection.scalar(sa.select(ExpectedFeed.late_notified_after).where(one).with_for_update())
        yield before != last_arrival
        connection.execute(sa.update(ExpectedFeed).where(one).values(late_notified_after=last_arrival))
