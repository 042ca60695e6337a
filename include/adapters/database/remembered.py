"""What people have said about the columns and words of a feed's files, remembered for its next file."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from include.schemas.client_tables import Remembered
from include.schemas.header_names import normal
from include.schemas.mapping import Mapping
from include.schemas.words import folded

COLUMNS = "columns"


def remember(engine: sa.Engine, feed: str, mapping: Mapping, by: str, now: datetime) -> None:
    """Keep each entry of the mapping; one that says something else of the same column or word replaces it."""
    said_of = [(COLUMNS, name, normal(name), field) for name, field in mapping.columns.items()]
    for field, words in mapping.values.items():  # noqa: PD011 - no frame
        said_of += [(field, word, folded(word), meant) for word, meant in words.items()]
    if not said_of:
        return
    names = ("about", "word", "word_key", "meaning")
    said = {"feed": feed, "remembered_by": by, "remembered_at": now}
    rows = [{**said, **dict(zip(names, entry, strict=True))} for entry in said_of]
    unique = {(row["about"], row["word_key"]): row for row in rows}
    statement = insert(Remembered).values(list(unique.values()))
    changed = {name: statement.excluded[name] for name in ("word", "meaning", "remembered_by", "remembered_at")}
    # What is remembered already stays as it was said, with its person and time.
    other = Remembered.meaning != statement.excluded.meaning
    with engine.begin() as connection:
        connection.execute(
            statement.on_conflict_do_update(constraint="uq_remembered_mappings_word", set_=changed, where=other)
        )


def entries(engine: sa.Engine, feeds: Sequence[str] | None = None) -> list[Remembered]:
    """Read what is remembered for these feeds (for all without `feeds`), in the order of a feed's file."""
    order = (Remembered.feed, Remembered.about != COLUMNS, Remembered.about, Remembered.word)
    those = sa.true() if feeds is None else Remembered.feed.in_(feeds)
    with Session(engine) as session:
        return list(session.scalars(sa.select(Remembered).where(those).order_by(*order)))


def of_feed(engine: sa.Engine, feed: str) -> Mapping:
    """Give what is remembered for a feed; nothing where it is no mapping any more."""
    return as_mapping(entries(engine, [feed]))


def as_mapping(remembered: Sequence[Remembered]) -> Mapping:
    """Put entries of one feed together."""
    columns, values = dict[str, str](), dict[str, dict[str, str]]()
    for entry in remembered:
        of = columns if entry.about == COLUMNS else values.setdefault(entry.about, {})
        of[entry.word] = entry.meaning
    return Mapping.kept({"columns": columns, "values": values})


def forget(engine: sa.Engine, feed: str, entry_id: int | None = None) -> int:
    """Forget one entry of a feed, or all; gives how many were forgotten."""
    one = Remembered.id == entry_id if entry_id is not None else sa.true()
    with engine.begin() as connection:
        return connection.execute(sa.delete(Remembered).where(Remembered.feed == feed, one)).rowcount
