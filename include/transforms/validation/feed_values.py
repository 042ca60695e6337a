"""Judge what a feed's file says as the cells for which it stands (SPEC.md section 9).

A default or a meaning that no cell could hold would fail every row that uses it, or be written as it is. The judge is
that of the cells, so that no rule is written twice; `schemas/feed_words.py` checks what needs no such libraries.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

import pandas as pd

from include.schemas.client_rows import FIELDS
from include.schemas.feed import Feed
from include.schemas.feed_file import as_path
from include.schemas.header_names import IGNORE
from include.schemas.words import folded
from include.transforms.csv_reading.headers import published_field
from include.transforms.validation.cells import judge_cells
from include.transforms.validation.cleaning import clean


@dataclass(frozen=True)
class _Word:
    """What stands at one path of the file, as a cell of one field."""

    path: tuple[str, ...]
    field: str
    cell: str


def wrong_values(feed: Feed, now: datetime) -> list[str]:
    """Give a sentence for each default, meaning or column name that cannot be. `now` is an aware UTC time."""
    return [*_wrong_columns(feed), *_wrong_defaults(feed, now), *_wrong_meanings(feed, now)]


def _wrong_columns(feed: Feed) -> Iterator[str]:
    for name, field in feed.columns.items():
        known = published_field(name)
        if known and field not in (known, IGNORE):
            path = as_path(("columns", name))
            yield f"`{path}` is {field!r}: {name!r} always means {known}; it can only be `{IGNORE}`."


def _wrong_defaults(feed: Feed, now: datetime) -> Iterator[str]:
    defaults = {name: str(value) for name, value in feed.defaults.items()}
    for name, value in defaults.items():
        if feed.clear_word and folded(value) == folded(feed.clear_word):
            yield f"`defaults.{name}` is {value!r}: a new client has nothing that this word could clear."
    # A default is no cell of the partner's: its dates are ISO 8601, and no word clears.
    yield from _judged([_Word(("defaults", name), name, value) for name, value in defaults.items()], now)


def _wrong_meanings(feed: Feed, now: datetime) -> Iterator[str]:
    words = [
        _Word(("values", name, word), name, meant)
        for name, meanings in feed.values.items()  # noqa: PD011 - a key of the feed
        for word, meant in meanings.items()
    ]
    yield from _judged(words, now, feed.clear_word, feed.date_format)


def _judged(
    words: list[_Word], now: datetime, clear_word: str | None = None, date_format: str | None = None
) -> list[str]:
    """Judge each word in a row of its own, and give the reasons about its field alone."""
    # Projects and desks are IDs by now; whether the CRM has them is asked when a run starts.
    judged = {row: word for row, word in enumerate(words, 1) if FIELDS[word.field].kind != "reference"}
    if not judged:
        return []
    index = pd.Index(judged, name="row")
    cells = {name: [word.cell if word.field == name else "" for word in judged.values()] for name in FIELDS}
    sent = pd.DataFrame(cells, index=index, dtype="str").assign(line=0)
    problems = judge_cells(sent, clean(sent, {}, clear_word, date_format), pd.Series(dtype="str"), now)
    errors = problems[problems["severity"] == "error"]
    return [
        f"`{as_path(judged[row].path)}`: {message}"
        for row, field, message in zip(errors["row"], errors["field"], errors["message"], strict=True)
        if field == judged[row].field
    ]
