"""A file is checked before it is sent: what the answer says, and what a hostile file cannot do."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.plugins.page import ROOT, TEXT


def check(client, text=TEXT, feed="default", name="clients.csv", **headers):
    own = {"content-type": "text/csv", "content-disposition": f'attachment; filename="{name}"', "accept": "*/*"}
    return client.post(f"{ROOT}/api/checks?feed={feed}", content=text, headers=own | headers)


def written(engine):
    with engine.connect() as connection:
        return [
            connection.scalar(sa.text(f"SELECT count(*) FROM {table}"))
            for table in ("imports", "import_rows", "uploads", "clients")
        ]


def test_a_check_says_what_the_import_then_does_and_leaves_nothing(web, imported, installation, engine):
    imported("First Name,Email\nAnn,ann@example.com\nBob,bob@example.com\n")
    before, files = written(engine), installation.files(".")
    text = (
        "First Name,Email,Desk,Weather\nAnna,ann@example.com,,sun\nBob,bob@example.com,,\nCat,cat@example.com,,\n"
        "Dan,dan@example.com,Madrid,\nEva,eva@example.com,Madrid,\nCate,cat@example.com,,\n,no,,\n"
    )
    found = check(web("olga"), text).json()
    planned = {
        "read": 7,
        "created": 1,
        "updated": 1,
        "unchanged": 1,
        "duplicate": 1,
        "failed": 3,
        "warnings": 2,
        "deactivated": 0,
    }
    assert found["plan"]["counts"] == planned
    assert found["sentence"].startswith("3 clients would be imported: 1 created, 1 updated, 1 unchanged.")
    assert found["sentence"].endswith("3 rows would fail.") and found["button"] == "Import the 4 good rows"
    (madrid,) = [cause for cause in found["plan"]["causes"] if cause["field"] == "desk"]
    assert (madrid["rows"], madrid["sentence"]) == (2, "No desk is called “Madrid”.")
    assert [(column["name"], column["field"], column["samples"]) for column in found["columns"]] == [
        ("First Name", "first_name", ["Anna", "Bob", "Cat"]),
        ("Email", "email", ["ann@example.com", "bob@example.com", "cat@example.com"]),
        ("Desk", "desk", ["Madrid"]),
        ("Weather", None, ["sun"]),
    ]
    assert "was ignored" in found["columns"][3]["note"]
    assert found["rows"][0] == ["Anna", "ann@example.com", "", "sun"] and len(found["rows"]) == 5
    assert (written(engine), installation.files(".")) == (before, files)
    import_id = imported(text)
    done = web("olga").get(f"{ROOT}/api/imports/{import_id}").json()
    assert {name: done[name] for name in planned if name != "warnings"} == {
        name: number for name, number in planned.items() if name != "warnings"
    }


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (b"First Name,Email\nJos\xe9,jose@example.com\n", "UTF-8"),
        (b"PK\x03\x04\x00\x00", "The content is not CSV text"),
        ("First Name,Email\n" + "Ann,ann@example.com\n" * 5001, "The file has 5,001 records"),
        ("First Name,Shoe size\nAnn,1\n", "The column Email is missing"),
    ],
)
def test_an_error_in_the_file_is_told_before_any_run(web, engine, text, words):
    found = check(web("olga"), text).json()
    assert words in found["sentence"] and found["sentence"].startswith("This file would be refused.")
    assert (found["button"], found["plan"], written(engine)) == ("", None, [0, 0, 0, 0])


def test_what_can_be_told_without_the_body_is_told_without_it(connect):
    too_large = connect("olga")
    too_large.begin("POST", "/api/checks?feed=default", Content_Length=str(1 << 30))
    assert too_large.read()["code"] == "FILE_TOO_LARGE"
    plain = {"Content-Type": "text/plain"}
    assert connect("olga").ask("POST", "/api/checks?feed=default", b"x", **plain)["status"] == 415


def test_the_same_bytes_as_last_time_can_be_imported_once_more(web, imported):
    text = "First Name,Email\nAnn,ann@example.com\n"
    imported(text)
    found = check(web("olga"), text).json()
    assert "The same bytes were imported on" in found["sentence"]
    assert (found["button"], found["force"]) == ("Import it once more", True)


def test_a_feed_that_would_ask_a_person_or_takes_a_file_whole_says_so(web, feeds_folder):
    path = feeds_folder / "acme.yaml"
    before = path.read_text()
    try:
        path.write_text(before + "\nhold: {failed_over: 0.1}\n" if "hold:" not in before else before)
        text = "First Name;E-mail\nAnn;ann@example.com\n" + ";nobody@example.com\n" * 25
        found = check(web("admin"), text, "acme").json()
        assert any("would wait for a person to approve it" in remark for remark in found["remarks"])
        path.write_text(before + "\non_failed_rows: refuse_file\n")
        found = check(web("admin"), text, "acme").json()
        assert found["button"] == "" and "25 of 26 rows failed" in found["sentence"]
        assert found["plan"]["causes"][0]["rows"] == 25
    finally:
        path.write_text(before)


def process():
    from client_imports_page.checking import _process

    return _process(os.getpid())


def test_a_check_that_takes_too_long_is_ended_and_the_file_can_be_sent_all_the_same(web, monkeypatch):
    olga = web("olga")
    assert check(olga).status_code == 200
    os.kill(process().pid, signal.SIGSTOP)  # as a file that is judged for ever
    monkeypatch.setattr(process(), "_seconds", 0.5)
    late = check(olga)
    assert late.status_code == 503 and process().pid is None
    assert (
        late.json()["detail"].endswith("It can be imported all the same.") and "takes longer" in late.json()["detail"]
    )


def test_the_process_has_limits_and_none_of_the_servers_secrets(web):
    assert check(web("olga")).status_code == 200
    of_process = Path(f"/proc/{process().pid}")
    environment = (of_process / "environ").read_bytes()
    assert b"AIRFLOW" not in environment and b"PYTHONPATH" in environment
    limits = {line[:25].strip(): line[26:].split() for line in (of_process / "limits").read_text().splitlines()}
    assert limits["Max file size"][0] == "0" and limits["Max cpu time"][0].isdecimal()
    assert int(limits["Max address space"][0]) < 6 << 30


def test_a_database_that_is_away_makes_no_file_wait(web, monkeypatch):
    from client_imports_page import checking

    request = checking._request
    nowhere = "postgresql://nobody@127.0.0.1:1/none"
    monkeypatch.setattr(checking, "_request", lambda feed: {**request(feed), "database": nowhere})
    answer = check(web("olga"))
    assert answer.status_code == 503 and "could not connect to 127.0.0.1:1" in answer.json()["detail"]
