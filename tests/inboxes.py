"""Inboxes for tests: in a folder, on a real S3 server (moto's) and on a real SFTP server, all on this machine."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

from include.adapters.files.location import open_storage
from include.adapters.files.paths import FilePath
from include.adapters.files.storage import Storage
from include.settings import Login


@dataclass(frozen=True)
class InboxUnderTest:
    """An empty inbox and the storage that claims its files.

    `inbox` is the feed's key, `put` writes a file into the inbox, `names` lists the inbox without claimed files.
    """

    storage: Storage
    inbox: str
    put: Callable[[str, str | bytes], None]
    names: Callable[[], list[str]]
    folder: Path | None = None

    def file(self, name: str) -> Path:
        """Give a file of the inbox, on this machine's disk."""
        assert self.folder
        return self.folder / name

    def everything(self) -> list[str]:
        """List the inbox with what a server keeps of claimed files."""
        return sorted(path.name for path in self.folder.iterdir()) if self.folder else self.names()

    def claim(self, name: str = "x.csv", import_id: str = "1") -> bool:
        return self.storage.claim(self.inbox, name, import_id)

    def staged(self, import_id: str = "1") -> str:
        return self.storage.staged_source(import_id).read_bytes().decode()

    def files(self, below: str) -> list[str]:
        return sorted(name for name in all_files(self.storage) if name.startswith(f"{below}/"))


def all_files(storage: Storage) -> dict[str, bytes]:
    """Read every file below the storage's root, by its path from there."""
    return {str(path).removeprefix(f"{storage.root}/"): path.read_bytes() for path in _below(storage.root)}


def _below(folder: FilePath) -> Iterator[FilePath]:
    if isinstance(folder, Path):
        yield from (path for path in folder.rglob("*") if path.is_file())
    else:
        for entry in folder.scandir():
            yield from _below(folder / entry.name) if entry.is_dir() else [folder / entry.name]


def in_a_folder(tmp_path: Path) -> InboxUnderTest:
    storage = Storage(tmp_path / "storage")
    inbox = storage.root / "inbox" / "default"
    inbox.mkdir(parents=True)
    return InboxUnderTest(storage, "default", *_on_disk(inbox), inbox)


def _on_disk(folder: Path) -> tuple[Callable[[str, str | bytes], None], Callable[[], list[str]]]:
    def put(name: str, text: str | bytes) -> None:
        (folder / name).write_bytes(text if isinstance(text, bytes) else text.encode())

    return put, lambda: sorted(path.name for path in folder.iterdir() if not path.name.endswith(".taken"))


@contextmanager
def s3_server() -> Iterator[Login]:
    import logging

    from moto.server import ThreadedMotoServer

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield Login(
        user="key", password="secret", extra={"endpoint_url": f"http://{host}:{port}", "region_name": "us-east-1"}
    )
    server.stop()


def on_s3(login: Login) -> InboxUnderTest:
    """Make a bucket of its own, with a prefix."""
    storage = open_storage(f"s3://crm_s3@bucket-{uuid4()}/crm/imports", lambda _: login)
    root: Any = storage.root
    root.client.create_bucket(Bucket=root.bucket)

    def put(name: str, text: str | bytes) -> None:
        key = f"{root.key}/inbox/default/{name}"
        root.client.put_object(Bucket=root.bucket, Key=key, Body=text if isinstance(text, bytes) else text.encode())

    return InboxUnderTest(
        storage, "default", put, lambda: sorted(entry.name for entry in (root / "inbox/default").scandir())
    )


@dataclass(frozen=True)
class SftpKey:
    private: str
    public: str


@dataclass(frozen=True)
class SftpServer:
    """A server that accepts the password of `login`, and `key` with the passphrase `hush`."""

    folder: Path
    login: Login
    key: SftpKey


@contextmanager
def sftp_server(folder: Path) -> Iterator[SftpServer]:
    import asyncssh

    class OnePartner(asyncssh.SSHServer):
        def begin_auth(self, username: str) -> bool:
            return True

        def password_auth_supported(self) -> bool:
            return True

        def validate_password(self, username: str, password: str) -> bool:
            return (username, password) == ("partner", "secret")

        def public_key_auth_supported(self) -> bool:
            return True

        def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
            return (username, key) == ("partner", asyncssh.import_public_key(own.public))

    pair = asyncssh.generate_private_key("ssh-ed25519")
    own = SftpKey(pair.export_private_key(passphrase="hush").decode(), pair.export_public_key().decode())
    loop = asyncio.new_event_loop()
    key = asyncssh.generate_private_key("ssh-ed25519")

    async def start() -> asyncssh.SSHAcceptor:
        return await asyncssh.listen(
            "127.0.0.1", 0, server_factory=OnePartner, server_host_keys=[key],
            sftp_factory=lambda chan: asyncssh.SFTPServer(chan, chroot=str(folder)),
        )  # fmt: skip

    acceptor = loop.run_until_complete(start())
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    host_key = key.export_public_key().decode().strip()
    login = Login("127.0.0.1", acceptor.get_port(), "partner", "secret", {"host_key": host_key})
    yield SftpServer(folder, login, own)
    loop.call_soon_threadsafe(acceptor.close)
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


def on_sftp(server: SftpServer, tmp_path: Path) -> InboxUnderTest:
    folder = f"outgoing-{uuid4()}"
    (server.folder / folder).mkdir()
    storage = open_storage(str(tmp_path / "storage"), lambda _: server.login)
    return InboxUnderTest(
        storage, f"sftp://acme/{folder}", *_on_disk(server.folder / folder), server.folder / folder
    )  # fmt: skip
