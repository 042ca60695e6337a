"""What a feed says about columns, words and defaults, as far as it shows without the libraries that judge cells.

Whether a default or a meaning could stand in a cell is judged by `include/transforms/validation/feed_values.py`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from include.models import ID_PATTERN
from include.schemas.feed_sentences import Wrong
from include.schemas.field_names import FIELD_NAMES
from include.schemas.header_names import IGNORE, normal
from include.schemas.words import as_cell, folded, same_words

REFERENCES = ("project", "desk")
DEFAULT = "default"
WhenWritten = Literal["always", "if_empty", "create_only", "never"]
_OF_ONE_CLIENT = ("id", "email", "username", "first_name")
_FIELDS = ", ".join(FIELD_NAMES)
_MUST_BE_REFERENCE = f"must be an ID of 24 hexadecimal digits, or `{DEFAULT}`; names are not understood here"


def _columns(columns: dict[str, str]) -> dict[str, str]:
    first = dict[str, str]()
    same = {name: first.setdefault(normal(name), name) for name in columns}
    _raise({(name,): _why_no_column(name, field, same[name], columns) for name, field in columns.items()})
    return columns


def _why_no_column(name: str, field: str, same: str, columns: Mapping[str, str]) -> str:
    if field not in (*FIELD_NAMES, IGNORE):
        return f"must be a field ({_FIELDS}), or `{IGNORE}`, which leaves the column out"
    if name.lstrip().startswith("_"):
        return "must go: columns whose name starts with `_` are ignored, whatever a feed says"
    if columns[same] != field:
        return f"must mean what {same!r} means, because case, spaces, `_` and `-` do not matter"
    return ""


def _values(values: dict[str, dict[str, str]]) -> dict[str, dict[str, str]]:
    cells = {field: {word: as_cell(meant) for word, meant in words.items()} for field, words in values.items()}
    wrong: dict[tuple[str, ...], str] = {}
    for field, words in cells.items():
        same = same_words(words)
        wrong |= {(field, word): _why_no_meaning(field, word, words[word], same.get(word)) for word in words}
        wrong[field,] = "" if field in FIELD_NAMES else f"must be named as a field: {_FIELDS}"
    _raise(wrong)
    return cells


def _why_no_meaning(field: str, word: str, meant: str, same: str | None) -> str:
    if not folded(word):
        return "must have a word; what a new client gets for a blank cell is said by `defaults`"
    if same is not None:
        return f"must mean what {same!r} means, because case and surrounding space do not make another word"
    return _MUST_BE_REFERENCE if field in REFERENCES and meant and not _is_reference(meant) else ""


def _defaults(defaults: dict[str, str | bool]) -> dict[str, str | bool]:
    cells = {field: value if isinstance(value, bool) else as_cell(value) for field, value in defaults.items()}
    _raise({(field,): _why_no_default(field, value) for field, value in cells.items()})
    return cells


def _why_no_default(field: str, value: str | bool) -> str:
    if field not in FIELD_NAMES:
        return f"must be named as a field: {_FIELDS}"
    if field in _OF_ONE_CLIENT:
        return "must go: each client has its own"
    if isinstance(value, bool):
        return "" if field == "active" else "must be text: put it in quotes"
    if not value:
        return "must be filled, or go"
    return _MUST_BE_REFERENCE if field in REFERENCES and not _is_reference(value) else ""


def _write(write: dict[str, WhenWritten]) -> dict[str, WhenWritten]:
    _raise({(field,): _why_not_written(field, write) for field in write})
    return write


def _why_not_written(field: str, write: Mapping[str, WhenWritten]) -> str:
    if field not in FIELD_NAMES:
        return f"must be named as a field: {_FIELDS}"
    if field in ("id", "created"):
        return "must go: it never changes"
    if field in REFERENCES and len({write.get(each) for each in REFERENCES}) > 1:
        return f"must be said alike for {' and '.join(REFERENCES)}, because a desk belongs to its project"
    return ""


def _is_reference(value: str) -> bool:
    return value.lower() == DEFAULT or re.fullmatch(ID_PATTERN, value) is not None


def _raise(wrong: Mapping[tuple[str, ...], str]) -> None:
    if sentences := {path: must for path, must in wrong.items() if must}:
        raise Wrong(sentences)


# What stands under these keys is text, whatever YAML takes it for. For editors, which read the schema:
_WORD = {"type": ["string", "boolean", "number"]}
_OF_FIELDS = {"enum": list(FIELD_NAMES)}
Columns = Annotated[
    dict[str, str],
    AfterValidator(_columns),
    Field(
        examples=[{"Kunden-Mail": "email", "ID": IGNORE}],
        json_schema_extra={"additionalProperties": {"enum": [*FIELD_NAMES, IGNORE]}},
    ),
]
Values = Annotated[
    dict[str, dict[str, str]],
    AfterValidator(_values),
    Field(
        examples=[{"desk": {"London": "67a3470d8092c651c9193390"}, "active": {"ja": "yes"}}],
        json_schema_extra={
            "propertyNames": _OF_FIELDS, "additionalProperties": {"type": "object", "additionalProperties": _WORD},
        },
    ),
]  # fmt: skip
Defaults = Annotated[
    dict[str, str | bool],
    AfterValidator(_defaults),
    Field(
        examples=[{"project": "default", "active": False}],
        json_schema_extra={"propertyNames": _OF_FIELDS},
    ),
]
Write = Annotated[
    dict[str, WhenWritten],
    AfterValidator(_write),
    Field(
        examples=[{"last_name": "if_empty", "email": "create_only"}],
        json_schema_extra={"propertyNames": {"enum": [name for name in FIELD_NAMES if name not in ("id", "created")]}},
    ),
]
