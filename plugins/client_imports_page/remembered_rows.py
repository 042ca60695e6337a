"""What feeds remember, as the screen Feeds shows it: with names in place of IDs, and as YAML for the feed's file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

import yaml

from client_imports_page import connections
from client_imports_page.permissions import Person
from include.adapters.database import clients, remembered
from include.schemas.client_rows import FIELDS
from include.schemas.client_tables import Remembered
from include.schemas.header_names import IGNORE


@dataclass(frozen=True)
class RememberedRow:
    """One column or word: what it is about, and what it means, as people call it."""

    entry: Remembered
    about: str
    meaning: str


@dataclass(frozen=True)
class RememberedFeed:
    """Everything that one feed remembers. `yaml`: the same, for the feed's file."""

    feed: str
    rows: Sequence[RememberedRow]
    yaml: str
    may_forget: bool


def remembered_feeds(person: Person) -> dict[str, RememberedFeed]:
    """Give what is remembered for each feed that the person may see, by the feed's name."""
    engine = connections.engine()
    entries = remembered.entries(engine, sorted(person.feeds))
    if not entries:
        return {}
    projects, desks = clients.read_reference_data(engine)
    names = {("project", row.id): row.name for row in projects} | {("desk", row.id): row.name for row in desks}
    found = {}
    for feed, of_feed in groupby(entries, key=lambda entry: entry.feed):
        own = list(of_feed)
        rows = [_row(entry, names) for entry in own]
        found[feed] = RememberedFeed(feed, rows, _as_yaml(own), person.may_import(feed))
    return found


def _row(entry: Remembered, names: dict[tuple[str, str], str]) -> RememberedRow:
    if entry.about == remembered.COLUMNS:
        return RememberedRow(entry, "Column", "left out" if entry.meaning == IGNORE else _label(entry.meaning))
    meaning = names.get((entry.about, entry.meaning.lower()), entry.meaning)
    return RememberedRow(entry, f"Word in {_label(entry.about)}", meaning)


def _label(field: str) -> str:
    return FIELDS[field].label if field in FIELDS else field


def _as_yaml(entries: Sequence[Remembered]) -> str:
    mapping = remembered.as_mapping(entries).model_dump()
    keys = {name: said for name, said in mapping.items() if said}
    return yaml.safe_dump(keys, allow_unicode=True, sort_keys=False, width=1000).rstrip()
