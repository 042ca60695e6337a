"""Every list of clients is read by an index, a screenful at a time, however many clients there are."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import product

import pytest
import sqlalchemy as sa

from include.adapters.database import client_list
from include.adapters.database.client_query import ORDERS, ClientQuery, groups
from include.adapters.database.client_query import desks_of_all_projects as desks
from include.adapters.database.client_statements import KEYS
from include.adapters.database.engine import engine_from_url
from tests.conftest import LONDON, empty

FILL = """
    INSERT INTO clients (id, first_name, last_name, email, email_key, username, project, desk, active, type, created)
    SELECT lpad(to_hex(n), 24, '0'), 'Name' || n % 1000, 'Last' || n % 997, n || e, n || e, 'user' || n, d.project_id,
           d.id, n % 500 <> 0, CASE WHEN n % 5 = 0 THEN 'business' ELSE 'personal' END, now() - n * interval '1 hour'
    FROM generate_series(1, 40000) n
    JOIN (SELECT *, row_number() OVER (ORDER BY id) AS number, count(*) OVER () AS known FROM desks) d
      ON d.number = 1 + n % d.known,
    LATERAL (SELECT CASE WHEN n % 1000 = 7 THEN '@rare.example' ELSE '@example.com' END) a (e)
"""
FEW = 1_000


@pytest.fixture(scope="module")
def many(clients_url: str) -> Iterator[sa.Engine]:
    engine = engine_from_url(clients_url)
    empty(engine)
    with engine.begin() as crm:
        crm.execute(sa.text(FILL))
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as crm:
        crm.execute(sa.text("VACUUM (ANALYZE) clients"))
    yield engine
    empty(engine)
    engine.dispose()


LISTS = {
    "all": {},
    "of a desk": {"desk": LONDON},
    "of a type": {"type": "business"},
    "not active": {"active": False},
    "with a rare word": {"text": "rare"},
    "with a word that all have": {"text": "example"},
    "with a beginning that all have": {"text": "use"},
    "with an address": {"text": "7@rare.example"},
    "with an ID": {"text": "000000000000000000000abc"},
    "not active, with a word that all have": {"active": False, "text": "example"},
}


@pytest.mark.parametrize("name", LISTS)
def test_a_list_reads_by_index_what_it_shows_in_every_order_and_from_its_middle(many, monkeypatch, name):
    monkeypatch.setattr(client_list, "MOST", FEW)
    monkeypatch.setattr(client_list, "WALKED", FEW)
    for order, descending in product(ORDERS, (False, True)):
        query, known = ClientQuery(order=order, descending=descending, **LISTS[name]), desks(many)
        middle = client_list.screen(many, query, known).clients[-1]["id"]
        for after in ("", middle):
            _, read = explained(many, query, known, after)
            # By group: the last group is read as far as all groups together may be.
            assert read <= FEW * (1 if order in KEYS else 2), f"{order}: {read:,} clients were read for one screenful"


@pytest.mark.parametrize(
    ("text", "order", "ways"),
    [
        ("last5", "created", ["ordered"]), ("last5", "last_name", ["ordered", "sorted"]),
        ("name5", "first_name", ["ordered", "sorted"]), ("name5", "email", ["ordered"]), ("name5", "desk", ["ordered"]),
    ],
)  # fmt: skip
def test_clients_of_a_common_word_are_sorted_only_where_they_stand_together(many, monkeypatch, text, order, ways):
    monkeypatch.setattr(client_list, "MOST", FEW)
    monkeypatch.setattr(client_list, "WALKED", FEW)
    monkeypatch.setattr(client_list.client_search, "estimate", lambda *_: FEW + 1)
    found = 4_500  # of 40,000
    for descending in (False, True):
        query = ClientQuery(text=text, order=order, descending=descending)
        tried, read = explained(many, query, desks(many), "")
        assert tried == ways and read <= 2 * FEW + (found if "sorted" in ways else 0)


def explained(engine: sa.Engine, query: ClientQuery, known: object, after: str) -> tuple[list[str], int]:
    """Give the ways that a screen is read, and how many clients it looks at; each of them by an index."""
    own, ways, read = groups(query, known), [], 0
    with engine.begin() as connection:
        client_list._plan_for_these_values(connection)
        cursor = client_list._cursor(connection, query, after, own)
        for way in client_list.ways_of(connection, query, own):
            ways.append(way)
            client_list._plan_for_the_way(connection, way)
            statement, values = client_list.list_statement(query, own, way, cursor, 51, client_list.WALKED)
            shown, looked_at = explained_statement(connection, statement.text, values)
            read += looked_at
            if shown == 51:
                break
    return ways, read


def explained_statement(connection: sa.Connection, statement: str, values: dict[str, object]) -> tuple[int, int]:
    found = connection.scalar(sa.text(f"EXPLAIN (ANALYZE, FORMAT JSON) {statement}"), values)
    plan_nodes = list(nodes((found if isinstance(found, list) else json.loads(found))[0]["Plan"]))
    of_clients = [node for node in plan_nodes if node.get("Relation Name") == "clients"]
    assert of_clients and not any(node["Node Type"] == "Seq Scan" for node in of_clients)
    rows = ("Actual Rows", "Rows Removed by Filter", "Rows Removed by Index Recheck")
    read = sum(node["Actual Loops"] * sum(node.get(each, 0) for each in rows) for node in of_clients)
    return plan_nodes[0]["Actual Rows"], read


def nodes(plan):
    yield plan
    for inner in plan.get("Plans", ()):
        yield from nodes(inner)


def test_what_decides_how_a_list_is_read_is_known_for_each(many, monkeypatch):
    monkeypatch.setattr(client_list, "MOST", FEW)
    ways = {}
    with many.begin() as connection:
        for name, values in LISTS.items():
            query = ClientQuery(order="last_name", **values)
            ways[name] = next(client_list.ways_of(connection, query, groups(query, desks(many))))
    few = {"not active": "groups", "with a rare word": "words", "with an address": "words", "with an ID": "words",
           "not active, with a word that all have": "groups"}  # fmt: skip
    assert ways == {name: few.get(name, "ordered") for name in LISTS}
