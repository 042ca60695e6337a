"""When files of a feed came, and whether its people were told that none did. In our database, not in Airflow's."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from include.schemas.client_tables import expected_feeds


@dataclass(frozen=True)
class Arrivals:
    """One feed. `sign`: its newest file, or since when somebody looks; None when no file is expected and none came.

    `told_for`: the sign after which people were told that it is late. `held`: imports that wait for a person now.
    """

    sign: datetime | None
    told_for: datetime | None
    held: int


# A dry run is somebody who looks at a sample, a revert is no file.
_ARRIVALS = sa.text("""
    SELECT f.feed, e.told_for,
           greatest(e.since, (SELECT i.received_at FROM imports i
                              WHERE i.feed = f.feed AND NOT i.dry_run AND i.reverts_import_id IS NULL
                              ORDER BY i.received_at DESC LIMIT 1)) AS sign,
           (SELECT count(*) FROM imports i WHERE i.feed = f.feed AND i.state = 'held' AND NOT i.filed) AS held
    FROM unnest(CAST(:feeds AS text[])) f (feed) LEFT JOIN expected_feeds e ON e.feed = f.feed
""")


def arrivals(engine: sa.Engine, feeds: Collection[str]) -> dict[str, Arrivals]:
    with engine.connect() as connection:
        found = connection.execute(_ARRIVALS, {"feeds": list(feeds)})
        return {row.feed: Arrivals(row.sign, row.told_for, row.held) for row in found}


def expect(engine: sa.Engine, feeds: Collection[str], also_known: Collection[str], now: datetime) -> None:
    """Files of these feeds are expected from `now`, where they were not before. Forgets all but `also_known`."""
    table = expected_feeds
    with engine.begin() as connection:
        connection.execute(table.delete().where(table.c.feed.not_in([*feeds, *also_known])))
        if feeds:
            lines = [{"feed": feed, "since": now} for feed in feeds]
            connection.execute(insert(table).values(lines).on_conflict_do_nothing())


@contextmanager
def tell_once(engine: sa.Engine, feed: str, sign: datetime) -> Iterator[bool]:
    """False when people know already that nothing came after `sign`. That they know is noted if nothing is raised.

    Nobody else tells at the same time; who dies while telling may have told, and it is told again.
    """
    mine = expected_feeds.c.feed == feed
    with engine.begin() as connection:
        known = connection.scalar(sa.select(expected_feeds.c.told_for).where(mine).with_for_update())
        yield known != sign
        connection.execute(expected_feeds.update().where(mine).values(told_for=sign))
