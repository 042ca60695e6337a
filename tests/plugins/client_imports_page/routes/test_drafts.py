"""The screen Feeds writes the feed file for a partner's first sample."""

from __future__ import annotations

import gzip

from include.schemas.feed_folder import load_feed
from tests.conftest import LONDON
from tests.plugins.page import ROOT

SAMPLE = "Rufname;Mail (privat);Desk\nJörg;joerg@example.com;London\n"


def drafted(client, content, name="GLOBEX_2026-11-01.csv"):
    headers = {"content-type": "text/csv", "content-disposition": f'attachment; filename="{name}"'}
    return client.post(f"{ROOT}/api/drafts", content=content, headers=headers)


def test_who_may_import_gets_the_feed_file_and_nothing_is_kept(web, installation, tmp_path):
    files = installation.files(".")
    found = drafted(web("olga"), SAMPLE.encode("cp1252")).json()
    (tmp_path / "globex.yaml").write_text(found["yaml"], encoding="utf-8")
    feed = load_feed(tmp_path / "globex.yaml")
    assert (feed.encoding, feed.delimiter, feed.file_pattern) == ("cp1252", ";", "GLOBEX_*.csv")
    assert feed.columns["Mail (privat)"] == "email" and feed.values["desk"] == {"London": LONDON}
    assert found["sentence"] == "Save it as globex.yaml in the folder of the feeds: 3 lines with a remark to look at."
    assert installation.files(".") == files


def test_a_sample_that_is_no_csv_is_refused_with_a_sentence(web):
    answer = drafted(web("olga"), b"PK\x03\x04\x00\x00")
    assert answer.status_code == 400 and "The content is not CSV text" in answer.json()["detail"]
    assert drafted(web("vera"), SAMPLE.encode()).status_code == 403


def test_an_archive_is_a_sample_and_another_name_is_told_how_to_be_changed(web):
    found = drafted(web("olga"), gzip.compress(SAMPLE.encode()), "GLOBEX_1.csv.gz").json()
    assert found["name"] == "globex" and "compression: gzip" in found["yaml"]
    answer = drafted(web("olga"), SAMPLE.encode(), "globex.txt")
    assert answer.status_code == 422 and "Rename it, for example to “globex.csv”." in answer.json()["detail"]


def test_only_who_may_import_is_offered_a_draft_on_the_screen(web):
    shown = ['id="draft-file"' in web(person).get(f"{ROOT}/feeds").text for person in ("olga", "vera", "nobody")]
    assert shown == [True, False, False]
