"""An inbox on a partner's SFTP server: files are copied to staging and then deleted on the server."""

from __future__ import annotations

import asyncio
import os
import socket
import stat
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from errno import EHOSTUNREACH, ENETUNREACH
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from include.adapters.files.inbox import Waiting, name_beside
from include.adapters.files.paths import FilePath, is_there, put_whole
from include.errors import SettingInvalid, StorageFailed, StorageMissing
from include.settings import Login
from include.system_errors import cause_of

if TYPE_CHECKING:
    import asyncssh

T = TypeVar("T")
_SECONDS_TO_CONNECT = 30
# What asyncssh's errors mean, by the names of their classes. Their own texts are the server's words.
_REASONS = {
    "ConnectionLost": "the connection was lost",
    "HostKeyNotVerifiable": "its host key is not the one that the connection names",
    "PermissionDenied": "it refused the login",
    "SFTPPermissionDenied": "it does not allow this",
    "SFTPQuotaExceeded": "its quota is used up",
    "SFTPNoSpaceOnFilesystem": "its disk is full",
}


@dataclass(frozen=True)
class SftpInbox:
    """A folder on an SFTP server, relative to the user's home or absolute. File names are bytes there."""

    login: Login = field(repr=False)
    folder: str

    def entries(self) -> list[Waiting]:
        """List regular files only: a link could lead to what the partner never sent."""

        async def listed(sftp: asyncssh.SFTPClient) -> list[Waiting]:
            return [
                Waiting(os.fsdecode(entry.filename), entry.attrs.size or 0, float(entry.attrs.mtime or 0))
                async for entry in sftp.scandir(os.fsencode(self.folder))
                if stat.S_ISREG(entry.attrs.permissions or 0)
            ]

        try:
            return self._on_server(listed)
        except FileNotFoundError:
            raise StorageMissing(f"{self.login.host} has no folder {self.folder!r} for {self.login.user}.") from None

    def needs_second_look(self, stable_seconds: float) -> bool:
        """Always, because the server's clock may differ from this machine's."""
        return stable_seconds > 0

    def claim(self, name: str, staged: FilePath, import_id: str) -> bool:
        """Rename the file on the server and copy it.

        The rename is the claim: what a sender writes under the same name later is another file. The renamed file stays
        until the import has ended, because its sender may still have it open, and write.
        """
        claimed = self._claimed(import_id)

        async def copied(sftp: asyncssh.SFTPClient) -> bool:
            if not is_there(staged):
                if not await sftp.exists(claimed):
                    await sftp.rename(self._path(name), claimed)
                with tempfile.TemporaryDirectory() as folder:
                    copy = Path(folder) / "source.csv"
                    await sftp.get(claimed, copy)
                    put_whole(copy, staged)
            return True

        try:
            return self._on_server(copied)
        except FileNotFoundError:
            return is_there(staged)

    def size_of_claimed(self, import_id: str) -> int | None:
        async def size(sftp: asyncssh.SFTPClient) -> int | None:
            return (await sftp.stat(self._claimed(import_id))).size

        try:
            return self._on_server(size)
        except FileNotFoundError:
            return None

    def give_back(self, name: str, import_id: str) -> None:
        async def renamed(sftp: asyncssh.SFTPClient) -> None:
            free = name_beside(name, import_id) if await sftp.exists(self._path(name)) else name
            await sftp.rename(self._claimed(import_id), self._path(free))

        with suppress(FileNotFoundError):
            self._on_server(renamed)

    def release(self, import_id: str) -> None:
        with suppress(FileNotFoundError):
            self._on_server(lambda sftp: sftp.remove(self._claimed(import_id)))

    def modified(self, name: str) -> float | None:
        async def time(sftp: asyncssh.SFTPClient) -> float:
            return float((await sftp.stat(self._path(name))).mtime or 0)

        try:
            return self._on_server(time)
        except FileNotFoundError:
            return None

    def read(self, name: str) -> bytes:
        async def content(sftp: asyncssh.SFTPClient) -> bytes:
            async with sftp.open(self._path(name), "rb") as file:
                return await file.read()

        return self._on_server(content)

    def delete(self, name: str) -> None:
        with suppress(FileNotFoundError):
            self._on_server(lambda sftp: sftp.remove(self._path(name)))

    def put(self, name: str, content: bytes) -> None:
        target = self._path(name)
        folder, own_name = os.path.split(target)
        unfinished = os.path.join(folder, b"." + own_name + b".part")

        async def written(sftp: asyncssh.SFTPClient) -> None:
            await sftp.makedirs(folder, exist_ok=True)
            async with sftp.open(unfinished, "wb") as file:
                await file.write(content)
            if await sftp.exists(target):  # a plain rename replaces nothing
                await sftp.remove(target)
            await sftp.rename(unfinished, target)

        self._on_server(written)

    def _on_server(self, work: Callable[[asyncssh.SFTPClient], Awaitable[T]]) -> T:
        """Connect for each request: requests are rare, and a killed task leaves no connection open."""

        async def connected() -> T:
            async with _sftp(self.login) as sftp:
                return await work(sftp)

        return asyncio.run(connected())

    def _claimed(self, import_id: str) -> bytes:
        return self._path(f".{import_id}.taken")

    def _path(self, name: str) -> bytes:
        return os.path.join(os.fsencode(self.folder), os.fsencode(name))


