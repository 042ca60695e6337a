"""The screen Feeds: a row for each feed that the person may see."""

from __future__ import annotations

import html
import re
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from tests.plugins.page import ROOT


@pytest.fixture
def folder(installation, monkeypatch, tmp_path):
    """A folder of feeds of its own; gives a function that writes one."""
    monkeypatch.setenv("CLIENT_IMPORTS_FEEDS", str(tmp_path))

    def _write(name: str, text: str) -> None:
        (tmp_path / f"{name}.yaml").write_text(text)

    _write("default", "title: Manual uploads\n")
    _write("acme", "title: Acme feed\nschedule: 0 6 * * 1-5\ntimezone: Europe/Berlin\nexpected_every: 1d\n")
    return _write


def rows(answer):
    """Give the text of each feed's row, by the feed's name."""
    assert answer.status_code == 200
    found = re.findall(r'<tbody data-key="(\w+)">(.*?)</tbody>', answer.text, re.DOTALL)
    return {name: " ".join(html.unescape(re.sub("<[^>]*>", " ", text)).split()) for name, text in found}


def test_a_row_says_what_a_feed_waits_for_and_what_waits_in_it(web, folder, imported, installation, engine):
    imported(feed="acme", name="old.csv", clock=lambda: datetime.now(UTC) - timedelta(days=3))
    held = imported(name="odd.csv")
    with engine.begin() as connection:
        connection.execute(sa.text("UPDATE imports SET state = 'held', filed = false WHERE id = :id"), {"id": held})
    installation.drop("default", "x", "new.csv")
    shown = rows(web("admin").get(f"{ROOT}/feeds"))
    assert list(shown) == ["acme", "default"]
    for words in (
        "Acme feed",
        "At 06:00, Monday through Friday Europe/Berlin",
        "old.csv",
        "late since",
        "3 rows, 33.3 % failed",
    ):
        assert words in shown["acme"]
    for words in ("Manual uploads", "By hand only", "odd.csv", "any time", "1 file 1 no rows"):
        assert words in shown["default"]


def test_a_file_in_the_inbox_is_not_late_and_a_paused_feed_says_so(web, folder, imported, installation):
    from airflow.models.dag import DagModel
    from airflow.utils.session import create_session

    imported(feed="acme", clock=lambda: datetime.now(UTC) - timedelta(days=3))
    installation.drop("acme", "x", "new.csv")
    with create_session() as session:
        session.get(DagModel, "import_clients__acme").is_paused = True
    try:
        shown = rows(web("admin").get(f"{ROOT}/feeds"))["acme"]
    finally:
        with create_session() as session:
            session.get(DagModel, "import_clients__acme").is_paused = False
    assert "paused" in shown and "late" not in shown and "waits in the inbox" in shown


def test_what_is_wrong_with_a_feed_file_is_said_to_those_who_may_see_the_feed(web, folder):
    folder("acme", "title: Acme\nscedule: watch\n")
    admin, olga = web("admin").get(f"{ROOT}/feeds"), web("olga").get(f"{ROOT}/feeds")
    assert "Broken: it has no DAG" in rows(admin)["acme"] and "<code>scedule</code> is not a known key" in admin.text
    assert list(rows(olga)) == ["default"] and "scedule" not in olga.text


def test_a_feed_whose_runs_would_fail_is_marked_and_names_no_feed_that_the_person_may_not_see(web, folder):
    folder("acme", "title: Acme\ninbox: default\n")
    folder("default", "title: Manual uploads\ndefaults: {project: ffffffffffffffffffffffff}\n")
    of_olga = rows(web("olga").get(f"{ROOT}/feeds"))["default"]
    assert "Its runs fail before they claim a file" in of_olga and "the CRM has no project with this ID" in of_olga
    assert "can take the same files as another feed" in of_olga
    assert "can take the same files as acme.yaml" in rows(web("admin").get(f"{ROOT}/feeds"))["default"]


def test_feeds_whose_file_or_folder_is_gone_are_still_there(web, folder, imported, tmp_path, monkeypatch):
    imported(feed="acme", name="kept.csv")
    (tmp_path / "acme.yaml").unlink()
    assert "no feed file" in rows(web("admin").get(f"{ROOT}/feeds"))["acme"]
    monkeypatch.setenv("CLIENT_IMPORTS_FEEDS", str(tmp_path / "nowhere"))
    answer = web("admin").get(f"{ROOT}/feeds")
    assert "kept.csv" in rows(answer)["acme"] and "No feed can run: the folder of feeds cannot be read" in answer.text
    assert str(tmp_path) not in answer.text
