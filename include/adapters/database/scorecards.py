"""What the weekly scorecard of a feed is made from, and which week was mailed last."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from include.models import State
from include.schemas.client_tables import MailedScorecard


@dataclass(frozen=True)
class Received:
    """A file that came. `kinds`: its failed rows by code and field; `still`: those of the last file that corrects it.

    `fixed`: how many rows of files that correct it were imported.
    """

    at: datetime
    is_correction: bool
    state: State
    read: int
    failed: int
    kinds: Mapping[str, int]
    still: Mapping[str, int]
    fixed: int


_MERGED = f"('{State.MERGED}', '{State.REVERTED}')"
_FILES = sa.text(f"""
    WITH RECURSIVE correction (root, id) AS (
        SELECT i.id, c.id FROM imports i JOIN imports c ON c.parent_import_id = i.id
        WHERE i.feed = :feed AND i.received_at >= :since AND NOT c.dry_run AND c.state = '{State.MERGED}'
        UNION
        SELECT n.root, c.id FROM correction n JOIN imports c ON c.parent_import_id = n.id
        WHERE NOT c.dry_run AND c.state = '{State.MERGED}'
    ), corrected AS (
        SELECT n.root, sum(c.created + c.updated + c.unchanged + c.duplicate) AS fixed,
               (array_agg(c.failure_kinds ORDER BY c.arrival DESC))[1] AS still
        FROM correction n JOIN imports c ON c.id = n.id GROUP BY n.root
    )
    SELECT i.received_at, i.parent_import_id IS NOT NULL AS is_correction, i.state,
           CASE WHEN i.state IN {_MERGED} THEN i.read ELSE 0 END AS read,
           CASE WHEN i.state IN {_MERGED} THEN i.failed ELSE 0 END AS failed,
           i.failure_kinds AS kinds, coalesce(c.still, '{{}}') AS still, coalesce(c.fixed, 0) AS fixed
    FROM imports i LEFT JOIN corrected c ON c.root = i.id
    WHERE i.feed = :feed AND i.received_at >= :since AND i.received_at < :until
      AND NOT i.dry_run AND i.reverts_import_id IS NULL
    ORDER BY i.received_at
""")
_BEFORE = sa.text("""
    SELECT greatest((SELECT since FROM expected_feeds WHERE feed = :feed),
                    (SELECT max(received_at) FROM imports WHERE feed = :feed AND received_at < :since
                     AND NOT dry_run AND reverts_import_id IS NULL))
""")


def received(engine: sa.Engine, feed: str, since: datetime, until: datetime) -> Sequence[Received]:
    """List the files that came in this time, in order of arrival; neither dry runs nor undos."""
    with engine.connect() as connection:
        rows = connection.execute(_FILES, {"feed": feed, "since": since, "until": until}).all()
    return [
        Received(
            row.received_at, row.is_correction, State(row.state), row.read, row.failed, row.kinds, row.still,
            int(row.fixed),
        )
        for row in rows
    ]  # fmt: skip


def last_before(engine: sa.Engine, feed: str, since: datetime) -> datetime | None:
    """Give when the last file before this time came, or since when one is expected, whichever is later."""
    with engine.connect() as connection:
        last: datetime | None = connection.scalar(_BEFORE, {"feed": feed, "since": since})
    return last


@contextmanager
def mailed_once(engine: sa.Engine, feed: str, until: datetime) -> Iterator[bool]:
    """Give False when the week that ends at `until`, or a later one, was mailed; else note that it is.

    No other process mails at the same time. Nothing is noted when the block raises.
    """
    one = MailedScorecard.feed == feed
    with engine.begin() as connection:
        never = datetime.min.replace(year=1970, tzinfo=until.tzinfo)
        connection.execute(insert(MailedScorecard).values(feed=feed, until=never).on_conflict_do_nothing())
        last = connection.scalar(sa.select(MailedScorecard.until).where(one).with_for_update())
        is_new = last is not None and last < until
        yield is_new
        if is_new:
            connection.execute(sa.update(MailedScorecard).where(one).values(until=until))
