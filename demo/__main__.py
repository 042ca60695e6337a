"""`make demo` starts PostgreSQL, a mail catcher and Airflow in `.demo/`, and imports the sample files.

`python -m demo start | stop | clean`
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TypeVar
from urllib.request import Request, urlopen

import sqlalchemy as sa
from rich.console import Console
from rich.table import Table

from demo import embedded_postgres, reference_data
from demo.environment import environment, free_port
from include import migrations
from include.adapters.database.engine import engine_from_url
from include.settings import ROOT

HOME = ROOT / ".demo"
BIN = Path(sys.executable).parent
# (sample, feed): the default feed has no schedule and is triggered; acme's inbox is watched.
DROPS = (("clients_export.csv", "default"), ("onboarding.csv", "default"), ("partner_feed.csv", "acme"))
PATIENCE_SECONDS = 300
console = Console()
T = TypeVar("T")


def start() -> None:
    HOME.mkdir(exist_ok=True)
    began = time.monotonic()
    database = embedded_postgres.start(HOME / "postgres", stays=True)
    ports = _ports()
    variables = environment(
        HOME, metadata_db=database.url("airflow"), clients_db=database.url("clients"),
        smtp_port=ports["smtp"], api_port=ports["api"],
    )  # fmt: skip
    os.environ.update(variables)
    engine = engine_from_url(variables["AIRFLOW_CONN_CLIENTS_DB"])
    migrations.upgrade(engine)
    reference_data.load(engine)
    _start_process("mail", [sys.executable, "-m", "demo.mail_catcher", str(ports["smtp"]), str(HOME / "mail")])
    _start_process("airflow", [str(BIN / "airflow"), "standalone"])
    token = _wait("Airflow", lambda: _log_in(ports["api"]))
    dropped = [name for name, feed in DROPS if _drop(engine, name, feed)]
    _wait("the feeds' DAGs", lambda: _api(ports["api"], token, "dags/import_clients__default"))
    if any(feed == "default" and name in dropped for name, feed in DROPS):
        _api(ports["api"], token, "dags/import_clients__default/dagRuns", {"logical_date": None})
    _wait("the sample files", lambda: _finished(engine))
    _print_result(engine, ports["api"], time.monotonic() - began)


def stop() -> None:
    for pid_file in HOME.glob("*.pid"):
        with suppress(ProcessLookupError, ValueError):
            _end_group(int(pid_file.read_text()))
        pid_file.unlink()
    if (HOME / "postgres").exists():
        embedded_postgres.start(HOME / "postgres").stop()


def _end_group(group: int) -> None:
    """Ask a process group to end, and kill it after 15 seconds."""
    for sent, seconds in ((signal.SIGTERM, 15), (signal.SIGKILL, 5)):
        os.killpg(group, sent)
        patience = time.monotonic() + seconds
        while time.monotonic() < patience:
            os.killpg(group, 0)  # raises ProcessLookupError once the group has ended
            time.sleep(0.2)


def clean() -> None:
    stop()
    shutil.rmtree(HOME, ignore_errors=True)


def _ports() -> dict[str, int]:
    """Choose free ports, 8080 for Airflow when it is free, and use the same ones each time."""
    remembered = HOME / "ports.json"
    if remembered.exists():
        return dict(json.loads(remembered.read_text()))
    ports = {"api": free_port(8080), "smtp": free_port()}
    remembered.write_text(json.dumps(ports))
    return ports


def _start_process(name: str, command: list[str]) -> None:
    pid_file = HOME / f"{name}.pid"
    with suppress(FileNotFoundError, ValueError, ProcessLookupError):
        os.killpg(int(pid_file.read_text()), 0)
        return
    with (HOME / f"{name}.log").open("ab") as log:
        process = subprocess.Popen(
            command, cwd=ROOT, stdout=log, stderr=log, stdin=subprocess.DEVNULL, start_new_session=True
        )
    pid_file.write_text(str(process.pid))


def _drop(engine: sa.Engine, name: str, feed: str) -> bool:
    """Put a sample into its inbox, unless an earlier demo has imported it."""
    with engine.connect() as connection:
        query = sa.text("SELECT 1 FROM imports WHERE feed = :feed AND file_name = :name")
        if connection.scalar(query, {"feed": feed, "name": name}):
            return False
    inbox = HOME / "storage" / "inbox" / feed
    inbox.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(reference_data.SAMPLES / name, inbox / f"{name}.part")
    os.replace(inbox / f"{name}.part", inbox / name)
    return True


def _password() -> str:
    return str(json.loads((HOME / "airflow" / "passwords.json").read_text())["admin"])


def _log_in(port: int) -> str | None:
    with suppress(OSError, KeyError, ValueError):
        body = json.dumps({"username": "admin", "password": _password()}).encode()
        request = Request(f"http://127.0.0.1:{port}/auth/token", body, {"Content-Type": "application/json"})
        with urlopen(request, timeout=10) as answer:
            return str(json.load(answer)["access_token"])
    return None


def _api(port: int, token: str | None, path: str, body: object = None) -> object:
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    data = None if body is None else json.dumps(body).encode()
    with (
        suppress(OSError),
        urlopen(Request(f"http://127.0.0.1:{port}/api/v2/{path}", data, headers), timeout=10) as answer,
    ):
        return json.load(answer)
    return None


def _finished(engine: sa.Engine) -> bool:
    """Say whether all samples are imported and archived, and their mail is sent."""
    with engine.connect() as connection:
        names = [name for name, _ in DROPS]
        query = sa.text(
            "SELECT count(*) FROM imports WHERE file_name = ANY(:names) AND filed AND notified_state = state"
        )
        return int(connection.scalar(query, {"names": names}) or 0) >= len(DROPS)


def _wait(what: str, look: Callable[[], T]) -> T:
    """Call `look` until it gives something. Gives up after five minutes and names the logs."""
    patience = time.monotonic() + PATIENCE_SECONDS
    with console.status(f"waiting for {what}"):
        while not (result := look()):
            if time.monotonic() > patience:
                console.print(f"{what} did not come within {PATIENCE_SECONDS} s; see {HOME}/*.log")
                raise SystemExit(1)
            time.sleep(0.5)
    return result


def _print_result(engine: sa.Engine, port: int, seconds: float) -> None:
    columns = ("feed", "file_name", "state", "read", "created", "updated", "unchanged", "duplicate", "failed")
    table = Table(*(column.replace("_", " ") for column in columns))
    with engine.connect() as connection:
        for row in connection.execute(sa.text(f"SELECT {', '.join(columns)} FROM imports ORDER BY arrival")):
            table.add_row(*(str(value) for value in row))
        clients = connection.scalar(sa.text("SELECT count(*) FROM clients"))
    Console(width=max(console.width, 110)).print(table)
    for label, value in (
        ("Clients", f"{clients} in the table"),
        ("Mail", f"{HOME / 'mail'}/*.eml"),
        ("Files", f"{HOME / 'storage'} (drop a CSV into inbox/acme and watch)"),
        ("Airflow", f"http://127.0.0.1:{port}  user admin  password {_password()}"),
        ("Page", f"http://127.0.0.1:{port}/plugin/client-imports  (Import, failed rows, undo)"),
        ("Stop", "make stop   (make demo continues it, make clean deletes it)"),
    ):
        console.print(f"{label:<8} {value}", highlight=False, soft_wrap=True)
    console.print(f"Ready after {seconds:.0f} s.")


if __name__ == "__main__":
    {"start": start, "stop": stop, "clean": clean}[sys.argv[1] if len(sys.argv) > 1 else "start"]()
