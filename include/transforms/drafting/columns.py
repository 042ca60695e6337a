"""Which field each column of a sample may mean: by its name, by a name that is near, by what its cells look like."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from include.codes import show
from include.schemas.cell_rules import contains
from include.schemas.client_rows import FIELDS
from include.schemas.email_addresses import email_keys
from include.schemas.header_names import IGNORE, WHOLE_NAMES, forms, normal
from include.transforms.csv_reading.headers import fields_of, published_field
from include.transforms.csv_reading.near_names import near_column, nearness
from include.transforms.drafting.words import date_form, meanings

_ENOUGH = 0.5  # of the filled cells of a column have to fit its field
_WHOLE = forms(WHOLE_NAMES)


@dataclass(frozen=True)
class Column:
    """A column of the sample. `field` is what it means, `ignore` for the partner's own.

    `by_name`: the importer understands the name without the feed. `doubt`: what a person should look at.
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
    for field in ("active", "type"):
        columns = _with_suggested(columns, field)
    return columns


def _by_name(name: str, cells: Sequence[str], field: str | None) -> Column:
    if field is None:
        return Column(name, cells, IGNORE, by_name=name.lstrip().startswith("_"))
    doubt = _why_not(field, cells)
    return Column(name, cells, IGNORE, doubt=doubt) if doubt else Column(name, cells, field, by_name=True)


def _why_not(field: str, cells: Sequence[str]) -> str:
    """Say why a column is the partner's own although it is called like a field: what is in it has another form."""
    if not cells:
        return ""
    text = pd.Series([cell.strip() for cell in cells], dtype="str")
    match FIELDS[field].kind:
        case "id":
            fits = contains(text, "^[0-9a-fA-F]{24}$").mean()
        case "email":
            fits = (email_keys(text) != "").mean()
        case "boolean" | "choice":
            words = meanings(field, cells, None)
            strange = words is None or (len(words) == text.nunique() > 2 and all(word.doubt for word in words))
            fits = 0.0 if strange else 1.0
        case "timestamp":
            form, doubt = date_form(cells)
            fits = 1.0 if form or not doubt else 0.0
        case _:
            return ""
    return "" if fits >= _ENOUGH else f"called like {FIELDS[field].label}, but its cells are none"


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
        chosen = next((column for column in free if column.cells and not _why_not("email", column.cells)), None)
        doubt = "not sure: its cells are e-mail addresses"
    if chosen is None:
        return columns
    if field == "first_name" and normal(chosen.name) in _WHOLE:
        doubt = "not sure: if these are whole names, ask for First Name and Last Name in two columns"
    guess = Column(chosen.name, chosen.cells, field, doubt=doubt)
    return [guess if column is chosen else column for column in columns]


def _with_suggested(columns: list[Column], field: str) -> list[Column]:
    """Choose a column with a name such as `Aktiv` for a field that has none, where each of its words is known."""
    if any(column.field == field for column in columns):
        return columns
    free = [column for column in columns if column.field == IGNORE and column.cells and not column.doubt]
    chosen = next((column for column in free if nearness(column.name, field) == 1 and _all_known(field, column)), None)
    guess = chosen and Column(chosen.name, chosen.cells, field, doubt="not sure: the name is only like it")
    return [guess if guess and column is chosen else column for column in columns]


def _all_known(field: str, column: Column) -> bool:
    words = meanings(field, column.cells, None)
    return words is not None and not any(word.doubt for word in words)
