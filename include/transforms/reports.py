"""Write the failed-row report, a CSV that is safe in a spreadsheet, and read one back (SPEC.md section 10)."""

from __future__ import annotations

import codecs
import io
import itertools
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from include.models import Problem
from include.schemas.client_rows import FIELDS
from include.transforms.csv_reading.pieces import Piece

# Columns of a report. `_import` links a corrected file to its parent; `_cells` holds rows that fit no columns.
_REPORT = ("_row", "_line", "_codes", "_problems", "_import", "_cells")
# Those of a result file, which has every record and what became of it.
_RESULT = ("_row", "_line", "_outcome", "_client_id", "_codes", "_problems", "_import", "_cells")
ADDED = frozenset(_RESULT)
# The column that marks an export of clients, whose cells have the same apostrophes as those of a report.
EXPORTED = "_export"
_RUNS_IN_A_SPREADSHEET = r"[\s\x00-\x1f\xad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff]*[=+\-@＝＋－＠−]"
_TO_NEUTRALISE = re.compile(rf"'*(?:{_RUNS_IN_A_SPREADSHEET}|[\t\r])")
_NEUTRALISED = re.compile(rf"'+(?:{_RUNS_IN_A_SPREADSHEET}|[\t\r])")


@dataclass(frozen=True)
class FailedRow:
    """A row that was not imported, with its cells as sent and every reason."""

    row: int
    line: int
    cells: Sequence[str]
    problems: Sequence[Problem]


@dataclass(frozen=True)
class ResultRow:
    """A record and what became of it. `cells` is None where they are not kept any more."""

    row: int
    line: int
    outcome: str
    client_id: str
    cells: Sequence[str] | None
    problems: Sequence[Problem]


def neutralise(cell: str) -> str:
    """Put an apostrophe before a cell that a spreadsheet would run; `restore` removes exactly that one."""
    return f"'{cell}" if _TO_NEUTRALISE.match(cell) else cell


def restore(cell: str) -> str:
    """Remove the apostrophe that `neutralise` put before the cell, and no other."""
    return cell[1:] if _NEUTRALISED.match(cell) else cell


def restore_cells(names: Sequence[str], cells: Sequence[str]) -> list[str]:
    """Turn a report's cells (or its header) into what the sender wrote; columns that the report added stay."""
    if len(names) != len(cells):
        return list(cells)
    return [cell if name.strip() in ADDED else restore(cell) for name, cell in zip(names, cells, strict=True)]


def never_corrected(names: Sequence[str], cells: Sequence[str]) -> bool:
    """Say whether a report's row still has cells in `_cells` alone, because it once fitted no columns."""
    if not is_report(names) or len(names) != len(cells):
        return False
    by_name = {name.strip(): cell.strip() for name, cell in zip(names, cells, strict=True)}
    return bool(by_name.get("_cells")) and not any(cell for name, cell in by_name.items() if name not in ADDED)


def is_report(names: Sequence[str]) -> bool:
    """Say whether a header is that of a failed-row report."""
    return {"_row", "_codes", "_import"} <= {name.strip() for name in names}


def is_neutralised(names: Sequence[str]) -> bool:
    """Say whether a header is that of a file whose cells `neutralise` has made safe: a report, or an export."""
    return is_report(names) or EXPORTED in {name.strip() for name in names}


def parents_in(names: Sequence[str], piece: Piece) -> set[str]:
    """Give the import ids that the rows of a report name."""
    if not is_report(names):
        return set()
    position = [name.strip() for name in names].index("_import")
    of_ragged = (record.cells[position] for record in piece.ragged.values() if len(record.cells) == len(names))
    return {cell.strip() for cell in (*piece.columns[position], *of_ragged)} - {""}


def parent_named(names: Sequence[str], cells: Sequence[str]) -> str | None:
    """Give the import that one row of a report names; None for any other file."""
    if not is_report(names) or len(names) != len(cells):
        return None
    return parent_of({cells[[name.strip() for name in names].index("_import")].strip()})


def parent_of(ids: set[str]) -> str | None:
    """Give the id of the import whose report this is, when all rows name the same one."""
    try:
        return str(UUID(next(iter(ids)))) if len(ids) == 1 else None
    except ValueError:
        return None


@dataclass(frozen=True)
class PlannedChange:
    """What one row would do to one client; `before` is None for a new one, `line` 0 for one that the file lacks."""

    row: int
    line: int
    outcome: str
    client_id: str
    before: Mapping[str, object] | None
    after: Mapping[str, object]


