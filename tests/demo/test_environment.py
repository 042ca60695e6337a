"""`.demo/env` sets up a shell, and ports are free."""

from __future__ import annotations

import os
import socket
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from demo.environment import free_port, write_env

HOSTILE = """{"host": "it's", "port": "$HOME `id` \\\\ \n"}"""


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Give a function that runs a line after `. env`, with an `airflow` that prints its database and arguments."""
    programs = tmp_path / "it's a venv"
    programs.mkdir()
    airflow = programs / "airflow"
    airflow.write_text('#!/bin/sh\nprintf "%s " "$AIRFLOW__DATABASE__SQL_ALCHEMY_CONN" "$@"\n')
    airflow.chmod(0o700)
    monkeypatch.setattr(sys, "executable", str(programs / "python"))
    home = tmp_path / "a home"
    home.mkdir()
    variables = {"HOSTILE": HOSTILE, "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": "live", "PATH": "/nowhere"}
    write_env(home, variables, "postgresql:///copy's")

    def run(line: str) -> str:
        command = ["sh", "-c", f'. "{home}/env"; {line}']
        return subprocess.run(command, cwd="/", capture_output=True, text=True, check=True).stdout

    run.home = home  # type: ignore[attr-defined]
    return run


def test_a_shell_gets_every_variable_as_it_is_and_keeps_its_path(shell):
    assert shell('printf %s "$HOSTILE"') == HOSTILE
    assert shell("sh -c 'printf %s \"$HOSTILE\"'") == HOSTILE, "exported"
    assert shell('printf %s "$PATH"').endswith(os.environ["PATH"])
    assert stat.S_IMODE((shell.home / "env").stat().st_mode) == 0o600


def test_commands_that_make_runs_of_their_own_work_on_a_copy_that_no_scheduler_reads(shell):
    assert shell("airflow dags list 'a b'") == "live dags list a b "
    assert shell("airflow") == "live "
    for command in ("dags test x", "tasks test x y"):
        assert shell(f"airflow {command}") == f"postgresql+psycopg2:///copy's {command} "


def test_a_port_that_another_program_has_is_not_chosen():
    with socket.create_server(("127.0.0.1", 0)) as server:
        taken = server.getsockname()[1]
        assert free_port(taken) != taken
    assert free_port(taken) == taken
