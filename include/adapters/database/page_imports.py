"""Read imports for the page: at most one screenful, by index, and only of feeds that the person may see."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Session

from include.models import Outcome, State
from include.schemas.client_tables import Import

SCREENFUL = 50


@dataclass(frozen=True)
class ListQuery:
    """What a list of imports is to show.

    feeds         those the person may see
    since, until  instants; `until` is excluded
    text          part of a file name
    email_key     a whole address in its normal form, and `cell` the same address as typed
    """

    feeds: Sequence[str]
    state: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    text: str = ""
    email_key: str = ""
    cell: str = ""


@dataclass(frozen=True)
class Listed:
    """An import in a list. `new_kinds`: kinds of failure that the feed's file before it did not have."""

    entry: Import
    new_kinds: tuple[str, ...]


@dataclass(frozen=True)
class Screen:
    """Imports, newest first. `newer` and `older` are the arrivals where the neighbouring screens begin."""

    listed: Sequence[Listed]
    newer: int | None
    older: int | None


# The failures of the file of the same feed that was merged before; without one there is nothing to compare with.
_BEFORE = f"""
    LEFT JOIN LATERAL (
        SELECT p.failure_kinds AS kinds FROM imports p
        WHERE p.feed = i.feed AND p.arrival < i.arrival AND p.reverts_import_id IS NULL
          AND p.state IN ('{State.MERGED}', '{State.REVERTED}')
        ORDER BY p.arrival DESC LIMIT 1) earlier ON true
"""
# jsonb minus text[] leaves the keys that the file before did not have.
_NEW_KINDS = """
    CASE WHEN earlier.kinds IS NOT NULL AND i.failure_kinds <> '{}'
         THEN i.failure_kinds - ARRAY(SELECT jsonb_object_keys(earlier.kinds)) ELSE '{}' END AS new_kinds
"""
_OF_ADDRESS = """
    i.id = ANY(ARRAY(
             SELECT ch.import_id FROM client_changes ch JOIN clients c ON c.id = ch.client_id
             WHERE c.email_key = :email_key
             UNION SELECT r.import_id FROM import_rows r
             WHERE r.cells IS NOT NULL AND (r.cells @> jsonb_build_array(CAST(:cell AS text))
                                            OR r.cells @> jsonb_build_array(CAST(:email_key AS text)))))
"""


def screen(
    engine: sa.Engine, query: ListQuery, before: int | None = None, after: int | None = None, size: int = SCREENFUL
) -> Screen:
    """Read the newest imports, or the screenful before or after an arrival."""
    statement, values = list_statement(query, before, after, size)
    with Session(engine) as session:
        imports = sa.select(Import, sa.column("new_kinds", JSONB)).from_statement(statement)
        listed = [Listed(entry, tuple(new_kinds)) for entry, new_kinds in session.execute(imports, values)]
    more, listed = len(listed) > size, listed[:size]
    if not listed:
        return Screen([], None, None)
    if after is not None:
        listed.reverse()
    has_newer = more if after is not None else before is not None
    has_older = more if after is None else True
    first, last = listed[0].entry.arrival, listed[-1].entry.arrival
    return Screen(listed, first if has_newer else None, last if has_older else None)


def list_statement(
    query: ListQuery, before: int | None, after: int | None, size: int
) -> tuple[sa.TextClause, dict[str, Any]]:
    """Write the SQL of one screenful, and the values it binds."""
    filters = (
        ("feeds", list(query.feeds), "i.feed = ANY(:feeds)"),
        ("before", before, "i.arrival < :before"),
        ("after", after, "i.arrival > :after"),
        ("state", query.state, "i.state = :state"),
        ("since", query.since, "i.received_at >= :since"),
        ("until", query.until, "i.received_at < :until"),
        ("text", f"%{_escaped(query.text)}%" if query.text else None, "i.file_name ILIKE :text"),
        ("cell", query.cell or None, _OF_ADDRESS),
    )
    used = [each for each in filters if each[1] is not None]
    values = {name: value for name, value, _ in used} | {"size": size + 1}
    if query.cell:
        values["email_key"] = query.email_key
    statement = f"""
        SELECT i.*, {_NEW_KINDS} FROM imports i {_BEFORE} WHERE {" AND ".join(condition for *_, condition in used)}
        ORDER BY i.arrival {"ASC" if after is not None else "DESC"} LIMIT :size"""
    return sa.text(statement), values


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_")


