"""`make demo` starts PostgreSQL, a mail catcher and Airflow in `.demo/`, and imports the sample files.

`python -m demo start | stop | clean [FOLDER]`
"""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TextIO

import psutil
import sqlalchemy as sa
from rich.console import Console

from demo import embedded_postgres, result, sample_files
from demo.installation import Demo, Ended
from demo.waiting import GaveUp, Waiting
from include.adapters.files.storage import Storage
from include.schemas.client_tables import Client
from include.schemas.feed_folder import read_feeds
from include.settings import ROOT, read_settings

HOME = ROOT / ".demo"
PATIENCE_SECONDS = 300
_ANEW = "`make stop; make demo` starts everything anew, `make clean; make demo` without the data."
console = Console(highlight=False, soft_wrap=True, markup=False)


def start(home: Path) -> None:
    began = time.monotonic()
    with _alone(home):
        try:
            _import_samples(*_start_servers(home))
        except (GaveUp, Ended) as error:
            raise SystemExit(_how_to_go_on(home, error)) from None
        except subprocess.SubprocessError:
            raise SystemExit(f"PostgreSQL does not start; {home}/postgres/log says why. {_ANEW}") from None
        except KeyboardInterrupt:
            raise SystemExit("The demo goes on. `make demo` waits for it again, `make stop` ends it.") from None
    console.print(f"Ready after {time.monotonic() - began:.0f} s.")


def _start_servers(home: Path) -> tuple[Demo, sa.Engine, set[str]]:
    """Start everything, with other ports where another program has just been faster to take one.

    Gives the imports that had ended before, too.
    """
    while True:
        demo = Demo(home)
        try:
            with console.status("starting PostgreSQL"):
                engine = demo.start_databases()
            earlier = result.earlier_imports(engine)
            _make_inboxes(demo)
            demo.start_servers(Waiting(console, PATIENCE_SECONDS))
        except Ended as ended:
            if not demo.has_lost_its_port(ended.name):
                raise
        else:
            return demo, engine, earlier


def _make_inboxes(demo: Demo) -> None:
    for sentence in sample_files.make_inboxes(Storage(demo.storage), read_feeds(read_settings().feeds)):
        console.print(sentence)


def _import_samples(demo: Demo, engine: sa.Engine, earlier: set[str]) -> None:
    """Import the samples and print what this start has imported, even when something did not come to its end."""
    try:
        sample_files.bring_in(demo, engine, read_feeds(read_settings().feeds), Waiting(console, PATIENCE_SECONDS))
    finally:
        if entries := result.imports_since(engine, earlier):
            result.print_table(console, entries)
        else:
            console.print("This start has imported nothing; the page lists earlier imports.")
        _print_addresses(demo, engine)


def _print_addresses(demo: Demo, engine: sa.Engine) -> None:
    with engine.connect() as connection:
        clients = connection.scalar(sa.select(sa.func.count()).select_from(Client))
    for label, value in (
        ("Clients", f"{clients:,} in the table"),
        ("Mail", f"{demo.home / 'mail'}/*.eml"),
        ("Files", f"{demo.storage} (drop a CSV into inbox/acme and watch)"),
        ("Airflow", f"{demo.api.url}  user admin  password {demo.api.password()}"),
        ("Page", f"{demo.api.url}/plugin/client-imports  (Import, failed rows, undo)"),
        ("Shell", f". {demo.home / 'env'}   (then every `airflow` command works on this demo)"),
        ("Stop", "make stop   (make demo continues it, make clean deletes it)"),
        *(("Broken", f"{name}: `airflow dags list-import-errors` says why") for name in demo.api.import_errors()),
    ):
        console.print(f"{label:<8} {value}")


def _how_to_go_on(home: Path, error: Exception) -> str:
    return (
        f"{error}\nLogs: {home}/*.log, and those of tasks in {home}/airflow/logs.\n"
        f"`make demo` starts what has ended and waits again. {_ANEW}"
    )


def stop(home: Path) -> None:
    with _alone(home, ends_other=True):
        _stop(home)
    console.print("The demo is stopped. `make demo` continues it.")


def _stop(home: Path) -> None:
    try:
        Demo(home).stop()
    except (RuntimeError, psutil.AccessDenied) as error:
        raise SystemExit(f"{error} Nothing was deleted. Run the command as the user who started the demo.") from None


def clean(home: Path) -> None:
    """Delete the demo, once nothing of it runs, and what the command line wrote without a storage of its own."""
    with _alone(home, ends_other=True):
        _stop(home)
        embedded_postgres.delete(home / "postgres")
        for folder in (home, *([ROOT / ".storage"] if home == HOME else [])):
            if folder.exists():
                shutil.rmtree(folder)
                console.print(f"{folder} is deleted.")


@contextmanager
def _alone(home: Path, *, ends_other: bool = False) -> Iterator[None]:
    """Keep every other command for this demo out. With `ends_other` it is ended instead."""
    home.mkdir(exist_ok=True)
    with (home / "lock").open("a+") as lock:
        while not _is_locked_by_me(lock):
            lock.seek(0)
            other = lock.read()
            if not ends_other:
                raise SystemExit(f"`make demo` is at work in another terminal (process {other}). `make stop` ends it.")
            with suppress(ValueError, ProcessLookupError):
                os.kill(int(other), signal.SIGTERM)
            time.sleep(0.2)
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield


def _is_locked_by_me(lock: TextIO) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


if __name__ == "__main__":
    os.umask(0o077)  # what the demo writes is personal data and passwords
    command, *folder = sys.argv[1:] or ["start"]
    {"start": start, "stop": stop, "clean": clean}[command](Path(*folder).resolve() if folder else HOME)
