"""One demo: its folder, its ports, its servers, and how they start and end."""

from __future__ import annotations

import json
import os
import socket
import sys
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import sqlalchemy as sa

from demo import embedded_postgres, reference_data
from demo.airflow_api import AirflowApi
from demo.embedded_postgres import EmbeddedPostgres
from demo.environment import environment, free_port, write_env
from demo.processes import Processes
from demo.waiting import Waiting
from include import migrations
from include.adapters.database.engine import engine_from_url

_AIRFLOW_DB, _TESTS_DB = "airflow", "airflow_for_tests"
_ROLE = "clients"
_AIRFLOW = str(Path(sys.executable).parent / "airflow")
# The API server reads logs from the disk, so nothing serves them: a log server would listen on all networks.
_COMPONENTS = {
    "api-server": [_AIRFLOW, "api-server"],
    "dag-processor": [_AIRFLOW, "dag-processor"],
    "triggerer": [_AIRFLOW, "triggerer", "--skip-serve-logs"],
    "scheduler": [_AIRFLOW, "scheduler", "--skip-serve-logs"],
}
# Each server and the port it would like.
_SERVERS = {"api-server": 8080, "mail": 0}
# Where no server of the demo listens, no other program's server may be asked either.
_UNUSED_PORTS = {
    "worker-logs": "AIRFLOW__LOGGING__WORKER_LOG_SERVER_PORT",
    "trigger-logs": "AIRFLOW__LOGGING__TRIGGER_LOG_SERVER_PORT",
    "scheduler-health": "AIRFLOW__SCHEDULER__SCHEDULER_HEALTH_CHECK_SERVER_PORT",
}
_OWN_SETTINGS = {
    "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
    "AIRFLOW__CORE__AUTH_MANAGER": "airflow.api_fastapi.auth.managers.simple.simple_auth_manager.SimpleAuthManager",
    "AIRFLOW__SCHEDULER__ENABLE_HEALTH_CHECK": "False",
    # A task that was killed with the demo is repeated soon after the next start.
    "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "60",
}


class Ended(Exception):
    """A process that the demo needs has ended by itself."""

    def __init__(self, name: str, log: Path) -> None:
        super().__init__(f"{name} has ended by itself; the end of {log} says why.")
        self.name = name


@dataclass(frozen=True)
class Demo:
    """Everything is below `home`, so two demos on one machine share nothing but its processor."""

    home: Path

    @property
    def processes(self) -> Processes:
        return Processes(self.home / "processes", self.home)

    @cached_property
    def ports(self) -> dict[str, int]:
        """Give the ports of the last start, unless another program has taken one; then all servers get new ones."""
        remembered = self.home / "ports.json"
        with suppress(OSError, ValueError, KeyError):
            ports = dict(json.loads(remembered.read_text()))
            if all(self._is_ours_or_free(name, ports[name]) for name in _SERVERS) and set(_UNUSED_PORTS) < set(ports):
                return ports
        self.processes.end()
        ports = {name: free_port(wanted) for name, wanted in _SERVERS.items()}
        ports |= {name: free_port() for name in _UNUSED_PORTS}
        remembered.write_text(json.dumps(ports))
        return ports

    def _is_ours_or_free(self, name: str, port: int) -> bool:
        return self.processes.is_running(name) or free_port(port) == port

    @cached_property
    def database(self) -> EmbeddedPostgres:
        return embedded_postgres.start(self.home / "postgres", stays=True)

    @cached_property
    def api(self) -> AirflowApi:
        return AirflowApi(self.ports["api-server"], self.home / "airflow" / "passwords.json")

    @property
    def storage(self) -> Path:
        return self.home / "storage"

    def start_databases(self) -> sa.Engine:
        """Start PostgreSQL, set the environment of all that follows, and bring the client database up to date.

        Migrations run as the owner of the tables. All that follows uses an account that may read and write rows.
        """
        variables = self._variables()
        os.environ.update(variables)
        write_env(self.home, variables, self.database.url(_TESTS_DB))
        owner = engine_from_url(self.database.url("clients"))
        migrations.upgrade(owner)
        migrations.allow_rows(owner, _ROLE)
        reference_data.load(owner)
        owner.dispose()
        return engine_from_url(variables["AIRFLOW_CONN_CLIENTS_DB"])

    def _variables(self) -> dict[str, str]:
        basic = environment(
            self.home, metadata_db=self.database.url(_AIRFLOW_DB), clients_db=self.database.url("clients", _ROLE),
            smtp_port=self.ports["mail"], api_port=self.ports["api-server"],
        )  # fmt: skip
        unused = {variable: str(self.ports[name]) for name, variable in _UNUSED_PORTS.items()}
        feeds = {name: os.environ[name] for name in ("CLIENT_IMPORTS_FEEDS",) if name in os.environ}
        return basic | unused | _OWN_SETTINGS | feeds

    def start_servers(self, waiting: Waiting) -> None:
        """Start what does not run. The scheduler comes last: its tasks would fail without an API server.

        Raises Ended and GaveUp.
        """
        if not any(self.processes.is_running(name) for name in _COMPONENTS):
            self._migrate_airflow(waiting)
        catcher = [sys.executable, "-m", "demo.mail_catcher"]
        self._start("mail", [*catcher, str(self.ports["mail"]), str(self.home / "mail")])
        for name in ("api-server", "dag-processor", "triggerer"):
            self._start(name, _COMPONENTS[name])
        waiting.until_nothing(lambda: "" if self._mail_answers() else self.must_run("mail"))
        waiting.until_nothing(lambda: "" if self.api.log_in() else self.must_run("api-server"))
        self._start("scheduler", _COMPONENTS["scheduler"])

    def _start(self, name: str, command: list[str]) -> None:
        if not self.processes.is_running(name):
            self.processes.start(name, command)

    def _migrate_airflow(self, waiting: Waiting) -> None:
        migration = self.processes.start("migration", [_AIRFLOW, "db", "migrate"])
        waiting.until_nothing(lambda: "Airflow's tables" if migration.poll() is None else "")
        if migration.returncode:
            raise Ended("migration", self.processes.log("migration"))
        self.database.copy(_AIRFLOW_DB, _TESTS_DB)

    def _mail_answers(self) -> bool:
        with suppress(OSError), socket.create_connection(("127.0.0.1", self.ports["mail"]), timeout=5):
            return True
        return False

    def must_run(self, name: str) -> str:
        """Give the name of a process that runs. Raises Ended for another."""
        if not self.processes.is_running(name):
            raise Ended(name, self.processes.log(name))
        return name

    def all_run(self) -> bool:
        """Say that every process runs. Raises Ended."""
        return all(self.must_run(name) for name in ("mail", *_COMPONENTS))

    def has_lost_its_port(self, name: str) -> bool:
        """Say whether another program was faster to take the port of a server that has ended."""
        return name in _SERVERS and free_port(self.ports[name]) != self.ports[name]

    def stop(self) -> None:
        """End everything. Raises RuntimeError when something goes on."""
        # The scheduler lets running tasks end, which they report to the API server.
        self.processes.end(["scheduler"], patience=20)
        self.processes.end()
        embedded_postgres.stop(self.home / "postgres")
