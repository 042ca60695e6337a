"""One client, and the search for one."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from client_imports_page import connections
from client_imports_page.permissions import Person, PersonDep
from client_imports_page.rendering import root_of, show
from client_imports_page.routes.clients import ClientSearch, client_screen
from include.adapters.database import page_clients
from include.schemas.email_addresses import email_key

router = APIRouter(default_response_class=HTMLResponse)


@router.get("/client")
def find_client(request: Request, person: PersonDep) -> Response:
    return _client(request, person, "")


@router.post("/client")
def client_searched(request: Request, person: PersonDep, q: Annotated[str, Form()] = "") -> Response:
    """Find a client: by ID or e-mail its page, else all that match. An unknown e-mail shows its failed rows.

    The answer's URL holds the ID only.
    """
    typed = q.strip()
    client_id = _hex_id(typed) or _known_client(email_key(typed), person)
    if client_id:
        return RedirectResponse(f"{root_of(request)}/client/{client_id}", 303)
    mentioned = _mentioned(typed, person)
    if mentioned:
        person.note("client_viewed", import_ids=sorted({event.entry.id for event in mentioned}))
    elif person.may_see_clients:
        return client_screen(request, person, ClientSearch(q=typed))
    elif typed:
        person.note("search_failed", searched="client")
    return _client(request, person, typed, mentioned=mentioned)


@router.get("/client/{client_id}")
def one_client(request: Request, client_id: str, person: PersonDep) -> Response:
    """Show a client to who may see all of them, or an import that has changed it; with what such imports did."""
    engine, hex_id = connections.engine(), _hex_id(client_id)
    events = page_clients.history(engine, hex_id, sorted(person.feeds))
    client = page_clients.find_client(engine, hex_id) if events or person.may_see_clients else None
    if hex_id:
        person.note("client_viewed" if client or events else "client_refused", client_id=hex_id)
    mentioned = _mentioned(str(client["email"]), person) if client else []
    return _client(request, person, client_id, client=client, events=events, mentioned=mentioned)


def _client(
    request: Request, person: Person, typed: str, client: dict[str, Any] | None = None,
    events: Sequence[page_clients.Event] = (), mentioned: Sequence[page_clients.Event] = (),
) -> Response:  # fmt: skip
    names = connections.reference_names() if client or events else {}
    return show(
        request, "client.html", person, typed=typed, client=client, events=events, mentioned=mentioned, names=names
    )


def _known_client(address: str, person: Person) -> str:
    """Give the id of the client with this address; '' when the person may see neither clients nor an import of it.

    That somebody is a client, and under which id, is personal data too.
    """
    client = page_clients.find_client(connections.engine(), email_key=address) if address else None
    if client is None:
        return ""
    client_id = str(client["id"])
    is_visible = person.may_see_clients or page_clients.history(connections.engine(), client_id, sorted(person.feeds))
    return client_id if is_visible else ""


def _hex_id(typed: str) -> str:
    return typed.lower() if re.fullmatch(r"[0-9a-fA-F]{24}", typed) else ""


def _mentioned(address: str, person: Person) -> list[page_clients.Event]:
    if "@" not in address:
        return []
    return page_clients.mentioned(connections.engine(), address, email_key(address), sorted(person.feeds))
