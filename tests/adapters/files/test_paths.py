"""A file is written as a whole or not at all, on disk and in a bucket."""

from __future__ import annotations

import pytest

from include.adapters.files.paths import delete_folder, is_there, move, opened, put_whole, written_whole
from tests.inboxes import all_files


@pytest.fixture
def folder(folder_or_bucket):
    folder = folder_or_bucket.root / "staging" / "1"
    folder.mkdir(parents=True)
    return folder


@pytest.fixture
def content(folder_or_bucket):
    return lambda: list(all_files(folder_or_bucket).values())


def test_a_file_appears_when_it_is_complete(folder, content):
    (folder / "a").write_bytes(b"old")
    with written_whole(folder / "a") as unfinished:
        unfinished.write_bytes(b"new")
        assert (folder / "a").read_bytes() == b"old"
    assert content() == [b"new"]


def test_a_file_whose_writing_fails_leaves_nothing(folder, content):
    with pytest.raises(ValueError, match="stop"), written_whole(folder / "a") as unfinished:
        unfinished.write_bytes(b"half")
        raise ValueError("stop")
    assert content() == []


def test_nothing_is_written_into_a_folder_that_was_deleted(folder, content, tmp_path):
    (folder / "a").write_bytes(b"old")
    (tmp_path / "source").write_bytes(b"new")
    delete_folder(folder)
    with pytest.raises(FileNotFoundError):
        put_whole(tmp_path / "source", folder / "b")
    assert content() == []


def test_a_move_replaces_its_target(folder, content):
    (folder / "a").write_bytes(b"new")
    (folder / "b").write_bytes(b"old")
    move(folder / "a", folder / "b")
    assert content() == [b"new"] and is_there(folder / "b") and not is_there(folder / "a")


def test_a_link_that_leads_nowhere_is_there(tmp_path):
    (tmp_path / "link").symlink_to("/no/such/file")
    assert is_there(tmp_path / "link")


def test_an_open_file_is_read_from_any_position(folder):
    (folder / "a").write_bytes(b"abcdef")
    with opened(folder / "a") as file:
        file.seek(3)
        assert file.read() == b"def"
