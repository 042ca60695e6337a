"""How long the pages take with 1,000,000 clients, and 1,000 imports with 1,000,000 rows: `make bench-pages`.

Everything runs in one process with Airflow's own web application, so that the figures hold no network and no other
process. For comparison: Airflow's version endpoint (nothing but the web application) and its list of DAGs.
"""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from rich.console import Console
from rich.table import Table

from benchmarks.full_ledger import fill
from demo import embedded_postgres, reference_data
from demo.environment import environment
from include import migrations
from include.adapters.database.engine import engine_from_url

RUNS = 15
ROOT = "/client-imports"
ONE, LARGE = UUID(int=999), UUID(int=100_000)
# Beside the 20,000 clients of the full ledger. Of the first names each has a seventh of them.
CLIENTS = """
    INSERT INTO clients (id, first_name, last_name, email, email_key, username, project, desk, created)
    SELECT lpad(to_hex(n), 24, '0'), (ARRAY['Ann', 'Ben', 'Maria', 'John', 'Zoe', 'Lea', 'Max'])[1 + n % 7],
           'Name' || n % 3000, n || '@mail.example', n || '@mail.example', 'user' || n,
           '66524609caa3558dd8f8da65', '67a346ad8092c651c919337e', now() - make_interval(mins => n)
    FROM generate_series(20001, 1000000) n"""
LARGE_IMPORT = f"""
    INSERT INTO imports (id, feed, file_name, state, received_at, requested_by, read, unchanged, failed, header, fields)
    VALUES ('{LARGE}', 'default', 'large.csv', 'merged', now(), 'olga', 100000, 90000, 10000,
            '["First Name", "Email"]', '["first_name", "email"]');
    INSERT INTO import_rows (import_id, row, line, outcome, client_id, problems, cells)
    SELECT '{LARGE}', r, r + 1, CASE WHEN r % 10 = 0 THEN 'failed' ELSE 'unchanged' END,
           CASE WHEN r % 10 > 0 THEN lpad(to_hex(r), 24, '0') END,
           CASE WHEN r % 10 = 0 THEN jsonb_build_array(jsonb_build_object(
               'code', 'CELL_FORMAT', 'field', 'email', 'severity', 'error', 'value', 'x' || r, 'message', 'm' || r,
               'meant', '')) END,
           CASE WHEN r % 10 = 0 THEN jsonb_build_array('A', 'x' || r) END
    FROM generate_series(1, 100000) r"""
PAGES = {
    "Airflow: version": ("GET", "/api/v2/version", None),
    "Airflow: list of DAGs": ("GET", "/ui/dags", None),
    "clients, newest first": ("GET", f"{ROOT}/", None),
    "clients, a search": ("POST", f"{ROOT}/", {"q": "user77"}),
    "clients, a common word": ("POST", f"{ROOT}/", {"q": "maria"}),
    "clients, a common word by name": ("POST", f"{ROOT}/", {"q": "maria", "sort": "last_name"}),
    "imports, newest, with charts": ("GET", f"{ROOT}/imports", None),
    "imports, an older screen": ("GET", f"{ROOT}/imports?before=500", None),
    "imports, sorted by failed rows": ("GET", f"{ROOT}/imports?sort=failed&order=desc", None),
    "imports, part of a name": ("GET", f"{ROOT}/imports?q=99", None),
    "imports with an address": ("POST", f"{ROOT}/imports", {"q": "bad500_50@example.com"}),
    "feeds": ("GET", f"{ROOT}/feeds", None),
    "one import": ("GET", f"{ROOT}/imports/{ONE}", None),
    "one import with 100,000 rows": ("GET", f"{ROOT}/imports/{LARGE}", None),
    "one client": ("GET", f"{ROOT}/client/{77:024x}", None),
    "status of one's uploads": ("GET", f"{ROOT}/api/uploads", None),
}


def main() -> None:
    home = Path(tempfile.mkdtemp())
    for path in (home, *home.parents[:1]):
        path.chmod(0o755)
    postgres = embedded_postgres.start(home / "postgres")
    try:
        _measure(home, postgres)
    finally:
        postgres.stop()


def _measure(home: Path, postgres: embedded_postgres.EmbeddedPostgres) -> None:
    clients_db = postgres.url("clients")
    engine = engine_from_url(clients_db)
    migrations.upgrade(engine)
    reference_data.load(engine)
    fill(engine)
    _fill_more(engine)
    os.environ.update(
        environment(home, metadata_db=postgres.url("airflow"), clients_db=clients_db, smtp_port=25, api_port=8080)
    )
    client = _logged_in()
    times: dict[str, list[float]] = {name: [] for name in PAGES}
    for _ in range(RUNS):
        for name, (method, path, form) in PAGES.items():
            start = time.perf_counter()
            answer = client.request(method, path, data=form)
            times[name].append(1000 * (time.perf_counter() - start))
            assert answer.status_code == 200, (name, answer.status_code)
    title = f"1,000,000 clients, 1,000 imports, 1,000,000 rows; {RUNS} runs, load {os.getloadavg()[0]:.1f}"
    table = Table("page", "median ms", title=title)
    for name, milliseconds in times.items():
        table.add_row(name, f"{median(milliseconds[1:]):.0f}")
    Console().print(table)


def _fill_more(engine: sa.Engine) -> None:
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        # As the server does by itself within minutes: before that, it takes the index of words for a slow one.
        for statement in (CLIENTS, *LARGE_IMPORT.split(";\n"), "VACUUM ANALYZE clients, import_rows"):
            connection.execute(sa.text(statement))


def _logged_in() -> Any:
    from airflow.utils.db import initdb

    initdb()
    from airflow.api_fastapi import app
    from airflow.api_fastapi.auth.managers.simple.user import SimpleAuthManagerUser
    from starlette.testclient import TestClient

    client = TestClient(app.create_app("core"), base_url="http://airflow.example")
    client.headers["accept"] = "text/html"
    client.cookies.set("_token", app.get_auth_manager().generate_jwt(SimpleAuthManagerUser(username="a", role="admin")))
    return client


if __name__ == "__main__":
    main()
