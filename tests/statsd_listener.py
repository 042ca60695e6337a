"""A StatsD server that only listens: a real UDP port, and what was sent to it."""

from __future__ import annotations

import re
import socket
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Sent:
    """`airflow.NAME,TAG=VALUE:NUMBER|KIND`; kind c (counter), g (gauge), ms (timing)."""

    name: str
    tags: dict[str, str]
    value: float
    kind: str


@dataclass
class Listener:
    socket: socket.socket = field(default_factory=lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM))

    def __post_init__(self) -> None:
        self.socket.bind(("127.0.0.1", 0))
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 * 1024 * 1024)
        self.socket.setblocking(False)

    @property
    def settings(self) -> dict[str, str]:
        """Airflow's own settings that send metrics here, with tags."""
        return {
            "AIRFLOW__METRICS__STATSD_ON": "True",
            "AIRFLOW__METRICS__STATSD_HOST": "127.0.0.1",
            "AIRFLOW__METRICS__STATSD_PORT": str(self.socket.getsockname()[1]),
            "AIRFLOW__METRICS__STATSD_INFLUXDB_ENABLED": "True",
        }

    def ours(self) -> list[Sent]:
        """What we sent since the last look, without Airflow's own."""
        found = []
        while True:
            try:
                packet = self.socket.recv(65536).decode()
            except BlockingIOError:
                return found
            for line in packet.splitlines():
                if ours := re.fullmatch(r"airflow\.(client_imports\.[^,:]+)((?:,[^:]*)?):([^|]*)\|(\w+)", line):
                    name, tags, value, kind = ours.groups()
                    pairs = dict(pair.split("=") for pair in tags.split(",") if pair)
                    found.append(Sent(name, pairs, float(value), kind))

    def close(self) -> None:
        self.socket.close()
