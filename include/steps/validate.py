"""Read the file, screen it, judge every cell (SPEC.md sections 4 and 5). Leaves rows and problems in staging."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from stat import S_ISREG
from typing import Any

import pandas as pd
import sqlalchemy as sa

from include.adapters.database import ledger
from include.adapters.files.paths import FilePath
from include.codes import Code, message_for
from include.errors import FileRefused
from include.models import State
from include.schemas.client_tables import Import
from include.schemas.feed import Feed
from include.steps.context import ImportContext, already_refused, step
from include.transforms.csv_reading.decoding import decode
from include.transforms.csv_reading.headers import Header
from include.transforms.csv_reading.records import Records, read_records
from include.transforms.csv_reading.screening import check_name, check_size
from include.transforms.csv_reading.sent_rows import sent_frame
from include.transforms.reports import parent_of, parents_in
from include.transforms.validation.cells import judge_cells
from include.transforms.validation.cleaning import clean


@dataclass(frozen=True)
class JudgedPiece:
    """Frames of cells as sent and as cleaned, and problems; `parents`: imports whose report the rows say this is."""

    sent: pd.DataFrame
    rows: pd.DataFrame
    problems: pd.DataFrame
    parents: set[str]


@dataclass(frozen=True)
class Judged:
    """A file after sections 4 and 5, as far as it was read: `pieces` goes on reading, and raises FileRefused."""

    header: Header
    delimiter: str
    pieces: Iterator[JudgedPiece]


def judge_file(name: str, path: FilePath, feed: Feed, now: datetime, announced: int | None = None) -> Judged:
    """Judge everything that needs no database. Raises FileRefused."""
    check_name(name)
    # No file at all is a system error, and raises FileNotFoundError.
    if not S_ISREG(path.lstat().st_mode):
        raise FileRefused(
            Code.FILE_NAME, message_for(Code.FILE_NAME, detail="The file is a link or a device, not a file.")
        )
    check_size(path.stat().st_size, feed.max_bytes)
    records = read_records(decode(path.read_bytes(), feed.encoding), feed, announced)
    return Judged(records.header, records.delimiter, _judge(records, feed, now))


def _judge(records: Records, feed: Feed, now: datetime) -> Iterator[JudgedPiece]:
    row = 1
    for piece in records.pieces:
        sent, ragged = sent_frame(piece, records.header, row)
        rows = clean(sent, feed.values)
        problems = judge_cells(sent, rows, ragged, now)
        yield JudgedPiece(sent, rows, problems, parents_in(records.header.names, piece))
        row += len(sent)


def validate(context: ImportContext, import_id: str) -> None:
    """Bring an import to `validated`. Repeating it does nothing, or raises the same FileRefused again."""
    entry = ledger.find(context.engine, import_id)
    if entry.state == State.REFUSED:
        raise already_refused(entry)
    if entry.has_been(State.VALIDATED) or entry.state == State.DISCARDED:
        return
    with step(context, "validate", import_id):
        with context.engine.connect() as connection:
            refuse_if_merged_before(connection, entry)
        noted = stage(context, entry)
        ledger.advance(context.engine, import_id, State.VALIDATED, context.clock(), code=None, message=None, **noted)


def stage(context: ImportContext, entry: Import) -> dict[str, Any]:
    """Judge an import's file and leave the frames for `prepare`. Raises FileRefused.

    Gives what the ledger notes of the file as a whole.
    """
    source = context.storage.staged_source(entry.id)
    judged = judge_file(entry.file_name, source, context.feed, context.clock(), entry.announced_records)
    read, parents = 0, set[str]()

    def frames() -> Iterator[tuple[pd.DataFrame, ...]]:
        nonlocal read
        for piece in judged.pieces:
            read += len(piece.rows)
            parents.update(piece.parents)
            yield piece.sent, piece.rows, piece.problems

    context.staging.save(entry.id, ("sent", "rows", "problems"), frames())
    return {
        "read": read,
        "header": judged.header.names,
        "delimiter": judged.delimiter,
        "file_problems": ledger.as_json([replace(p, row=0) for p in judged.header.problems]),
        "parent_import_id": _parent_in_ledger(context, parent_of(parents)),
    }


def _parent_in_ledger(context: ImportContext, parent: str | None) -> str | None:
    """Link a corrected report to the import it came from, if this feed has that one."""
    known = parent is not None and ledger.exists(context.engine, context.feed.name, parent)
    return parent if known else None


def refuse_if_merged_before(connection: sa.Connection, entry: Import) -> None:
    """Raises FILE_ALREADY_IMPORTED. Asked early to spare work, and once more inside the merge's transaction."""
    if entry.sha256 is None or entry.forced:
        return
    earlier = ledger.merged_before(connection, entry.feed, entry.sha256)
    if earlier is not None and earlier.id != entry.id:
        when = earlier.state_times.get("merged", "")[:16].replace("T", " ")
        detail = f"The same bytes were imported on {when} UTC as {earlier.file_name} (import {earlier.id})."
        raise FileRefused(Code.FILE_ALREADY_IMPORTED, message_for(Code.FILE_ALREADY_IMPORTED, detail=detail))
