"""What a person is offered where a header or a word is not understood: choices by name, the likeliest first."""

from __future__ import annotations

from collections.abc import Mapping as Map
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from include.codes import Code
from include.schemas.client_rows import FIELDS
from include.schemas.feed import Feed
from include.schemas.header_names import normal
from include.schemas.mapping import Mapping
from include.schemas.words import as_cell, folded
from include.transforms.csv_reading.headers import published_field
from include.transforms.csv_reading.likely_fields import likely_fields
from include.transforms.csv_reading.records import FirstRecords
from include.transforms.matching.likely_meanings import likely_meaning
from include.transforms.matching.references import ReferenceData

_UNKNOWN = {
    "project": Code.CELL_REFERENCE_NOT_FOUND, "desk": Code.CELL_REFERENCE_NOT_FOUND,
    "active": Code.CELL_FORMAT, "type": Code.CELL_NOT_ALLOWED,
}  # fmt: skip
_MOST_WORDS = 50  # of all fields; a longer list belongs in the feed's file
_LONGEST_WORD = 100
_MOST_CHOICES = 1000


@dataclass(frozen=True)
class Word:
    """A word that is not known, in how many rows it stands, and what it is likely to mean ('' for nothing)."""

    field: str
    label: str
    word: str
    rows: int
    likely: str


def is_fixed(name: str, feed: Feed) -> bool:
    """Say whether a column's name is published, said by the feed, or none: a mapping says nothing of such a column."""
    known = {normal(each) for each in feed.columns}
    return bool(published_field(name)) or normal(name) in known or not normal(name) or name.lstrip().startswith("_")


def likely_columns(first: FirstRecords, feed: Feed, said: Mapping) -> Mapping:
    """Suggest a field for each column that means none."""
    likely = likely_fields(first.names, first.cells, {**said.columns, **feed.columns})
    return Mapping.kept({"columns": {first.names[position]: field for position, field in likely.items()}})


def unknown_words(problems: Sequence[pd.DataFrame], data: ReferenceData) -> list[Word]:
    """List the words of these problems that a mapping could explain, the most frequent first."""
    choices = {field: dict(of_field) for field, of_field in choices_of(data).items()}
    names = {"project": dict(data.projects), "desk": {desk.id: desk.name for desk in data.desks.values()}}
    found: dict[tuple[str, str], tuple[str, int, str]] = {}
    for frame in problems:
        for field, code in _UNKNOWN.items():
            of_field = frame[(frame["field"] == field) & (frame["code"] == code)]
            for value, rows in of_field["value"].value_counts().items():
                word = as_cell(str(value))
                if word and len(word) <= _LONGEST_WORD and word.lower() not in choices[field]:
                    first, before, _ = found.get((field, folded(word)), (word, 0, ""))
                    likely = likely_meaning(field, word, names.get(field, choices[field]))
                    found[field, folded(word)] = (first, before + int(rows), likely)
    words = [Word(field, FIELDS[field].label, word, rows, likely) for (field, _), (word, rows, likely) in found.items()]
    return sorted(words, key=lambda word: -word.rows)[:_MOST_WORDS]


def likely_words(words: Sequence[Word]) -> Mapping:
    """Suggest what the words mean of which that is likely."""
    values: dict[str, dict[str, str]] = {}
    for word in words:
        if word.likely:
            values.setdefault(word.field, {})[word.word] = word.likely
    return Mapping.kept({"values": values})


def choices_of(data: ReferenceData) -> dict[str, list[tuple[str, str]]]:
    """Give the meanings that words can have: by field the cell, and what people call it, in the order of names."""
    desks = [(desk.id, f"{desk.name} ({data.projects[desk.project_id]})") for desk in data.desks.values()]
    by_name: dict[str, list[tuple[str, str]]] = {"project": list(data.projects.items()), "desk": desks}
    sorted_choices = {
        field: sorted(choices, key=lambda choice: choice[1].casefold())[:_MOST_CHOICES]
        for field, choices in by_name.items()
    }
    kinds = [(word, word) for word in FIELDS["type"].allowed]
    return {**sorted_choices, "active": [("true", "yes"), ("false", "no")], "type": kinds}


def entries_in(mapping: Map[str, Any]) -> int:
    """Count what a mapping says."""
    return len(mapping["columns"]) + sum(len(words) for words in mapping["values"].values())
