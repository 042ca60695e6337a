"""Which field each column of a sample may mean: by its name, by a name that is near, by what its cells look like."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import pandas as pd

from include.codes import show
from include.models import ID_PATTERN
from include.schemas.cell_rules import contains
from include.schemas.client_rows import FIELDS
from include.schemas.email_addresses import email_keys
from include.schemas.header_names import IGNORE, WHOLE_NAMES, forms, normal
from include.transforms.csv_reading.headers import fields_of, published_field
from include.transforms.csv_reading.near_names import NEAR, near_column, nearness
from include.transforms.drafting.words import date_form, meanings

_ENOUGH = 0.5  # of the filled cells of a column have to fit its field
_WHOLE = forms(WHOLE_NAMES)


@dataclass(frozen=True)
class Column:
    """A column of the sample. `field` is what it means, `ignore` for the partner's own.

    `by_name`: the importer says so without the feed. `doubt`: what a person should look at.
    """

    name: str
    cells: Sequence[str]
    field: str
    by_name: bool = False
    doubt: str = ""


def guess_columns(names: Sequence[str], records: Sequence[Sequence[str]]) -> list[Column]:
    """Say what each named column of a sample means; one column for each field."""
    cells = [[record[n] for record in records if n < len(record) and record[n].strip()] for n in range(len(names))]
    named = [(name, column, field) for name, column, field in zip(names, cells, fields_of(names, {}), strict=True)]
    columns = [_by_name(name, column, field) for name, column, field in named if name.strip()]
    columns = _one_for_each_field(columns)
    for field in ("email", "first_name", "last_name", "username"):
        columns = _with_guess(columns, field)
    for field in ("active", "type", "created"):
        columns = _with_suggested(columns, field)
    missing = [field for field in FIELDS if all(column.field != field for column in columns)]
    filled = Counter(normal(column.name) for column in columns if column.cells)
    return [_called_twice(column, filled) or _asked(column, missing) for column in columns]


def _by_name(name: str, cells: Sequence[str], field: str | None) -> Column:
    if field is None:
        return Column(name, cells, IGNORE, by_name=name.lstrip().startswith("_"))
    fitting, of = _fitting(field, cells)
    if fitting < _ENOUGH * of:
        return Column(name, cells, IGNORE, doubt=f"called like {FIELDS[field].label}, but its cells are none")
    return Column(name, cells, field, by_name=True, doubt=_odd(fitting, of))


def _odd(fitting: int, of: int) -> str:
    return f"{fitting:,} of {of:,} cells fit" if fitting < of else ""


def _fitting(field: str, cells: Sequence[str]) -> tuple[int, int]:
    """Count the cells that can be a field's, and all: what is in a column may be something else than its name says."""
    text = pd.Series([cell.strip() for cell in cells], dtype="str")
    match FIELDS[field].kind:
        case "id":
            fits = int(contains(text, f"^{ID_PATTERN}$").sum())
        case "email":
            fits = int((email_keys(text) != "").sum())
        case "boolean" | "choice":
            words = meanings(field, cells, None)
            strange = words is None or (len(words) == text.nunique() > 2 and all(word.doubt for word in words))
            fits = 0 if strange else len(text)
        case "timestamp":
            fits = date_form(cells).fitting
        case _:
            fits = len(text)
    return fits, len(text)


def _one_for_each_field(columns: Sequence[Column]) -> list[Column]:
    """Let the published name, then the fullest column win where several mean one field."""
    best: dict[str, Column] = {}
    for column in columns:
        other = best.get(column.field)
        if other is None or _rank(column) > _rank(other):
            best[column.field] = column
    return [
        column if column.field == IGNORE or best[column.field] is column else _beside(column, best[column.field])
        for column in columns
    ]


def _beside(column: Column, best: Column) -> Column:
    return Column(column.name, column.cells, IGNORE, doubt=f"{show(best.name)} is {FIELDS[best.field].label}")


def _rank(column: Column) -> tuple[bool, bool, int]:
    return bool(column.cells), published_field(column.name) is not None, len(column.cells)


def _with_guess(columns: list[Column], field: str) -> list[Column]:
    """Choose a column for a field that has none: one with a near name, or for e-mails one that is full of them."""
    if any(column.field == field for column in columns):
        return columns
    free = [column for column in columns if column.field == IGNORE and not column.doubt and not column.by_name]
    if field == "username":  # each client has its own: names that come again are those of the partner's staff
        free = [column for column in free if len(set(column.cells)) == len(column.cells)]
    chosen = next((column for column in free if near_column(field, [(column.name, column.cells)])), None)
    doubt = "not sure: the name is only like it"
    if chosen is None and field == "email":
        chosen = next((column for column in free if column.cells and _fits("email", column)), None)
        doubt = "not sure: its cells are e-mail addresses"
    if chosen is None:
        return columns
    if field == "first_name" and normal(chosen.name) in _WHOLE:
        doubt = "not sure: if these are whole names, ask for First Name and Last Name in two columns"
    guess = Column(chosen.name, chosen.cells, field, doubt=doubt)
    return [guess if column is chosen else column for column in columns]


def _with_suggested(columns: list[Column], field: str) -> list[Column]:
    """Choose a column with a name such as `Aktiv` for a field that has none, where its cells can be the field's."""
    if any(column.field == field for column in columns):
        return columns
    free = [column for column in columns if column.field == IGNORE and column.cells and not column.doubt]
    chosen = next((column for column in free if _is_called_like(field, column) and _fits(field, column)), None)
    if chosen is None:
        return columns
    odd = _odd(*_fitting(field, chosen.cells))
    guess = Column(chosen.name, chosen.cells, field, doubt=f"not sure: the name is only like it{odd and f'; {odd}'}")
    return [guess if column is chosen else column for column in columns]


def _is_called_like(field: str, column: Column) -> bool:
    return nearness(column.name, field, inside=True) >= (NEAR if field == "created" else 1)


def _fits(field: str, column: Column) -> bool:
    if field in ("active", "type"):  # a word that nobody knows would be given a meaning
        words = meanings(field, column.cells, None)
        return words is not None and not any(word.doubt for word in words)
    fitting, of = _fitting(field, column.cells)
    return fitting >= _ENOUGH * of


def _called_twice(column: Column, filled: Mapping[str, int]) -> Column | None:
    """Say what no feed can mend: two columns of one name, because case, spaces, `_` and `-` do not matter."""
    if column.field == IGNORE or filled[normal(column.name)] < 2:
        return None
    return replace(column, doubt="two columns are called so, and the file is refused: the partner leaves one out")


def _asked(column: Column, missing: Sequence[str]) -> Column:
    """Ask whether a column that is left out is one of the missing fields: by its name, or for the ID by its cells."""
    if column.field != IGNORE or column.doubt or column.by_name or not column.cells:
        return column
    near = [field for field in missing if nearness(column.name, field) >= NEAR]
    if "id" in missing and _fitting("id", column.cells)[0] == len(column.cells):
        near = ["id"]
    return replace(column, doubt=f"not sure: it could be {FIELDS[near[0]].label}") if near else column
