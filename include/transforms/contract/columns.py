"""What each column of a feed's files may be called and hold, from the Pandera model and the feed's own keys.

The patterns are regular expressions that ECMAScript and Python read alike. They match a whole cell, and every cell
that the importer accepts.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from include.models import ID_PATTERN
from include.schemas.cell_rules import FALSE_WORDS, PHONE, TIMESTAMP, TRUE_WORDS
from include.schemas.client_rows import FIELDS, Field, required_columns
from include.schemas.feed import Feed
from include.schemas.feed_words import DEFAULT, REFERENCES
from include.schemas.header_names import UNDERSTOOD
from include.transforms.csv_reading.headers import fields_of

EXAMPLE_TIME = datetime(2024, 1, 31, 10, 30)  # noqa: DTZ001 - a partner's clock, in the form of the feed
_NUMBERS = {"d": "1,2", "m": "1,2", "H": "1,2", "I": "1,2", "M": "1,2", "S": "1,2", "f": "1,6", "Y": "4", "y": "2"}


@dataclass(frozen=True)
class ContractColumn:
    """One column as a partner may send it.

    name       the spelling that the example and the standards use
    others     further spellings that are understood
    required   the column has to be there, and each of its cells filled
    pattern    what a filled cell looks like; '' where no pattern says it
    words      the words that stand for something, with what they mean
    """

    field: Field
    name: str
    others: tuple[str, ...]
    required: bool
    pattern: str
    shortest: int
    longest: int | None
    words: Mapping[str, str]
    example: str

    @property
    def is_list(self) -> bool:
        """Say whether nothing but the words may stand in a cell."""
        return self.field.kind in ("boolean", "choice")


def contract_columns(feed: Feed, names: Mapping[str, str] | None = None) -> list[ContractColumn]:
    """Give the columns that the feed reads, in the order of the fields. `names`: those of projects and desks by ID."""
    required = [name for name, *others in required_columns(feed.mode) if not others]
    return [
        _column(feed, field, headers, field.name in required, names or {})
        for field in FIELDS.values()
        if (headers := _headers(feed, field))
    ]


def _headers(feed: Feed, field: Field) -> list[str]:
    """Give the names that mean the field: the feed's own first, then the published ones, then those of programs."""
    own = [name for name, meant in feed.columns.items() if meant == field.name]
    known = [*own, *field.headers, *UNDERSTOOD.get(field.name, ())]
    return [name for name in dict.fromkeys(known) if fields_of([name], feed.columns) == [field.name]]


def _column(feed: Feed, field: Field, headers: list[str], required: bool, names: Mapping[str, str]) -> ContractColumn:
    words = _words(feed, field, names)
    own = feed.values.get(field.name, {})  # noqa: PD011 - a key of the feed
    lengths = [len(word) for word in own]
    return ContractColumn(
        field, headers[0], tuple(headers[1:]), required, _pattern(feed, field, own, required),
        min([field.shortest, *lengths]), None if field.longest is None else max([field.longest, *lengths]),
        words, _example(feed, field, own),
    )  # fmt: skip


def _words(feed: Feed, field: Field, names: Mapping[str, str]) -> dict[str, str]:
    """Give the words of a field; the feed's own come first, because it reads them first."""
    meanings = feed.values.get(field.name, {})  # noqa: PD011
    own = {word: names.get(meant.lower(), meant) or "blank" for word, meant in meanings.items()}
    match field.kind:
        case "boolean":
            own |= {word: "yes" for word in TRUE_WORDS if word not in own}
            own |= {word: "no" for word in FALSE_WORDS if word not in own}
        case "choice":
            own |= {word: word for word in field.allowed if word not in own}
        case "reference":
            own |= {DEFAULT: f"the feed's default {field.name}"}
    if feed.clear_word and field.clearable:
        own |= {feed.clear_word: f"the client's {field.label.lower()} is cleared"}
    return own


def _pattern(feed: Feed, field: Field, own: Iterable[str], required: bool) -> str:
    alternatives = list(_forms(feed, field, required))
    if not alternatives:
        return ""
    words = [_in_any_case(word) for word in own]
    return rf"\s*({'|'.join([*alternatives, *words])})\s*"


def _forms(feed: Feed, field: Field, required: bool) -> Iterator[str]:
    match field.kind:
        case "id":
            yield ID_PATTERN
        case "reference":
            yield from (ID_PATTERN, _in_any_case(DEFAULT))
        case "boolean":
            yield from map(_in_any_case, (*TRUE_WORDS, *FALSE_WORDS))
        case "choice":
            yield from map(_in_any_case, field.allowed)
        case "timestamp":
            yield TIMESTAMP.replace("(?:", "(")
            if feed.date_format:
                yield _of_dates(feed.date_format)
        case "phone":
            yield PHONE.replace("(?:", "(")
        case "email":
            yield r"[^@\s]+@[^@\s]+"
        case "name" if required:
            yield r"\S[\s\S]*"


def _in_any_case(word: str) -> str:
    """Write a pattern that matches the word in any case: the standards have no other way."""
    letters = ((c, c.swapcase()) for c in word)
    return "".join(f"[{c}{other}]" if other != c and len(other) == 1 else _as_it_is(c) for c, other in letters)


def _as_it_is(text: str) -> str:
    return re.sub(r"([\\^$.|?*+()\[\]{}])", r"\\\1", text)


def _of_dates(form: str) -> str:
    """Write a pattern for dates of a form such as `%d.%m.%Y`."""
    parts = re.split("(%.)", form)
    return "".join(_of_directive(part[1]) if part[:1] == "%" else _as_it_is(part) for part in parts)


def _of_directive(letter: str) -> str:
    if letter in _NUMBERS:
        return f"[0-9]{{{_NUMBERS[letter]}}}"
    return "%" if letter == "%" else r"\S+"


def _example(feed: Feed, field: Field, own: Mapping[str, str]) -> str:
    if field.kind == "timestamp":
        return EXAMPLE_TIME.strftime(feed.date_format or "%Y-%m-%d")
    if field.name == "project":
        return ""  # a desk names its project
    if field.name in (*REFERENCES, "active", "type"):
        return next((word for word, meant in own.items() if meant), field.example)
    return field.example
