"""Write what people read: the failed-row report (SPEC.md section 10), and the planned changes before a merge."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import PurePosixPath

import sqlalchemy as sa

from include.adapters.database import import_rows
from include.adapters.files.storage import Storage
from include.models import State
from include.schemas.client_tables import Import
from include.steps.context import ImportContext
from include.transforms.csv_reading.sent_rows import cells_as_sent
from include.transforms.reports import FailedRow, PlannedChange, write_planned, write_report


def report(context: ImportContext, entry: Import) -> str | None:
    """Write the failed-row report and return its path below the storage root; None when no row failed.

    Writing it again gives the same file. A file that was refused for its failed rows has all its rows in the report:
    corrected, it imports everything.
    """
    if not entry.failed:
        return None
    failed = _failed_rows(context.engine, entry)
    rows = _with_good_rows(context, entry, failed) if entry.state == State.REFUSED else failed
    content = write_report(entry.header, rows, entry.id, entry.delimiter or ",")
    received = context.feed.local(entry.received_at)
    return context.storage.write_report(entry.id, entry.feed, received, entry.file_name, content)


def report_again(connection: sa.Connection, storage: Storage, entry: Import, file_name: str) -> str | None:
    """Write the failed-row report of an import that lost rows to an erasure where it was; None when no row is left."""
    rows = _failed_rows(connection, entry)
    if not rows:
        return None
    content = write_report(entry.header, rows, entry.id, entry.delimiter or ",")
    received = datetime.fromisoformat(PurePosixPath(entry.report_path or "").parent.name)
    return storage.rewrite_report(entry.id, entry.feed, received, file_name, content)


def _failed_rows(connection: sa.Connection | sa.Engine, entry: Import) -> list[FailedRow]:
    """Read the failed rows that still have their cells."""
    return [
        FailedRow(row, line, cells, [import_rows.problem_of(problem) for problem in problems])
        for row, line, cells, problems in import_rows.failed_rows(connection, entry.id)
        if cells is not None
    ]


def report_planned(context: ImportContext, entry: Import) -> str | None:
    """Write the planned changes of an import that is held or was a dry run, and return the path."""
    if entry.state not in (State.HELD, State.PREVIEWED):
        return None
    changes = (PlannedChange(**change) for change in import_rows.planned_changes(context.engine, entry.id))
    content = write_planned(changes)
    received = context.feed.local(entry.received_at)
    return context.storage.write_report(entry.id, entry.feed, received, entry.file_name, content, "planned")


def _with_good_rows(context: ImportContext, entry: Import, failed: list[FailedRow]) -> Iterator[FailedRow]:
    by_row = {each.row: each for each in failed}
    for (sent,) in context.staging.load(entry.id, "sent"):
        cells = cells_as_sent(sent, sent.index)
        for row, line in zip(sent.index.tolist(), sent["line"].tolist(), strict=True):
            yield by_row.get(row) or FailedRow(row, line, json.loads(cells[row]), ())
