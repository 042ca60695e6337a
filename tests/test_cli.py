"""The command line as a person and a script meet it."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from demo.reference_data import SAMPLES
from include.settings import ROOT


@pytest.fixture
def cli(clients_url, engine, tmp_path):
    def _cli(*words: str, url: str = clients_url) -> subprocess.CompletedProcess[str]:
        environment = os.environ | {
            "PYTHONPATH": str(ROOT), "AIRFLOW_CONN_CLIENTS_DB": url, "CLIENT_IMPORTS_STORAGE": str(tmp_path / "s"),
        }  # fmt: skip
        environment.pop("CLIENT_IMPORTS_FEEDS", None)
        command = [sys.executable, "-m", "include.cli", *words]
        return subprocess.run(command, env=environment, capture_output=True, text=True, cwd=ROOT, check=False)

    return _cli


def test_check_reads_like_a_linter_and_needs_no_database(cli):
    done = cli("check", str(SAMPLES / "partner_feed.csv"), "--feed", "acme", url="")
    assert done.returncode == 1
    assert "partner_feed.csv:7: CELL_REQUIRED First name is blank, and every client needs one. (row 6)" in done.stdout
    assert "2 x ROW_RAGGED" in done.stdout


def test_import_gives_one_json_object_a_line_and_exit_0_when_all_is_merged(cli, clients):
    done = cli("import", str(SAMPLES / "onboarding.csv"), str(SAMPLES / "clients_export.csv"), "--json")
    results = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 0, done.stderr
    assert [(r["file"], r["state"], r["created"]) for r in results] == [
        ("onboarding.csv", "merged", 4), ("clients_export.csv", "merged", 3),
    ]  # fmt: skip
    assert len(clients()) == 7
    assert cli("import", str(SAMPLES / "onboarding.csv")).returncode == 1
    assert cli("import", str(SAMPLES / "onboarding.csv"), "--force", "--dry-run").returncode == 0


def test_a_wrong_call_is_exit_2_with_a_sentence(cli):
    assert "There is no file" in (done := cli("import", "nowhere.csv")).stderr and done.returncode == 2
    assert "known feeds are acme, default" in (done := cli("check", "x.csv", "--feed", "nope")).stderr
    assert done.returncode == 2


def test_a_database_that_is_down_is_our_fault_and_the_password_is_not_shown(cli):
    done = cli("import", str(SAMPLES / "onboarding.csv"), url="postgresql://u:geheim@127.0.0.1:1/clients")
    assert done.returncode == 3
    assert "geheim" not in done.stdout + done.stderr and "Traceback" not in done.stderr
