"""A StatsD server that only listens: a real UDP port, and what was sent to it."""

from __future__ import annotations

import queue
import re
import socket
import threading
from collections import deque
from dataclasses import dataclass


@dataclass(frozen=True)
class Sent:
    """`airflow.NAME,TAG=VALUE:NUMBER|KIND`; kind c (counter), g (gauge), ms (timing)."""

    name: str
    tags: dict[str, str]
    value: float
    kind: str


class Listener:
    """Reads all the time: Airflow sends so much of its own that the socket would overflow."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self._port = self._socket.getsockname()[1]
        self._sent: deque[Sent] = deque()
        self._marks: queue.Queue[None] = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()

    @property
    def settings(self) -> dict[str, str]:
        """Airflow's own settings that send metrics here, with tags."""
        return {
            "AIRFLOW__METRICS__STATSD_ON": "True",
            "AIRFLOW__METRICS__STATSD_HOST": "127.0.0.1",
            "AIRFLOW__METRICS__STATSD_PORT": str(self._port),
            "AIRFLOW__METRICS__STATSD_INFLUXDB_ENABLED": "True",
        }

    def ours(self) -> list[Sent]:
        """What we sent since the last look, without Airflow's own."""
        self._say(b"mark")  # whatever was sent before it has been read once it is
        self._marks.get(timeout=60)
        return [self._sent.popleft() for _ in range(len(self._sent))]

    def close(self) -> None:
        self._say(b"end")

    def _say(self, word: bytes) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as own:
            own.sendto(word, ("127.0.0.1", self._port))

    def _read(self) -> None:
        while (packet := self._socket.recv(65536).decode()) != "end":
            if packet == "mark":
                self._marks.put(None)
            for line in packet.splitlines():
                if ours := re.fullmatch(r"airflow\.(client_imports\.[^,:]+)((?:,[^:]*)?):([^|]*)\|(\w+)", line):
                    name, tags, value, kind = ours.groups()
                    pairs = dict(pair.split("=") for pair in tags.split(",") if pair)
                    self._sent.append(Sent(name, pairs, float(value), kind))
        self._socket.close()
