"""Every feed has an inbox before a person copies a file there, and each sample is imported once."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from demo.sample_files import drop, feeds_to_trigger, make_inboxes
from include.adapters.files.storage import Storage
from include.schemas.feed_folder import read_feeds
from include.settings import ROOT


@pytest.fixture
def feeds():
    return read_feeds(ROOT / "include" / "feeds")


def test_each_feed_gets_its_inbox_and_a_file_in_the_place_of_one_is_told(tmp_path, feeds):
    (tmp_path / "inbox").mkdir()
    (tmp_path / "inbox" / "acme").write_text("First Name,Email\n")
    (sentence,) = make_inboxes(Storage(tmp_path), {**feeds, "broken": None})
    assert sentence == (
        f"{tmp_path}/inbox/acme must be a folder and is a file. Rename the file, make the folder, and move the file "
        "into it."
    )
    assert (tmp_path / "inbox" / "default").is_dir()


def test_a_sample_is_dropped_until_it_is_imported_and_its_feed_is_triggered_when_no_schedule_finds_it(
    tmp_path, feeds, engine, bring
):
    storage = Storage(tmp_path)
    make_inboxes(storage, feeds)
    dropped = drop(engine, storage, feeds)
    assert [path.name for path in dropped] == ["clients_export.csv", "onboarding.csv", "partner_feed.csv"]
    assert feeds_to_trigger(engine, feeds, dropped, set()) == ["default"]
    bring("First Name,Email\nAnn,ann@example.com\n", file_name="onboarding.csv")
    assert [path.name for path in drop(engine, storage, feeds)] == ["clients_export.csv", "partner_feed.csv"]
    assert feeds_to_trigger(engine, feeds, [], set()) == []


def test_a_feed_with_an_import_that_no_run_has_any_more_is_triggered(feeds, engine, bring):
    bring("First Name,Email\nAnn,ann@example.com\n")
    with engine.begin() as connection:
        connection.execute(sa.text("UPDATE imports SET filed = false, run_id = 'r', dag_id = 'd', feed = 'acme'"))
    assert feeds_to_trigger(engine, feeds, [], {"r"}) == []
    assert feeds_to_trigger(engine, feeds, [], {"other"}) == ["acme"]
