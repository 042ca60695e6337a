"""What an object store and a partner's server do that a folder does not: half a move, a closed folder, a wrong key."""

from __future__ import annotations

import sys
from datetime import UTC, datetime

import pytest

from include.adapters.files import inbox, sftp
from include.adapters.files.s3 import S3Path
from include.adapters.files.storage import Storage
from include.adapters.files.location import open_storage
from include.errors import SettingInvalid, StorageMissing
from include.settings import Login, login_from_environment, read_settings
from tests import inboxes

on_s3 = pytest.mark.parametrize("place", ["s3"], indirect=True)
on_sftp = pytest.mark.parametrize("place", ["sftp"], indirect=True)
OLD, NEW = "First Name,Email\nAnn,ann@example.com\n", "First Name,Email\nBen,ben@example.com\n"


class Died(BaseException):
    """A worker killed: nothing of ours handles it."""


def take(place, import_id="1"):
    return place.storage.take(place.inbox, "x.csv", import_id)


def staged(place, import_id="1"):
    return place.storage.staged_source(import_id).read_bytes().decode()


@pytest.fixture
def dies_at(monkeypatch):
    """The next call of a method dies, before or after it did its work."""

    def _dies_at(owner, name, after=False):
        real = getattr(owner, name)

        def die(self, *args, **keys):
            monkeypatch.setattr(owner, name, real)
            if after:
                real(self, *args, **keys)
            raise Died

        monkeypatch.setattr(owner, name, die)

    return _dies_at


@on_s3
@pytest.mark.parametrize("sent_meanwhile", [None, OLD, NEW])
def test_a_take_that_died_between_copy_and_delete_is_finished_and_a_later_file_stays(place, dies_at, sent_meanwhile):
    place.put("x.csv", OLD)
    dies_at(S3Path, "_delete_version")
    with pytest.raises(Died):
        take(place)
    if sent_meanwhile:
        place.put("x.csv", sent_meanwhile)
    assert take(place) and staged(place) == OLD
    # The same bytes are the same object to S3; nothing of them is lost.
    assert place.names() == (["x.csv"] if sent_meanwhile == NEW else [])
    assert take(place) and staged(place) == OLD


@on_s3
def test_a_file_replaced_before_the_copy_is_taken_as_it_then_is_and_never_mixed(place, monkeypatch):
    place.put("x.csv", OLD)
    real = S3Path._copy

    def replaced(self, target, etag):
        monkeypatch.setattr(S3Path, "_copy", real)
        place.put("x.csv", NEW)
        real(self, target, etag)

    monkeypatch.setattr(S3Path, "_copy", replaced)
    assert take(place) and staged(place) == NEW and place.names() == []


@on_s3
@pytest.mark.parametrize("look", [True, False], ids=["before the last look", "after it"])
def test_a_file_replaced_after_the_copy_stays_in_the_inbox(place, monkeypatch, look):
    place.put("x.csv", OLD)
    owner, name = (S3Path, "_delete_version") if look else (type(place.storage.root.client), "delete_object")
    real = getattr(owner, name)

    def replaced(self, *args, **keys):
        monkeypatch.setattr(owner, name, real)
        place.put("x.csv", NEW)
        return real(self, *args, **keys)

    monkeypatch.setattr(owner, name, replaced)
    assert take(place) and staged(place) == OLD and place.names() == ["x.csv"]
    assert take(place, "2") and staged(place, "2") == NEW


@on_s3
def test_who_stood_still_until_the_import_ended_stages_nothing_and_takes_no_later_file(place, monkeypatch):
    place.put("x.csv", OLD)
    take(place)
    folder = place.storage.staged_source("1").parent
    real = S3Path._copy

    def emptied_meanwhile(self, target, etag):
        monkeypatch.setattr(S3Path, "_copy", real)
        place.storage.empty_staging("1")
        place.put("x.csv", NEW)
        real(self, target, etag)

    place.storage.staged_source("1").unlink()
    place.put("x.csv", NEW)
    monkeypatch.setattr(S3Path, "_copy", emptied_meanwhile)
    assert not take(place)
    assert place.names() == ["x.csv"] and place.files("staging") == []
    with pytest.raises(FileNotFoundError):
        (folder / "rows.arrow").write_bytes(b"late")
    assert place.files("staging") == []


