"""The metrics that the importer sends through Airflow: `airflow.`, then a name of `METRICS`, with tags."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

# For each name what it measures, and by which tags. The dashboard (docs/grafana_dashboard.json) uses no others.
METRICS = {
    "client_imports.imports": "imports that ended, by feed and state",
    "client_imports.rows": "rows of merged imports, by feed and outcome",
    "client_imports.duration": "time from received to merged, by feed, without imports that waited for a person",
    "client_imports.waiting_age": "age in seconds of the oldest file in the inbox, by feed; 0 for none",
    "client_imports.held": "imports that wait for a person now, by feed",
    "client_imports.late": "seconds that a file is overdue, by feed; 0 when it is not",
}


@dataclass(frozen=True)
class Measure:
    """One value to send: `incr` adds a number, `gauge` sets a state, `timing` is in milliseconds.

    Tags are never personal data.
    """

    kind: Literal["incr", "gauge", "timing"]
    name: str
    value: float
    tags: dict[str, str]


def counted(name: str, number: int, **tags: str) -> Measure:
    return Measure("incr", f"client_imports.{name}", number, tags)


def state(name: str, value: float, **tags: str) -> Measure:
    return Measure("gauge", f"client_imports.{name}", value, tags)


def took(name: str, time: timedelta, **tags: str) -> Measure:
    return Measure("timing", f"client_imports.{name}", time / timedelta(milliseconds=1), tags)
