"""The command line as a person and a script meet it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass

import pytest
import sqlalchemy as sa
from typer.testing import CliRunner

from demo.reference_data import SAMPLES
from include.adapters.database.engine import engine_from_url
from include.cli import app
from include.settings import ROOT


@dataclass(frozen=True)
class Done:
    """What a command left. An exception that it did not handle is raised in the test."""

    returncode: int
    stdout: str
    stderr: str


@pytest.fixture
def cli(clients_url, engine, tmp_path, monkeypatch):
    """A command's process would end with its connections; here they are closed after the test."""
    opened = []

    def opening(*words, **options):
        opened.append(engine_from_url(*words, **options))
        return opened[-1]

    monkeypatch.setattr("include.adapters.database.engine.engine_from_url", opening)

    def _cli(*words: str, url: str = clients_url, **variables: str) -> Done:
        settings = {"AIRFLOW_CONN_CLIENTS_DB": url, "CLIENT_IMPORTS_STORAGE": str(tmp_path / "s")}
        environment = settings | {"CLIENT_IMPORTS_FEEDS": None} | variables
        done = CliRunner().invoke(app, words, env=environment, catch_exceptions=False)
        return Done(done.exit_code, done.stdout, done.stderr)

    yield _cli
    for each in opened:
        each.dispose()


def test_the_command_of_the_documents_starts_in_the_projects_folder(clients_url, engine, tmp_path):
    command = [sys.executable, "-m", "include.cli", "import", str(SAMPLES / "onboarding.csv"), "--json"]
    environment = os.environ | {"AIRFLOW_CONN_CLIENTS_DB": clients_url, "CLIENT_IMPORTS_STORAGE": str(tmp_path / "s")}
    environment.pop("CLIENT_IMPORTS_FEEDS", None)
    done = subprocess.run(command, env=environment, capture_output=True, text=True, cwd=ROOT, check=False)
    assert (done.returncode, done.stderr, json.loads(done.stdout)["created"]) == (0, "", 4)


def test_check_reads_like_a_linter_and_needs_no_database(cli):
    done = cli("check", str(SAMPLES / "partner_feed.csv"), "--feed", "acme", url="")
    assert done.returncode == 1
    file = SAMPLES / "partner_feed.csv"
    assert f"{file}:7: CELL_REQUIRED First name is blank, and every client needs one. (row 6)" in done.stdout
    assert f"{file}:3: DUPLICATE_IN_FILE Replaced by row 5 (line 6), which is the same client; its First" in done.stdout
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


def test_a_feed_is_written_for_a_sample_and_checks_it_and_replaces_none(cli, tmp_path):
    feeds = {"CLIENT_IMPORTS_FEEDS": str(tmp_path / "feeds")}
    (tmp_path / "feeds").mkdir()
    sample = tmp_path / "GLOBEX_0042.csv"
    sample.write_text("Vorname;Email;Desk\nAnn;ann@example.com;London\n")
    done = cli("new-feed", str(sample), "--name", "globex", **feeds)
    assert done.returncode == 0 and "No line needs a look. The sample, checked with it:" in done.stdout, done.stderr
    written = (tmp_path / "feeds" / "globex.yaml").read_text()
    assert 'delimiter: ";"' in written and 'London: "67a3470d8092c651c9193390"' in written and "GLOBEX_*.csv" in written
    again = cli("new-feed", str(sample), "--name", "globex", **feeds)
    assert again.returncode == 2 and "is there already" in again.stderr
    assert cli("import", str(sample), "--feed", "globex", **feeds).returncode == 0
    (tmp_path / "book.csv").write_bytes(b"PK\x03\x04")
    refused = cli("new-feed", str(tmp_path / "book.csv"), **feeds)
    assert refused.returncode == 1 and "FILE_NOT_CSV" in refused.stdout
    assert [path.name for path in (tmp_path / "feeds").iterdir()] == ["globex.yaml"]


@pytest.mark.parametrize("name", ["x" * 300, "a\0b", "Acme"])
def test_a_name_that_no_feed_may_have_is_a_wrong_call(cli, tmp_path, name):
    (tmp_path / "s.csv").write_text("First Name,Email\n")
    done = cli("new-feed", str(tmp_path / "s.csv"), "--name", name, url="", CLIENT_IMPORTS_FEEDS=str(tmp_path))
    assert done.returncode == 2 and "is no name of a feed: small letters" in done.stderr
    assert cli("check", f"{name}.csv").returncode == 2


def test_a_folder_of_feeds_that_cannot_be_written_is_a_wrong_call(cli, tmp_path):
    (tmp_path / "s.csv").write_text("First Name,Email\n")
    done = cli("new-feed", str(tmp_path / "s.csv"), url="", CLIENT_IMPORTS_FEEDS="/proc/self")
    assert done.returncode == 2 and "No feed file was written: " in done.stderr


