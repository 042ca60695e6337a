"""The weeks of `import_rows`: each has a table of its own, so that retention drops a week and deletes no rows.

An import's ID begins with the time at which it was opened, so it says which week its rows are in. Why this way:
docs/decisions/0016-rows-by-week.md.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import sqlalchemy as sa

from include.adapters.database import transactions
from include.errors import ClientsBusy

# Each day makes the tables of this week and of so many to come: days on which nothing runs cost nothing.
WEEKS_AHEAD = 4
_WEEKS_TO_DROP = sa.text("""
    SELECT week FROM (
        SELECT to_date(substr(relname, 13), 'IYYY"w"IW') AS week FROM pg_inherits JOIN pg_class ON oid = inhrelid
        WHERE inhparent = 'import_rows'::regclass AND relname ~ '^import_rows_[0-9]{4}w[0-9]{2}$') AS weeks
    WHERE week < :this_week AND NOT EXISTS (
        SELECT FROM imports i WHERE forgotten_at IS NULL
            AND NOT EXISTS (SELECT FROM unnest(CAST(:forgotten AS uuid[])) forgotten WHERE forgotten = i.id)
            AND id >= import_rows_first_id(week) AND id < import_rows_first_id(week + 7))""")


def new_import_id(now: datetime) -> str:
    """Make an ID of RFC 9562, version 7: 48 bits of time in milliseconds, then chance."""
    milliseconds = int(now.timestamp() * 1000)
    return str(UUID(int=milliseconds << 80 | 7 << 76 | secrets.randbits(12) << 64 | 2 << 62 | secrets.randbits(62)))


def start_of_week(time: datetime) -> datetime:
    """Give the midnight (UTC) with which the week of `time` began, on a Monday."""
    day = time.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return day - timedelta(days=day.weekday())


def monday_of(import_id: str) -> date | None:
    """Give the Monday of the week whose table has the import's rows; None for an ID that holds no time."""
    whole = UUID(import_id)
    if whole.version != 7:
        return None
    return start_of_week(datetime.fromtimestamp((whole.int >> 80) / 1000, UTC)).date()


def weeks_to_drop(engine: sa.Engine, forgotten: Iterable[str], now: datetime) -> set[date]:
    """Find the weeks that are over and of which nothing is kept once these imports are `forgotten`."""
    values = {"forgotten": [UUID(each) for each in forgotten], "this_week": start_of_week(now).date()}
    with engine.connect() as connection:
        return set(connection.scalars(_WEEKS_TO_DROP, values))


def turn_over(engine: sa.Engine, weeks: Iterable[date], now: datetime) -> None:
    """Make the tables of the weeks to come, and drop these `weeks`.

    Where an import of a week is not forgotten after all, or others hold the table for a minute, the rows of its
    forgotten imports are deleted instead.
    """
    for week in weeks:
        if not _give_way(engine, "SELECT import_rows_drop_week(:week)", week=week):
            _delete_forgotten(engine, week)
    _give_way(engine, "SELECT import_rows_make_weeks(:day, :ahead)", day=now.astimezone(UTC).date(), ahead=WEEKS_AHEAD)


def _give_way(engine: sa.Engine, call: str, **values: date | int) -> bool:
    """Call a function that locks tables. Gives what it answers; False while others hold a table."""

    def attempt() -> bool:
        with engine.begin() as connection:
            transactions.limit_waits(connection)
            return bool(connection.scalar(sa.text(call), values))

    try:
        return transactions.repeat_on_conflict(attempt)
    except ClientsBusy:  # tomorrow it is tried again
        return False


def _delete_forgotten(engine: sa.Engine, week: date) -> None:
    with engine.begin() as connection:
        connection.execute(
            sa.text("""
            DELETE FROM import_rows r USING imports i WHERE i.id = r.import_id AND i.forgotten_at IS NOT NULL
                AND i.id >= import_rows_first_id(:week) AND i.id < import_rows_first_id(:week + 7)
                AND r.import_id >= import_rows_first_id(:week) AND r.import_id < import_rows_first_id(:week + 7)"""),
            {"week": week},
        )
