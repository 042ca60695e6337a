"""The command line as a person and a script meet it."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest
import sqlalchemy as sa

from demo.reference_data import SAMPLES
from include.settings import ROOT


@pytest.fixture
def cli(clients_url, engine, tmp_path):
    def _cli(*words: str, url: str = clients_url, **variables: str) -> subprocess.CompletedProcess[str]:
        environment = os.environ | {
            "PYTHONPATH": str(ROOT), "AIRFLOW_CONN_CLIENTS_DB": url, "CLIENT_IMPORTS_STORAGE": str(tmp_path / "s"),
        }  # fmt: skip
        environment.pop("CLIENT_IMPORTS_FEEDS", None)
        environment |= variables
        command = [sys.executable, "-m", "include.cli", *words]
        return subprocess.run(command, env=environment, capture_output=True, text=True, cwd=ROOT, check=False)

    return _cli


def test_check_reads_like_a_linter_and_needs_no_database(cli):
    done = cli("check", str(SAMPLES / "partner_feed.csv"), "--feed", "acme", url="")
    assert done.returncode == 1
    file = SAMPLES / "partner_feed.csv"
    assert f"{file}:7: CELL_REQUIRED First name is blank, and every client needs one. (row 6)" in done.stdout
    assert f"{file}:3: DUPLICATE_IN_FILE Replaced by row 5 (line 6), which is the same client. (row 2)" in done.stdout
    assert "2 x ROW_RAGGED: Give the row one cell per column" in done.stdout


def test_check_takes_hostile_names_and_content_and_never_shows_a_stack_trace(cli, tmp_path):
    for number, content in enumerate([b"", b"\x00", b"PK\x03\x04", b'First Name,Email\n"', b"\x1b]0;x\x07,Email\n"]):
        (tmp_path / f"{number}\x1b[31m.csv").write_bytes(content)
    (tmp_path / os.fsdecode(b"\xe4.csv")).write_text("First Name,Email\n")
    paths = [str(path) for path in tmp_path.glob("*.csv")]
    for words in (["check", *paths], ["check", *paths, "--json"], ["import", *paths]):
        done = cli(*words)
        assert done.returncode == 1, done.stderr
        assert "Traceback" not in done.stdout + done.stderr and "\x1b[31m" not in done.stdout
    results = [json.loads(line) for line in cli("check", *paths, "--json").stdout.splitlines()]
    assert {result["code"] for result in results} == {"FILE_NAME"}


def test_a_feed_that_takes_files_whole_is_checked_so(cli, tmp_path):
    (tmp_path / "feeds").mkdir()
    (tmp_path / "feeds" / "whole.yaml").write_text("title: Whole\non_failed_rows: refuse_file\n")
    (tmp_path / "x.csv").write_text("First Name,Email\nAnn,ann@example.com\nBen,nobody\n")
    done = cli("check", str(tmp_path / "x.csv"), "--feed", "whole", CLIENT_IMPORTS_FEEDS=str(tmp_path / "feeds"))
    assert done.returncode == 1 and "FILE_FAILED_ROWS 1 of 2 rows failed" in done.stdout


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


def test_forget_takes_one_person_out_and_says_what_stays_and_never_shows_the_address(cli, tmp_path):
    (tmp_path / "x.csv").write_text("First Name,Email\nZoemark,Zoe@Example.com\n,ben@example.com\n,zoe@example.com\n")
    assert cli("import", str(tmp_path / "x.csv")).returncode == 1
    done = cli("forget", "--email", "zoe@example.com")
    assert done.returncode == 0, done.stderr
    assert "1 files." in done.stdout and "Counts stay." in done.stdout
    assert "zoe" not in (done.stdout + done.stderr).lower()
    files = [path.read_text() for path in (tmp_path / "s").rglob("*") if path.is_file()]
    assert len(files) == 1 and "ben@example.com" in files[0] and "zoe@" not in files[0]
    again = json.loads(cli("forget", "--email", "zoe@example.com", "--json").stdout)
    assert (again["imports"], again["files"], again["left"], again["of_person"]) == (0, 0, [], True)


def test_forget_expired_says_how_much_went(cli, engine):
    cli("import", str(SAMPLES / "onboarding.csv"))
    assert cli("forget", "--expired").stdout.startswith("Removed from 0 imports")
    with engine.begin() as connection:
        connection.execute(sa.text("UPDATE imports SET received_at = received_at - interval '400 days'"))
    done = cli("forget", "--expired", "--json")
    assert done.returncode == 0 and json.loads(done.stdout) | {"imports": 1, "images": 4} == json.loads(done.stdout)


def test_forget_names_what_is_still_on_its_way_with_exit_1(cli, engine):
    cli("import", str(SAMPLES / "onboarding.csv"))
    with engine.begin() as connection:
        import_id = connection.scalar(sa.text("UPDATE imports SET state = 'held' RETURNING CAST(id AS text)"))
    done = cli("forget", "--email", "zoe.van.dijk@example.org")
    assert done.returncode == 1 and import_id in done.stdout


def test_forget_wants_one_person_or_all_that_is_expired(cli):
    for words in ([], ["--expired", "--id", "0" * 24], ["--email", "zoe"], ["--id", "zoe"]):
        done = cli("forget", *words)
        assert done.returncode == 2 and "Traceback" not in done.stderr and "zoe" not in done.stdout + done.stderr
    down = cli("forget", "--email", "zoe@example.com", url="postgresql://u:geheim@127.0.0.1:1/clients")
    assert down.returncode == 3 and "Traceback" not in down.stderr
    assert "geheim" not in down.stderr and "zoe" not in down.stderr