def write_planned(changes: Iterable[PlannedChange]) -> bytes:
    """Write planned changes for a spreadsheet, one line for each field that would change."""
    names = ["_row", "_line", "outcome", "client_id", "field", "old", "new"]
    cells = ([neutralise("" if cell is None else str(cell)) for cell in row] for row in _planned_rows(changes))
    return _as_csv(itertools.chain([names], cells), ",")


def _planned_rows(changes: Iterable[PlannedChange]) -> Iterator[list[object]]:
    for change in changes:
        before = change.before or {}
        for field in FIELDS:
            old, new = before.get(field), change.after.get(field)
            if field in change.after and old != new:
                yield [change.row, change.line or "", change.outcome, change.client_id, field, old, new]


def write_report(header: Sequence[str], rows: Iterable[FailedRow], import_id: str, delimiter: str) -> bytes:
    """Write the report: the columns of the file, then its own.

    A row that fits no columns leaves them blank, and all its cells stand together in `_cells`.
    """
    own = [position for position, name in enumerate(header) if name.strip() not in ADDED]
    names = [*(neutralise(header[position]) for position in own), *_REPORT]
    cells = ([neutralise(cell) for cell in _report_cells(failed, header, own, import_id)] for failed in rows)
    return _as_csv(itertools.chain([names], cells), delimiter)


def _report_cells(failed: FailedRow, header: Sequence[str], own: Sequence[int], import_id: str) -> list[str]:
    errors = [problem for problem in failed.problems if problem.severity == "error"]
    codes = list(dict.fromkeys(problem.code for problem in errors))
    fits_columns = "ROW_RAGGED" not in codes
    return [
        *(failed.cells[position] if fits_columns else "" for position in own),
        str(failed.row),
        str(failed.line),
        " ".join(codes),
        " ".join(problem.message for problem in errors),
        import_id,
        "" if fits_columns else _all_cells(header, failed.cells),
    ]


def write_result(header: Sequence[str], rows: Iterable[ResultRow], import_id: str, delimiter: str) -> Iterator[bytes]:
    """Write the result file, a line at a time: the columns of the file, then its own.

    A row that fits no columns leaves them blank, as in a report. So does one whose cells are not kept.
    """
    own = [position for position, name in enumerate(header) if name.strip() not in ADDED]
    names = [*(neutralise(header[position]) for position in own), *_RESULT]
    cells = ([neutralise(cell) for cell in _result_cells(row, header, own, import_id)] for row in rows)
    return _lines_of_csv(itertools.chain([names], cells), delimiter)


def _result_cells(row: ResultRow, header: Sequence[str], own: Sequence[int], import_id: str) -> list[str]:
    fits_columns = row.cells is not None and len(row.cells) == len(header) and not _is_ragged(row.problems)
    return [
        *(row.cells[position] if fits_columns and row.cells else "" for position in own),
        str(row.row),
        str(row.line or ""),
        row.outcome,
        row.client_id,
        " ".join(dict.fromkeys(problem.code for problem in row.problems)),
        " ".join(problem.message for problem in row.problems),
        import_id,
        "" if fits_columns else _all_cells(header, row.cells or ()),
    ]


def _is_ragged(problems: Sequence[Problem]) -> bool:
    return any(problem.code == "ROW_RAGGED" for problem in problems)


def _as_csv(rows: Iterable[Sequence[str]], delimiter: str) -> bytes:
    content = io.BytesIO()
    content.writelines(_lines_of_csv(rows, delimiter))
    return content.getvalue()


def _lines_of_csv(rows: Iterable[Sequence[str]], delimiter: str) -> Iterator[bytes]:
    """Write CSV for a spreadsheet: UTF-8 with byte-order mark, lines that end in CRLF."""
    separator = delimiter.encode()
    needs_quotes = re.compile(f'["\r\n{re.escape(delimiter)}]').search
    yield codecs.BOM_UTF8
    # Cell by cell, because csv.writer takes four bytes for each character of the longest row.
    for cells in rows:
        yield separator.join((_quoted(cell) if needs_quotes(cell) else cell).encode() for cell in cells) + b"\r\n"


def _quoted(cell: str) -> str:
    return '"' + cell.replace('"', '""') + '"'


def _all_cells(header: Sequence[str], cells: Sequence[str]) -> str:
    """Join the cells of a row that fits no columns; a report of a report keeps what is already joined."""
    joined = dict(zip((name.strip() for name in header), cells, strict=False)).get("_cells")
    return joined if joined and len(header) == len(cells) else " | ".join(cells)
