"""The services of docker-compose.yml as processes of this machine: their settings and commands, other addresses.

PostgreSQL is the embedded one. Redis has to run; an unused database of it is used.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar
from urllib.request import Request, urlopen

import psutil
import psycopg
import redis
import sqlalchemy as sa
from psycopg.rows import dict_row

from demo import mail_catcher
from demo.embedded_postgres import EmbeddedPostgres
from demo.environment import free_port
from include.settings import ROOT
from tests.compose_file import filled_in
from tests.statsd_listener import Listener

T = TypeVar("T")
REDIS = "redis://127.0.0.1:6379"
# A dead worker is noticed after 20 seconds instead of 5 minutes, and its tasks are queued again.
_QUICK = {
    "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "20",
    "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT_DETECTION_INTERVAL": "2",
    "AIRFLOW__DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "300",
}


def redis_is_there() -> bool:
    try:
        return bool(redis.Redis.from_url(REDIS, socket_timeout=1, socket_connect_timeout=1).ping())
    except redis.RedisError:
        return False


@contextmanager
def redis_database() -> Iterator[str]:
    """Reserve an empty database; gives its URL."""
    for number in range(15, 0, -1):
        client = redis.Redis.from_url(f"{REDIS}/{number}")
        if client.dbsize() == 0 and client.set("client-imports-tests", os.getpid(), nx=True, ex=3600):
            try:
                yield f"{REDIS}/{number}"
            finally:
                client.flushdb()
                client.close()
            return
    raise RuntimeError("Redis has no empty database")


class Database:
    """Runs queries on one database, each with a connection of its own."""

    def __init__(self, url: str) -> None:
        self.url = url

    def query(self, sql: str, *values: object) -> list[dict[str, Any]]:
        with psycopg.connect(self.url, autocommit=True, row_factory=dict_row) as connection:
            cursor = connection.execute(sql, values or None)
            return cursor.fetchall() if cursor.description else []


@dataclass
class Cluster:
    home: Path
    settings: dict[str, str]
    port: int
    crm: Database
    airflow: Database
    statsd: Listener
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    token: str = ""

    def start(self, name: str, *command: str) -> None:
        """`airflow COMMAND` in a process group of its own, with an AIRFLOW_HOME of its own, as a container has."""
        settings = self.settings | {
            "AIRFLOW_HOME": str(self.home / name),
            "AIRFLOW__LOGGING__WORKER_LOG_SERVER_PORT": str(free_port()),
            "AIRFLOW__SCHEDULER__SCHEDULER_HEALTH_CHECK_SERVER_PORT": str(free_port()),
        }
        with (self.home / f"{name}.log").open("ab") as log:
            self.processes[name] = subprocess.Popen(
                [sys.executable, "-m", "airflow", *command],
                cwd=ROOT, env=settings, stdout=log, stderr=log, stdin=subprocess.DEVNULL, start_new_session=True,
            )  # fmt: skip

    def kill(self, name: str) -> None:
        """Kill as if its machine had died: all its processes at once, without a signal that they could handle."""
        process = self.processes.pop(name)
        root = psutil.Process(process.pid)
        tree = [root, *root.children(recursive=True)]
        for each in tree:
            each.send_signal(signal.SIGSTOP)  # so that none notices that another is gone
        for each in tree:
            each.kill()
        process.wait()

    def stop(self) -> None:
        running = [psutil.Process(p.pid) for p in self.processes.values() if p.poll() is None]
        running += [child for process in running for child in process.children(recursive=True)]
        for each in running:
            with suppress(psutil.NoSuchProcess):
                each.terminate()
        for each in psutil.wait_procs(running, timeout=15)[1]:
            each.kill()
        for process in self.processes.values():
            process.wait()

    def api(self, path: str, body: object = None, headers: dict[str, str] | None = None) -> Any:
        all_headers = {"Content-Type": "application/json", "Authorization": f"Bearer {self.token}"} | (headers or {})
        data = None if body is None else json.dumps(body).encode()
        with urlopen(Request(f"http://127.0.0.1:{self.port}/{path}", data, all_headers), timeout=20) as answer:
            return json.load(answer)

    def log_in(self, name: str, password: str) -> str:
        self.token = self.api("auth/token", {"username": name, "password": password})["access_token"]
        return self.token

    def wait_for(self, what: str, look: Callable[[], T], seconds: float = 240) -> T:
        """Wait until `look` gives a value. Fails with the ends of the logs when a process died or the time is over."""
        until = time.monotonic() + seconds
        while True:
            try:
                if value := look():
                    return value
            except OSError:
                pass
            dead = [name for name, process in self.processes.items() if process.poll() is not None]
            if dead or time.monotonic() > until:
                raise AssertionError(f"{what}: {f'{dead} died' if dead else 'did not happen'}\n{self.logs()}")
            time.sleep(0.3)

    def logs(self, lines: int = 10) -> str:
        ends = {path.name: path.read_text(errors="replace").splitlines()[-lines:] for path in self.home.glob("*.log")}
        return "\n".join(f"--- {name}\n" + "\n".join(end) for name, end in ends.items())


@contextmanager
def running(home: Path, postgres: EmbeddedPostgres, broker: str, secrets: dict[str, str]) -> Iterator[Cluster]:
    """Start only a mail catcher and a StatsD listener. `home` has storage, feeds, listeners."""
    statsd, api, smtp = Listener(), free_port(), free_port()
    airflow = postgres.url("cluster_airflow")
    crm = postgres.url("cluster_clients")
    own_settings = {
        **_addresses(api, airflow, _of_tasks(crm), smtp),
        "CLIENTS_OWNER_DB": crm,
        **_folders(home),
        "AIRFLOW__CELERY__BROKER_URL": broker,
    }
    settings = _settings("airflow-worker", secrets) | own_settings | statsd.settings
    catcher = mail_catcher.start(smtp, home / "mail")
    cluster = Cluster(home, settings, api, Database(crm), Database(airflow), statsd)
    try:
        yield cluster
    finally:
        cluster.stop()
        catcher.stop()
        statsd.close()


def _of_tasks(owner_url: str) -> str:
    """Make the role `clients` of create_clients_db.sh, and give the URL that tasks and page use."""
    with psycopg.connect(owner_url, autocommit=True) as connection:
        if not connection.execute("SELECT 1 FROM pg_roles WHERE rolname = 'clients'").fetchone():
            connection.execute("CREATE ROLE clients LOGIN")
    return sa.make_url(owner_url).set(username="clients", password=None).render_as_string(hide_password=False)


def _settings(service: str, secrets: dict[str, str]) -> dict[str, str]:
    """Give the service's environment in docker-compose.yml."""
    compose = filled_in(secrets)["services"][service]["environment"]
    inherited = {
        name: value for name, value in os.environ.items() if not name.startswith(("AIRFLOW", "CLIENT_IMPORTS"))
    }
    return inherited | {name: str(value) for name, value in compose.items()} | _QUICK


