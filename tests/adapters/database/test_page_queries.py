"""With 1,000 imports and 1,000,000 rows in the ledger, every statement of the page uses an index."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from uuid import UUID

import pytest
import sqlalchemy as sa

from benchmarks.full_ledger import fill
from include.adapters.database import import_rows, page_clients, page_feeds, page_imports, page_rows
from include.adapters.database.engine import engine_from_url
from include.adapters.database.page_imports import ListQuery
from tests.conftest import empty

FEEDS = ["acme", "default"]


@pytest.fixture(scope="module")
def full(clients_url: str) -> Iterator[sa.Engine]:
    engine = engine_from_url(clients_url)
    empty(engine)
    fill(engine)
    yield engine
    empty(engine)
    engine.dispose()


def one(number: int) -> UUID:
    return UUID(int=number)


def listed(**filters):
    own = {name: filters.pop(name, None) for name in ("before", "after")}
    return page_imports.list_statement(ListQuery(FEEDS, **filters), own["before"], own["after"], 50)


STATEMENTS = {
    "the newest imports": lambda: listed(),
    "older imports": lambda: listed(before=2**40),
    "newer imports": lambda: listed(after=0),
    "imports of some days": lambda: listed(since=datetime(2026, 1, 1, tzinfo=UTC), until=datetime(2099, 1, 2, tzinfo=UTC)),
    "imports with an address": lambda: listed(cell="bad500_50@example.com", email_key="bad500_50@example.com"),
    "the chart": lambda: (page_imports.DAYS_STATEMENT, {"feeds": FEEDS, "since": datetime(2026, 11, 1, tzinfo=UTC)}),
    "the last file of each feed": lambda: (page_feeds.LAST_STATEMENT, {"feeds": FEEDS}),
    "what waits in each feed": lambda: (
        page_feeds.WAITING_STATEMENT, {"feeds": FEEDS, "since": datetime(2026, 11, 1, tzinfo=UTC)}),
    "the feeds": lambda: (page_imports.FEEDS_STATEMENT, {}),
    **{
        f"rows: {kind}": lambda kind=kind: (page_rows.rows_statement(kind), {"import_id": one(500), "after": 10, "size": 51})
        for kind in page_rows.KINDS
    },
    "rows of a cause": lambda: (page_rows.rows_statement("failed", of_cause=True), {
        "import_id": one(500), "after": 10, "size": 51, "code": "CELL_FORMAT", "field": "email", "severity": "error",
        "word": None}),
    "causes": lambda: (import_rows.CAUSES_STATEMENT, {"import_id": one(500), "by_value": [], "most": 20}),
    "a client's history": lambda: (
        page_clients.HISTORY_STATEMENT, {"client_id": f"{77:024x}", "feeds": FEEDS, "most": 200}),
    "rows with an address": lambda: (
        page_clients.MENTIONED_STATEMENT,
        {"typed": "bad500_50@example.com", "email_key": "bad500_50@example.com", "feeds": FEEDS, "most": 200}),
}  # fmt: skip


# They sum up most of the 1,000 imports, so they may read all of them.
OF_MOST_IMPORTS = {"the chart", "what waits in each feed"}


def nodes(plan):
    yield plan
    for inner in plan.get("Plans", ()):
        yield from nodes(inner)


@pytest.mark.parametrize("name", STATEMENTS)
def test_a_statement_of_the_page_reads_by_index_what_it_shows(full, name):
    statement, facts = STATEMENTS[name]()
    with full.connect() as connection:
        explained = connection.scalar(sa.text(f"EXPLAIN (ANALYZE, FORMAT JSON) {statement.text}"), facts)
    (plan,) = explained if isinstance(explained, list) else json.loads(explained)
    plan_nodes = list(nodes(plan["Plan"]))
    scanned = {node.get("Relation Name") for node in plan_nodes if node["Node Type"] == "Seq Scan"}
    big = {"import_rows", "clients"}
    assert not scanned & (big if name in OF_MOST_IMPORTS else big | {"imports"}), scanned
    read = sum(node["Actual Rows"] * node["Actual Loops"] for node in plan_nodes if node.get("Relation Name") in big)
    assert read <= 5_000, f"{read:,} rows were read for one screenful"


def test_every_statement_finds_what_is_there(full):
    """So that an index is not praised for finding nothing."""
    counts = {}
    with full.connect() as connection:
        for name, made in STATEMENTS.items():
            statement, facts = made()
            counts[name] = len(connection.execute(statement, facts).all())
    assert {name for name, rows in counts.items() if not rows} == {
        f"rows: {kind}"
        for kind in ("created", "duplicate", "deactivated", "kept", "reverted", "warnings", "not_failed")
    }
