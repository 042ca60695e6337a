"""Write the SQL that reads and counts the clients of a list; `client_list` chooses the way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import sqlalchemy as sa

from include.adapters.database import client_search
from include.adapters.database.client_query import ClientQuery, Group
from include.schemas.client_rows import FIELDS

Statement = tuple[sa.TextClause, dict[str, Any]]
Way = Literal["groups", "words", "sorted", "ordered"]
FEW: tuple[Way, ...] = ("groups", "words")
KEYS = {
    "id": "c.id", "first_name": 'lower(c.first_name) COLLATE "C"', "last_name": 'lower(c.last_name) COLLATE "C"',
    "email": "c.email_key", "created": "c.created",
}  # fmt: skip
_COLUMNS = ", ".join(f"c.{name}" for name in FIELDS)


@dataclass(frozen=True)
class Cursor:
    """The client beside which a screen begins: its ID, the value it is sorted by, and the place of its group."""

    id: str
    key: object
    rank: int


def count_statement(way: Way, query: ClientQuery, own: Sequence[Group], most: int) -> Statement:
    """Write the SQL that counts up to `most` clients, and one more."""
    source, values = _source(way, query, own)
    return sa.text(f"SELECT count(*) FROM (SELECT 1 {source} LIMIT :most) found"), {**values, "most": most + 1}


def list_statement(
    query: ClientQuery, own: Sequence[Group], way: Way, cursor: Cursor | None = None, size: int | None = None,
    walked: int | None = None,
) -> Statement:  # fmt: skip
    """Write the SQL that reads one screenful; without a `size` all clients.

    In the order of an index a search looks at `walked` clients, and finds no others.
    """
    if way != "ordered":
        return _sorted(query, own, way, cursor, size)
    walked = walked if query.text.strip() else None
    return _by_key(query, cursor, size, walked) if query.order in KEYS else _by_group(query, own, cursor, size, walked)


def _source(way: Way, query: ClientQuery, own: Sequence[Group]) -> tuple[str, dict[str, Any]]:
    """Write where clients are found: group by group, else by the words that were searched for."""
    condition, values = client_search.condition_of(query.text, by_index=way != "groups")
    if way == "groups":
        found = f"FROM {_GROUPS} CROSS JOIN LATERAL (SELECT * FROM clients c WHERE {_OF_GROUP} OFFSET 0) c"
        return f"{found} WHERE {condition or 'true'}", values | _group_values(own)
    # OFFSET 0: or the server goes through the clients of a filter, and splits each into words.
    found = f"FROM (SELECT * FROM clients c WHERE {condition} OFFSET 0) c"
    return f"{found} WHERE {_filters(query)}", values | _filter_values(query)


def _sorted(query: ClientQuery, own: Sequence[Group], way: Way, cursor: Cursor | None, size: int | None) -> Statement:
    source, values = _source(way, query, own)
    sign, direction = _direction(query)
    # Of few clients all are kept, to be counted; of more than those only the screenful is.
    kept, total = ("MATERIALIZED", "(SELECT count(*) FROM c)") if way in FEW else ("NOT MATERIALIZED", "NULL")
    if query.order in KEYS:
        joined, key, order = "", KEYS[query.order], f"{KEYS[query.order]} {direction}"
        begins, place = f"({key}, c.id) {sign} (:key, :id)", cursor and cursor.key
    else:
        # Groups are numbered in the query's direction already.
        joined, order = f"JOIN {_GROUPS} USING (project, desk, active, type)", "g.rank"
        begins, place = f"(g.rank > :key OR (g.rank = :key AND c.id {sign} :id))", cursor and cursor.rank
        values |= _group_values(own)
    if cursor:
        values |= {"key": place, "id": cursor.id}
    return sa.text(f"""
        WITH c AS {kept} (SELECT c.* {source} OFFSET 0)
        SELECT {_COLUMNS}, {total} AS total FROM c {joined} WHERE {begins if cursor else "true"}
        ORDER BY {order}, c.id {direction} LIMIT :size"""), values | {"size": size}


def _by_key(query: ClientQuery, cursor: Cursor | None, size: int | None, walked: int | None) -> Statement:
    condition, values = client_search.condition_of(query.text, by_index=False)
    sign, direction = _direction(query)
    key = KEYS[query.order]
    if cursor:
        values |= {"key": cursor.key, "id": cursor.id}
    return sa.text(f"""
        SELECT {_COLUMNS}, NULL AS total FROM (
            SELECT c.*, {key} AS place FROM clients c WHERE {f"({key}, c.id) {sign} (:key, :id)" if cursor else "true"}
            ORDER BY {key} {direction}, c.id {direction} LIMIT :walked) c
        WHERE {_filters(query)} AND {condition or "true"}
        ORDER BY c.place {direction}, c.id {direction} LIMIT :size"""), (
        values | _filter_values(query) | {"size": size, "walked": walked}
    )  # fmt: skip


def _by_group(
    query: ClientQuery, own: Sequence[Group], cursor: Cursor | None, size: int | None, walked: int | None
) -> Statement:  # fmt: skip
    condition, values = client_search.condition_of(query.text, by_index=False)
    sign, direction = _direction(query)
    # The groups before the cursor's are left out, and in its own the clients before it.
    values |= _group_values(own[cursor.rank - 1 :] if cursor else own)
    if cursor:
        values["bounds"] = [cursor.id, *[_BEFORE_ALL[sign]] * (len(values["bounds"]) - 1)]
    begins = f"{_GROUP_ID} {sign} g.bound" if cursor else "true"
    # Each group's first clients are enough, because the groups follow each other.
    return sa.text(f"""
        SELECT {_COLUMNS}, NULL AS total FROM (
            SELECT c.*, g.rank AS place FROM {_GROUPS} CROSS JOIN LATERAL (
                SELECT * FROM clients c WHERE {_OF_GROUP} AND {begins}
                ORDER BY {_GROUP_ID} {direction} LIMIT :first) c
            ORDER BY g.rank, c.id {direction} LIMIT :first) c
        WHERE {condition or "true"} ORDER BY c.place, c.id {direction} LIMIT :size"""), (
        values | {"size": size, "first": walked if condition else size}
    )  # fmt: skip


def _direction(query: ClientQuery) -> tuple[str, str]:
    return ("<", "DESC") if query.descending else (">", "ASC")


# The server knows that rows come by rank, so that it can stop after a screenful.
_GROUPS = (
    "unnest(CAST(:projects AS text[]), CAST(:desks AS text[]), CAST(:actives AS boolean[]), CAST(:types AS text[]),"
    " CAST(:bounds AS text[])) WITH ORDINALITY AS g (project, desk, active, type, bound, rank)"
)
_OF_GROUP = "c.project = g.project AND c.desk = g.desk AND c.active = g.active AND c.type = g.type"
# In the index of groups the ID has another name for the same order, so that no other index can serve this one.
_GROUP_ID = 'c.id COLLATE "POSIX"'
_BEFORE_ALL = {">": "", "<": "g"}  # an ID has hex digits


def _group_values(own: Sequence[Group]) -> dict[str, Any]:
    return {
        "projects": [group.project for group in own], "desks": [group.desk for group in own],
        "actives": [group.active for group in own], "types": [group.type for group in own],
        "bounds": [""] * len(own),
    }  # fmt: skip


def _filters(query: ClientQuery) -> str:
    return " AND ".join(f"c.{name} = :{name}" for name in _filter_values(query)) or "true"


def _filter_values(query: ClientQuery) -> dict[str, Any]:
    names = ("project", "desk", "active", "type")
    return {name: value for name in names if (value := getattr(query, name)) is not None}
