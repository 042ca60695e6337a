"""Clients and client files of any size, the same every time. Needs nothing but Python: the peers use it too."""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path

# The layout that people export, edit and send again.
HEADER = ("ID", "First Name", "Last Name", "Email", "Project", "Desk", "Active", "Type", "Created")
_FIRST = ("Anna", "Ben", "Chloé", "David", "Eva", "Frank", "Grace", "Henry", "Inés", "Jack", "Kate", "Liam")
_LAST = ("Smith", "Jones", "Müller", "Brown", "Wilson", "Evans", "García", "Roberts", "Walker", "Wright", "Hall")
_PLACES = (
    ("66524609caa3558dd8f8da65", "67a346ad8092c651c919337e"),
    ("6655aa10caa3558dd8f8da99", "67a3470d8092c651c9193390"),
    ("6655aa10caa3558dd8f8da99", "67a3470d8092c651c9193391"),
)
DOMAINS = 200


def client(number: int, last_name: str = "") -> tuple[str, ...]:
    """The cells of one client; every number is another client."""
    first, last = _FIRST[number % len(_FIRST)], last_name or _LAST[number % len(_LAST)]
    project, desk = _PLACES[number % len(_PLACES)]
    return (
        hashlib.md5(b"%d" % number, usedforsecurity=False).hexdigest()[:24],
        first, last, f"Client.{number}@Company{number % DOMAINS}.com", project, desk,
        "true" if number % 10 else "false", "business" if number % 4 else "personal",
        f"20{10 + number % 15}-{1 + number % 12:02d}-{1 + number % 28:02d}T08:{number % 60:02d}:00Z",
    )  # fmt: skip


def write(path: Path, numbers: Iterable[int], last_name: str = "", failed_each: int = 0) -> Path:
    """Write a file of these clients. Each `failed_each`-th row has an e-mail address without an @-sign; 0: none."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(HEADER)
        writer.writerows(_rows(numbers, last_name, failed_each))
    return path


def _rows(numbers: Iterable[int], last_name: str, failed_each: int) -> Iterator[tuple[str, ...]]:
    for position, number in enumerate(numbers, 1):
        cells = client(number, last_name)
        if failed_each and position % failed_each == 0:
            cells = (*cells[:3], cells[3].replace("@", "."), *cells[4:])
        yield cells
