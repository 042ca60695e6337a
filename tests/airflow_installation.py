"""A real Airflow for the session: metadata in the embedded PostgreSQL, mail to a real SMTP server."""

from __future__ import annotations

import email
import email.policy
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from demo import embedded_postgres, mail_catcher
from demo.environment import environment, free_port
from include.settings import ROOT


@dataclass
class Installation:
    home: Path
    mails: Path
    bag: Any

    def drop(self, feed: str, source: Path | str, name: str = "") -> None:
        """Put a file (or text under `name`) into a feed's inbox."""
        inbox = self.home / "storage" / "inbox" / feed
        inbox.mkdir(parents=True, exist_ok=True)
        if isinstance(source, Path):
            shutil.copyfile(source, inbox / (name or source.name))
        else:
            (inbox / name).write_text(source, encoding="utf-8")

    def run(self, feed: str, **conf: Any) -> Any:
        """Run the feed's DAG once with real tasks; gives the DagRun."""
        empty = dict.fromkeys(("file", "upload", "note")) | {"force": False, "dry_run": False}
        return self.bag.dags[f"import_clients__{feed}"].test(
            run_conf={**empty, **conf},  # without a value test() would keep that of the run before
            logical_date=None,
        )

    def read_mails(self) -> list[EmailMessage]:
        """Read the mails that have arrived since the last call, oldest first."""
        paths = sorted(self.mails.glob("*.eml"), key=lambda path: path.stat().st_mtime_ns)
        mails = [email.message_from_bytes(path.read_bytes(), policy=email.policy.default) for path in paths]
        for path in paths:
            path.unlink()
        return mails  # type: ignore[return-value]

    def files(self, place: str) -> list[str]:
        root = self.home / "storage" / place
        return sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file())


def states(run: Any) -> dict[str, str]:
    """Task (and file, for mapped tasks) to state."""
    return {
        f"{ti.task_id}[{ti.map_index}]" if ti.map_index >= 0 else ti.task_id: str(ti.state)
        for ti in run.get_task_instances()
    }


@pytest.fixture(scope="session")
def feeds_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The real feeds, with files that count as stable at once."""
    folder = tmp_path_factory.mktemp("feeds")
    for path in (ROOT / "include" / "feeds").glob("*.yaml"):
        lines = [line for line in path.read_text().splitlines() if not line.startswith("stable_seconds")]
        (folder / path.name).write_text("\n".join([*lines, "stable_seconds: 0", ""]))
    return folder


@pytest.fixture(scope="session")
def airflow(
    postgres: embedded_postgres.EmbeddedPostgres,
    clients_url: str,
    feeds_folder: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Installation]:
    home = tmp_path_factory.mktemp("airflow")
    port = free_port()
    variables = environment(
        home, metadata_db=postgres.url("airflow"), clients_db=clients_url, smtp_port=port, api_port=8080
    )
    os.environ.update(variables | {"CLIENT_IMPORTS_FEEDS": str(feeds_folder)})
    catcher = mail_catcher.start(port, home / "mail")

    from airflow.utils.db import initdb

    initdb()
    from airflow.dag_processing.dagbag import DagBag

    yield Installation(home, home / "mail", DagBag(dag_folder=str(ROOT / "dags")))
    catcher.stop()
    from airflow import settings

    settings.Session.remove()
    settings.dispose_orm()  # while its database is still there


@pytest.fixture
def installation(airflow: Installation, engine: sa.Engine) -> Installation:
    """Airflow with empty inboxes, an empty client table and no mail."""
    shutil.rmtree(airflow.home / "storage", ignore_errors=True)
    (airflow.home / "storage" / "inbox").mkdir(parents=True)
    airflow.read_mails()
    return airflow


@pytest.fixture
def impatient(installation: Installation, monkeypatch: pytest.MonkeyPatch) -> Installation:
    """An Airflow in which a failed task is retried at once."""
    for dag in installation.bag.dags.values():
        for task in dag.tasks:
            monkeypatch.setattr(task, "retry_delay", timedelta(0))
            monkeypatch.setattr(task, "retry_exponential_backoff", 0)
    return installation


@pytest.fixture
def ledger(engine: sa.Engine) -> Callable[[], list[dict[str, Any]]]:
    def _ledger() -> list[dict[str, Any]]:
        with engine.connect() as connection:
            return [
                dict(row) for row in connection.execute(sa.text("SELECT * FROM imports ORDER BY arrival")).mappings()
            ]

    return _ledger
