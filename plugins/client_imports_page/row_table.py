"""The rows of one import as a table: the file's columns with the wrong cells marked, or the clients they made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from client_imports_page import feeds
from include.adapters.database.page_rows import Row
from include.codes import Code
from include.models import Outcome
from include.schemas.client_rows import FIELDS
from include.schemas.client_tables import Import
from include.transforms.csv_reading.headers import fields_of
from include.transforms.reports import ADDED

MOST_COLUMNS = 30


@dataclass(frozen=True)
class Column:
    """A column of the file. `field`: the one it was read as; `is_extra`: the header has no such column."""

    position: int
    name: str
    field: str | None
    is_extra: bool = False


@dataclass(frozen=True)
class Cell:
    """A cell as sent, of one column. `is_there` is False for one that the row does not have."""

    column: Column
    text: str
    is_wrong: bool
    is_there: bool = True

    @property
    def shown_in(self) -> str:
        """The kind of control that corrects it: `lines` for a cell with line breaks, else `line`."""
        return "lines" if "\n" in self.text or "\r" in self.text else "line"


@dataclass(frozen=True)
class FileTable:
    """Rows as sent; `left_out`: how many columns of the file are not shown; `wrong_first`: in which order they are."""

    columns: Sequence[Column]
    left_out: int
    wrong_first: bool
    rows: Sequence[tuple[Row, Sequence[Cell]]]


def file_table(entry: Import, rows: Sequence[Row]) -> FileTable:
    """Show the cells of rows with problems. The columns that a failed-row report adds are left out."""
    width = max([len(entry.header), *(len(row.cells or ()) for row in rows)])
    columns = columns_of(entry)
    columns += [Column(n, f"(cell {n + 1})", None, is_extra=True) for n in range(len(entry.header), width)]
    chosen = _columns_to_show(columns)
    wrong = {cell.column for row in rows for column in chosen if (cell := _cell(row, column)).is_wrong}
    # Wrong cells are what people look for: on a small screen the others are out of sight.
    chosen.sort(key=lambda column: (column not in wrong or column.is_extra, column.position))
    shown = [(row, [_cell(row, column) for column in chosen]) for row in rows]
    return FileTable(chosen, len(columns) - len(chosen), len(wrong) > 0, shown)


def is_ragged(row: Row) -> bool:
    """Say whether the cells of a row belong to no columns."""
    return any(problem["code"] == Code.ROW_RAGGED for problem in row.problems)


def columns_of(entry: Import) -> list[Column]:
    """Give the columns of an import's file, but for those that a failed-row report adds."""
    # Imports of before version 0.10 did not keep what their columns were read as.
    fields = entry.fields or fields_of(entry.header, feeds.named(entry.feed).columns)
    named = enumerate(zip(entry.header, fields, strict=True))
    return [Column(n, name, field) for n, (name, field) in named if name.strip() not in ADDED]


def _columns_to_show(columns: Sequence[Column]) -> list[Column]:
    """Choose the columns: all, or of very many those that are fields of a client, then the first others."""
    by_use = sorted(columns, key=lambda column: (column.field is None, column.position))
    return sorted(by_use[:MOST_COLUMNS], key=lambda column: column.position)


def _cell(row: Row, column: Column) -> Cell:
    cells = row.cells or ()
    if column.position >= len(cells):
        return Cell(column, "", is_wrong=False, is_there=False)
    wrong_fields = {problem["field"] for problem in row.problems if problem["field"]}
    return Cell(column, cells[column.position], is_wrong=column.is_extra or column.field in wrong_fields)


@dataclass(frozen=True)
class ClientTable:
    """Clients that rows created, deleted or left unchanged: the fields of which any has a value."""

    fields: Sequence[str]
    rows: Sequence[tuple[Row, Mapping[str, object]]]


def client_table(rows: Sequence[Row]) -> ClientTable:
    clients = [(row, row.after or row.before or {}) for row in rows]
    names = [name for name in FIELDS if any(values.get(name) not in (None, "") for _, values in clients)]
    return ClientTable(names, clients)


def shows_clients(kind: str) -> bool:
    """Say whether rows of this kind are shown as clients: they had no problem worth their cells."""
    return kind in (Outcome.CREATED, Outcome.UNCHANGED)


def shows_changes(kind: str) -> bool:
    """Say whether rows of this kind are shown as old and new values."""
    return kind in (Outcome.UPDATED, Outcome.DEACTIVATED, Outcome.REVERTED)
