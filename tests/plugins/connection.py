"""A connection to the web server, byte by byte: client libraries send a whole body before they read an answer."""

from __future__ import annotations

import json
import select
import socket
import time
from types import TracebackType
from typing import Any, Self

from tests.plugins.page import ROOT

MIB = 1 << 20


class Connection:
    """One connection of a person. `sent`: bytes of bodies that the server, or the network on the way, has accepted."""

    def __init__(self, port: int, person: str | None) -> None:
        from tests.plugins.persons import token_of

        self.socket = socket.create_connection(("127.0.0.1", port), timeout=30)
        self.login = {"Authorization": f"Bearer {token_of(person)}"} if person else {}
        self.sent, self.answer = 0, b""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.socket.close()

    def ask(self, method: str, path: str, body: bytes = b"", **headers: str) -> dict[str, Any]:
        """Send a request with a whole body; gives the JSON of the answer."""
        self.begin(method, path, **{"Content-Length": str(len(body)), **headers})
        self.socket.sendall(body)
        return self.read()

    def begin(self, method: str, path: str, **headers: str) -> None:
        """Send everything but the body: by default that of a CSV file."""
        own = {"Host": "airflow.example", "Accept": "*/*", "Content-Type": "text/csv", **self.login}
        own["Content-Disposition"] = 'attachment; filename="clients.csv"'
        lines = [f"{name.replace('_', '-')}: {value}" for name, value in {**own, **headers}.items()]
        self.socket.sendall("\r\n".join([f"{method} {ROOT}{path} HTTP/1.1", *lines, "\r\n"]).encode())

    def push(self, most: int, *, chunked: bool = False) -> None:
        """Send body until the server ends the connection, reading what it answers meanwhile."""
        part = b"x" * 65536
        framed = b"%x\r\n%b\r\n" % (len(part), part) if chunked else part
        try:
            while self.sent < most:
                readable, _, _ = select.select([self.socket], [self.socket], [], 30)
                if readable and not self._receive():
                    return
                self.socket.sendall(framed)
                self.sent += len(part)
        except OSError:  # the server has ended the connection
            return

    def has_ended(self, within: float = 30) -> bool:
        """Say whether the server ends the connection within these seconds."""
        until = time.monotonic() + within
        try:
            while time.monotonic() < until:
                readable, _, _ = select.select([self.socket], [], [], 0.1)
                if readable and not self._receive():
                    return True
        except OSError:
            return True
        return False

    def read(self) -> dict[str, Any]:
        """Read one answer; gives its JSON, and its status as `status`."""
        while not self._is_whole() and self._receive():
            pass
        head, _, content = self.answer.partition(b"\r\n\r\n")
        self.answer = b""
        return {**json.loads(content), "status": int(head.split()[1])}

    def _is_whole(self) -> bool:
        head, end, content = self.answer.partition(b"\r\n\r\n")
        lengths = [
            line.partition(b":")[2] for line in head.split(b"\r\n") if line.lower().startswith(b"content-length")
        ]
        return bool(end) and len(content) >= int(lengths[0])

    def _receive(self) -> bytes:
        received = self.socket.recv(65536)
        self.answer += received
        return received
