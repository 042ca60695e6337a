"""Decide which column means which field (SPEC.md section 3). Case, spaces, `_` and `-` do not matter.

A name means a field because it is published or the feed says so, or because other programs call the field by it.
The first kind wins, so that what we learn of other programs never changes a file that has a published name.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from include.codes import Code, message_for, show
from include.errors import FileRefused
from include.models import Problem
from include.schemas.client_rows import FIELDS, required_columns
from include.schemas.header_names import IGNORE, UNDERSTOOD, UNDERSTOOD_BESIDE, forms, normal
from include.schemas.words import all_of
from include.transforms.csv_reading.near_names import near_column, near_field

Groups = Sequence[tuple[str, ...]]
TO_CREATE = required_columns("upsert")
_WARN_OF = 20  # ignored columns by name; more are counted
_NAME_OF = 5  # columns that mean one field
_PUBLISHED = {normal(name): field.name for field in FIELDS.values() for name in (field.name, *field.headers)}
_UNDERSTOOD = {form: field for field, names in UNDERSTOOD.items() for form in forms(names)}
_BESIDE = {
    form: (field, forms(others)) for name, (field, others) in UNDERSTOOD_BESIDE.items() for form in forms([name])
}


@dataclass(frozen=True)
class Header:
    """The header of a file.

    names      as sent, in file order
    positions  for each field of the file the index of its column
    problems   warnings about columns
    """

    names: list[str]
    positions: dict[str, int]
    problems: list[Problem]

    @property
    def fields(self) -> list[str | None]:
        """The field that each column was read as, None for a column that is not used."""
        by_position = {position: field for field, position in self.positions.items()}
        return [by_position.get(position) for position in range(len(self.names))]


@dataclass(frozen=True)
class _Column:
    """A column of the header: the field that it means, and whether its name is published or the feed's own.

    `cells`: how many of its cells are not blank; None when they were not counted.
    """

    position: int
    name: str
    field: str | None
    agreed: bool
    cells: int | None

    @property
    def unnamed(self) -> bool:
        return not self.name.strip() and self.field is None


def published_field(name: str) -> str | None:
    """Give the field of which this is a published name."""
    return _PUBLISHED.get(normal(name))


def fields_of(names: Sequence[str], aliases: Mapping[str, str]) -> list[str | None]:
    """Give the field that each column means, None for none. A feed's alias wins over a built-in name."""
    agreed, understood = _agreed(names, aliases), _understood(names, aliases)
    fields = [own or (other if other not in agreed else None) for own, other in zip(agreed, understood, strict=True)]
    return [None if field == IGNORE else field for field in fields]


def missing_columns(
    names: Sequence[str], aliases: Mapping[str, str], required: Groups = TO_CREATE
) -> list[tuple[str, ...]]:
    """Give the groups of required fields none of which a column means."""
    fields = set(fields_of(names, aliases))
    return [group for group in required if fields.isdisjoint(group)]


def holds_required(names: Sequence[str], aliases: Mapping[str, str], required: Groups = TO_CREATE) -> bool:
    return not missing_columns(names, aliases, required)


def needs_counts(names: Sequence[str], aliases: Mapping[str, str]) -> bool:
    """Say whether it matters which columns have only blank cells: a name is blank, or two columns mean one field."""
    columns = _columns(names, aliases, None)
    meant = [column.field for column in columns if column.field not in (None, IGNORE)]
    return len(meant) > len(set(meant)) or any(column.unnamed for column in columns)


def read_header(
    names: Sequence[str],
    aliases: Mapping[str, str],
    line: int,
    hint: str = "",
    filled: Sequence[int] | None = None,
    samples: Sequence[Sequence[str]] | None = None,
    required: Groups = TO_CREATE,
) -> Header:
    """Read the header, and report all its faults at once.

    `hint` says where else in the file the required columns stand; `filled`, for each column, how many of its cells are
    not blank; `samples` are the cells of a few records. One field of each group in `required` has to be there.
    Raises FILE_MISSING_COLUMN or FILE_DUPLICATE_COLUMN.
    """
    columns = _columns(names, aliases, filled)
    meant = {field: _columns_of(field, columns) for field in FIELDS}
    missing = [group for group in required if not any(meant[field] for field in group)]
    faults = [_missing_sentence(missing, columns, hint, samples or ())] if missing else []
    if not missing or not (hint or _is_a_record(names)):
        faults += [_double_sentence(field, found) for field, found in meant.items() if len(found) > 1]
    if faults:
        code = Code.FILE_MISSING_COLUMN if missing else Code.FILE_DUPLICATE_COLUMN
        raise FileRefused(code, message_for(code, detail=" ".join(faults)), line)
    chosen = sorted((found[0] for found in meant.values() if found), key=lambda column: column.position)
    positions = {column.field: column.position for column in chosen if column.field}
    return Header(list(names), positions, _warnings(columns, chosen, line))


