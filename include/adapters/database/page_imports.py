"""What the page reads: never more than one screenful, by index, and only of feeds that the person may see."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from include.adapters.database.ledger import import_of
from include.models import Import
from include.schemas.client_tables import imports

SCREENFUL = 50


@dataclass(frozen=True)
class ListQuery:
    """`feeds`: those the person may see. `text` is part of a file name, `email_key` a whole address (normal form),
    `cell` the same as typed. `since` and `until` (excluded) are instants.
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
    """An import in a list. `new_kinds`: kinds of failure that the feed's file before this one did not have."""

    entry: Import
    new_kinds: tuple[str, ...]


@dataclass(frozen=True)
class Screen:
    """Imports, newest first; `newer` and `older` are where the neighbouring screens begin (arrivals), None: no such."""

    listed: Sequence[Listed]
    newer: int | None
    older: int | None


# The failures of the file of the same feed that was merged before; none: nothing to compare with.
_BEFORE = """
    LEFT JOIN LATERAL (
        SELECT p.failure_kinds AS kinds FROM imports p
        WHERE p.feed = i.feed AND p.arrival < i.arrival AND p.reverts_import_id IS NULL
          AND p.state IN ('merged', 'reverted')
        ORDER BY p.arrival DESC LIMIT 1) earlier ON true
"""
# jsonb minus text[]: what is left are keys that the file before did not have.
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
    engine: sa.Engine, wanted: ListQuery, before: int | None = None, after: int | None = None, size: int = SCREENFUL
) -> Screen:
    """The newest imports, or the screenful before or after an arrival."""
    query, facts = list_statement(wanted, before, after, size)
    with engine.connect() as connection:
        rows = list(connection.execute(query, facts))
    more, rows = len(rows) > size, rows[:size]
    if after is not None:
        rows.reverse()
    listed = [Listed(import_of(row), tuple(row.new_kinds)) for row in rows]
    if not rows:
        return Screen([], None, None)
    has_newer = more if after is not None else before is not None
    has_older = more if after is None else True
    return Screen(listed, rows[0].arrival if has_newer else None, rows[-1].arrival if has_older else None)


def list_statement(
    wanted: ListQuery, before: int | None, after: int | None, size: int
) -> tuple[sa.TextClause, dict[str, Any]]:
    conditions = ["i.feed = ANY(:feeds)"]
    facts = {
        "feeds": list(wanted.feeds), "state": wanted.state, "since": wanted.since, "until": wanted.until,
        "text": f"%{_escaped(wanted.text)}%", "email_key": wanted.email_key, "cell": wanted.cell,
        "before": before, "after": after, "size": size + 1,
    }  # fmt: skip
    for given, condition in (
        (before, "i.arrival < :before"), (after, "i.arrival > :after"), (wanted.state, "i.state = :state"),
        (wanted.since, "i.received_at >= :since"), (wanted.until, "i.received_at < :until"),
        (wanted.text or None, "i.file_name ILIKE :text"), (wanted.cell or None, _OF_ADDRESS),
    ):  # fmt: skip
        if given is not None:
            conditions.append(condition)
    query = f"""
        SELECT i.*, {_NEW_KINDS} FROM imports i {_BEFORE} WHERE {" AND ".join(conditions)}
        ORDER BY i.arrival {"ASC" if after is not None else "DESC"} LIMIT :size"""
    return sa.text(query), {name: value for name, value in facts.items() if f":{name}" in query}


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_")


@dataclass(frozen=True)
class Day:
    """Records of one feed's merged files of one day (UTC), by outcome. `news`: files with new kinds of failure."""

    feed: str
    day: date
    created: int
    updated: int
    unchanged: int
    duplicate: int
    failed: int
    news: int

    @property
    def read(self) -> int:
        return self.created + self.updated + self.unchanged + self.duplicate + self.failed


DAYS_STATEMENT = sa.text(f"""
    SELECT feed, day, sum(created)::int, sum(updated)::int, sum(unchanged)::int, sum(duplicate)::int, sum(failed)::int,
           count(*) FILTER (WHERE new_kinds <> '{{}}')::int
    FROM (SELECT i.*, (i.received_at AT TIME ZONE 'UTC')::date AS day, {_NEW_KINDS} FROM imports i {_BEFORE}
          WHERE i.feed = ANY(:feeds) AND i.received_at >= :since AND i.state IN ('merged', 'reverted')
            AND i.reverts_import_id IS NULL) merged
    GROUP BY feed, day ORDER BY feed, day
""")


def days(engine: sa.Engine, feeds: Sequence[str], since: datetime) -> list[Day]:
    with engine.connect() as connection:
        return [Day(*row) for row in connection.execute(DAYS_STATEMENT, {"feeds": list(feeds), "since": since})]


# Feeds are few and imports are many: from each feed's first line jump to the next feed.
FEEDS_STATEMENT = sa.text("""
    WITH RECURSIVE found AS (
        (SELECT feed FROM imports ORDER BY feed LIMIT 1)
        UNION ALL
        SELECT (SELECT i.feed FROM imports i WHERE i.feed > found.feed ORDER BY i.feed LIMIT 1)
        FROM found WHERE found.feed IS NOT NULL)
    SELECT feed FROM found WHERE feed IS NOT NULL
""")


def feeds(engine: sa.Engine) -> list[str]:
    """Every feed that ever had an import, also those whose file is gone."""
    with engine.connect() as connection:
        return list(connection.scalars(FEEDS_STATEMENT))


def children(engine: sa.Engine, import_id: str) -> list[Import]:
    """Corrected files sent for this import, and its revert, in order of arrival."""
    mine = UUID(import_id)
    query = sa.select(imports).where(sa.or_(imports.c.parent_import_id == mine, imports.c.reverts_import_id == mine))
    with engine.connect() as connection:
        return [import_of(row) for row in connection.execute(query.order_by(imports.c.arrival))]


ROWS_STATEMENTS = {
    "failed": "r.outcome = 'failed'",
    "duplicate": "r.outcome = 'duplicate'",
    "kept": "r.outcome = 'kept'",
    "warnings": "r.outcome IN ('created', 'updated', 'unchanged') AND r.problems IS NOT NULL",
}


def rows_statement(kind: str) -> sa.TextClause:
    return sa.text(f"""
        SELECT r.row, r.line, r.outcome, r.client_id, r.cells, r.problems FROM import_rows r
        WHERE r.import_id = :import_id AND {ROWS_STATEMENTS[kind]} AND r.row > :after ORDER BY r.row LIMIT :size""")


@dataclass(frozen=True)
class Row:
    """One record with problems. `cells` as sent; None when they were not kept, or are forgotten."""

    row: int
    line: int
    outcome: str
    client_id: str | None
    cells: Sequence[str] | None
    problems: Sequence[dict[str, Any]]


def rows(engine: sa.Engine, import_id: str, kind: str, after: int = 0, size: int = SCREENFUL) -> list[Row]:
    """One screenful of an import's rows of a kind (`failed`, `duplicate`, `warnings`, `kept`) after a row number."""
    facts = {"import_id": UUID(import_id), "after": after, "size": size}
    with engine.connect() as connection:
        found = connection.execute(rows_statement(kind), facts)
        return [Row(r.row, r.line, r.outcome, r.client_id, r.cells, r.problems or ()) for r in found]


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
    facts = {"import_id": UUID(import_id), "after": after, "size": size}
    with engine.connect() as connection:
        return [Change(*row) for row in connection.execute(CHANGES_STATEMENT, facts)]
