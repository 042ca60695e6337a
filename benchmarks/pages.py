"""How long the pages take with 1,000 imports and 1,000,000 rows: `make bench-pages`.

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

from rich.console import Console
from rich.table import Table

from benchmarks.full_ledger import fill
from demo import embedded_postgres, reference_data
from demo.environment import environment
from include import migrations
from include.adapters.database.engine import engine_from_url

RUNS = 15
ROOT = "/client-imports"
ONE = UUID(int=999)
PAGES = {
    "Airflow: version": ("GET", "/api/v2/version", None),
    "Airflow: list of DAGs": ("GET", "/ui/dags", None),
    "imports, newest, with charts": ("GET", f"{ROOT}/", None),
    "imports, an older screen": ("GET", f"{ROOT}/?before=500", None),
    "imports with an address": ("POST", f"{ROOT}/", {"q": "bad500_50@example.com"}),
    "one import": ("GET", f"{ROOT}/imports/{ONE}", None),
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
    title = f"1,000 imports, 1,000,000 rows; {RUNS} runs, load {os.getloadavg()[0]:.1f}"
    table = Table("page", "median ms", title=title)
    for name, milliseconds in times.items():
        table.add_row(name, f"{median(milliseconds[1:]):.0f}")
    Console().print(table)


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
