"""Say what an import of a file would do, from the importer's own code, without an import and without a trace.

The page calls it before a file is sent, in a process of its own (`include/steps/preview_process.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from collections.abc import Mapping as Map
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar
from uuid import uuid4

import pandas as pd
import sqlalchemy as sa

from include.adapters.database import clients, import_rows, plan, transactions
from include.adapters.files.staging import StagingInMemory
from include.adapters.files.storage import Storage
from include.codes import Code, message_for
from include.errors import ClientsChanged, FileRefused
from include.models import Cause, Counts, Problem
from include.schemas.client_rows import FIELDS
from include.schemas.client_tables import Import
from include.schemas.feed import Feed
from include.schemas.mapping import Mapping, with_mapping
from include.steps.check_feed import check_feed, read_references
from include.steps.context import ImportContext
from include.steps.file_checks import text_in
from include.steps.mappings import mapping_for, note
from include.steps.merge import merged_last
from include.steps.planned import add_missing, keep_missing, last_files, report_findings, why_held
from include.steps.prepare import decide
from include.steps.validate import Judged, judge_file, stage_pieces
from include.transforms.csv_reading.decoding import decode
from include.transforms.csv_reading.headers import fields_of
from include.transforms.csv_reading.records import FirstRecords, first_records
from include.transforms.holding import EarlierFile
from include.transforms.matching.suggestions import (
    Word,
    choices_of,
    entries_in,
    is_fixed,
    likely_columns,
    likely_words,
    unknown_words,
)
from include.transforms.validation.usable_mapping import unused

T = TypeVar("T")
MOST_COLUMNS = 100  # that are shown; a file with more of them is no file of clients
_ROWS, _SAMPLES = 5, 3
_LONGEST_CELL = 100  # characters
_TRIES = 3  # clients may change between two queries


@dataclass(frozen=True)
class Column:
    """One column of the file: the field that it means (None: it is left out), why it is left out, and a few cells.

    `fixed`: no mapping can say something else of it, because its name is published, or the feed says what it is.
    """

    name: str
    field: str | None
    label: str
    note: str
    fixed: bool
    samples: Sequence[str]


@dataclass(frozen=True)
class Refusal:
    """Why the file would be refused as a whole."""

    code: str
    message: str
    advice: str
    line: int | None


@dataclass(frozen=True)
class Plan:
    """What would become of the records. `hold`: why a person would be asked first; `same`: why it would be skipped.

    `notes`: what else the plan says of the file.
    """

    counts: Counts
    causes: Sequence[Cause] = ()
    hold: str = ""
    same: str = ""
    notes: Sequence[str] = ()


@dataclass(frozen=True)
class Preview:
    """What the import of one file would do. `rows`: its first records as sent.

    `mapping` is what was said and suggested; `suggested` counts what was suggested now. `choices` are the meanings that
    a word of a field can have, each with its name.
    """

    columns: Sequence[Column] = ()
    more_columns: int = 0
    rows: Sequence[Sequence[str]] = ()
    refusal: Refusal | None = None
    plan: Plan | None = None
    notes: Sequence[str] = ()
    mapping: Map[str, Any] = field(default_factory=dict)
    suggested: int = 0
    words: Sequence[Word] = ()
    choices: Map[str, Sequence[tuple[str, str]]] = field(default_factory=dict)


def preview(
    name: str, path: Path, feed: Feed, engine: sa.Engine, now: datetime, mapping: Mapping | None = None,
    suggest: bool = False,
) -> Preview:  # fmt: skip
    """Judge a file and plan its import. Raises FeedInvalid, and what the database raises.

    `mapping` travels with the file. `suggest` adds to it what is likely, where the header or a word is not understood.
    """
    check_feed(feed, engine, now)
    data = read_references(engine)
    context, entry = _trial(name, path, feed, engine, now)
    said = mapping or Mapping()
    found = _judge(context, entry, path, said)
    suggestions = Mapping()
    if suggest and found.refusal and found.refusal.code == Code.FILE_MISSING_COLUMN:
        suggestions = said.over(likely_columns(found.first, feed, said)) if found.first else said
        found = _judge(context, entry, path, suggestions)
    words = unknown_words(found.frames, data)
    if suggest and (likely := likely_words(words)):
        suggestions = (suggestions or said).over(likely)
        found = _judge(context, entry, path, suggestions)
    whole = (suggestions or said).model_dump()
    suggested = entries_in(whole) - entries_in(said.model_dump())
    return replace(found.shown, mapping=whole, suggested=suggested, words=words, choices=choices_of(data))


@dataclass(frozen=True)
class _Found:
    """A preview, with what suggestions are made from: the first records, and frames of problems."""

    shown: Preview
    refusal: Refusal | None = None
    first: FirstRecords | None = None
    frames: Sequence[pd.DataFrame] = ()


def _judge(context: ImportContext, entry: Import, path: Path, said: Mapping) -> _Found:
    entry.mapping = said.model_dump()
    mapping, notes = mapping_for(context, entry, path)
    feed = with_mapping(context.feed, mapping)
    first = _first(entry.file_name, path, feed)
    frames: list[pd.DataFrame] = []
    try:
        judged = judge_file(entry.file_name, path, feed, context.clock())
        entry.sha256, entry.header = judged.sha256, judged.header.names
        read, _ = stage_pieces(context, entry.id, judged)
        notes += unused(mapping, judged.header.names)
        problems = [*judged.file_problems(), *map(note, notes)]
        warnings = sum(problem.severity == "warning" for problem in problems)
        planned = _plan(
            context, entry, read,
            lambda connection, of_rows: _read_plan(
                context, connection, entry, Counts(read, warnings=warnings + of_rows)
            ),
        )  # fmt: skip
        frames = [reasons for (reasons,) in context.staging.load(entry.id, "reasons")]
    except FileRefused as refused:
        refusal = _refusal(refused)
        return _Found(_shown(first, context.feed, feed, [note(n) for n in notes], refusal=refusal), refusal, first)
    whole = _whole_or_not(feed, planned.counts)
    shown = _shown(first, context.feed, feed, problems, judged, plan=planned, refusal=whole)
    return _Found(shown, whole, first, frames)


def _first(name: str, path: Path, feed: Feed) -> FirstRecords | None:
    """Read what can be shown of the file itself; None where it is unreadable, or where its header is a record."""
    try:
        first = first_records(decode(text_in(name, path.read_bytes(), feed), feed.encoding), feed)
    except FileRefused:
        return None
    return first if first.cells or "@" not in "".join(first.names) else None


def judge_rows(
    name: str, path: Path, feed: Feed, engine: sa.Engine, now: datetime
) -> list[tuple[int, str, list[dict[str, Any]]]]:
    """Say what would become of each record of a file: (row, outcome, problems). Raises FileRefused, FeedInvalid."""
    check_feed(feed, engine, now)
    context, entry = _trial(name, path, feed, engine, now)
    mapping, _ = mapping_for(context, entry, path)
    judged = judge_file(name, path, with_mapping(feed, mapping), now)
    read, _ = stage_pieces(context, entry.id, judged)
    entry.header = judged.header.names
    return _plan(context, entry, read, lambda connection, _: plan.planned_rows(connection))


def _trial(name: str, path: Path, feed: Feed, engine: sa.Engine, now: datetime) -> tuple[ImportContext, Import]:
    """Make the import of a trial. It is in no table: its ID names frames, and gives clients IDs that no one sees."""
    context = ImportContext(feed, engine, Storage(path.parent), StagingInMemory(), lambda: now)
    return context, Import(id=str(uuid4()), feed=feed.name, file_name=name, received_at=now)


def _plan(context: ImportContext, entry: Import, read: int, look: Callable[[sa.Connection, int], T]) -> T:
    """Plan the import of what is staged, and `look` at the plan and the number of its rows' warnings."""
    for _ in range(_TRIES):
        context.staging.save(entry.id, ("prepared",), ((frame,) for frame in decide(context, entry)))
        with context.engine.begin() as connection:
            connection.execute(sa.text("SET TRANSACTION READ WRITE"))  # for temporary tables alone
            transactions.limit_waits(connection)
            plan.create_tables(connection)
            connection.execute(sa.text("SET TRANSACTION READ ONLY"))
            pieces = [prepared for (prepared,) in context.staging.load(entry.id, "prepared")]
            clients.copy_incoming(connection, pieces)
            add_missing(connection, context.feed, entry, read)
            findings = plan.plan_into_table(connection, read, context.feed.write)
            if findings.otherwise:
                continue
            report_findings(context, connection, entry.id, findings)
            plan.keep_what_stands(connection)
            return look(connection, sum(int(piece["warnings"].sum()) for piece in pieces))
    raise ClientsChanged("The clients that this file means keep changing.")


