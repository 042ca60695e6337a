"""What the history costs as it grows: `make bench-history`.

retention  1,000,000 rows of 200 imports emptied, deleted, and dropped as a week: seconds, and what the log takes
weeks      an import of 5,000 rows, and one client's history, beside 1, 53 and 105 weeks of 20,000 rows each
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

from benchmarks import client_files, database
from benchmarks.speed import ours
from include.adapters.database import page_clients, row_weeks

IMPORTS, ROWS, RUNS = 200, 5_000, 7
NOW = datetime.now(UTC)
_CLIENTS = 20_000
_ROWS = sa.text("""
    INSERT INTO import_rows (import_id, row, line, outcome, client_id, before, after)
    SELECT i.id, r, r + 1, 'updated', lpad(to_hex(r), 24, '0'),
           jsonb_build_object('first_name', 'Ann', 'last_name', 'Lee', 'email', 'ann' || r || '@example.com', 'project',
                              '66524609caa3558dd8f8da65', 'desk', '67a346ad8092c651c919337e', 'active', true),
           '{"first_name": "Anna"}'
    FROM imports i, generate_series(1, :rows) r WHERE i.received_at = :received""")
_IMPORT = sa.text("""
    INSERT INTO imports (id, feed, file_name, state, received_at, read, updated)
    VALUES (:id, 'a', 'a.csv', 'merged', :received, :rows, :rows)""")
_EMPTIED = "UPDATE import_rows SET problems = NULL, before = NULL, after = NULL WHERE import_id = :id"
_DELETED = "DELETE FROM import_rows WHERE import_id = :id"


def fill(engine: sa.Engine, received: datetime, imports: int, rows: int) -> list[str]:
    """Add imports of one week, with rows of the same clients; gives their ids."""
    ids = [row_weeks.new_import_id(received) for _ in range(imports)]
    with engine.begin() as connection:
        week = row_weeks.start_of_week(received).date()
        connection.execute(sa.text("SELECT import_rows_make_weeks(:week, 0)"), {"week": week})
        connection.execute(_IMPORT, [{"id": each, "received": received, "rows": rows} for each in ids])
        connection.execute(_ROWS, {"received": received, "rows": rows})
    return ids


def retention(engine: sa.Engine) -> None:
    print("| 1,000,000 rows of 200 imports | seconds | write-ahead log |\n|---|---:|---:|")
    long_ago = NOW - timedelta(weeks=60)

    def each(statement: str) -> Callable[[list[str]], None]:
        def run(ids: list[str]) -> None:
            for import_id in ids:
                with engine.begin() as connection:
                    connection.execute(sa.text(statement), {"id": import_id})

        return run

    def dropped(ids: list[str]) -> None:
        with engine.begin() as connection:
            connection.execute(sa.text("UPDATE imports SET forgotten_at = now()"))
        row_weeks.turn_over(engine, row_weeks.weeks_to_drop(engine, ids, NOW), NOW)

    for name, way in (("emptied", each(_EMPTIED)), ("deleted", each(_DELETED)), ("their week dropped", dropped)):
        database.empty(engine)
        ids = fill(engine, long_ago, IMPORTS, ROWS)
        database.tidy(engine)
        size = _bytes_a_row(engine, long_ago)
        before, began = _log(engine), time.perf_counter()
        way(ids)
        seconds = time.perf_counter() - began
        print(f"| {name} | {seconds:.2f} | {(_log(engine) - before) / 2**20:,.1f} MiB |", flush=True)
    print(f"\nA row that changed a client takes {size:.0f} bytes, indexes included.")


def _bytes_a_row(engine: sa.Engine, received: datetime) -> float:
    table = f"import_rows_{received:%Gw%V}"
    with engine.connect() as connection:
        size = connection.scalar(sa.text("SELECT pg_total_relation_size(CAST(:table AS regclass))"), {"table": table})
        return int(size) / (IMPORTS * ROWS)


def _log(engine: sa.Engine) -> int:
    with engine.connect() as connection:
        return int(connection.scalar(sa.text("SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')")))


def weeks(engine: sa.Engine, load: Callable[..., float]) -> None:
    print("\n| weeks of history | 5,000 rows updated | a client's history |\n|---:|---:|---:|")
    database.empty(engine)
    database.fill(engine, range(1, _CLIENTS + 1))
    have = 0
    for wanted in (1, 53, 105):
        for n in range(have, wanted):
            fill(engine, NOW - timedelta(weeks=n), 4, ROWS)
        have = wanted
        database.tidy(engine)
        loaded, looked = [], []
        for run in range(RUNS):
            path = client_files.write(FOLDER / f"{wanted}_{run}.csv", range(1, ROWS + 1), f"Lee {wanted} {run}")
            loaded.append(load(path))
            began = time.perf_counter()
            found = page_clients.history(engine, f"{77:024x}", ["a"])
            looked.append(time.perf_counter() - began)
        assert len(found) == min(4 * wanted, page_clients.MOST)
        print(f"| {wanted} | {1000 * statistics.median(loaded):,.0f} ms "
              f"| {1000 * statistics.median(looked):.0f} ms |", flush=True)  # fmt: skip


if __name__ == "__main__":
    with database.server() as (server, FOLDER):
        own = database.build(server.url("history"))
        retention(own)
        weeks(own, ours(own, FOLDER))
        own.dispose()
