"""Where the header stands when the first record is none: a hint for the sender of a refused file."""

from __future__ import annotations

import csv
import itertools
from collections.abc import Mapping

from include.schemas.client_rows import required_columns
from include.schemas.feed import Feed
from include.transforms.csv_reading.csv_source import CsvSource
from include.transforms.csv_reading.headers import Groups, fields_of, holds_required, missing_columns
from include.transforms.csv_reading.near_names import near_column

DELIMITERS = (",", ";", "\t", "|")
_LOOK_FOR_HEADER = 50  # lines


def where_the_header_is(source: CsvSource, line: int, feed: Feed) -> str:
    """Give a hint where the header stands when it is not in `line`, or not under the feed's delimiter; else ''."""
    first_lines = list(itertools.islice(source.text.lines(), source.skipped, source.skipped + _LOOK_FOR_HEADER))
    for looks_like_header in (holds_required, _seems_header):
        for number, text in enumerate(first_lines, source.skipped + 1):
            for delimiter in DELIMITERS:
                names = next(csv.reader([text[:2000]], delimiter=delimiter), [])
                if looks_like_header(names, feed.columns, required_columns(feed.mode)) and (
                    hint := _hint(number, line, delimiter, feed)
                ):
                    return hint
                if len(names) == 1 and _is_one_cell(names[0], text, feed):
                    return " Each line stands in one cell: split it into columns, and send it again."
    return ""


def _hint(number: int, line: int, delimiter: str, feed: Feed) -> str:
    if number != line:
        return (
            f" The header seems to stand in line {number}: delete the lines above it, or let the feed skip them (key"
            " `skip_first_lines`)."
        )
    if feed.delimiter and feed.delimiter != delimiter:
        shown = {"\t": "tab"}.get(delimiter, delimiter)
        return f" This feed's delimiter is {feed.delimiter!r}, and the header seems to use {shown!r}."
    return ""


def _seems_header(names: list[str], aliases: Mapping[str, str], required: Groups) -> bool:
    """Say whether each required column is there under a name that is at least near."""
    fields = fields_of(names, aliases)
    free = [(name, ()) for name, field in zip(names, fields, strict=True) if field is None and name.strip()]
    missing = missing_columns(names, aliases, required)
    return all(any(near_column(field, free) for field in group) for group in missing)


def _is_one_cell(cell: str, line: str, feed: Feed) -> bool:
    """Say whether a line is one quoted cell, which holds the header."""
    inside = (next(csv.reader([cell], delimiter=delimiter), []) for delimiter in DELIMITERS)
    required = required_columns(feed.mode)
    return line.startswith('"') and any(_seems_header(names, feed.columns, required) for names in inside)