def _addresses(api: int, airflow: str, crm: str, smtp: int) -> dict[str, str]:
    metadata = airflow.replace("postgresql://", "postgresql+psycopg2://")
    extra = {"disable_ssl": True, "disable_tls": True, "from_email": "imports@example.com"}
    return {
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": metadata,
        "AIRFLOW__CELERY__RESULT_BACKEND": f"db+{metadata}",
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"http://127.0.0.1:{api}/execution/",
        "AIRFLOW__API__BASE_URL": f"http://127.0.0.1:{api}",
        "AIRFLOW__API__HOST": "127.0.0.1",
        "AIRFLOW__API__PORT": str(api),
        "AIRFLOW_CONN_CLIENTS_DB": crm,
        "AIRFLOW_CONN_SMTP_DEFAULT": json.dumps(
            {"conn_type": "smtp", "host": "127.0.0.1", "port": smtp, "extra": extra}
        ),
    }


def _folders(home: Path) -> dict[str, str]:
    bundles = [
        {
            "name": name,
            "classpath": "airflow.dag_processing.bundles.local.LocalDagBundle",
            "kwargs": {"path": str(path)},
        }
        for name, path in (("dags-folder", ROOT / "dags"), ("listeners", home / "listeners"))
    ]
    return {
        "AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST": json.dumps(bundles),
        "AIRFLOW__CORE__DAGS_FOLDER": str(ROOT / "dags"),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(ROOT / "plugins"),
        "CLIENT_IMPORTS_STORAGE": str(home / "storage"),
        "CLIENT_IMPORTS_FEEDS": str(home / "feeds"),
        "PYTHONPATH": f"{ROOT}:{ROOT / 'config'}",
    }


def start_init(secrets: dict[str, str], settings: dict[str, str], home: Path) -> subprocess.Popen[str]:
    """Do what the container `airflow-init` does, with its own script."""
    bash, *arguments = filled_in(secrets)["services"]["airflow-init"]["command"]
    assert bash == "bash"
    own = settings | {"AIRFLOW_HOME": str(home), "ADMIN_PASSWORD": secrets["ADMIN_PASSWORD"]}
    own["PATH"] = with_this_python(own["PATH"])
    return subprocess.Popen(
        ["bash", *arguments], cwd=ROOT, env=own, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )


def with_this_python(path: str) -> str:
    return f"{Path(sys.executable).parent}:{path}"
