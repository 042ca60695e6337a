"""Erase one person, named by e-mail address or client id, from everything that imports have kept.

Files first. What teaches who the person is (images, cells) goes last, in one transaction: whoever dies before it
finds everything again, and whoever dies after it is done.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from include.adapters.database import erasure, ledger
from include.adapters.database.erasure import RowHit
from include.adapters.files.storage import Storage
from include.errors import PersonNotNamed
from include.models import Forgotten, Import
from include.steps.erase_files import FileSearch, at_rest
from include.steps.forget import Feeds, nameless_faults, only_one_forgets, plain_message
from include.transforms.csv_reading.headers import fields_of
from include.transforms.person import Person
from include.transforms.validation.emails import email_key

_KEPT_OF_A_PROBLEM = {"code", "field", "severity"}


def erase_person(
    engine: sa.Engine, storage: Storage, feeds: Feeds, *, email: str | None = None, client_id: str | None = None
) -> Forgotten:
    """Remove what imports have kept of one person; counts and the client itself stay. Repeating it is safe.

    An address that no client has stands for the client that had it last. Imports that are held or on their way
    are left alone and named, and so are files that cannot be searched. Raises PersonNotNamed.
    """
    with nameless_faults(), only_one_forgets(engine):
        entries = {entry.id: entry for entry in ledger.remembered(engine)}
        search = FileSearch(engine, storage, feeds, _named(engine, email, client_id))
        search = _learn(search, entries)
        touched: set[str] = set()
        done = Forgotten(of_person=True)
        for entry in entries.values():
            in_files = search.erase(entry)
            touched |= {entry.id} if in_files.files or in_files.records else set()
            done += in_files
        in_ledger, also_touched = _erase_in_ledger(search)
        done += in_ledger
    return replace(done, imports=len(touched | also_touched), left=tuple(dict.fromkeys(done.left)))


def _named(engine: sa.Engine, email: str | None, client_id: str | None) -> Person:
    if client_id is not None and re.fullmatch(r"[0-9a-fA-F]{24}", client_id.strip()):
        return Person().known_by(ids=[client_id.strip()])
    if client_id is None and email is not None and (key := email_key(email)):
        return Person().known_by(ids=erasure.clients_with(engine, key), emails=[key])
    raise PersonNotNamed("Name the person by one valid e-mail address, or by a client's id of 24 hex digits.")


def _learn(search: FileSearch, entries: dict[str, Import]) -> FileSearch:
    """Add the addresses that the client has had: by images, by cells, and by its records in files."""
    emails = erasure.addresses_of(search.engine, search.person.ids)
    lines: dict[str, set[int]] = {}
    for row in erasure.rows_of(search.engine, search.person.ids):
        if entry := entries.get(str(row.import_id)):
            lines.setdefault(entry.id, set()).add(row.line)
            emails += _email_of(entry, row.cells, search)
    search = replace(search, lines=lines)
    for import_id in lines:
        emails += search.emails(entries[import_id])
    return replace(search, person=search.person.known_by(emails=emails))


def _email_of(entry: Import, cells: list[str] | None, search: FileSearch) -> list[str]:
    fields = fields_of(entry.header, search.rules(entry).columns)
    whole = cells is not None and len(cells) == len(fields) and "email" in fields
    return [cells[fields.index("email")]] if cells is not None and whole else []


def _erase_in_ledger(search: FileSearch) -> tuple[Forgotten, set[str]]:
    """Judge first, then write everything in one transaction; also gives the ids of the imports that were touched."""
    person, engine = search.person, search.engine
    words = person.ids | person.locals
    rows = [hit for row in erasure.rows_that_may_hold(engine, person.ids, words) if (hit := _row_hit(row, person))]
    images = [
        (image.import_id, image.client_id)
        for image in erasure.images_that_may_hold(engine, person.ids, person.keys, person.addresses)
        if image.client_id in person.ids or person.is_in(_texts([image.before or {}, image.after or {}]))
    ]
    own = {row.id: changed for row in erasure.imports_that_may_hold(engine, words) if (changed := _line(row, person))}
    with engine.begin() as connection:
        resting, left = _lock(connection, {hit.import_id for hit in rows} | {each for each, _ in images} | set(own))
        rows = [hit for hit in rows if hit.import_id in resting]
        images = [image for image in images if image[0] in resting]
        erasure.forget_rows(connection, rows)
        erasure.forget_images(connection, images)
        for import_id in own.keys() & resting.keys():
            _change(connection, search.storage, resting[import_id], own[import_id])
    cells, problems = sum(hit.cells for hit in rows), sum(hit.problems for hit in rows)
    done = Forgotten(cells=cells, problems=problems, images=len(images), left=tuple(left))
    return done, {str(import_id) for import_id in resting}


def _row_hit(row: sa.Row[Any], person: Person) -> RowHit | None:
    own = row.client_id in person.ids
    cells = row.cells is not None and (own or person.is_in("\n".join(row.cells)))
    problems = any(problem.keys() - _KEPT_OF_A_PROBLEM for problem in row.problems or ()) and (
        own or cells or person.is_in(_texts(row.problems))
    )
    return RowHit(row.import_id, row.row, cells, problems) if cells or problems else None


def _line(row: sa.Row[Any], person: Person) -> set[str]:
    """The columns of an import's own line that hold the person."""
    texts = {
        "file_name": row.file_name, "note": row.note, "message": row.message or "",
        "header": "\n".join(row.header), "file_problems": _texts(row.file_problems),
    }  # fmt: skip
    return {column for column, text in texts.items() if person.is_in(text) or person.is_in_name(text)}


def _lock(connection: sa.Connection, ids: Iterable[UUID]) -> tuple[dict[UUID, Import], list[str]]:
    """Imports at rest, which stay so until the transaction ends; and the ids of the others."""
    entries = {each: ledger.lock(connection, str(each)) for each in sorted(ids)}
    resting = {each: entry for each, entry in entries.items() if at_rest(entry)}
    return resting, [str(each) for each in entries if each not in resting]


def _change(connection: sa.Connection, storage: Storage, entry: Import, columns: set[str]) -> None:
    values: dict[str, Any] = {
        "note": "",
        "message": plain_message(entry) if entry.code else None,
        "header": [""] * len(entry.header),
        "file_problems": [{k: p[k] for k in sorted(_KEPT_OF_A_PROBLEM)} for p in entry.file_problems],
    }
    values = {column: value for column, value in values.items() if column in columns}
    if "file_name" in columns:
        values |= storage.forget_name(entry)
    ledger.change(connection, entry.id, **values)


def _texts(objects: Iterable[dict[str, Any]]) -> str:
    return "\n".join(str(value) for each in objects for value in each.values())
