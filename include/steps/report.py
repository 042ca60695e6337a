"""Write what people look at: the failed-row report (SPEC.md section 10), and the planned changes before a merge."""

from __future__ import annotations

import pandas as pd

from include.adapters import import_reasons
from include.results import Import, Problem
from include.steps.corridor import Corridor
from include.transforms.reports import FailedRow, PlannedChange, write_planned, write_report


def report(corridor: Corridor, entry: Import) -> str | None:
    """The report's path below the storage root, None when no row failed. Writing it again gives the same file.

    A file refused for its failed rows has all its rows in the report: corrected, it brings everything.
    """
    if not entry.counts.failed:
        return None
    rows = [
        FailedRow(row, line, cells, [Problem(**problem) for problem in problems])
        for row, line, cells, problems in import_reasons.failed_rows(corridor.engine, entry.id)
    ]
    if entry.state == "refused":
        rows = _with_good_rows(corridor.staging.load(entry.id, "rows"), rows)
    content = write_report(entry.header, rows, entry.id, entry.delimiter or ",")
    return corridor.storage.write_report(entry.id, entry.feed, entry.received_at, entry.file_name, content)


def report_planned(corridor: Corridor, entry: Import) -> str | None:
    """The path of the planned changes of an import that is held or was a dry run, None for any other."""
    if entry.state not in ("held", "previewed"):
        return None
    changes = (PlannedChange(**change) for change in import_reasons.planned_changes(corridor.engine, entry.id))
    content = write_planned(changes)
    return corridor.storage.write_report(entry.id, entry.feed, entry.received_at, entry.file_name, content, "planned")


def _with_good_rows(rows: pd.DataFrame, failed: list[FailedRow]) -> list[FailedRow]:
    by_row = {each.row: each for each in failed}
    return [
        by_row.get(int(row)) or FailedRow(int(row), int(line), list(cells), ())
        for row, line, cells in zip(rows.index, rows["line"], rows["cells"], strict=True)
    ]
