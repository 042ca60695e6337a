"""Read imports for the page: at most one screenful, by index, and only of feeds that the person may see."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Session

from include.models import OUTCOMES, State
from include.schemas.client_tables import Import

SCREENFUL = 50


@dataclass(frozen=True)
class ListQuery:
    """What a list of imports is to show.

    feeds         those the person may see
    since, until  instants; `until` is excluded
    text          part of a file name
    email_key     a whole address in its normal form, and `cell` the same address as typed
    sort          a column of the list, one of `SORTS`
    """

    feeds: Sequence[str]
    state: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    text: str = ""
    email_key: str = ""
    cell: str = ""
    sort: str = "when"
    ascending: bool = False


@dataclass(frozen=True)
class Listed:
    """An import in a list.

    new_kinds       kinds of failure that the feed's file before it did not have
    changed_client  whether it created or changed the client whose address is searched for
    """

    entry: Import
    new_kinds: tuple[str, ...]
    changed_client: bool = False


@dataclass(frozen=True)
class Screen:
    """Imports in their order. `newer` and `older`: where the screens before and after begin, each as an arrival."""

    listed: Sequence[Listed]
    newer: int | None
    older: int | None


# What needs a person comes first.
_STATES = (
    State.FAILED, State.HELD, State.REFUSED, State.RECEIVED, State.VALIDATED, State.PREPARED, State.MERGED,
    State.PREVIEWED, State.SKIPPED, State.REVERTED, State.DISCARDED,
)  # fmt: skip
# The columns by which a list is sorted, as SQL. Imports with the same value are in order of arrival.
SORTS = {
    "when": "i.arrival", "file": "i.file_name", "feed": "i.feed", "by": "i.requested_by",
    "state": f"array_position(ARRAY[{', '.join(repr(str(state)) for state in _STATES)}], i.state::text)",
    **{name: f"i.{name}" for name in ("read", *OUTCOMES)},
}  # fmt: skip

# The failures of the file of the same feed that was merged before; without one there is nothing to compare with. A
# corrected file is compared with nothing, and nothing with it: it holds what was left of the file that it corrects.
_BEFORE = f"""
    LEFT JOIN LATERAL (
        SELECT p.failure_kinds AS kinds FROM imports p
        WHERE p.feed = i.feed AND p.arrival < i.arrival AND p.reverts_import_id IS NULL AND p.parent_import_id IS NULL
          AND p.state IN ('{State.MERGED}', '{State.REVERTED}')
        ORDER BY p.arrival DESC LIMIT 1) earlier ON true
"""
# jsonb minus text[] leaves the keys that the file before did not have.
_NEW_KINDS = """
    CASE WHEN earlier.kinds IS NOT NULL AND i.failure_kinds <> '{}' AND NOT i.dry_run AND i.parent_import_id IS NULL
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
_CHANGED_CLIENT = """
    EXISTS (SELECT FROM client_changes ch JOIN clients c ON c.id = ch.client_id
            WHERE c.email_key = :email_key AND ch.import_id = i.id) AS changed_client
"""


def screen(
    engine: sa.Engine, query: ListQuery, before: int | None = None, after: int | None = None, size: int = SCREENFUL
) -> Screen:
    """Read the first imports, or the screenful that follows (`before`) or precedes (`after`) the one of an arrival.

    The names are those of the usual order, the newest first.
    """
    statement, values = list_statement(query, before, after, size)
    more_columns = (sa.column("new_kinds", JSONB), sa.column("changed_client", sa.Boolean))
    with Session(engine) as session:
        imports = sa.select(Import, *more_columns).from_statement(statement)
        listed = [Listed(entry, tuple(kinds), found) for entry, kinds, found in session.execute(imports, values)]
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
    column = SORTS[query.sort]
    is_upward = query.ascending == (after is None)
    filters = (
        ("feeds", list(query.feeds), "i.feed = ANY(:feeds)"),
        ("place", after if before is None else before, _beyond(column, ">" if is_upward else "<")),
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
    direction = "ASC" if is_upward else "DESC"
    order = f"ORDER BY {column} {direction}" + ("" if query.sort == "when" else f", i.arrival {direction}")
    statement = f"""
        SELECT i.*, {_NEW_KINDS}, {_CHANGED_CLIENT if query.cell else "false AS changed_client"}
        FROM (SELECT i.* FROM imports i WHERE {" AND ".join(condition for *_, condition in used)}
              {order} LIMIT :size) i {_BEFORE} {order}"""
    return sa.text(statement), values


def _beyond(column: str, sign: str) -> str:
    """Write the condition that an import comes after the one that arrived as `place`, in the order of a column."""
    if column == SORTS["when"]:
        return f"i.arrival {sign} :place"
    place = f"(SELECT {column}, i.arrival FROM imports i WHERE i.arrival = :place)"
    return f"({column}, i.arrival) {sign} {place}"


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
