"""Read the client table for the page and its export: searched, filtered, sorted, one screenful at a time.

Every statement reads by index, whatever the size of the table:

- A client's project, desk, activity and type make its group, and there are few groups. One index begins with them. It
  serves these four filters, and the four orders that begin with one of them.
- A search or a filter that leaves few clients reads all of these, and sorts them.
- Any other list is read in the order of its index, until a screenful fits. A search looks so far at the first clients
  of the order alone; where they hold no screenful, its clients stand together elsewhere, and all of them are sorted.

Which of these is decided here, by counting and by the server's statistics: left to itself the server takes every
order and every filter for independent, and may read a million clients to find the ten of a desk.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import sqlalchemy as sa

from include.adapters.database import client_search
from include.adapters.database.client_query import ClientQuery, Desk, Group, groups
from include.adapters.database.client_statements import KEYS, Cursor, Way, count_statement, list_statement
from include.schemas.client_rows import FIELDS

SCREENFUL = 50
MOST = 10_000  # so many clients are found, counted and sorted in a few hundredths of a second
WALKED = 25_000  # and so many are compared with a search, one after another


@dataclass(frozen=True)
class ClientScreen:
    """Clients in order, each with its columns by name.

    total   how many there are in all; None for a list that is not narrowed, or `is_large`: too many to be counted
    before, after   whether there are clients before the first and after the last of these
    """

    clients: Sequence[dict[str, Any]]
    before: bool
    after: bool
    total: int | None
    is_large: bool


def screen(
    engine: sa.Engine, query: ClientQuery, known: Sequence[Desk], after: str = "", before: str = "",
    size: int = SCREENFUL,
) -> ClientScreen:  # fmt: skip
    """Read the first clients, or those after or before the client with an ID. Without that client: the first ones."""
    backwards = bool(before)
    asked = replace(query, descending=query.descending != backwards)
    own = groups(asked, known)
    with engine.begin() as connection:
        _plan_for_these_values(connection)
        cursor = _cursor(connection, asked, before or after, own)
        for way in ways_of(connection, asked, own):
            _plan_for_the_way(connection, way)
            statement, values = list_statement(asked, own, way, cursor, size + 1, WALKED)
            rows = [dict(row) for row in connection.execute(statement, values).mappings()]
            if len(rows) > size:
                break
    more, rows = len(rows) > size, rows[:size]
    total = rows[0]["total"] if rows else 0
    is_large = query.is_narrowed and total is None
    if backwards and cursor:
        return ClientScreen(rows[::-1], more, True, total, is_large)
    return ClientScreen(rows, cursor is not None, more, total, is_large)


def all_clients(engine: sa.Engine, query: ClientQuery, known: Sequence[Desk]) -> Iterator[Sequence[Any]]:
    """Read every client of a query, in its order, as the table was at one moment. Nothing is kept in memory.

    Each is its values in the order of `FIELDS`.
    """
    own = groups(query, known)
    with engine.connect() as connection, connection.begin():
        _plan_for_these_values(connection)
        way = next(ways_of(connection, query, own))
        _plan_for_the_way(connection, way)
        statement, values = list_statement(query, own, way)
        for row in connection.execution_options(yield_per=1000).execute(statement, values):
            yield row[: len(FIELDS)]


def _plan_for_these_values(connection: sa.Connection) -> None:
    """Let the server plan each statement for its values: some words and desks have few clients, others most of them.

    It takes a group that has no clients for one of many, and would read the whole table for it.
    """
    for setting in ("plan_cache_mode = force_custom_plan", "jit = off", "work_mem = '32MB'", "enable_seqscan = off"):
        connection.execute(sa.text(f"SET LOCAL {setting}"))


def _plan_for_the_way(connection: sa.Connection, way: Way) -> None:
    """Keep the server to the order of the index: it takes a search for many different words for one that finds few."""
    for method in ("bitmapscan", "sort"):
        connection.execute(sa.text(f"SET LOCAL enable_{method} = {'off' if way == 'ordered' else 'on'}"))


def _cursor(connection: sa.Connection, query: ClientQuery, client_id: str, own: Sequence[Group]) -> Cursor | None:
    key = KEYS.get(query.order, "NULL")
    statement = sa.text(f"SELECT c.project, c.desk, c.active, c.type, {key} FROM clients c WHERE c.id = :id")
    row = connection.execute(statement, {"id": client_id}).one_or_none() if client_id else None
    group = Group(*row[:4]) if row else None
    return Cursor(client_id, row[4], own.index(group) + 1) if row and group in own else None


def ways_of(connection: sa.Connection, query: ClientQuery, own: Sequence[Group]) -> Iterator[Way]:
    """Give the ways to read the list, the quickest first. The last one finds all; another one may find too few.

    groups    the filters leave few clients: all of them group by group, then searched and sorted
    words     the search leaves few: all of them by their words, then filtered and sorted
    sorted    the search leaves more: the same
    ordered   in the order of an index, until a screenful fits; a search gives up after `WALKED` clients
    """
    if query.has_filter and _count(connection, "groups", query, own) <= MOST:
        yield "groups"
    elif not query.text.strip():
        yield "ordered"
    else:
        if client_search.estimate(connection, query.text) > MOST:
            yield "ordered"
        yield "words" if _count(connection, "words", query, own) <= MOST else "sorted"


def _count(connection: sa.Connection, way: Way, query: ClientQuery, own: Sequence[Group]) -> int:
    statement, values = count_statement(way, query if way == "words" else replace(query, text=""), own, MOST)
    return int(connection.scalar(statement, values) or 0)
