"""Failed rows that a person corrects on the page: put together as the failed-row report that a spreadsheet would be.

It is sent like any other file, so everything that holds for a corrected report holds for it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePath
from typing import Any

from sqlalchemy import Engine

from include.adapters.database import import_rows
from include.adapters.files.storage import LONGEST_NAME
from include.codes import Code
from include.schemas.client_rows import FIELDS
from include.schemas.client_tables import Import
from include.schemas.feed import Feed
from include.transforms.csv_reading.headers import fields_of
from include.transforms.reports import ADDED, FailedRow, write_report

MOST_JUDGED = 500  # rows for whose verdict a person waits while typing

_CORRECTED = re.compile(r" \(corrected(?: (\d+))?\)$")


@dataclass(frozen=True)
class Replacement:
    """What to write into a field of all rows that failed with one problem: its code, its field and the cell as sent."""

    code: str
    field: str
    value: str
    text: str

    def concerns(self, problem: Mapping[str, Any]) -> bool:
        known = (problem["code"], problem["field"], problem.get("value", ""))
        return problem["severity"] == "error" and known == (self.code, self.field, self.value)


@dataclass(frozen=True)
class Corrections:
    """New texts of cells by row number and position of the column; they count more than `replacements`.

    A row that fits no columns is given anew, whole: what `cells` does not have of it is blank.
    """

    cells: Mapping[int, Mapping[int, str]]
    replacements: Sequence[Replacement]


@dataclass(frozen=True)
class Corrected:
    """The failed rows of an import with what was corrected; `changed` are the numbers of rows that were."""

    rows: Sequence[FailedRow]
    changed: frozenset[int]


def correct(engine: Engine, entry: Import, corrections: Corrections) -> Corrected:
    """Give the failed rows of an import that still have their cells, corrected."""
    rows, changed = [], set()
    for row, line, cells, problems in import_rows.failed_rows(engine, entry.id):
        if cells is None:
            continue
        given = _given(entry, row, problems, corrections)
        failed = FailedRow(row, line, cells, [import_rows.problem_of(problem) for problem in problems])
        rows.append(_corrected(failed, given, len(entry.header)) if given else failed)
        changed |= {row} if given else set()
    return Corrected(rows, frozenset(changed))


def _given(
    entry: Import, row: int, problems: Sequence[Mapping[str, Any]], corrections: Corrections
) -> dict[int, str]:  # fmt: skip
    """Give the new texts of a row by position."""
    replaced = {
        entry.fields.index(replacement.field): replacement.text
        for replacement in corrections.replacements
        if replacement.field in entry.fields and any(map(replacement.concerns, problems))
    }
    own = {n for n, name in enumerate(entry.header) if name.strip() not in ADDED}
    return {
        position: text
        for position, text in (replaced | dict(corrections.cells.get(row, {}))).items()
        if position in own
    }


def _corrected(failed: FailedRow, given: Mapping[int, str], width: int) -> FailedRow:
    if not is_ragged(failed):
        return replace(failed, cells=[given.get(n, cell) for n, cell in enumerate(failed.cells)])
    others = [problem for problem in failed.problems if problem.code != Code.ROW_RAGGED]
    return replace(failed, cells=[given.get(n, "") for n in range(width)], problems=others)


def to_judge(corrected: Corrected) -> Sequence[FailedRow]:
    """Choose the rows that are judged while a person edits them: all as they would be sent, or of very many a part."""
    if len(corrected.rows) <= MOST_JUDGED:
        return corrected.rows
    return [failed for failed in corrected.rows if failed.row in corrected.changed][:MOST_JUDGED]


def is_ragged(failed: FailedRow) -> bool:
    """Say whether the row fits no columns."""
    return any(problem.code == Code.ROW_RAGGED for problem in failed.problems)


def as_report(entry: Import, rows: Sequence[FailedRow], feed: Feed) -> bytes:
    """Write rows in the form of the failed-row report.

    A column that would not be read as it was then has the published name of its field.
    """
    return write_report(_names(entry, feed), rows, entry.id, entry.delimiter or ",")


def _names(entry: Import, feed: Feed) -> list[str]:
    today = fields_of(entry.header, feed.columns)
    return [
        name if now == then or name.strip() in ADDED else FIELDS[then].headers[0] if then else f"_{name}"
        for name, now, then in zip(entry.header, today, entry.fields, strict=True)
    ]


def name_of_correction(file_name: str) -> str:
    """Name the corrected file after the one that it corrects: `a.csv`, `a (corrected).csv`, `a (corrected 2).csv`."""
    stem = PurePath(file_name).stem
    earlier = _CORRECTED.search(stem)
    number = int(earlier[1] or 1) + 1 if earlier else 1
    ending = f" (corrected{f' {number}' if number > 1 else ''}).csv"
    start = _CORRECTED.sub("", stem).encode()[: LONGEST_NAME - len(ending)]
    return start.decode(errors="ignore") + ending
