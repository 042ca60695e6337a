"""Write the failed-row report of a merged import (SPEC.md section 10)."""

from __future__ import annotations

from include.adapters import import_ledger
from include.results import Import, Problem
from include.steps.corridor import Corridor
from include.transforms.reports import FailedRow, write_report


def report(corridor: Corridor, entry: Import) -> str | None:
    """The report's path below the storage root, None when no row failed. Writing it again gives the same file."""
    if entry.state not in ("merged", "previewed") or not entry.counts.failed:
        return None
    rows = [
        FailedRow(row, line, cells, [Problem(**problem) for problem in problems])
        for row, line, cells, problems in import_ledger.failed_rows(corridor.engine, entry.id)
    ]
    content = write_report(entry.header, rows, entry.id, corridor.feed.delimiter or ",")
    return corridor.storage.write_report(entry.id, entry.feed, entry.received_at, entry.file_name, content)
