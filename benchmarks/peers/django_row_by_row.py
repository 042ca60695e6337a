"""django-import-export as it comes: a query and a write for every row."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from benchmarks.peers import django_import_export


def prepare(url: str) -> Callable[[Path], None]:
    return django_import_export.prepare(url, bulk=False)