@asynccontextmanager
async def _sftp(login: Login) -> AsyncIterator[asyncssh.SFTPClient]:
    """Connect; raises FileNotFoundError and StorageFailed without the server's own words, which may name a file."""
    try:
        import asyncssh
    except ImportError:
        raise SettingInvalid(
            "An inbox on an SFTP server needs one more package: pip install 'asyncssh[bcrypt]'"
        ) from None
    try:
        async with asyncssh.connect(**_options(login)) as connection, connection.start_sftp_client() as sftp:
            yield sftp
    except (asyncssh.SFTPNoSuchFile, asyncssh.SFTPNoSuchPath):
        raise FileNotFoundError("not on the SFTP server") from None
    except asyncssh.Error as error:
        kind = type(error).__name__
        raise StorageFailed(f"SFTP server {login.host}: {_REASONS.get(kind, 'it failed')} ({kind}).") from None
    except OSError as error:
        if not _is_of_the_network(error):  # of this machine, such as a full disk
            raise
        address = f"{login.host}:{login.port or 22}"
        raise StorageFailed(f"SFTP server: could not connect to {address}: {cause_of(error)}.") from None


def _is_of_the_network(error: OSError) -> bool:
    """Say whether connecting failed. A plain OSError without a number sums up several addresses of one host."""
    kinds = (ConnectionError, TimeoutError, socket.gaierror)
    of_all_addresses = type(error) is OSError and error.errno is None
    return isinstance(error, kinds) or of_all_addresses or error.errno in (EHOSTUNREACH, ENETUNREACH)


def _options(login: Login) -> dict[str, Any]:
    """Read the options of Airflow's SSH connections by their names; an unknown host key is never accepted."""
    import asyncssh

    extra = login.extra
    options: dict[str, Any] = {
        "host": login.host, "port": login.port or 22, "username": login.user, "password": login.password,
        "config": None, "agent_path": None, "client_keys": None, "connect_timeout": _SECONDS_TO_CONNECT,
        "keepalive_interval": _SECONDS_TO_CONNECT,
    }  # fmt: skip
    secret = extra.get("private_key_passphrase")
    if "private_key" in extra:
        options["client_keys"] = [asyncssh.import_private_key(extra["private_key"], secret)]
    elif "key_file" in extra:
        options["client_keys"] = [asyncssh.read_private_key(extra["key_file"], secret)]
    if str(extra.get("no_host_key_check", "")).lower() == "true":
        options["known_hosts"] = None
    elif "host_key" in extra:
        options["known_hosts"] = ([asyncssh.import_public_key(key) for key in _host_keys(extra["host_key"])], [], [])
    return options


def _host_keys(text: str) -> list[str]:
    """Divide OpenSSH keys, one in a line; a key in another form, which begins with dashes, is alone."""
    return [text] if text.lstrip().startswith("-") else [line for line in text.splitlines() if line.strip()]
