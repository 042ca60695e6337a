"""A file as a feed wants it: two clients, one with every cell and one with those alone that have to be filled."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

from include.schemas.feed import Feed
from include.transforms.contract.columns import ContractColumn

_SECOND = {"first_name": "Bo", "email": "bo.ek@example.com"}


def example_rows(columns: Sequence[ContractColumn]) -> list[list[str]]:
    first = [column.example for column in columns]
    return [first, [_SECOND.get(column.field.name, "") for column in columns]]


def example_text(feed: Feed, columns: Sequence[ContractColumn]) -> str:
    """Write the file, with the lines around the table that the feed leaves out."""
    text = io.StringIO()
    text.writelines(f"Line {number} above the table\r\n" for number in range(1, feed.skip_first_lines + 1))
    names = [column.name for column in columns]
    csv.writer(text, delimiter=feed.delimiter or ",").writerows([names, *example_rows(columns)])
    text.writelines(f"Line {number} below the table\r\n" for number in range(1, feed.skip_last_lines + 1))
    return text.getvalue()
