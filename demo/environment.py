"""The environment variables of Airflow and of the project, for an installation in one folder."""

from __future__ import annotations

import json
import os
import shlex
import socket
import sys
from collections.abc import Mapping
from pathlib import Path

from include.settings import ROOT


def free_port(wanted: int = 0) -> int:
    """Give the wanted port when it is free, else any free port."""
    with socket.socket() as probe:
        # As servers do, which may take a port again at once after another has ended.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", wanted))
        except OSError:
            return free_port()
        return int(probe.getsockname()[1])


def environment(home: Path, *, metadata_db: str, clients_db: str, smtp_port: int, api_port: int) -> dict[str, str]:
    """Give the variables for an Airflow that keeps its files in `home`. Both databases are libpq URLs."""
    smtp = {
        "conn_type": "smtp", "host": "127.0.0.1", "port": smtp_port,
        "extra": {"disable_ssl": True, "disable_tls": True, "from_email": "imports@example.com", "timeout": 10},
    }  # fmt: skip
    return {
        # `airflow standalone` starts its components by name.
        "PATH": f"{Path(sys.executable).parent}:{os.environ.get('PATH', '')}",
        "AIRFLOW_HOME": str(home / "airflow"),
        "AIRFLOW__CORE__DAGS_FOLDER": str(ROOT / "dags"),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(ROOT / "plugins"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__PARALLELISM": "8",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": "admin:admin",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(home / "airflow" / "passwords.json"),
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"http://127.0.0.1:{api_port}/execution/",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": _on_psycopg2(metadata_db),
        "AIRFLOW__API__HOST": "127.0.0.1",
        "AIRFLOW__API__PORT": str(api_port),
        "AIRFLOW__API__BASE_URL": f"http://127.0.0.1:{api_port}",
        "AIRFLOW__SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": "0.2",
        "AIRFLOW__WORKERS__MIN_HEARTBEAT_INTERVAL": "1",
        "AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL": "10",
        "AIRFLOW_CONN_SMTP_DEFAULT": json.dumps(smtp),
        "AIRFLOW_CONN_CLIENTS_DB": clients_db,
        "CLIENT_IMPORTS_STORAGE": str(home / "storage"),
        "PYTHONPATH": f"{ROOT}:{ROOT / 'config'}",
    }


# `dags test` and `tasks test` make runs in Airflow's database, and a scheduler that sees them runs their tasks, too
# (github.com/apache/airflow/issues/35994). So these two work on a copy that no scheduler reads.
_COMMAND = """#!/bin/sh
case "$1 $2" in
"dags test" | "tasks test") export AIRFLOW__DATABASE__SQL_ALCHEMY_CONN={copy} ;;
esac
exec {airflow} "$@"
"""


def write_env(home: Path, variables: Mapping[str, str], database_for_tests: str) -> None:
    """Write `env` for shells: after `. HOME/env`, each `airflow` command works on the installation in `home`.

    Only its owner may read it, because the addresses of databases are secrets.
    """
    programs, own = Path(sys.executable).parent, home / "bin"
    lines = [f"export {name}={shlex.quote(value)}" for name, value in sorted(variables.items()) if name != "PATH"]
    path = shlex.quote(f"{own}:{programs}")
    _write(home / "env", "\n".join([*lines, f'export PATH={path}:"$PATH"', ""]), 0o600)
    own.mkdir(exist_ok=True)
    copy, airflow = shlex.quote(_on_psycopg2(database_for_tests)), shlex.quote(str(programs / "airflow"))
    _write(own / "airflow", _COMMAND.format(copy=copy, airflow=airflow), 0o700)


def _write(path: Path, text: str, mode: int) -> None:
    unfinished = path.with_name(f".{path.name}.tmp")
    unfinished.unlink(missing_ok=True)
    with open(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "w", encoding="utf-8") as file:
        file.write(text)
    unfinished.replace(path)


def _on_psycopg2(url: str) -> str:
    return url.replace("postgresql://", "postgresql+psycopg2://")
