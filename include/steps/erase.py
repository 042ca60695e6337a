"""Erase one person, named by e-mail address or client id, from everything that imports have kept.

A file that holds the person is deleted whole; a failed-row report is written again without the person. The ledger says
which imports met the person. Only files whose content it does not know are searched.

First the ledger says that files were deleted, then they go, and what tells who the person is and which files are meant
goes last. So repeating it finishes what a killed process has left.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from io import BytesIO
from stat import S_ISREG
from typing import Any

import sqlalchemy as sa

from include.adapters.database import erasure, ledger
from include.adapters.database.erasure import RowHit
from include.adapters.files.paths import FilePath, opened
from include.adapters.files.storage import FORGOTTEN_NAME, REPORTS, Storage
from include.codes import Code
from include.errors import FileRefused, PersonNotNamed
from include.models import FINAL_STATES, Forgotten, State
from include.schemas.client_tables import Import
from include.schemas.email_addresses import email_key
from include.schemas.feed import Feed
from include.schemas.mapping import Mapping, with_mapping
from include.steps.erase_words import forget_in_uploads, forget_remembered, words_of
from include.steps.forget import FALLBACK, Feeds, nameless_errors, only_one_forgets, plain_message
from include.steps.report import report_again
from include.transforms.csv_reading.headers import fields_of
from include.transforms.csv_reading.unpacking import compression_of, unpack
from include.transforms.person import Person

ERASED = "A person was erased from this import: files that held the person are deleted, the counts stay."
# A file whose content the ledger does not know is searched up to this size (bytes); a larger one is named.
MOST_SEARCHED = 64 * 1024 * 1024
_LOOKED_AT = 1024 * 1024  # bytes; a file that is no text has a NUL among them

_KEPT_OF_A_PROBLEM = ("code", "field", "severity")
_FROM_THE_FILE = {"file_name", "header", "file_problems"}


@dataclass
class Finding:
    """What one import keeps of the person: rows and columns of the ledger, and whether its files hold the person."""

    rows: list[RowHit] = field(default_factory=list)
    columns: set[str] = field(default_factory=set)
    in_files: bool = False


Findings = defaultdict[str, Finding]


def erase_person(
    engine: sa.Engine, storage: Storage, feeds: Feeds, *, email: str | None = None, client_id: str | None = None
) -> Forgotten:
    """Remove what imports have kept of one person; counts and the client itself stay. Repeating it is safe.

    An address that no client has stands for the client that had it last. Imports that are held or on their way
    are left alone and named, and so are files that cannot be searched. Raises PersonNotNamed.
    """
    with nameless_errors(), only_one_forgets(engine):
        person = _person(engine, email, client_id)
        findings = _search_ledger(engine, person)
        unread = _search_files(engine, storage, feeds, person, findings)
        forget_remembered(engine, person)
        forget_in_uploads(engine, person)
        resting = _note_erasures(engine, findings)
        left = tuple(sorted(findings.keys() - set(resting)))
        erased = Forgotten(of_person=True, left=left, unread=unread)
        with engine.begin() as connection:
            for import_id in resting:
                erased += _erase(connection, storage, ledger.lock(connection, import_id), findings[import_id])
    return erased


def is_at_rest(entry: Import) -> bool:
    """True when no step will change the import or its files again, unless a person asks for it."""
    return entry.state in FINAL_STATES and (entry.filed or entry.state in (State.DISCARDED, State.REVERTED))


def _person(engine: sa.Engine, email: str | None, client_id: str | None) -> Person:
    """Find the person, with every address that the client has had."""
    if client_id is not None and re.fullmatch(r"[0-9a-fA-F]{24}", client_id.strip()):
        person = Person().known_by(ids=[client_id.strip()])
    elif client_id is None and email is not None and (key := email_key(email)):
        person = Person().known_by(ids=erasure.clients_with(engine, key), emails=[key])
    else:
        raise PersonNotNamed("Name the person by one valid e-mail address, or by a client's id of 24 hex digits.")
    return person.known_by(emails=erasure.addresses_of(engine, person.ids))


def _search_ledger(engine: sa.Engine, person: Person) -> Findings:
    findings = Findings(Finding)
    words = person.ids | person.locals
    for row in erasure.rows_that_may_hold(engine, person.ids, person.keys, person.addresses, words):
        if hit := _row_hit(row, person):
            finding = findings[str(row.import_id)]
            finding.rows.append(hit)
            finding.in_files = True
    for row in erasure.imports_that_may_hold(engine, words):
        if columns := _columns_that_hold(row, person):
            finding = findings[str(row.id)]
            finding.columns = columns
            finding.in_files |= bool(columns & _FROM_THE_FILE)
    return findings


def _row_hit(row: sa.Row[Any], person: Person) -> RowHit | None:
    """Judge what the row loses; None when it does not meet the person.

    Another client's row whose problem only names the person keeps its cells.
    """
    own = row.client_id in person.ids
    cells = row.cells is not None and (own or person.is_in("\n".join(row.cells)))
    problems = any(problem.keys() - set(_KEPT_OF_A_PROBLEM) for problem in row.problems or ()) and (
        own or cells or person.is_in(_texts(row.problems))
    )
    images = [image for image in (row.before, row.after) if image is not None]
    image = bool(images) and (own or person.is_in(_texts(images)))
    met = own or cells or problems or image
    return RowHit(row.import_id, row.row, cells, problems, image) if met else None


def _columns_that_hold(row: sa.Row[Any], person: Person) -> set[str]:
    texts = {
        "file_name": row.file_name, "note": row.note, "message": row.message or "",
        "header": "\n".join(row.header), "mapping": words_of(row.mapping), "file_problems": _texts(row.file_problems),
    }  # fmt: skip
    return {column for column, text in texts.items() if person.is_in(text) or person.is_in_name(text)}


def _search_files(
    engine: sa.Engine, storage: Storage, feeds: Feeds, person: Person, findings: Findings
) -> tuple[str, ...]:
    """Add the imports whose files hold the person; give the ids of those whose files could not be searched."""
    unread: list[str] = []
    for entry in ledger.remembered(engine):
        rules = feeds.get(entry.feed) or feeds.get(FALLBACK) or Feed(name=FALLBACK, title=FALLBACK)
        if _ledger_knows_the_file(entry, rules) or (entry.id in findings and findings[entry.id].in_files):
            continue
        verdicts = [_holds(path, entry, rules, person) for path in storage.files_of(entry)]
        if True in verdicts:
            findings[entry.id].in_files = True
        elif None in verdicts:
            unread.append(entry.id)
    return tuple(unread)


def _ledger_knows_the_file(entry: Import, rules: Feed) -> bool:
    """False for a file that was not read to its end, and for one with columns that the import ignored."""
    mapped = with_mapping(rules, Mapping.kept(entry.mapping))
    was_read = any(entry.has_been(state) for state in (State.MERGED, State.HELD, State.PREVIEWED))
    return was_read and entry.state != State.REFUSED and None not in fields_of(entry.header, mapped.columns)


def _holds(path: FilePath, entry: Import, rules: Feed, person: Person) -> bool | None:
    """Tell whether the file holds the person; None when it is too large to be searched, or is no text."""
    status = path.lstat()
    if not S_ISREG(status.st_mode):
        return False  # a link or device that was sent holds nothing of its own
    if status.st_size > MOST_SEARCHED:
        return None
    compression = compression_of(entry.file_name)
    if compression and not path.name.endswith(REPORTS):
        try:
            text = unpack(path.read_bytes(), compression, MOST_SEARCHED)
        except FileRefused:
            return None
        return person.is_in_file(BytesIO(text), rules.encoding)
    with opened(path) as content:
        if person.is_in_file(content, rules.encoding):
            return True
        content.seek(0)
        is_binary = entry.code == Code.FILE_NOT_CSV and b"\0" in content.read(_LOOKED_AT)
    return None if is_binary else False


def _note_erasures(engine: sa.Engine, findings: Findings) -> list[str]:
    """Say that files were deleted, while they are still there: a repetition finds no file that is gone.

    Returns the ids of the imports that are at rest; no other one is changed.
    """
    with engine.begin() as connection:
        entries = [ledger.lock(connection, import_id) for import_id in sorted(findings)]
        resting = [entry for entry in entries if is_at_rest(entry)]
        for entry in resting:
            _note_erasure(connection, entry, findings[entry.id])
    return [entry.id for entry in resting]


def _note_erasure(connection: sa.Connection, entry: Import, finding: Finding) -> None:
    if not finding.in_files and "message" not in finding.columns:
        return
    values: dict[str, Any] = {"message": _message(entry, finding.columns)}
    if finding.in_files:
        values |= {"file_path": None, "planned_path": None, "filed": True}
        values |= {"report_path": None} if entry.state == State.REFUSED else {}
    ledger.change(connection, entry.id, **values)


def _message(entry: Import, columns: set[str]) -> str:
    """Write the import's message without cells, and that a person was erased."""
    if entry.code:
        return f"{plain_message(entry)}. {ERASED}"
    kept = "" if "message" in columns or entry.message is None else entry.message.removesuffix(ERASED).strip()
    return f"{kept} {ERASED}".strip()


