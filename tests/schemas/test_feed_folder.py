"""All feeds of a folder: each by its name, a broken one beside the others, and no file that two of them could take."""

from __future__ import annotations

import os

import pytest

from include.errors import FeedInvalid
from include.schemas.feed_folder import feed_files, find_feed, load_feed, read_feeds, salvage_feed, shared_inboxes
from include.settings import ROOT


@pytest.fixture
def write(tmp_path):
    def _write(name: str, text: str = ""):
        path = tmp_path / name
        path.write_text(f"title: X\n{text}")
        return path

    return _write


def feeds(folder):
    return [feed for feed in read_feeds(folder).values() if feed is not None]


def test_a_changed_feed_file_is_read_again(write):
    path = write("partner.yaml")
    assert load_feed(path).max_records == 5_000
    write("partner.yaml", "max_records: 7\n")
    os.utime(path, ns=(1, 1))
    assert load_feed(path).max_records == 7


def test_a_broken_feed_file_does_not_hide_the_others(tmp_path, write):
    write("a.yaml", "titel: A")
    write("b.yaml")
    (tmp_path / "c.yaml").mkdir()
    (tmp_path / "d.yaml").symlink_to(tmp_path / "nowhere")
    assert {name: feed is None for name, feed in read_feeds(tmp_path).items()} == {
        "a": True, "b": False, "c": True, "d": True,
    }  # fmt: skip


def test_a_feed_may_end_in_yml_and_hidden_files_are_none(tmp_path, write):
    assert load_feed(write("a.yml")).file == tmp_path / "a.yml"
    write(".#a.yaml")
    assert [path.name for path in feed_files(tmp_path)] == ["a.yml"]
    assert find_feed(tmp_path, "a").name == "a"
    with pytest.raises(FeedInvalid, match=r"b\.yaml: does not exist"):
        find_feed(tmp_path, "b")


def test_of_two_files_for_one_feed_neither_counts(tmp_path, write):
    for one, other in (("a.yaml", "a.yml"), ("a.yml", "a.yaml")):
        path = write(one)
        write(other)
        with pytest.raises(FeedInvalid, match=f"{one}: describes the same feed as {other}: keep one of the two files"):
            load_feed(path)
    assert read_feeds(tmp_path) == {"a": None}


def test_a_name_that_no_feed_can_have_says_which_can(write):
    with pytest.raises(
        FeedInvalid, match=r"My-Feed\.yaml: is not named as a feed can be: small letters, digits and `_`"
    ):
        load_feed(write("My-Feed.yaml"))


def test_the_feeds_of_the_project_share_no_inbox():
    assert shared_inboxes(feeds(ROOT / "include" / "feeds")) == []


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("", "inbox: a"),
        ("inbox: partners\nfile_pattern: a*", "inbox: partners\nfile_pattern: '*b.csv'"),
        ("inbox: sftp://acme/out", "inbox: sftp://acme/out/"),
        ("inbox: sftp://acme", "inbox: sftp://acme/.\nfile_pattern: 'x*.csv'"),
    ],
)
def test_two_feeds_that_can_take_one_file_are_named_together(tmp_path, write, one, other):
    write("a.yaml", one)
    write("b.yaml", other)
    (error,) = shared_inboxes(feeds(tmp_path))
    assert str(error).startswith(f"{tmp_path / 'a.yaml'}: can take the same files as b.yaml: both read the inbox ")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("", ""),
        ("inbox: partners\nfile_pattern: 'a_*.csv'", "inbox: partners\nfile_pattern: 'b_*.csv'"),
        ("inbox: sftp://acme/out", "inbox: sftp://acme//out"),
        ("inbox: sftp://acme/out", "inbox: sftp://other/out"),
    ],
)
def test_two_feeds_that_cannot_take_one_file_go_together(tmp_path, write, one, other):
    write("a.yaml", one)
    write("b.yaml", other)
    assert shared_inboxes(feeds(tmp_path)) == []


def test_a_folder_of_feeds_that_cannot_be_read_is_not_one_without_feeds(tmp_path):
    """Without feeds their DAGs would be gone, and people would not be told that a feed is late."""
    for read in (feed_files, read_feeds):
        with pytest.raises(FeedInvalid, match="the folder of feeds cannot be read: No such file or directory. Let"):
            read(tmp_path / "nothing")


def test_of_a_broken_feed_file_the_place_of_its_files_is_still_known(tmp_path, write):
    write("partner.yaml", "inbox: sftp://acme/out\ntimezone: Mars/Olympus\nunknown: 1\n")
    assert (salvage_feed(tmp_path, "partner").inbox, salvage_feed(tmp_path, "partner").timezone) == (
        "sftp://acme/out",
        "UTC",
    )
    assert salvage_feed(tmp_path, "gone").inbox == "gone"
