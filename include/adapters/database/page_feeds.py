"""Read feeds for the page: the last file of each, and what waits for a person or for a run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from include.adapters.database.arrivals import arrivals
from include.adapters.database.ledger import load
from include.models import State
from include.schemas.client_tables import Import


@dataclass(frozen=True)
class Activity:
    """What is known of one feed.

    last          its newest file, whatever became of it; a dry run and an undo are no file that came
    last_arrival  when a file came last or, where none has, since when one is expected
    held          how many imports wait for a decision
    uploads       how many uploads no run has claimed
    refused       how many files of the last days were refused
    """

    last: Import | None
    last_arrival: datetime | None
    held: int
    uploads: int
    refused: int


LAST_STATEMENT = sa.text("""
    SELECT newest.* FROM unnest(CAST(:feeds AS text[])) f (feed) CROSS JOIN LATERAL (
        SELECT i.* FROM imports i WHERE i.feed = f.feed AND NOT i.dry_run AND i.reverts_import_id IS NULL
        ORDER BY i.arrival DESC LIMIT 1) newest
""")
WAITING_STATEMENT = sa.text(f"""
    SELECT f.feed,
           (SELECT count(*) FROM uploads u
            WHERE u.feed = f.feed AND u.import_id IS NULL AND u.cancelled_at IS NULL) AS uploads,
           (SELECT count(*) FROM imports i
            WHERE i.feed = f.feed AND i.received_at >= :since AND i.state = '{State.REFUSED}') AS refused
    FROM unnest(CAST(:feeds AS text[])) f (feed)
""")


def activity(engine: sa.Engine, feeds: Sequence[str], since: datetime) -> dict[str, Activity]:
    """Read what is known of each feed, by its name; `since`: how far back refused files are counted."""
    arrived = arrivals(engine, feeds)
    newest = sa.select(Import).from_statement(LAST_STATEMENT.bindparams(feeds=list(feeds)))
    last = {entry.feed: entry for entry in load(engine, newest)}
    with engine.connect() as connection:
        waiting = connection.execute(WAITING_STATEMENT, {"feeds": list(feeds), "since": since}).all()
    return {
        row.feed: Activity(
            last.get(row.feed), arrived[row.feed].last_arrival, arrived[row.feed].held, row.uploads, row.refused
        )
        for row in waiting
    }