def _read_plan(context: ImportContext, connection: sa.Connection, entry: Import, known: Counts) -> Plan:
    file, earlier = EarlierFile(known.read, entry.header), last_files(connection, context.feed)
    notes = [problem.message for problem in keep_missing(connection, context.feed, file, earlier)]
    counts = replace(known, **plan.outcomes(connection))
    reasons = why_held(connection, context.feed.hold, file, earlier)
    same = merged_last(connection, entry.feed, entry.sha256)
    return Plan(counts, import_rows.causes_of_incoming(connection), " ".join(reasons), same, notes)


def _whole_or_not(feed: Feed, counts: Counts) -> Refusal | None:
    """Refuse the file where a row failed and the feed takes a file whole or not at all."""
    if not counts.failed or feed.on_failed_rows != "refuse_file":
        return None
    sentence = message_for(Code.FILE_FAILED_ROWS, failed=f"{counts.failed:,}", read=f"{counts.read:,}")
    return _refusal(FileRefused(Code.FILE_FAILED_ROWS, sentence))


def _refusal(refused: FileRefused) -> Refusal:
    return Refusal(refused.code, refused.message, Code(refused.code).advice, refused.line)


def _shown(
    first: FirstRecords | None, feed: Feed, mapped: Feed, problems: Sequence[Problem], judged: Judged | None = None,
    **what: Any,
) -> Preview:  # fmt: skip
    notes = [problem.message for problem in problems if problem.severity == "note"]
    if first is None:
        return Preview(notes=notes, **what)
    columns = _columns(first, feed, mapped, problems, judged)
    rows = [[_cut(cell) for cell in cells[:MOST_COLUMNS]] for cells in first.cells[:_ROWS]]
    return Preview(columns, max(0, len(first.names) - MOST_COLUMNS), rows, notes=notes, **what)


def _columns(
    first: FirstRecords, feed: Feed, mapped: Feed, problems: Sequence[Problem], judged: Judged | None
) -> list[Column]:
    fields = fields_of(first.names, mapped.columns)
    if judged is not None:
        by_position = {position: name for name, position in judged.header.positions.items()}
        fields = [by_position.get(position) for position in range(len(first.names))]
    why = {problem.value: problem.message for problem in reversed(problems) if problem.code == Code.COLUMN_UNKNOWN}
    return [
        Column(
            _cut(name), known, FIELDS[known].label if known else "", "" if known else why.get(name, ""),
            is_fixed(name, feed), _samples_of(first, position),
        )
        for position, (name, known) in enumerate(zip(first.names[:MOST_COLUMNS], fields, strict=False))
    ]  # fmt: skip


def _samples_of(first: FirstRecords, position: int) -> list[str]:
    """Give the first few different cells of a column."""
    cells = (_cut(cells[position].strip()) for cells in first.cells if position < len(cells))
    return list(dict.fromkeys(cell for cell in cells if cell))[:_SAMPLES]


def _cut(cell: str) -> str:
    return cell if len(cell) <= _LONGEST_CELL else f"{cell[:_LONGEST_CELL]}…"
