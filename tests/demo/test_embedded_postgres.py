"""The embedded PostgreSQL starts and ends, whatever killed processes have left in its folder."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import psycopg
import pytest

from demo import embedded_postgres
from demo.embedded_postgres import running, start, stop


@pytest.fixture
def folder() -> Iterator[Path]:
    """Not below pytest's own folder: that is for its owner alone, and the server gives up root."""
    with TemporaryDirectory(prefix="clients-postgres-", ignore_cleanup_errors=True) as home:
        Path(home).chmod(0o755)
        yield Path(home) / "data"
        stop(Path(home) / "data")


def answers(folder: Path) -> bool:
    with psycopg.connect(start(folder, stays=True).url("clients")) as connection:
        return connection.execute("SELECT current_database()").fetchone() == ("clients",)


def test_a_server_starts_and_ends_whatever_its_files_say(folder):
    assert answers(folder)
    for handles in ("[1, 2]", "[1, "):  # of processes that are dead; half-written
        (folder / ".handle_pids.json").write_text(handles)
        stop(folder)
        assert running(folder) is None
        # The number of this process: PostgreSQL's files outlive a restart of the machine, its number does not.
        pid_file = [str(os.getpid()), str(folder), "1795714754", "5432", str(folder), "", "2261643 98367", "ready"]
        (folder / "postmaster.pid").write_text("\n".join(pid_file) + "\n")
        (folder / ".handle_pids.json").write_text(handles)
        assert answers(folder)
    postmaster = running(folder)
    assert postmaster
    postmaster.kill()
    postmaster.wait()
    assert answers(folder)


def test_a_server_ends_when_its_folder_was_deleted_under_it_and_stopping_starts_none(folder):
    assert answers(folder)
    shutil.rmtree(folder)
    assert running(folder)
    stop(folder)
    assert running(folder) is None
    stop(folder)
    assert running(folder) is None and not folder.exists()


def test_a_deleted_server_leaves_nothing_not_even_the_folder_of_its_socket(folder, monkeypatch):
    deep = folder / "a folder whose path is longer than an address of a socket may be" / ("x" * 60) / "data"
    deep.parent.mkdir(parents=True)
    assert answers(deep)
    sockets = Path(psycopg.conninfo.conninfo_to_dict(start(deep, stays=True).url("clients"))["host"])
    assert sockets != deep and sockets.is_dir()
    embedded_postgres.delete(deep)
    assert running(deep) is None and not deep.exists() and not sockets.exists()
