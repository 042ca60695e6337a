"""Files move from the inbox to staging and to their last place, and no file ever replaces another."""

from __future__ import annotations

import errno
import stat
from datetime import UTC, datetime
from pathlib import Path

import pytest

from include.adapters.files.location import open_storage
from include.adapters.files.s3 import S3Path
from include.adapters.files.storage import Storage
from include.errors import StorageFailed, StorageMissing
from tests.inboxes import all_files

OLD, NEW = "First Name,Email\nAnn,ann@example.com\n", "First Name,Email\nBen,ben@example.com\n"
DAY = datetime(2026, 3, 1, tzinfo=UTC)


def test_a_claimed_file_is_staged_and_gone_from_the_inbox_and_claiming_again_changes_nothing(place):
    place.put("x.csv", OLD)
    for _ in range(2):
        assert place.claim() and place.staged() == OLD and place.names() == []


def test_a_file_that_is_in_neither_place_is_not_claimed_and_leaves_no_folder(place):
    place.put("y.csv", OLD)
    assert not place.claim() and place.names() == ["y.csv"] and place.files("staging") == []


def test_a_file_archived_twice_is_there_once(place, killed_at):
    place.put("x.csv", OLD)
    place.claim()
    if isinstance(place.storage.root, S3Path):
        with killed_at(S3Path, "_delete_version"):
            place.storage.archive("1", "archive", "acme", DAY, "x.csv")
    for _ in range(2):
        path = place.storage.archive("1", "archive", "acme", DAY, "x.csv")
    assert all_files(place.storage) == {path: OLD.encode()}


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("clients.csv", "archive/acme/2026-03-01/clients--1.csv"),
        ("Zürich (2).csv", "archive/acme/2026-03-01/Z_rich_2_--1.csv"),
        ("../../etc/passwd.csv", "archive/acme/2026-03-01/passwd--1.csv"),
        ("n" * 300 + ".csv", f"archive/acme/2026-03-01/{'n' * 80}--1.csv"),
        (".csv", "archive/acme/2026-03-01/.csv--1.csv"),
    ],
)
def test_the_senders_name_is_only_a_part_of_the_last_name(storage, name, path):
    assert storage.archive("1", "archive", "acme", DAY, name) == path


def test_a_report_is_written_whole_and_again_in_the_same_place(folder_or_bucket):
    storage = folder_or_bucket
    for content in (OLD, NEW):
        path = storage.rewrite_report("1", "acme", DAY, "x.csv", content.encode())
    assert path == "reports/acme/2026-03-01/x--1.failed.csv"
    assert all_files(storage) == {path: NEW.encode()} and storage.read(path) == NEW.encode()


@pytest.mark.parametrize("place", ["s3"], indirect=True)
def test_folders_that_a_buckets_rule_let_expire_are_made_again(place):
    written = []
    for content in (OLD, NEW):
        written.append(place.storage.rewrite_report("1", "acme", DAY, "x.csv", content.encode()))
        (place.storage.root / written[-1]).parent.close()
    assert written[0] == written[1] and place.storage.read(written[1]) == NEW.encode()


def test_a_report_of_an_import_whose_staging_is_gone_is_not_written(storage):
    with pytest.raises(FileNotFoundError):
        storage.write_report("1", "acme", DAY, "x.csv", b"late")
    assert all_files(storage) == {}


@pytest.mark.parametrize(
    ("content", "count"), [("12\n", 12), ("0", 0), ("a few", -1), ("", -1), ("-3", -1), ("1" * 13, -1)]
)
def test_an_announced_count_is_a_number_or_unreadable(place, content, count):
    place.put("x.csv.count", content)
    assert place.storage.announced_count(place.inbox, "x.csv") == count
    assert place.storage.announced_count(place.inbox, "y.csv") is None


def test_side_files_are_deleted_and_missing_ones_are_no_error(place):
    for name in ("x.csv.count", "x.csv.done", "x.csv", "y.csv.done"):
        place.put(name, "1")
    for _ in range(2):
        place.storage.drop_side_files(place.inbox, "x.csv")
    assert place.names() == ["x.csv", "y.csv.done"]


