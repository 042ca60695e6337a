"""Erase one person from what people have said beside their files: mappings, notes and addresses of senders."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from include.adapters.database import remembered, uploads
from include.schemas.mapping import Mapping
from include.transforms.person import Person


def forget_remembered(engine: sa.Engine, person: Person) -> None:
    """Forget what feeds remember of words that hold the person."""
    for entry in remembered.entries(engine):
        if person.is_in(entry.word):
            remembered.forget(engine, entry.feed, entry.id)


def forget_in_uploads(engine: sa.Engine, person: Person) -> None:
    """Forget the person's address as that of a sender, and cancelled uploads that name the person."""
    for address in uploads.addresses(engine):
        if person.is_in(address):
            uploads.forget_address(engine, address)
    for upload in uploads.cancelled(engine):
        words = "\n".join((upload.note, words_of(upload.mapping)))
        if person.is_in(words) or person.is_in_name(upload.file_name):
            uploads.forget_words(engine, upload)


def words_of(mapping: dict[str, Any]) -> str:
    """Give the names and words that a mapping explains."""
    kept = Mapping.kept(mapping)
    return "\n".join([*kept.columns, *(word for words in kept.values.values() for word in words)])  # noqa: PD011