@on_sftp
@pytest.mark.parametrize("where", ["put_whole", "is_there"])
def test_a_fetch_that_died_is_finished_and_a_file_sent_meanwhile_is_another_one(place, monkeypatch, where):
    place.put("x.csv", OLD)

    def die(*_):
        raise Died

    with monkeypatch.context() as patch:
        patch.setattr(sftp, where, die)
        with pytest.raises(Died):
            take(place)
    place.put("x.csv", NEW)
    assert take(place) and take(place)
    assert staged(place) == (NEW if where == "is_there" else OLD)
    assert place.names() == ([] if where == "is_there" else ["x.csv"])


@on_sftp
def test_on_a_server_a_file_has_settled_when_two_looks_find_the_same(place):
    place.put("still.csv", OLD)
    place.put("grows.csv", OLD)
    slept = []

    def grow(seconds):
        slept.append(seconds)
        place.put("grows.csv", OLD + NEW)

    found = inbox.stable_files(place.storage._inbox(place.inbox), "*", 7, False, sleep=grow)
    assert [waiting.name for waiting in found] == ["still.csv"] and slept == [7]


@on_sftp
def test_a_folder_that_the_server_does_not_have_is_no_empty_inbox(place):
    with pytest.raises(StorageMissing, match="has no folder 'elsewhere'"):
        place.storage.stable_files("sftp://acme/elsewhere", "*", 0, False)


def test_a_storage_that_is_not_mounted_is_no_empty_inbox(tmp_path):
    (tmp_path / "mountpoint").mkdir()
    with pytest.raises(StorageMissing, match=r"no folder `inbox`. Is the storage mounted\?"):
        Storage(tmp_path / "mountpoint").stable_files("acme", "*", 0, False)
    (tmp_path / "mountpoint" / "inbox").mkdir()
    assert Storage(tmp_path / "mountpoint").stable_files("acme", "*", 0, False) == []


def test_a_bucket_that_is_not_there_is_no_empty_inbox(s3_login):
    storage = open_storage("s3://our_s3@no-such-bucket/imports", lambda _: s3_login)
    with pytest.raises(OSError, match="NoSuchBucket"):
        storage.stable_files("acme", "*", 0, False)


def test_a_server_with_another_key_is_not_spoken_to(sftp_server, tmp_path):
    import asyncssh

    other = asyncssh.generate_private_key("ssh-ed25519").export_public_key().decode()
    for extra in ({"host_key": other}, {}):
        known = sftp_server.login
        login = Login(known.host, known.port, known.user, known.password, extra)
        with pytest.raises(ConnectionError, match="SFTP server 127.0.0.1: HostKeyNotVerifiable"):
            open_storage(str(tmp_path), lambda _, login=login: login).stable_files("sftp://acme/x", "*", 0, False)


@pytest.mark.parametrize("kept_in", ["connection", "file"])
def test_a_key_opens_the_server_as_a_password_does(sftp_server, tmp_path, kept_in):
    (sftp_server.folder / "home").mkdir(exist_ok=True)
    (tmp_path / "key").write_text(sftp_server.key.private)
    key = {"private_key": sftp_server.key.private} if kept_in == "connection" else {"key_file": str(tmp_path / "key")}
    known = sftp_server.login
    extra = {**known.extra, **key, "private_key_passphrase": "hush"}
    login = Login(known.host, known.port, known.user, None, extra)
    assert open_storage(str(tmp_path), lambda _: login).stable_files("sftp://acme/home", "*", 0, False) == []