def test_a_held_import_says_what_to_do_and_each_import_its_id(cli, tmp_path):
    (tmp_path / "feeds").mkdir()
    (tmp_path / "feeds" / "careful.yaml").write_text("title: C\nhold: {failed_over: 0.1}\n")
    (tmp_path / "x.csv").write_text("First Name,Email\nAnn,ann@example.com\nBen,nobody\n")
    feeds = {"CLIENT_IMPORTS_FEEDS": str(tmp_path / "feeds")}
    done = cli("import", str(tmp_path / "x.csv"), "--feed", "careful", **feeds)
    assert "HELD 1 of 2 rows failed" in done.stdout and "Then approve or discard it on its page" in done.stdout
    (import_id,) = re.findall("x.csv: import: ([0-9a-f-]{36})\n", done.stdout)
    assert "import:" not in cli("check", str(tmp_path / "x.csv")).stdout
    assert cli("discard", import_id, **feeds).stdout.startswith("discarded: Discarded by")


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
    assert cli("import", str(SAMPLES / "onboarding.csv")).returncode == 0
    assert cli("import", str(SAMPLES / "onboarding.csv"), "--force", "--dry-run").returncode == 0


def test_a_wrong_call_is_exit_2_with_a_sentence(cli):
    assert "There is no file" in (done := cli("import", "nowhere.csv")).stderr and done.returncode == 2
    assert "known feeds are acme, default" in (done := cli("check", "x.csv", "--feed", "nope")).stderr
    assert done.returncode == 2


def test_a_feed_that_says_what_cannot_be_is_a_wrong_call_with_file_and_key(cli, tmp_path):
    feeds = {"CLIENT_IMPORTS_FEEDS": str(tmp_path)}
    (tmp_path / "a.yaml").write_text("title: A\ndefaults: {type: vip}\n")
    (tmp_path / "b.yaml").write_text("title: B\ndefaults: {desk: 000000000000000000000000}\n")
    sample = str(SAMPLES / "onboarding.csv")
    for command in ("check", "import"):
        done = cli(command, sample, "--feed", "a", **feeds)
        assert done.returncode == 2 and "a.yaml: `defaults.type`: Type “vip” is not one of" in done.stderr
    done = cli("import", sample, "--feed", "b", **feeds)
    assert (
        done.returncode == 2 and "b.yaml: `defaults.desk` is '000000000000000000000000': the CRM has no" in done.stderr
    )
    assert cli("check", sample, "--feed", "b", **feeds).returncode == 0, "the database is not asked"


def test_a_database_that_is_down_is_our_fault_and_the_password_is_not_shown(cli):
    file = SAMPLES / "onboarding.csv"
    call = ("import", str(file))
    done = cli(*call, url="postgresql://u:geheim@127.0.0.1:1/clients")
    assert done.returncode == 3 and done.stderr == ""
    assert f"{file}: System error: could not connect to 127.0.0.1:1: Connection refused\n" in done.stdout
    verbose = cli(*call, "--verbose", "--json", url="postgresql://u:geheim@127.0.0.1:1/clients")
    assert json.loads(verbose.stdout)["message"] == "could not connect to 127.0.0.1:1: Connection refused"
    assert 'include/steps/import_file.py", line' in verbose.stderr
    assert "geheim" not in done.stdout + verbose.stdout + verbose.stderr


def test_a_system_error_within_a_step_names_step_and_cause_and_with_verbose_the_place(cli, engine):
    sample = SAMPLES / "onboarding.csv"
    with engine.begin() as connection:
        connection.execute(sa.text("ALTER TABLE desks RENAME TO moved"))
    try:
        done = cli("import", str(sample), "--verbose")
    finally:
        with engine.begin() as connection:
            connection.execute(sa.text("ALTER TABLE moved RENAME TO desks"))
    sentence = "prepare failed: a table is missing in the database: run the migrations (UndefinedTable, 42P01)"
    assert done.returncode == 3 and f"{sample}: System error: {sentence}\n" in done.stdout
    assert "in prepare" in done.stderr and "desks" not in done.stdout and "example.org" not in done.stderr


def test_forget_takes_one_person_out_and_says_what_stays_and_never_shows_the_address(cli, tmp_path):
    (tmp_path / "x.csv").write_text("First Name,Email\nZoemark,Zoe@Example.com\n,ben@example.com\n,zoe@example.com\n")
    assert cli("import", str(tmp_path / "x.csv")).returncode == 1
    done = cli("forget", "--email", "zoe@example.com")
    assert done.returncode == 0, done.stderr
    assert "Files deleted: 1." in done.stdout and "Counts stay." in done.stdout
    assert "zoe" not in (done.stdout + done.stderr).lower()
    files = [path.read_text() for path in (tmp_path / "s").rglob("*") if path.is_file()]
    assert len(files) == 1 and "ben@example.com" in files[0] and "zoe@" not in files[0]
    again = json.loads(cli("forget", "--email", "zoe@example.com", "--json").stdout)
    assert (again["imports"], again["files"], again["left"], again["of_person"]) == (0, 0, [], True)


def test_forget_expired_says_how_much_went(cli, engine):
    cli("import", str(SAMPLES / "onboarding.csv"))
    assert cli("forget", "--expired").stdout.startswith("Imports that lost something: 0.")
    with engine.begin() as connection:
        connection.execute(sa.text("UPDATE imports SET received_at = received_at - interval '400 days'"))
    done = cli("forget", "--expired", "--json")
    assert done.returncode == 0 and json.loads(done.stdout) | {"imports": 1, "rows": 4} == json.loads(done.stdout)


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