def _erase(connection: sa.Connection, storage: Storage, entry: Import, finding: Finding) -> Forgotten:
    """Erase the person from one import, whose row is locked."""
    rows = [hit for hit in finding.rows if hit.cells or hit.problems or hit.image]
    erasure.forget_rows(connection, rows)
    values = _without_person(entry, finding.columns)
    deleted: list[FilePath] = []
    if finding.in_files:
        # The report of a refused file has no path any more: it also had good rows, which the ledger does not have.
        again = entry.report_path is not None and "header" not in finding.columns
        name = values.get("file_name", entry.file_name)
        values["report_path"] = report_again(connection, storage, entry, name) if again else None
        deleted = storage.delete_files(entry, but=values["report_path"])
    if values:
        ledger.change(connection, entry.id, **values)
    if of_upload := {column: values[column] for column in ("mapping", "note") if column in values}:
        erasure.forget_of_uploads(connection, entry.id, **of_upload)
    return Forgotten(
        imports=int(bool(rows or finding.columns or deleted)),
        cells=sum(hit.cells for hit in rows),
        problems=sum(hit.problems for hit in rows),
        images=sum(hit.image for hit in rows),
        files=len(deleted),
    )


def _without_person(entry: Import, columns: set[str]) -> dict[str, Any]:
    values: dict[str, Any] = {
        "file_name": FORGOTTEN_NAME,
        "note": "",
        "header": [""] * len(entry.header),
        "mapping": {},
        "file_problems": [{key: problem[key] for key in _KEPT_OF_A_PROBLEM} for problem in entry.file_problems],
    }
    return {column: value for column, value in values.items() if column in columns}


def _texts(objects: Iterable[dict[str, Any]]) -> str:
    return "\n".join(str(value) for each in objects for value in each.values())