def _agreed(names: Sequence[str], aliases: Mapping[str, str]) -> list[str | None]:
    """Give what published names and the feed's own say of each column: a field, IGNORE, or None."""
    known = _PUBLISHED | {normal(alias): field for alias, field in aliases.items()}
    return [IGNORE if name.lstrip().startswith("_") else known.get(normal(name)) for name in names]


def _understood(names: Sequence[str], aliases: Mapping[str, str]) -> list[str | None]:
    """Give the field that other programs call by each name; a word that needs another beside it gives way to a name."""
    sent = [normal(name) for name in names]
    fields = [_UNDERSTOOD.get(form) for form in sent]
    taken, present = {*fields, *_agreed(names, aliases)}, set(sent)
    for position, form in enumerate(sent):
        field, others = _BESIDE.get(form, ("", frozenset()))
        if field and field not in taken and others & present:
            fields[position] = field
    return fields


def _columns(names: Sequence[str], aliases: Mapping[str, str], filled: Sequence[int] | None) -> list[_Column]:
    agreed, understood = _agreed(names, aliases), _understood(names, aliases)
    cells = [None] * len(names) if filled is None else filled
    return [
        _Column(position, name, own or other, own is not None, count)
        for position, (name, own, other, count) in enumerate(zip(names, agreed, understood, cells, strict=True))
    ]


def _columns_of(field: str, columns: Sequence[_Column]) -> list[_Column]:
    """Give the columns that mean the field: several only where neither names nor blank cells say which one it is."""
    found = [column for column in columns if column.field == field]
    filled = [column for column in found if column.cells != 0]
    agreed = [column for column in filled or found if column.agreed]
    best = agreed or filled or found
    return best if filled else best[:1]


def _is_a_record(names: Sequence[str]) -> bool:
    return any("@" in name for name in names)


def _missing_sentence(missing: Groups, columns: Sequence[_Column], hint: str, samples: Sequence[Sequence[str]]) -> str:
    labels = all_of(" or ".join(FIELDS[field].headers[0] for field in group) for group in missing)
    plural = "s" * (len(missing) > 1)
    if _is_a_record([column.name for column in columns]) and not hint:
        return f"The first record stands where the header should be: the column{plural} {labels} cannot be found."
    free = [
        (column.name, [cells[column.position] for cells in samples if column.position < len(cells)])
        for column in columns
        if column.field is None and not column.unnamed
    ]
    hints = hint or "".join(near_column(field, free) for group in missing for field in group)
    if not hints:
        hints = f" The header has: {', '.join(show(column.name, 30) for column in columns[:12])}."
    return f"The column{plural} {labels} {'are' if plural else 'is'} missing.{hints}"


def _double_sentence(field: str, columns: Sequence[_Column]) -> str:
    shown = [f"{column.position + 1:,} ({show(column.name)})" for column in columns[:_NAME_OF]]
    more = len(columns) - len(shown)
    last = f"{more:,} more" if more else shown.pop()
    return f"Columns {', '.join(shown)} and {last} {'both' if len(columns) == 2 else 'all'} mean {FIELDS[field].label}."


def _warnings(columns: Sequence[_Column], chosen: Sequence[_Column], line: int) -> list[Problem]:
    """Tell of the columns that are ignored, unless the feed says so or there is nothing in them that anyone named."""
    used = {column.field: column for column in chosen}
    ignored = [column for column in columns if column.field != IGNORE and used.get(column.field) is not column]
    ignored = [column for column in ignored if column.cells != 0 or (column.field is None and not column.unnamed)]
    sentences = [(column.name, _why_ignored(column, used, len(columns))) for column in ignored[:_WARN_OF]]
    if len(ignored) > _WARN_OF:
        sentences.append(("", f"{len(ignored) - _WARN_OF:,} more columns are not known and were ignored."))
    return [Problem(Code.COLUMN_UNKNOWN, "", sentence, name, "warning", line=line) for name, sentence in sentences]


def _why_ignored(column: _Column, used: Mapping[str | None, _Column], of: int) -> str:
    if column.field is not None:
        return (
            f"The column {show(column.name)} was ignored: {show(used[column.field].name)} is the column of"
            f" {FIELDS[column.field].label}."
        )
    if not column.unnamed:
        detail = near_field(column.name, [field for field in FIELDS if field not in used])
        return message_for(Code.COLUMN_UNKNOWN, value=column.name, detail=detail)
    unnamed = f"Column {column.position + 1:,} of {of:,} has no name"
    if column.cells is None:
        return f"{unnamed} and was ignored."
    return f"{unnamed}: {column.cells:,} filled cell{'s were' if column.cells > 1 else ' was'} ignored."