def test_an_upload_waits_under_its_id_until_it_is_claimed(folder_or_bucket, tmp_path):
    storage = folder_or_bucket
    if not isinstance(storage.root, S3Path):
        (storage.root / "inbox").mkdir(parents=True)
    (tmp_path / "sent.csv").write_text(OLD)
    storage.put_upload(tmp_path / "sent.csv", "7")
    waiting = storage.waiting_upload("7")
    assert (waiting.name, waiting.size) == (".uploads/7.csv", len(OLD)) and storage.waiting_upload("8") is None
    folder, _, name = waiting.name.rpartition("/")
    assert storage.claim(folder, name, "1") and storage.waiting_upload("7") is None
    assert storage.staged_source("1").read_bytes() == OLD.encode()


def test_a_storage_that_is_not_mounted_is_no_empty_inbox(tmp_path):
    (tmp_path / "mountpoint").mkdir()
    storage = Storage(tmp_path / "mountpoint")
    for call in (lambda: storage.stable_files("acme", "*", 0, ()), lambda: storage.waiting_upload("7")):
        with pytest.raises(StorageMissing, match=r"no folder `inbox`. Is the storage mounted\?"):
            call()
    (tmp_path / "mountpoint" / "inbox").mkdir()
    assert storage.stable_files("acme", "*", 0, ()) == []


def test_the_first_look_makes_the_inbox_so_that_no_copied_file_takes_its_name(tmp_path):
    storage = Storage(tmp_path)
    (tmp_path / "inbox").mkdir()
    assert storage.stable_files("acme", "*", 0, ()) == [] and (tmp_path / "inbox" / "acme").is_dir()
    (tmp_path / "inbox" / "globex").write_text(OLD)
    with pytest.raises(StorageMissing, match=r"inbox/globex must be a folder and is a file\. Rename the file, make "):
        storage.stable_files("globex", "*", 0, ())
    assert (tmp_path / "inbox" / "globex").read_text() == OLD


def test_an_inbox_that_this_process_may_not_make_is_empty(tmp_path, monkeypatch):
    (tmp_path / "inbox").mkdir()

    def read_only(*_args: object, **_keys: object) -> None:
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(Path, "mkdir", read_only)
    assert Storage(tmp_path).stable_files("acme", "*", 0, ()) == []


def test_a_bucket_that_is_not_there_is_no_empty_inbox(s3_login):
    storage = open_storage("s3://crm_s3@no-such-bucket/imports", lambda _: s3_login)
    with pytest.raises(StorageFailed, match=r"^The bucket no-such-bucket does not exist \(S3 says NoSuchBucket\)\.$"):
        storage.stable_files("acme", "*", 0, ())


def test_a_storage_without_servers_says_that_it_cannot_open_one(storage):
    with pytest.raises(StorageMissing, match="cannot open the inbox sftp://acme/x"):
        storage.stable_files("sftp://acme/x", "*", 0, ())


@pytest.mark.parametrize(("group", "file_mode", "folder_mode"), [("", 0o600, 0o700), ("true", 0o660, 0o2770)])
def test_files_with_personal_data_are_for_their_owner_alone_unless_the_group_may(
    bring, storage, monkeypatch, group, file_mode, folder_mode
):
    monkeypatch.setenv("CLIENT_IMPORTS_GROUP_ACCESS", group)
    bring("First Name,Email\nAnn,ann@example.com\n,ben@example.com\n")
    bring("First Name\nAnn\n")
    storage.inbox("default").mkdir(parents=True)
    storage.put_upload(Path(__file__), "7")
    assert storage.claim(".uploads", "7.csv", "7")
    paths = [path for path in storage.root.rglob("*") if "inbox" not in path.parts or ".uploads" in path.parts]
    assert {path.parts[len(storage.root.parts)] for path in paths} >= {"archive", "refused", "reports", "staging"}
    assert {stat.S_IMODE(path.stat().st_mode) for path in paths if path.is_file()} == {file_mode}
    assert {stat.S_IMODE(path.stat().st_mode) for path in paths if path.is_dir()} == {folder_mode}
