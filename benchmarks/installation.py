"""A real Airflow as `make demo` starts it (LocalExecutor, embedded PostgreSQL), in a folder that is deleted."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import sqlalchemy as sa

from demo import embedded_postgres, mail_catcher, reference_data
from demo.environment import environment, free_port
from include import migrations
from include.adapters.database.engine import engine_from_url
from include.settings import ROOT

FEED = "title: {name}\nschedule: watch\nstable_seconds: 0\nhold: {{}}\nnotify: {{when: never}}\n" + os.environ.get(
    "FEED_KEYS", ""
)


@dataclass(frozen=True)
class Installation:
    home: Path
    process: subprocess.Popen[bytes]
    airflow: sa.Engine
    clients: sa.Engine

    def drop(self, inbox: str, name: str, content: bytes) -> None:
        folder = self.home / "storage" / "inbox" / inbox
        (folder / f".{name}").write_bytes(content)
        (folder / f".{name}").rename(folder / name)

    def query(self, sql: str, **parameters: Any) -> Any:
        """Query Airflow's own database; gives the first value of the first row."""
        with self.airflow.connect() as connection:
            return connection.scalar(sa.text(sql), parameters)

    def wait(self, sql: str, at_least: float, seconds: float = 900, **parameters: Any) -> None:
        """Wait until the query gives at least this number."""
        ends = time.monotonic() + seconds
        while (self.query(sql, **parameters) or 0) < at_least:
            if time.monotonic() > ends or self.process.poll() is not None:
                raise RuntimeError(f"This stayed below {at_least}: {sql}; see {self.home}/airflow.log")
            time.sleep(0.1)

    def part(self, name: str) -> psutil.Process:
        """Find the process of `airflow NAME`."""
        for each in psutil.Process(self.process.pid).children(recursive=True):
            if name in each.cmdline()[1:]:
                return each
        raise RuntimeError(f"There is no process `airflow {name}`.")


@contextmanager
def installation(feeds: int = 1, **settings: str) -> Iterator[Installation]:
    """Start Airflow with `feeds` feeds named feed0, feed1 and so on; `settings` are added to the demo's environment."""
    home = Path(tempfile.mkdtemp(prefix="bench-airflow-"))
    for path in (home, *home.parents[:1]):
        path.chmod(path.stat().st_mode | 0o055)
    database = embedded_postgres.start(home / "postgres")
    _write_feeds(home, feeds)
    port = free_port()
    variables = environment(
        home, metadata_db=database.url("airflow"), clients_db=database.url("clients"),
        smtp_port=port, api_port=free_port(),
    )  # fmt: skip
    folders = [("dags", ROOT / "dags"), ("bench", ROOT / "benchmarks" / "dags")]
    bundle = "airflow.dag_processing.bundles.local.LocalDagBundle"
    variables |= {
        "CLIENT_IMPORTS_FEEDS": str(home / "feeds"),
        "AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST": json.dumps(
            [{"name": name, "classpath": bundle, "kwargs": {"path": str(path)}} for name, path in folders]
        ),
        **settings,
    }
    clients = engine_from_url(variables["AIRFLOW_CONN_CLIENTS_DB"])
    migrations.upgrade(clients)
    reference_data.load(clients)
    catcher = mail_catcher.start(port, home / "mail")
    process = _start(home, variables)
    airflow = sa.create_engine(database.url("airflow").replace("postgresql://", "postgresql+psycopg://"))
    try:
        running = Installation(home, process, airflow, clients)
        _wait_until_it_runs(running, feeds)
        yield running
    finally:
        parts = psutil.Process(process.pid).children(recursive=True)
        os.killpg(process.pid, signal.SIGTERM)
        for process_left in psutil.wait_procs([*parts, psutil.Process(process.pid)], timeout=30)[1]:
            process_left.kill()
        for engine in (airflow, clients):
            engine.dispose()
        catcher.stop()
        database.stop()
    shutil.rmtree(home)  # kept when something went wrong: the logs are in it


def _write_feeds(home: Path, feeds: int) -> None:
    (home / "feeds").mkdir()
    for name in ("nothing", *(f"feed{n}" for n in range(feeds))):
        (home / "storage" / "inbox" / name).mkdir(parents=True)
        if name != "nothing":
            (home / "feeds" / f"{name}.yaml").write_text(FEED.format(name=name))


def _start(home: Path, variables: Mapping[str, str]) -> subprocess.Popen[bytes]:
    with (home / "airflow.log").open("ab") as log:
        return subprocess.Popen(
            [str(Path(sys.executable).parent / "airflow"), "standalone"],
            cwd=ROOT, env={**os.environ, **variables}, stdout=log, stderr=log, stdin=subprocess.DEVNULL,
            start_new_session=True,
        )  # fmt: skip


def _wait_until_it_runs(running: Installation, feeds: int) -> None:
    ends = time.monotonic() + 300
    while time.monotonic() < ends:
        try:
            running.wait(
                "SELECT count(*) FROM dag WHERE dag_id LIKE 'import_clients%' OR dag_id = 'do_nothing'", feeds + 1
            )
            # Each inbox trigger is assigned to the triggerer.
            running.wait("SELECT count(*) FROM trigger WHERE triggerer_id IS NOT NULL", feeds + 1)
            # A new schedule starts one run immediately.
            running.wait("SELECT count(*) FROM dag_run", feeds)
            return running.wait("SELECT -count(*) FROM dag_run WHERE state IN ('running', 'queued')", 0)
        except sa.exc.DatabaseError:  # not migrated yet
            time.sleep(1)