def test_a_wrong_password_is_said_without_the_password(sftp_server, tmp_path):
    known = sftp_server.login
    login = Login(known.host, known.port, known.user, "hush", known.extra)
    with pytest.raises(ConnectionError) as error:
        open_storage(str(tmp_path), lambda _: login).stable_files("sftp://acme/x", "*", 0, False)
    assert "PermissionDenied" in str(error.value) and "hush" not in str(error.value) + repr(login)


@pytest.mark.parametrize(("package", "inbox"), [("boto3", "default"), ("asyncssh", "sftp://acme/x")])
def test_a_package_that_is_missing_is_named(monkeypatch, tmp_path, package, inbox):
    monkeypatch.setitem(sys.modules, package, None)
    root = "s3://bucket/x" if package == "boto3" else str(tmp_path)
    with pytest.raises(SettingInvalid, match=f"pip install .?{package}"):
        open_storage(root, lambda _: Login()).stable_files(inbox, "*", 0, False)


@pytest.mark.parametrize("root", ["relative/folder", "gs://bucket", ""])
def test_a_root_that_nobody_understands_is_refused(monkeypatch, root):
    monkeypatch.setenv("CLIENT_IMPORTS_STORAGE", root)
    if root:
        with pytest.raises(SettingInvalid, match="absolute path or an s3:// URL"):
            read_settings()
    else:
        assert read_settings().storage.endswith(".storage")


@pytest.mark.parametrize("root", ["s3://", "s3://a b/c", "s3://id@@bucket/x", "s3://key:secret@bucket/x"])
def test_an_s3_url_that_says_too_much_or_too_little_is_refused(root):
    with pytest.raises(SettingInvalid, match="is written s3://"):
        open_storage(root, lambda _: Login())


def test_a_bucket_may_be_the_root_itself():
    storage = open_storage("s3://bucket", lambda _: Login())
    assert str(storage.staged_source("1")) == "s3://bucket/staging/1/source.csv"


@on_s3
def test_folders_that_a_buckets_rule_let_expire_are_made_again(place):
    written = []
    for content in (OLD, NEW):
        written.append(place.storage.rewrite_report("1", "acme", datetime.now(UTC), "x.csv", content.encode()))
        (place.storage.root / written[-1]).parent.close()
    assert written[0] == written[1] and place.storage.read(written[1]) == NEW.encode()


def test_what_an_s3_connection_says_and_nobody_here_understands_is_named():
    with pytest.raises(SettingInvalid, match="says role_arn, which is not understood"):
        open_storage("s3://our_s3@bucket", lambda _: Login(extra={"role_arn": "x"}))


@pytest.mark.parametrize(
    "said",
    [
        '{"conn_type": "sftp", "host": "h", "port": 22, "login": "u", "password": "p@/", "extra": {"key_file": "/k"}}',
        '{"host": "h", "port": 22, "login": "u", "password": "p@/", "extra": "{\\"key_file\\": \\"/k\\"}"}',
        "sftp://u:p%40%2F@h:22/?key_file=%2Fk",
    ],
)
def test_without_airflow_connections_come_from_the_environment_as_airflow_writes_them(monkeypatch, said):
    monkeypatch.setenv("AIRFLOW_CONN_ACME", said)
    assert login_from_environment("acme") == Login("h", 22, "u", "p@/", {"key_file": "/k"})
    with pytest.raises(SettingInvalid, match="AIRFLOW_CONN_OTHER is not set"):
        login_from_environment("other")


@pytest.mark.parametrize("place", ["folder", "s3", "sftp"], indirect=True)
def test_a_file_moved_twice_to_its_last_place_is_there_once(place, dies_at):
    place.put("x.csv", OLD)
    take(place)
    if isinstance(place.storage.root, S3Path):
        dies_at(S3Path, "_delete_version")
        with pytest.raises(Died):
            place.storage.archive("1", "archive", "acme", datetime.now(UTC), "x.csv")
    for _ in range(2):
        path = place.storage.archive("1", "archive", "acme", datetime.now(UTC), "x.csv")
    assert inboxes.all_files(place.storage) == {path: OLD.encode()}
