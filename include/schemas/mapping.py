"""What a person has said about the columns and the words of a file, beside what its feed says.

It has the form of the feed's keys `columns` and `values`, so that it can be copied into the feed's file. The feed comes
first: where it says something of a column or a word, a mapping changes nothing.
"""

from __future__ import annotations

import json
from collections.abc import Mapping as Map
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, ValidationError

from include.schemas.feed import Feed
from include.schemas.feed_words import Columns, Values
from include.schemas.header_names import normal
from include.schemas.words import folded

LARGEST = 7_500  # characters as JSON: it travels in a header, and proxies allow 8 KiB for one


class Mapping(BaseModel):
    """For a column's name the field or `ignore`; for each field the words and what they mean."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    columns: Columns = {}
    values: Values = {}

    @classmethod
    def of_json(cls, text: str) -> Self:
        """Read what travels with an upload. Raises ValueError."""
        if len(text) > LARGEST:
            raise ValueError(f"it has more than {LARGEST:,} characters: write it into the feed's file")
        try:
            keys = json.loads(text)
        except (ValueError, RecursionError):
            raise ValueError("it is no JSON") from None
        return cls.model_validate(keys)

    @classmethod
    def kept(cls, keys: Map[str, Any]) -> Self:
        """Read what the database keeps; nothing of what is no mapping any more."""
        try:
            return cls(**keys)
        except ValidationError:
            return cls()

    def __bool__(self) -> bool:
        return bool(self.columns) or any(self.values.values())  # noqa: PD011 - no frame

    def over(self, other: Mapping) -> Mapping:
        """Add what only the other one says."""
        return Mapping(
            columns=_joined(self.columns, other.columns, normal),
            values=_joined_values(self.values, other.values),  # noqa: PD011 - no frame
        )

    def only_beside(self, feed: Feed) -> Mapping:
        """Leave out what the feed says itself."""
        columns, values = {normal(name) for name in feed.columns}, feed.values  # noqa: PD011 - a key of the feed
        said = {field: {folded(word) for word in words} for field, words in values.items()}
        return Mapping(
            columns={name: field for name, field in self.columns.items() if normal(name) not in columns},
            values={
                field: {word: meant for word, meant in words.items() if folded(word) not in said.get(field, ())}
                for field, words in self.values.items()  # noqa: PD011 - no frame
            },
        )


def with_mapping(feed: Feed, mapping: Mapping) -> Feed:
    """Give the feed as if its file said what the mapping says, too."""
    if not mapping:
        return feed
    both = Mapping(columns=feed.columns, values=feed.values).over(mapping)
    return feed.model_copy(update={"columns": both.columns, "values": both.values})  # noqa: PD011 - no frame


def _joined(first: Map[str, str], second: Map[str, str], same: Any) -> dict[str, str]:
    known = {same(word) for word in first}
    return {**first, **{word: meant for word, meant in second.items() if same(word) not in known}}


def _joined_values(first: Map[str, Map[str, str]], second: Map[str, Map[str, str]]) -> dict[str, dict[str, str]]:
    return {field: _joined(first.get(field, {}), second.get(field, {}), folded) for field in {**first, **second}}