@dataclass(frozen=True)
class Day:
    """Records of one feed's merged files of one day (UTC), by outcome.

    `new_failures`: how many of the files had a new kind of failure.
    """

    feed: str
    day: date
    created: int
    updated: int
    unchanged: int
    duplicate: int
    failed: int
    new_failures: int

    @property
    def read(self) -> int:
        return self.created + self.updated + self.unchanged + self.duplicate + self.failed


DAYS_STATEMENT = sa.text(f"""
    SELECT feed, day, sum(created)::int, sum(updated)::int, sum(unchanged)::int, sum(duplicate)::int, sum(failed)::int,
           count(*) FILTER (WHERE new_kinds <> '{{}}')::int
    FROM (SELECT i.*, (i.received_at AT TIME ZONE 'UTC')::date AS day, {_NEW_KINDS} FROM imports i {_BEFORE}
          WHERE i.feed = ANY(:feeds) AND i.received_at >= :since AND i.state IN ('{State.MERGED}', '{State.REVERTED}')
            AND i.reverts_import_id IS NULL) merged
    GROUP BY feed, day ORDER BY feed, day
""")


def days(engine: sa.Engine, feeds: Sequence[str], since: datetime) -> list[Day]:
    """Add up what was imported since then, by feed and day."""
    with engine.connect() as connection:
        return [Day(*row) for row in connection.execute(DAYS_STATEMENT, {"feeds": list(feeds), "since": since})]


# Feeds are few and imports are many: from each feed's first row jump to the next feed.
FEEDS_STATEMENT = sa.text("""
    WITH RECURSIVE each (feed) AS (
        (SELECT feed FROM imports ORDER BY feed LIMIT 1)
        UNION ALL
        SELECT (SELECT i.feed FROM imports i WHERE i.feed > each.feed ORDER BY i.feed LIMIT 1)
        FROM each WHERE each.feed IS NOT NULL)
    SELECT feed FROM each WHERE feed IS NOT NULL
""")


def feeds(engine: sa.Engine) -> list[str]:
    """Read the name of every feed that ever had an import, also of those whose file is gone."""
    with engine.connect() as connection:
        return list(connection.scalars(FEEDS_STATEMENT))


ROWS_STATEMENTS = {
    "failed": f"r.outcome = '{Outcome.FAILED}'",
    "duplicate": f"r.outcome = '{Outcome.DUPLICATE}'",
    "kept": f"r.outcome = '{Outcome.KEPT}'",
    "warnings": f"r.outcome IN ('{Outcome.CREATED}', '{Outcome.UPDATED}', '{Outcome.UNCHANGED}')"
    " AND r.problems IS NOT NULL",
}


def rows_statement(kind: str) -> sa.TextClause:
    """Write the SQL that reads rows of one kind."""
    return sa.text(f"""
        SELECT r.row, r.line, r.outcome, r.client_id, r.cells, r.problems FROM import_rows r
        WHERE r.import_id = :import_id AND {ROWS_STATEMENTS[kind]} AND r.row > :after ORDER BY r.row LIMIT :size""")


@dataclass(frozen=True)
class Row:
    """One record with problems. `cells` are as sent; None when they were not kept, or are deleted."""

    row: int
    line: int
    outcome: str
    client_id: str | None
    cells: Sequence[str] | None
    problems: Sequence[dict[str, Any]]


def rows(engine: sa.Engine, import_id: str, kind: str, after: int = 0, size: int = SCREENFUL) -> list[Row]:
    """Read an import's rows of one kind (`failed`, `duplicate`, `warnings`, `kept`) after a row number."""
    values = {"import_id": UUID(import_id), "after": after, "size": size}
    with engine.connect() as connection:
        records = connection.execute(rows_statement(kind), values).mappings()
        return [Row(**{**record, "problems": record["problems"] or ()}) for record in records]


CHANGES_STATEMENT = sa.text("""
    SELECT row, line, client_id, outcome, before, after FROM client_changes
    WHERE import_id = :import_id AND row > :after ORDER BY row LIMIT :size
""")


@dataclass(frozen=True)
class Change:
    """What one import did to one client. `before` is None for a created one, `after` for a deleted one."""

    row: int
    line: int
    client_id: str
    outcome: str
    before: dict[str, Any] | None
    after: dict[str, Any] | None


def changes(engine: sa.Engine, import_id: str, after: int = 0, size: int = SCREENFUL) -> list[Change]:
    """Read what an import did to clients, after a row number."""
    values = {"import_id": UUID(import_id), "after": after, "size": size}
    with engine.connect() as connection:
        return [Change(*row) for row in connection.execute(CHANGES_STATEMENT, values)]
