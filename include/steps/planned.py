"""Judge what a merge or a preview has planned: why rows fail or keep values, and why a person is asked first."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pandas as pd
import sqlalchemy as sa

from include.adapters.database import ledger, missing_clients, plan
from include.adapters.database.plan import Findings
from include.codes import Code, message_for
from include.emails.summary import plural
from include.models import Problem
from include.schemas.client_rows import FIELDS
from include.schemas.client_tables import Import
from include.schemas.feed import Feed, Hold
from include.steps.context import ImportContext
from include.transforms.csv_reading.sent_rows import cells_as_sent
from include.transforms.holding import (
    USUAL_OF,
    EarlierFile,
    Weight,
    new_columns,
    reasons_from_habit,
    reasons_to_hold,
    why_cut,
    why_no_whole_list,
)
from include.transforms.matching.kept_fields import why_not_written
from include.transforms.reports import is_report
from include.transforms.validation.problems import LONGEST_VALUE, column_order

_MOST_NEW = 20  # columns that are named


def report_findings(context: ImportContext, connection: sa.Connection, import_id: str, findings: Findings) -> None:
    """Fail the rows whose e-mail or username another client keeps; note what a client keeps although it was sent."""
    taken = plan.find_taken(connection) if findings.some_taken else []
    found = [(row, Code(code), field, f"client {holder}") for row, code, field, holder in taken]
    _add_problems(context, connection, import_id, found)
    kept = plan.find_kept(connection) if findings.some_kept else []
    why = {field: why_not_written(field, context.feed.write) for _, field in kept}
    found = [(row, Code.CELL_NOT_WRITTEN, field, why[field]) for row, field in kept]
    _add_problems(context, connection, import_id, found)


def _add_problems(
    context: ImportContext, connection: sa.Connection, import_id: str, found: Sequence[tuple[int, Code, str, str]]
) -> None:
    """Report what the plan has found: (row, code, field, detail), all errors or all notes. Errors fail their rows."""
    fail = any(code.severity == "error" for _, code, _, _ in found)
    for sent, prepared in context.staging.load(import_id, "sent", "prepared") if found else ():
        rows = prepared.set_index("row")
        earlier, reasons = rows["problems"].dropna(), dict[int, list[dict[str, Any]]]()
        for row, code, field, detail in found:
            if row in sent.index:
                known = reasons.setdefault(row, json.loads(earlier.get(row, "[]")))
                cell = str(sent.at[row, field]) if field in sent else ""
                # The cell is blank where rows were combined and an earlier one gives the value.
                known.append(_problem(code, field, cell if cell.strip() else str(rows.at[row, field]), detail))
        order = column_order(sent.columns)
        problems = [json.dumps(sorted(known, key=lambda p: order[p["field"]])) for known in reasons.values()]
        cells = cells_as_sent(sent, pd.Index(list(reasons)))
        plan.note_rows(connection, list(reasons), problems, [cells[row] for row in reasons], fail=fail)


def _problem(code: Code, field: str, value: str, detail: str) -> dict[str, str]:
    message = message_for(code, label=FIELDS[field].label, value=value, detail=detail)
    return {
        "code": code, "field": field, "value": value[:LONGEST_VALUE], "message": message, "severity": code.severity,
        "meant": "",
    }  # fmt: skip


def why_held(connection: sa.Connection, hold: Hold, file: EarlierFile, earlier: Sequence[EarlierFile]) -> list[str]:
    """Give a sentence for each limit of the feed that the plan exceeds, or that its last files make for this one."""
    reasons = reasons_to_hold(hold, Weight(**plan.weigh(connection))) if hold.limits else []
    return reasons + reasons_from_habit(hold, file, earlier)


def last_files(connection: sa.Connection, feed: Feed) -> list[EarlierFile]:
    """Give the files that the feed's next is compared with, the newest first; none where no limit looks back."""
    if not feed.hold.looks_back:
        return []
    return [EarlierFile(read, header) for read, header in ledger.last_files(connection, feed.name, USUAL_OF)]


def with_notes(entry: Import, notes: Sequence[Problem]) -> list[dict[str, Any]]:
    """Give what is said of the file, with what the plan notes; an import that was held has such notes already."""
    said = [problem for problem in entry.file_problems if problem["code"] not in (Code.COLUMN_NEW, Code.MISSING_KEPT)]
    return said + ledger.as_json(notes)


def notes_of_new_columns(entry: Import, earlier: Sequence[EarlierFile]) -> list[Problem]:
    """Give a note for each column that is new."""
    new = new_columns(EarlierFile(0, entry.header), earlier)[:_MOST_NEW]
    return [Problem(Code.COLUMN_NEW, "", message_for(Code.COLUMN_NEW, value=name), name, "note") for name in new]


def add_missing(connection: sa.Connection, feed: Feed, entry: Import, read: int) -> None:
    """Plan to make the clients inactive that a whole list lacks. Corrected rows are no list."""
    if feed.snapshot and entry.parent_import_id is None and not is_report(entry.header):
        missing_clients.add(connection, feed.name, read)


def keep_missing(
    connection: sa.Connection, feed: Feed, file: EarlierFile, earlier: Sequence[EarlierFile]
) -> list[Problem]:
    """Leave the missing clients as they are where the file is not trusted to be whole; gives the note that says so."""
    if not feed.snapshot or not (weight := Weight(**plan.weigh(connection))).missing:
        return []
    nameless, cut = missing_clients.count_nameless(connection), why_cut(feed.hold, file, earlier)
    if not (why := why_no_whole_list(feed.hold, weight, nameless, cut)):
        return []
    missing_clients.drop(connection)
    number = plural(weight.missing, "client") + " of this feed"
    return [Problem(Code.MISSING_KEPT, "", message_for(Code.MISSING_KEPT, number=number, detail=why), "", "note")]
