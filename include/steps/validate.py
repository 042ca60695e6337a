"""Read the file, screen it, judge every cell (SPEC.md sections 4 and 5). Leaves rows and problems in staging."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from stat import S_ISREG

import pandas as pd
import sqlalchemy as sa

from include.adapters import import_ledger
from include.adapters.file_path import FilePath
from include.codes import message_for
from include.errors import FileRefused
from include.results import Import
from include.schemas.feed import Feed
from include.steps.corridor import Corridor, already_refused, step
from include.transforms.cleaning import clean
from include.transforms.decoding import decode
from include.transforms.frames import rows_frame
from include.transforms.headers import Header
from include.transforms.records import check_announced, read_records
from include.transforms.reports import parent_of
from include.transforms.screening import check_name, check_size
from include.transforms.validation import find_problems


@dataclass(frozen=True)
class Judged:
    """A file after sections 4 and 5: `sent` and `rows` are frames of cells as sent and as cleaned."""

    header: Header
    sent: pd.DataFrame
    rows: pd.DataFrame
    problems: pd.DataFrame
    delimiter: str
    parent: str | None


def judge_file(name: str, path: FilePath, feed: Feed, now: datetime, announced: int | None = None) -> Judged:
    """Everything that needs no database. Raises FileRefused."""
    check_name(name)
    # No file at all is our fault, and raises FileNotFoundError.
    if not S_ISREG(path.lstat().st_mode):
        raise FileRefused("FILE_NAME", message_for("FILE_NAME", detail="The file is a link or a device, not a file."))
    check_size(path.stat().st_size, feed.max_bytes)
    records = read_records(decode(path.read_bytes(), feed.encoding), feed)
    check_announced(records, announced)
    sent, ragged = rows_frame(records)
    rows = clean(sent, feed.values)
    problems = find_problems(sent, rows, ragged, now)
    return Judged(
        records.header, sent, rows, problems, records.delimiter, parent_of(records.header.names, records.cells)
    )


def validate(corridor: Corridor, import_id: str) -> None:
    """Bring an import to `validated`. Repeating it does nothing, or raises the same FileRefused again."""
    entry = import_ledger.find(corridor.engine, import_id)
    if entry.state == "refused":
        raise already_refused(entry)
    if entry.has_been("validated") or entry.state == "discarded":
        return
    with step(corridor, "validate", import_id):
        with corridor.engine.connect() as connection:
            refuse_if_merged_before(connection, entry)
        judged = stage(corridor, entry)
        _note(corridor, import_id, judged)


def stage(corridor: Corridor, entry: Import) -> Judged:
    """Judge an import's file and leave the frames for `prepare`. Raises FileRefused."""
    source = corridor.storage.staged_source(entry.id)
    judged = judge_file(entry.file_name, source, corridor.feed, corridor.clock(), entry.announced)
    corridor.staging.save(entry.id, "sent", judged.sent.drop(columns=["line", "cells"]))
    corridor.staging.save(entry.id, "rows", judged.rows)
    corridor.staging.save(entry.id, "problems", judged.problems)
    return judged


def _note(corridor: Corridor, import_id: str, judged: Judged) -> None:
    import_ledger.advance(
        corridor.engine,
        import_id,
        "validated",
        corridor.clock(),
        read=len(judged.rows),
        header=judged.header.names,
        delimiter=judged.delimiter,
        file_problems=import_ledger.as_json([replace(p, row=0) for p in judged.header.problems]),
        parent_import_id=_parent_in_ledger(corridor, judged.parent),
        code=None,
        message=None,
    )


def _parent_in_ledger(corridor: Corridor, parent: str | None) -> str | None:
    """A report corrected and sent again belongs to the import it came from, if this feed knows that one."""
    known = parent is not None and import_ledger.exists(corridor.engine, corridor.feed.name, parent)
    return parent if known else None


def refuse_if_merged_before(connection: sa.Connection, entry: Import) -> None:
    """Raises FILE_ALREADY_IMPORTED. Asked early to spare work, and once more inside the merge's transaction."""
    if entry.sha256 is None or entry.forced:
        return
    earlier = import_ledger.merged_before(connection, entry.feed, entry.sha256)
    if earlier is not None and earlier.id != entry.id:
        when = earlier.state_times.get("merged", "")[:16].replace("T", " ")
        detail = f"The same bytes were imported on {when} UTC as {earlier.file_name} (import {earlier.id})."
        raise FileRefused("FILE_ALREADY_IMPORTED", message_for("FILE_ALREADY_IMPORTED", detail=detail))
