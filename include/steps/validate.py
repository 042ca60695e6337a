"""Read the file, screen it, judge every cell (SPEC.md sections 4 and 5). Leaves rows and problems in staging."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import pandas as pd

from include.adapters.database import ledger
from include.adapters.files.paths import FilePath
from include.codes import Code, message_for
from include.models import Problem, State
from include.schemas.client_tables import Import
from include.schemas.feed import Feed
from include.schemas.mapping import with_mapping
from include.steps.context import ImportContext, already_refused, step
from include.steps.file_checks import read_sent
from include.steps.mappings import mapping_for, note
from include.transforms.csv_reading.csv_source import Skipped
from include.transforms.csv_reading.decoding import decode
from include.transforms.csv_reading.headers import Header
from include.transforms.csv_reading.records import Records, read_records
from include.transforms.csv_reading.sent_rows import sent_frame
from include.transforms.reports import parent_of, parents_in
from include.transforms.validation.cells import Known, judge_cells
from include.transforms.validation.cleaning import clean
from include.transforms.validation.usable_mapping import unused

# How often the ledger is told how many records of a file are checked.
TOLD_EVERY = timedelta(seconds=1)


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
    skipped: Skipped
    bytes: int
    sha256: str

    def file_problems(self) -> list[Problem]:
        """Give what is said of the file as a whole, once all pieces are read."""
        blank = self.skipped.blank
        counted = "1 blank record was" if blank == 1 else f"{blank:,} blank records were"
        note = Problem(Code.BLANK_RECORDS, "", message_for(Code.BLANK_RECORDS, number=counted), "", "note")
        return [*(replace(problem, row=0) for problem in self.header.problems), *([note] if blank else [])]


def judge_file(name: str, path: FilePath, feed: Feed, now: datetime, announced: int | None = None) -> Judged:
    """Judge everything that needs no database. Raises FileRefused."""
    received, content = read_sent(name, path, feed)
    records = read_records(decode(content, feed.encoding), feed, announced)
    sha256 = hashlib.sha256(received).hexdigest()
    pieces = _judge(records, feed, now)
    return Judged(records.header, records.delimiter, pieces, records.skipped, len(received), sha256)


def _judge(records: Records, feed: Feed, now: datetime) -> Iterator[JudgedPiece]:
    row, known = 1, Known(feed.values, feed.date_format)
    for piece in records.pieces:
        sent, ragged = sent_frame(piece, records.header, row)
        rows = clean(sent, feed.values, feed.clear_word, feed.date_format)
        problems = judge_cells(sent, rows, ragged, now, feed.mode, known)
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
        noted = stage(context, entry)
        ledger.advance(context.engine, import_id, State.VALIDATED, context.clock(), code=None, message=None, **noted)


def stage(context: ImportContext, entry: Import) -> dict[str, Any]:
    """Judge an import's file and leave the frames for `prepare`. Raises FileRefused.

    Gives what the ledger notes of the file as a whole.
    """
    source = context.storage.staged_source(entry.id)
    mapping, notes = mapping_for(context, entry, source)
    if mapping and mapping.model_dump() != entry.mapping:
        # Before the file is judged: also of one that is refused everybody can see how it was read.
        ledger.change(context.engine, entry.id, mapping=mapping.model_dump())
    feed = with_mapping(context.feed, mapping)
    judged = judge_file(entry.file_name, source, feed, context.clock(), entry.announced_records)
    read, parents = stage_pieces(context, entry.id, judged, _telling_the_ledger(context, entry.id))
    return {
        "bytes": judged.bytes,
        "sha256": judged.sha256,
        "read": read,
        "header": judged.header.names,
        "fields": judged.header.fields,
        "delimiter": judged.delimiter,
        "file_problems": ledger.as_json(
            [*judged.file_problems(), *map(note, [*notes, *unused(mapping, judged.header.names)])]
        ),
        "parent_import_id": _parent_in_ledger(context, parent_of(parents)) or entry.parent_import_id,
    }


def stage_pieces(
    context: ImportContext, import_id: str, judged: Judged, tell: Callable[[int], None] = lambda read: None
) -> tuple[int, set[str]]:
    """Leave the frames for `prepare`; gives the number of records, and the imports whose report they say this is.

    `tell` is called after each piece with the number of records so far.
    """
    read, parents = 0, set[str]()

    def frames() -> Iterator[tuple[pd.DataFrame, ...]]:
        nonlocal read
        for piece in judged.pieces:
            read += len(piece.rows)
            parents.update(piece.parents)
            tell(read)
            yield piece.sent, piece.rows, piece.problems

    context.staging.save(import_id, ("sent", "rows", "problems"), frames())
    return read, parents


def _telling_the_ledger(context: ImportContext, import_id: str) -> Callable[[int], None]:
    """Give a function that notes how many records are checked, in transactions of their own, and not all the time."""
    told = context.clock()

    def tell(checked: int) -> None:
        nonlocal told
        now = context.clock()
        if now - told >= TOLD_EVERY:
            ledger.change(context.engine, import_id, checked=checked)
            told = now

    return tell


def _parent_in_ledger(context: ImportContext, parent: str | None) -> str | None:
    """Link a corrected report to the import it came from, if this feed has that one."""
    known = parent is not None and ledger.exists(context.engine, context.feed.name, parent)
    return parent if known else None
