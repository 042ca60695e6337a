"""One import, and one client."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from client_imports_page import connections
from client_imports_page.permissions import Person, PersonDep, visible_import
from client_imports_page.rendering import root_of, show
from include.adapters.database import import_rows, ledger, page_clients, page_imports
from include.models import Import
from include.steps.review import REVIEW_DAG, review_run_id
from include.transforms.csv_reading.headers import fields_of
from include.schemas.email_addresses import email_key

router = APIRouter(default_response_class=HTMLResponse)

MOST_COLUMNS = 30
Kind = Literal["failed", "duplicate", "warnings", "kept"]
RowNumber = Annotated[int, Query(ge=0, le=2**31 - 1)]


@dataclass(frozen=True)
class Table:
    """Rows of a file as sent. `names` of the columns shown, `left_out` how many are not; a cell is (text, wrong)."""

    names: Sequence[str]
    left_out: int
    rows: Sequence[tuple[page_imports.Row, Sequence[tuple[str, bool]]]]


def _table(entry: Import, rows: Sequence[page_imports.Row]) -> Table:
    """The sender's columns with the wrong cells marked; of very many columns those with fields or faults."""
    fields = fields_of(entry.header, connections.feed_named(entry.feed).columns)
    wrong = [{p["field"] for p in row.problems if p["field"]} for row in rows]
    width = max([len(entry.header), *(len(row.cells or ()) for row in rows)])
    names = [*entry.header, *(f"(cell {n + 1})" for n in range(len(entry.header), width))]
    fields += [None] * (width - len(entry.header))
    shown = list(range(width))
    if width > MOST_COLUMNS:
        shown = ([n for n in shown if fields[n]] + [n for n in shown if not fields[n]])[:MOST_COLUMNS]
        shown.sort()
    cells = [
        [((row.cells or ())[n] if n < len(row.cells or ()) else "", fields[n] in bad or n >= len(entry.header))
         for n in shown]
        for row, bad in zip(rows, wrong, strict=True)
    ]  # fmt: skip
    return Table([names[n] for n in shown], width - len(shown), list(zip(rows, cells, strict=True)))


def can_be_imported_again(entry: Import) -> bool:
    """A dry run, or a file that was refused for being imported before, whose bytes are still kept."""
    looked = entry.state == "previewed" and not entry.reverts_import_id
    known = entry.state == "refused" and entry.code == "FILE_ALREADY_IMPORTED"
    return (looked or known) and entry.file_path is not None and entry.forgotten_at is None


@router.get("/imports/{import_id}")
def one_import(
    request: Request, import_id: str, person: PersonDep, kind: Kind = "failed", after_row: RowNumber = 0,
    after_change: RowNumber = 0,
) -> Response:  # fmt: skip
    entry, engine = visible_import(import_id, person), connections.engine()
    rows = page_imports.rows(engine, entry.id, kind, after_row, page_imports.SCREENFUL + 1)
    changes = page_imports.changes(engine, entry.id, after_change, page_imports.SCREENFUL + 1)
    parent = ledger.find(engine, entry.parent_import_id) if entry.parent_import_id else None
    reverted = ledger.find(engine, entry.reverts_import_id) if entry.reverts_import_id else None
    return show(
        request, "import.html", person, entry=entry, causes=import_rows.causes(engine, entry.id),
        parent=parent, reverted=reverted, children=page_imports.children(engine, entry.id),
        kind=kind, table=_table(entry, rows[: page_imports.SCREENFUL]), more_rows=len(rows) > page_imports.SCREENFUL,
        after_row=after_row, changes=changes[: page_imports.SCREENFUL], after_change=after_change,
        more_changes=len(changes) > page_imports.SCREENFUL,
        again=can_be_imported_again(entry) and person.may_import(entry.feed),
        may_undo=entry.state == "merged" and not entry.reverts_import_id and person.may_undo(entry.feed),
        review=f"/dags/{REVIEW_DAG}/runs/{review_run_id(entry)}/tasks/decide/required_actions",
        feed=connections.feed_named(entry.feed),
    )  # fmt: skip


@router.get("/client")
def find_client(request: Request, person: PersonDep) -> Response:
    return show(request, "client.html", person, typed="", client=None, events=[], mentioned=[])


@router.post("/client")
def client_searched(request: Request, person: PersonDep, q: Annotated[str, Form()] = "") -> Response:
    """By ID or e-mail; the address of the answer holds the ID alone. An e-mail of nobody shows failed rows."""
    typed = q.strip()
    client_id = _hex_id(typed) or _touched_client(email_key(typed), person)
    if client_id:
        return RedirectResponse(f"{root_of(request)}/client/{client_id}", 303)
    mentioned = _mentioned(typed, person)
    return show(request, "client.html", person, typed=typed, client=None, events=[], mentioned=mentioned)


@router.get("/client/{client_id}")
def one_client(request: Request, client_id: str, person: PersonDep) -> Response:
    """Shown only when an import that the person may see touched the client."""
    engine, feeds = connections.engine(), sorted(person.feeds)
    events = page_clients.history(engine, _hex_id(client_id), feeds)
    client = page_clients.find_client(engine, _hex_id(client_id)) if events else None
    mentioned = _mentioned(str(client["email"]), person) if client else []
    return show(request, "client.html", person, typed=client_id, client=client, events=events, mentioned=mentioned)


def _touched_client(address: str, person: Person) -> str:
    """The id of the client with this address; '' for one whom no import that the person may see has touched.

    To know who is a client, and under which id, is to know something about that person.
    """
    found = page_clients.find_client(connections.engine(), email_key=address) if address else None
    known = found and page_clients.history(connections.engine(), str(found["id"]), sorted(person.feeds))
    return str(found["id"]) if found and known else ""


def _hex_id(typed: str) -> str:
    return typed.lower() if re.fullmatch(r"[0-9a-fA-F]{24}", typed) else ""


def _mentioned(address: str, person: Person) -> list[page_clients.Event]:
    if "@" not in address:
        return []
    return page_clients.mentioned(connections.engine(), address, email_key(address), sorted(person.feeds))
