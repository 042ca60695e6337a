"""Take out of a mapping what cannot be: it may be old, and it never stops a file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from include.codes import show
from include.schemas.client_rows import FIELDS
from include.schemas.feed import Feed
from include.schemas.feed_words import DEFAULT, REFERENCES
from include.schemas.header_names import IGNORE, normal
from include.schemas.mapping import Mapping
from include.transforms.csv_reading.headers import published_field
from include.transforms.matching.references import ReferenceData
from include.transforms.validation.feed_values import wrong_values

Entry = tuple[str, str, str]  # field, word, meaning


def usable(mapping: Mapping, data: ReferenceData, now: datetime) -> tuple[Mapping, list[str]]:
    """Give what is left, and a sentence for each entry that was left out. `now` is an aware UTC time."""
    notes: list[str] = []
    columns = dict[str, str]()
    for name, field in mapping.columns.items():
        always = published_field(name)
        if always and field not in (always, IGNORE):
            notes.append(
                f"The mapping of the column {show(name)} was left out: it always means {FIELDS[always].label}."
            )
        else:
            columns[name] = field
    wrong = {(field, word): sentence for (field, word, _), sentence in _wrong_entries(mapping, data, now)}
    notes += wrong.values()
    values = {
        field: {word: meant for word, meant in words.items() if (field, word) not in wrong}
        for field, words in mapping.values.items()  # noqa: PD011 - no frame
    }
    return Mapping(columns=columns, values=values), notes


def unused(mapping: Mapping, names: Sequence[str]) -> list[str]:
    """Give a sentence for each column of the mapping that a file does not have."""
    there = {normal(name) for name in names}
    return [
        f"The mapping names the column {show(name)}, which the file does not have: that was left out."
        for name in mapping.columns
        if normal(name) not in there
    ]


def _wrong_entries(mapping: Mapping, data: ReferenceData, now: datetime) -> Iterator[tuple[Entry, str]]:
    known = {"project": data.projects, "desk": data.desks}
    others: list[Entry] = []
    for field, words in mapping.values.items():  # noqa: PD011 - no frame
        for word, meant in words.items():
            if field not in REFERENCES:
                others.append((field, word, meant))
            elif meant and meant.lower() != DEFAULT and meant.lower() not in known[field]:
                yield (field, word, meant), _sentence(field, word, f"the CRM has no {field} with the ID {meant}")
    if others and wrong_values(_feed_of(others), now):
        for entry in others:  # which ones they are is asked only where there are any
            if wrong_values(_feed_of([entry]), now):
                yield entry, _sentence(entry[0], entry[1], f"no cell can hold {show(entry[2])}")


def _feed_of(entries: Sequence[Entry]) -> Feed:
    values: dict[str, dict[str, str]] = {}
    for field, word, meant in entries:
        values.setdefault(field, {})[word] = meant
    return Feed(name="mapping", title="Mapping", values=values)


def _sentence(field: str, word: str, why: str) -> str:
    return f"The mapping of the word {show(word)} ({FIELDS[field].label}) was left out: {why}."
