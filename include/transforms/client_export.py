"""Write clients as a CSV that imports again as it is (SPEC.md section 15)."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime

from include.schemas.client_rows import FIELDS
from include.transforms.reports import EXPORTED, neutralise

HEADER = (*(field.headers[0] for field in FIELDS.values()), EXPORTED)


def header() -> bytes:
    """Give the first line, with the byte-order mark by which spreadsheets know UTF-8."""
    return _lines([HEADER]).encode("utf-8-sig")


def lines(clients: Iterable[Sequence[object]], day: date) -> bytes:
    """Write clients, each as its values in the order of `FIELDS`. `day` is in the column that marks an export.

    That column is filled, because spreadsheets leave out the delimiters of blank cells at the end of a line.
    """
    return _lines([*(neutralise(_cell(value)) for value in client), day.isoformat()] for client in clients).encode()


def _cell(value: object) -> str:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()  # to the microsecond, so that it is the stored instant
    return str(value).lower() if isinstance(value, bool) else str(value)


def _lines(rows: Iterable[Sequence[str]]) -> str:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue()
