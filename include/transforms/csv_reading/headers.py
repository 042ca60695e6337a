"""Decide which column means which field (SPEC.md section 3). Case, spaces, `_` and `-` do not matter."""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from include.codes import Code, message_for, show
from include.errors import FileRefused
from include.models import Problem
from include.schemas.client_rows import FIELDS, REQUIRED

_WARN_OF = 20  # unknown columns by name; more are counted
_LONGEST_NAME = 100  # characters; a longer one is no name of a field


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


def normal(name: str) -> str:
    """Give the form in which names are compared."""
    if len(name) > _LONGEST_NAME:
        return name
    return re.sub(r"[\s_\-\u200b\ufeff]+", "", unicodedata.normalize("NFC", name)).casefold()


_KNOWN = {normal(name): field.name for field in FIELDS.values() for name in (field.name, *field.headers)}


def fields_of(names: Sequence[str], aliases: Mapping[str, str]) -> list[str | None]:
    """Give the field that each column means, None for none. A feed's alias wins over a built-in name."""
    by_name = _KNOWN | {normal(alias): field for alias, field in aliases.items()}
    return [None if name.lstrip().startswith("_") else by_name.get(normal(name)) for name in names]


def missing_columns(names: Sequence[str], aliases: Mapping[str, str]) -> list[str]:
    """Give the required fields that no column means."""
    fields = set(fields_of(names, aliases))
    return [field for field in REQUIRED if field not in fields]


def holds_required(names: Sequence[str], aliases: Mapping[str, str]) -> bool:
    return not missing_columns(names, aliases)


def read_header(names: Sequence[str], aliases: Mapping[str, str], line: int, hint: str = "") -> Header:
    """Read the header; `hint` says where else in the file the required columns stand.

    Raises FILE_MISSING_COLUMN or FILE_DUPLICATE_COLUMN.
    """
    fields = fields_of(names, aliases)
    if missing := [field for field in REQUIRED if field not in fields]:
        _refuse(Code.FILE_MISSING_COLUMN, _missing_sentence(missing, names, fields, hint), line)
    _check_names(names, fields, line)
    positions = {field: position for position, field in enumerate(fields) if field is not None}
    return Header(list(names), positions, _warn_of_unknown(names, fields, line))


def _warn_of_unknown(names: Sequence[str], fields: Sequence[str | None], line: int) -> list[Problem]:
    unknown = [n for n, f in zip(names, fields, strict=True) if f is None and not n.lstrip().startswith("_")]
    absent = [field for field in FIELDS if field not in fields]
    named = unknown[:_WARN_OF]
    sentences = [(n, message_for(Code.COLUMN_UNKNOWN, value=n, detail=_near_miss(n, absent))) for n in named]
    if len(unknown) > _WARN_OF:
        sentences.append(("", f"{len(unknown) - _WARN_OF:,} more columns are not known and were ignored."))
    return [Problem(Code.COLUMN_UNKNOWN, "", sentence, name, "warning", line=line) for name, sentence in sentences]


def _near_miss(name: str, absent: Sequence[str]) -> str:
    for field in absent:
        if _is_near(name, field):
            return f" Did you mean {FIELDS[field].headers[0]}?"
    return ""


def _is_near(name: str, field: str) -> bool:
    """Say whether a name, such as `Mail` or `Frist Name`, is nearly one of a field's; a very long name never is."""
    if len(name) > _LONGEST_NAME or not name.strip():
        return False
    sent, wanted = normal(name), [normal(known) for known in (field, *FIELDS[field].headers)]
    inside = any(known in sent for known in wanted if len(known) > 3)
    return inside or bool(difflib.get_close_matches(sent, wanted, n=1, cutoff=0.7))


def _missing_sentence(missing: Sequence[str], names: Sequence[str], fields: Sequence[str | None], hint: str) -> str:
    labels = " and ".join(FIELDS[field].headers[0] for field in missing)
    plural = "s" if len(missing) > 1 else ""
    if any("@" in name for name in names) and not hint:
        return f"The first record stands where the header should be: the column{plural} {labels} cannot be found."
    free = [name for name, field in zip(names, fields, strict=True) if field is None]
    near = [
        f" Did you mean {show(name)} to be {FIELDS[field].headers[0]}?"
        for field in missing
        for name in [name for name in free[:200] if _is_near(name, field)][:1]
    ]
    hints = hint or "".join(near) or f" The header has: {', '.join(show(name, 30) for name in names[:12])}."
    return f"The column{plural} {labels} {'are' if plural else 'is'} missing.{hints}"


def _check_names(names: Sequence[str], fields: Sequence[str | None], line: int) -> None:
    for position, name in enumerate(names):
        if not name.strip():
            _refuse(Code.FILE_DUPLICATE_COLUMN, f"Column {position + 1} of {len(names)} has no name.", line)
    seen: dict[str, str] = {}
    for name, field in zip(names, fields, strict=True):
        if field is not None and field in seen:
            detail = f"The columns {show(seen[field])} and {show(name)} both mean {FIELDS[field].label}."
            _refuse(Code.FILE_DUPLICATE_COLUMN, detail, line)
        if field is not None:
            seen[field] = name


def _refuse(code: Code, detail: str, line: int) -> None:
    raise FileRefused(code, message_for(code, detail=detail), line)
