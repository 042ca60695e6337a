"""The whole demo, with real processes: start, parts killed, continue, stop, delete. `make test-whole` runs it."""

from __future__ import annotations

import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from demo.embedded_postgres import running
from demo.processes import Processes
from include.settings import ROOT

pytestmark = pytest.mark.skipif("TEST_WHOLE" not in os.environ, reason="takes minutes: make test-whole")
LONG_NAME = f"{'partner_' * 20}feed.csv"


@pytest.fixture
def home() -> Iterator[Path]:
    """Not below pytest's own folder: that is for its owner alone, and the database server gives up root."""
    folder = Path(tempfile.mkdtemp(prefix="demo-test-"))
    folder.chmod(0o755)
    yield folder / "demo"
    call(folder / "demo", "clean")
    shutil.rmtree(folder)


def call(home: Path, command: str, **settings: str) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-m", "demo", command, str(home)],
        cwd=ROOT, env={**clean_environment(), **settings}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    return done.returncode, done.stdout + done.stderr


def clean_environment() -> dict[str, str]:
    """Leave out what other tests have set, and let rich believe in a narrow screen."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AIRFLOW", "CLIENT_IMPORTS"))}
    return {**kept, "PYTHONPATH": f"{ROOT}:{ROOT / 'config'}", "COLUMNS": "80"}


def airflow_command(home: Path, *arguments: str) -> str:
    done = subprocess.run(
        ["sh", "-c", f'. {home}/env && airflow "$@"', "sh", *arguments],
        cwd="/", env=clean_environment(), capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def kill(processes: Processes, name: str) -> None:
    leaders = [each for each in psutil.process_iter() if each.pid == os.getsid(each.pid)]
    (leader,) = (each for each in leaders if working_directory(each) == str(processes.folder / name))
    os.kill(leader.pid, signal.SIGKILL)


def working_directory(process: psutil.Process) -> str:
    try:
        return process.cwd()
    except psutil.Error:
        return ""


@pytest.mark.timeout(1800)  # two starts of Airflow, on a machine that may be busy with other tests
def test_the_demo_imports_continues_after_kills_and_ends_without_leaving_anything(home, tmp_path):
    feeds = shutil.copytree(ROOT / "include" / "feeds", tmp_path / "feeds")
    (feeds / "globex.yaml").write_text("title: Globex\nschedule: watch\n")
    processes, inboxes = Processes(home / "processes", home), home / "storage" / "inbox"

    code, text = call(home, "start", CLIENT_IMPORTS_FEEDS=str(feeds))
    assert code == 0, text
    assert "waiting for api-server" in text and "waiting for files in inbox/" in text
    assert "clients_export.csv │ Imported" in text and "8 read: " in text
    assert (inboxes / "globex").is_dir(), "every feed has an inbox"
    modes = {
        stat.S_IMODE((home / name).stat().st_mode) for name in ("env", "mail", "storage", "airflow/passwords.json")
    }
    assert modes <= {0o600, 0o700}

    assert "clients_db" in airflow_command(home, "connections", "get", "clients_db")
    (inboxes / "default" / "by_hand.csv").write_text("First Name,Email\nZoe,zoe@example.com\n")
    airflow_command(home, "dags", "test", "import_clients__default")
    assert not (inboxes / "default" / "by_hand.csv").exists()

    (inboxes / "acme" / LONG_NAME).write_text("First Name;E-mail\nYan;yan@example.com\n")
    kill(processes, "api-server")
    kill(processes, "scheduler")
    code, text = call(home, "start", CLIENT_IMPORTS_FEEDS=str(feeds))
    assert code == 0, text
    assert f"{LONG_NAME} │ Imported" in text and "clients_export.csv" not in text

    (home / "postgres" / ".handle_pids.json").write_text("[1, 2]")
    assert call(home, "clean")[0] == 0
    assert running(home / "postgres") is None and not home.exists()
    assert not any(working_directory(each).startswith(str(home)) for each in psutil.process_iter())


def test_stopping_ends_a_start_that_is_still_at_work_and_a_second_start_is_told_so(home):
    first = subprocess.Popen(
        [sys.executable, "-m", "demo", "start", str(home)],
        cwd=ROOT, env=clean_environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    ends = time.monotonic() + 120
    while not (home / "env").exists():
        assert time.monotonic() < ends and first.poll() is None
        time.sleep(0.2)
    code, text = call(home, "start")
    assert code == 1 and f"(process {first.pid}). `make stop` ends it." in text
    assert call(home, "stop")[0] == 0
    assert first.wait(timeout=10) == -signal.SIGTERM
    assert running(home / "postgres") is None and (home / "postgres").is_dir()
