"""One import, and one client."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from client_imports_page import connections, feeds
from client_imports_page.permissions import Person, PersonDep, visible_import
from client_imports_page.rendering import root_of, show
from include.adapters.database import import_rows, ledger, page_clients, page_imports
from include.codes import Code
from include.models import State
from include.schemas.client_tables import Import
from include.schemas.email_addresses import email_key
from include.steps.review import REVIEW_DAG, review_run_id
from include.transforms.csv_reading.headers import fields_of

router = APIRouter(default_response_class=HTMLResponse)

MOST_COLUMNS = 30
Kind = Literal["failed", "duplicate", "warnings", "kept"]
RowNumber = Annotated[int, Query(ge=0, le=2**31 - 1)]


@dataclass(frozen=True)
class Table:
    """Rows as sent. `names`: the columns that are shown; `left_out`: how many are not; a cell is (text, is wrong)."""

    names: Sequence[str]
    left_out: int
    rows: Sequence[tuple[page_imports.Row, Sequence[tuple[str, bool]]]]


def _table(entry: Import, rows: Sequence[page_imports.Row]) -> Table:
    """Show the columns of the file with the wrong cells marked."""
    width = max([len(entry.header), *(len(row.cells or ()) for row in rows)])
    extra = width - len(entry.header)  # a row may have more cells than the header
    names = [*entry.header, *(f"(cell {len(entry.header) + n + 1})" for n in range(extra))]
    fields = [*fields_of(entry.header, feeds.named(entry.feed).columns), *[None] * extra]
    shown = _columns_to_show(fields)
    marked = [(row, [_cell(row, n, fields[n], n >= len(entry.header)) for n in shown]) for row in rows]
    return Table([names[n] for n in shown], width - len(shown), marked)


def _columns_to_show(fields: Sequence[str | None]) -> list[int]:
    """Choose the columns: all, or of very many those that are fields of a client, then the first others."""
    by_use = sorted(range(len(fields)), key=lambda n: (fields[n] is None, n))
    return sorted(by_use[:MOST_COLUMNS])


def _cell(row: page_imports.Row, number: int, field: str | None, is_extra: bool) -> tuple[str, bool]:
    cells = row.cells or ()
    wrong_fields = {problem["field"] for problem in row.problems if problem["field"]}
    return cells[number] if number < len(cells) else "", is_extra or field in wrong_fields


def can_be_imported_again(entry: Import) -> bool:
    """Say whether an import was only checked, or refused as already imported, and its file is still kept."""
    was_checked = entry.state == State.PREVIEWED and not entry.reverts_import_id
    was_imported_before = entry.state == State.REFUSED and entry.code == Code.FILE_ALREADY_IMPORTED
    return (was_checked or was_imported_before) and entry.file_path is not None and entry.forgotten_at is None


@router.get("/imports/{import_id}")
def one_import(
    request: Request, import_id: str, person: PersonDep, kind: Kind = "failed", after_row: RowNumber = 0,
    after_change: RowNumber = 0,
) -> Response:  # fmt: skip
    """Show what became of one import, with one screenful of its rows and of its changes."""
    entry, engine = visible_import(import_id, person), connections.engine()
    rows = page_imports.rows(engine, entry.id, kind, after_row, page_imports.SCREENFUL + 1)
    changes = page_imports.changes(engine, entry.id, after_change, page_imports.SCREENFUL + 1)
    parent = ledger.find(engine, entry.parent_import_id) if entry.parent_import_id else None
    reverted = ledger.find(engine, entry.reverts_import_id) if entry.reverts_import_id else None
    return show(
        request, "import.html", person, entry=entry, causes=import_rows.causes(engine, entry.id),
        parent=parent, reverted=reverted, children=ledger.children(engine, entry.id),
        kind=kind, table=_table(entry, rows[: page_imports.SCREENFUL]), more_rows=len(rows) > page_imports.SCREENFUL,
        after_row=after_row, changes=changes[: page_imports.SCREENFUL], after_change=after_change,
        more_changes=len(changes) > page_imports.SCREENFUL,
        again=can_be_imported_again(entry) and person.may_import(entry.feed),
        may_undo=entry.state == State.MERGED and not entry.reverts_import_id and person.may_undo(entry.feed),
        review=f"/dags/{REVIEW_DAG}/runs/{review_run_id(entry)}/tasks/decide/required_actions",
        feed=feeds.named(entry.feed),
    )  # fmt: skip


@router.get("/client")
def find_client(request: Request, person: PersonDep) -> Response:
    return show(request, "client.html", person, typed="", client=None, events=[], mentioned=[])


@router.post("/client")
def client_searched(request: Request, person: PersonDep, q: Annotated[str, Form()] = "") -> Response:
    """Find a client by ID or e-mail. The answer's URL holds the ID only. An unknown e-mail shows its failed rows."""
    typed = q.strip()
    client_id = _hex_id(typed) or _touched_client(email_key(typed), person)
    if client_id:
        return RedirectResponse(f"{root_of(request)}/client/{client_id}", 303)
    mentioned = _mentioned(typed, person)
    return show(request, "client.html", person, typed=typed, client=None, events=[], mentioned=mentioned)


@router.get("/client/{client_id}")
def one_client(request: Request, client_id: str, person: PersonDep) -> Response:
    """Show a client, but only when an import that the person may see has changed it."""
    engine = connections.engine()
    events = page_clients.history(engine, _hex_id(client_id), sorted(person.feeds))
    client = page_clients.find_client(engine, _hex_id(client_id)) if events else None
    mentioned = _mentioned(str(client["email"]), person) if client else []
    return show(request, "client.html", person, typed=client_id, client=client, events=events, mentioned=mentioned)


def _touched_client(address: str, person: Person) -> str:
    """Give the id of the client with this address; '' when no import that the person may see has changed the client.

    That somebody is a client, and under which id, is personal data too.
    """
    client = page_clients.find_client(connections.engine(), email_key=address) if address else None
    history = client and page_clients.history(connections.engine(), str(client["id"]), sorted(person.feeds))
    return str(client["id"]) if client and history else ""


def _hex_id(typed: str) -> str:
    return typed.lower() if re.fullmatch(r"[0-9a-fA-F]{24}", typed) else ""


def _mentioned(address: str, person: Person) -> list[page_clients.Event]:
    if "@" not in address:
        return []
    return page_clients.mentioned(connections.engine(), address, email_key(address), sorted(person.feeds))
