"""Which column means which field (SPEC.md section 3). Case, spaces, `_` and `-` do not matter."""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from include.codes import message_for, show
from include.errors import FileRefused
from include.results import Problem
from include.schemas.client_rows import FIELDS, REQUIRED


@dataclass(frozen=True)
class Header:
    """`names` as sent, in file order; `positions`: field to column index; `problems`: warnings about columns."""

    names: list[str]
    positions: dict[str, int]
    problems: list[Problem]


def normal(name: str) -> str:
    return re.sub(r"[\s_-]+", "", unicodedata.normalize("NFC", name)).casefold()


_KNOWN = {normal(name): field.name for field in FIELDS.values() for name in (field.name, *field.headers)}


def fields_of(names: Sequence[str], aliases: Mapping[str, str]) -> list[str | None]:
    """The field each column means, None where it means none. A feed's alias wins over a built-in name."""
    by_name = _KNOWN | {normal(alias): field for alias, field in aliases.items()}
    return [None if name.strip().startswith("_") else by_name.get(normal(name)) for name in names]


def holds_required(names: Sequence[str], aliases: Mapping[str, str]) -> bool:
    return set(REQUIRED) <= set(fields_of(names, aliases))


def read_header(names: Sequence[str], aliases: Mapping[str, str], line: int) -> Header:
    """Raises FILE_MISSING_COLUMN or FILE_DUPLICATE_COLUMN."""
    fields = fields_of(names, aliases)
    _check_missing(names, fields, line)
    _check_names(names, fields, line)
    unknown = [n for n, f in zip(names, fields, strict=True) if f is None and not n.strip().startswith("_")]
    problems = [
        Problem("COLUMN_UNKNOWN", "", message_for("COLUMN_UNKNOWN", value=name), name, "warning", line=line)
        for name in unknown
    ]
    return Header(list(names), {f: i for i, f in enumerate(fields) if f is not None}, problems)


def _check_missing(names: Sequence[str], fields: Sequence[str | None], line: int) -> None:
    missing = [field for field in REQUIRED if field not in fields]
    if not missing:
        return
    labels = " and ".join(FIELDS[field].headers[0] for field in missing)
    plural = "s" if len(missing) > 1 else ""
    if any("@" in name for name in names):
        detail = f"The first record stands where the header should be: the column{plural} {labels} cannot be found."
    else:
        detail = (
            f"The column{plural} {labels} {'are' if plural else 'is'} missing.{_near_misses(missing, names, fields)}"
        )
    raise FileRefused("FILE_MISSING_COLUMN", message_for("FILE_MISSING_COLUMN", detail=detail), line)


def _near_misses(missing: Sequence[str], names: Sequence[str], fields: Sequence[str | None]) -> str:
    free = {normal(name): name for name, field in zip(names, fields, strict=True) if field is None and name.strip()}
    hints = []
    for field in missing:
        for wanted in (field, *FIELDS[field].headers):
            near = difflib.get_close_matches(normal(wanted), free, n=1, cutoff=0.7)
            if near:
                hints.append(f" Did you mean {show(free[near[0]])} to be {FIELDS[field].headers[0]}?")
                break
    return "".join(hints) or f" The header has: {', '.join(show(name, 30) for name in list(names)[:12])}."


def _check_names(names: Sequence[str], fields: Sequence[str | None], line: int) -> None:
    for position, name in enumerate(names):
        if not name.strip():
            detail = f"Column {position + 1} of {len(names)} has no name."
            raise FileRefused("FILE_DUPLICATE_COLUMN", message_for("FILE_DUPLICATE_COLUMN", detail=detail), line)
    seen: dict[str, str] = {}
    for name, field in zip(names, fields, strict=True):
        if field is not None and field in seen:
            detail = f"The columns {show(seen[field])} and {show(name)} both mean {FIELDS[field].label}."
            raise FileRefused("FILE_DUPLICATE_COLUMN", message_for("FILE_DUPLICATE_COLUMN", detail=detail), line)
        if field is not None:
            seen[field] = name
