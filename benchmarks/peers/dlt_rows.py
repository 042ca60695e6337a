"""dlt with Python rows, as its documentation begins: `csv.DictReader`, merged with the `upsert` strategy."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

from benchmarks.peers import dlt_merge


def prepare(url: str) -> Callable[[Path], None]:
    return dlt_merge.prepare(url, _read)


def _read(path: Path) -> Iterator[dict[str, object]]:
    with path.open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            cells = {name.lower().replace(" ", "_"): cell for name, cell in row.items()}
            key = cells["email"].lower()
            typed = {"active": cells["active"] == "true", "created": datetime.fromisoformat(cells["created"])}
            yield cells | typed | {"email_key": key, "username": key.partition("@")[0]}
