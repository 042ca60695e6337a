"""An inbox on a partner's server: a fetch that is cut short is finished, and no unknown server is trusted."""

from __future__ import annotations

from errno import ENOSPC

import pytest

from include.adapters.files import sftp
from include.adapters.files.inbox import stable_files
from include.adapters.files.location import open_storage
from include.errors import StorageFailed, StorageMissing
from include.settings import Login
from include.system_errors import cause_of

on_sftp = pytest.mark.parametrize("place", ["sftp"], indirect=True)
OLD, NEW = "First Name,Email\nAnn,ann@example.com\n", "First Name,Email\nBen,ben@example.com\n"


def look(tmp_path, login: Login, inbox: str = "sftp://acme/x") -> list:
    return open_storage(str(tmp_path), lambda _: login).stable_files(inbox, "*", 0, ())


@on_sftp
@pytest.mark.parametrize(("step", "renamed"), [("is_there", False), ("put_whole", True)])
def test_a_fetch_cut_short_is_finished_and_a_file_sent_meanwhile_is_another_one(place, killed_at, step, renamed):
    place.put("x.csv", OLD)
    with killed_at(sftp, step):
        place.claim()
    place.put("x.csv", NEW)
    assert place.claim() and place.claim()
    assert place.staged() == (OLD if renamed else NEW)
    assert place.names() == (["x.csv"] if renamed else [])


@on_sftp
def test_on_a_server_a_file_is_stable_when_two_looks_are_the_same(place):
    place.put("still.csv", OLD)
    place.put("grows.csv", OLD)
    slept = []

    def grow(seconds):
        slept.append(seconds)
        place.put("grows.csv", OLD + NEW)

    waiting = stable_files(place.storage._inbox(place.inbox), "*", 7, (), sleep=grow)
    assert [file.name for file in waiting] == ["still.csv"] and slept == [7]


@on_sftp
def test_a_link_on_the_server_is_not_a_file_of_the_inbox(place, sftp_server):
    folder = sftp_server.folder / place.inbox.rpartition("/")[2]
    (folder / "x.csv").symlink_to("/etc/passwd")
    assert place.storage.stable_files(place.inbox, "*", 0, ()) == []


@on_sftp
def test_a_folder_that_the_server_does_not_have_is_no_empty_inbox(place):
    with pytest.raises(StorageMissing, match="has no folder 'elsewhere'"):
        place.storage.stable_files("sftp://acme/elsewhere", "*", 0, ())


def test_a_server_with_another_key_is_not_spoken_to(sftp_server, tmp_path):
    import asyncssh

    other = asyncssh.generate_private_key("ssh-ed25519").export_public_key().decode()
    for extra in ({"host_key": other}, {}):
        known = sftp_server.login
        login = Login(known.host, known.port, known.user, known.password, extra)
        with pytest.raises(
            StorageFailed, match=r"SFTP server 127.0.0.1: its host key is not .* \(HostKeyNotVerifiable"
        ):
            look(tmp_path, login)


@pytest.mark.parametrize("form", ["{own}", "{other}\n{own}\n", "{own}\r\n{other}", "{own_in_several_lines}"])
def test_a_server_is_known_by_each_of_its_host_keys(sftp_server, tmp_path, form):
    import asyncssh

    (sftp_server.folder / "home").mkdir(exist_ok=True)
    known = sftp_server.login
    own, other = known.extra["host_key"], asyncssh.generate_private_key("ssh-ed25519").export_public_key().decode()
    in_several_lines = asyncssh.import_public_key(own).export_public_key("rfc4716").decode()
    keys = form.format(own=own, other=other.strip(), own_in_several_lines=in_several_lines)
    login = Login(known.host, known.port, known.user, known.password, {"host_key": keys})
    assert look(tmp_path, login, "sftp://acme/home") == []


@pytest.mark.parametrize("kept_in", ["connection", "file"])
def test_a_key_opens_the_server_as_a_password_does(sftp_server, tmp_path, kept_in):
    (sftp_server.folder / "home").mkdir(exist_ok=True)
    (tmp_path / "key").write_text(sftp_server.key.private)
    key = {"private_key": sftp_server.key.private} if kept_in == "connection" else {"key_file": str(tmp_path / "key")}
    known = sftp_server.login
    extra = {**known.extra, **key, "private_key_passphrase": "hush"}
    assert look(tmp_path, Login(known.host, known.port, known.user, None, extra), "sftp://acme/home") == []


def test_a_wrong_password_is_reported_without_the_password(sftp_server, tmp_path):
    known = sftp_server.login
    login = Login(known.host, known.port, known.user, "hush", known.extra)
    with pytest.raises(StorageFailed) as error:
        look(tmp_path, login)
    assert str(error.value) == "SFTP server 127.0.0.1: it refused the login (PermissionDenied)."
    assert "hush" not in str(error.value) + repr(login)


@pytest.mark.parametrize(
    ("host", "cause"),
    [("127.0.0.1", "127.0.0.1:1: Connection refused"), ("nowhere.invalid", "nowhere.invalid:1: there is no such host")],
)
def test_a_server_that_cannot_be_reached_is_named_with_the_reason(tmp_path, host, cause):
    with pytest.raises(StorageFailed, match=f"^SFTP server: could not connect to {cause}\\.$"):
        look(tmp_path, Login(host, 1, "u", "hush", {"no_host_key_check": "true"}))


@on_sftp
def test_a_full_disk_of_this_machine_is_not_the_servers_fault(place, monkeypatch):
    def full(*_):
        raise OSError(ENOSPC, "x")

    place.put("x.csv", OLD)
    monkeypatch.setattr(sftp, "put_whole", full)
    with pytest.raises(OSError, match="x") as error:
        place.claim()
    assert cause_of(error.value) == "No space left on device"


@on_sftp
def test_a_connection_that_breaks_in_the_middle_of_a_download_leaves_nothing_half(place, monkeypatch):
    import asyncssh

    whole, read, reads = OLD * 2_000, asyncssh.SFTPServer.read, []

    def break_off(self, file, offset, size):
        reads.append(offset)
        if offset:
            self.channel.get_connection().abort()
        return read(self, file, offset, min(size, 1000))

    place.put("x.csv", whole)
    with monkeypatch.context() as patch:
        patch.setattr(asyncssh.SFTPServer, "read", break_off)
        with pytest.raises(StorageFailed, match="SFTP server 127.0.0.1: the connection was lost"):
            place.claim()
    assert len(reads) > 1 and place.files("staging") == []
    place.put("x.csv", NEW)
    assert place.claim() and place.staged() == whole and place.names() == ["x.csv"]
    assert place.claim(import_id="2") and place.staged("2") == NEW
