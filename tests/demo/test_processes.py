"""The demo's processes are found and ended, whatever was killed or deleted before."""

from __future__ import annotations

import os
import shutil
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from demo.processes import Processes

# Starts a process in a group of its own, as Airflow does with each task, which ignores a polite request to end.
_PARENT = """
import os, signal, subprocess, sys, time
subprocess.Popen([sys.executable, "-c", "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); "
    "open('ready', 'w').close(); time.sleep(600)"], process_group=0)
time.sleep(600)
"""


@pytest.fixture
def processes(tmp_path: Path) -> Iterator[Processes]:
    processes = Processes(tmp_path / "processes", tmp_path)
    yield processes
    processes.end(patience=0.1)


def started(processes: Processes, name: str) -> int:
    number = processes.start(name, [sys.executable, "-c", _PARENT]).pid
    wait_until((processes.folder / name / "ready").exists)
    return number


def wait_until(is_so) -> None:
    ends = time.monotonic() + 30
    while not is_so():
        assert time.monotonic() < ends
        time.sleep(0.05)


def those_in(folder: Path) -> list[int]:
    return [process.pid for process in psutil.process_iter() if str(folder) in _cwd(process)]


def _cwd(process: psutil.Process) -> str:
    try:
        return process.cwd() if process.status() != psutil.STATUS_ZOMBIE else ""
    except (psutil.Error, OSError):
        return ""


def test_what_a_killed_process_has_started_is_not_the_process_and_ends_with_it(processes, tmp_path):
    one = started(processes, "one")
    started(processes, "other")
    assert processes.is_running("one") and len(those_in(tmp_path)) == 4
    os.kill(one, signal.SIGKILL)
    wait_until(lambda: not processes.is_running("one"))
    assert len(those_in(tmp_path)) == 3
    processes.end(["one"], patience=0.1)
    assert len(those_in(tmp_path)) == 2 and processes.is_running("other")


def test_a_process_that_is_started_again_leaves_none_of_the_first_behind(processes, tmp_path):
    os.kill(started(processes, "one"), signal.SIGKILL)
    (processes.folder / "one" / "ready").unlink()
    started(processes, "one")
    assert len(those_in(tmp_path)) == 2


def test_processes_end_when_their_folder_is_deleted_under_them(processes, tmp_path):
    started(processes, "one")
    shutil.rmtree(processes.folder)
    assert processes.is_running("one")
    processes.end(patience=0.1)
    assert those_in(tmp_path) == []


def test_a_persons_shell_in_such_a_folder_goes_on(processes):
    home = processes.folder / "one"
    home.mkdir(parents=True)
    shell, terminal = os.forkpty()
    if shell == 0:  # pragma: no cover - another process
        os.chdir(home)
        os.execvp("sleep", ["sleep", "600"])
    try:
        wait_until(lambda: psutil.Process(shell).name() == "sleep" and _cwd(psutil.Process(shell)) == str(home))
        processes.end(patience=0.1)
        assert not processes.is_running("one") and psutil.Process(shell).is_running()
    finally:
        os.kill(shell, signal.SIGKILL)
        os.waitpid(shell, 0)
        os.close(terminal)
