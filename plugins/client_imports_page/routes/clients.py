"""The screen Clients: the client table, searched, filtered and sorted, and its export."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Form, HTTPException, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response, StreamingResponse
from pydantic import BaseModel

from client_imports_page import connections
from client_imports_page.permissions import Person, PersonDep
from client_imports_page.rendering import root_of, show
from include.adapters.database import client_list
from include.adapters.database.client_query import ORDERS, ClientQuery, Desk, desks_of_all_projects
from include.schemas.client_rows import FIELDS
from include.steps.export_clients import export_clients

router = APIRouter(default_response_class=HTMLResponse)

COLUMNS = {name: FIELDS[name].headers[0] for name in ORDERS}
_NEWEST_FIRST = "-created"
# The list of imports was here. A kept address of it has at least one of these.
_OF_IMPORTS = {"feed", "state", "since", "until"}


class ClientFilter(BaseModel):
    """The filter, the order and the place in the list as a form or an address sent them; every value may be any text.

    `sort`: a column, with `-` before it from its end. `after`, `before`: the client beside which a screen begins.
    """

    project: str = ""
    desk: str = ""
    active: str = ""
    type: str = ""
    sort: str = _NEWEST_FIRST
    after: str = ""
    before: str = ""

    @property
    def text(self) -> str:
        return ""

    def query(self) -> ClientQuery:
        order = self.sort.removeprefix("-")
        return ClientQuery(
            text=self.text,
            project=self.project or None,
            desk=self.desk or None,
            active={"yes": True, "no": False}.get(self.active),
            type=self.type if self.type in FIELDS["type"].allowed else None,
            order=order if order in ORDERS else "created",
            descending=self.sort.startswith("-") or order not in ORDERS,
        )

    def parameters(self, **changes: str) -> dict[str, str]:
        """Give the filter and the order as parameters, without empty ones, for another screen of the list."""
        values = {**self.model_dump(exclude={"after", "before"}), **changes}
        return {name: value for name, value in values.items() if value and (name, value) != ("sort", _NEWEST_FIRST)}

    def sorted_by(self, column: str) -> dict[str, str]:
        """Give the parameters of the list sorted by a column: the second time from its end."""
        return self.parameters(sort=f"-{column}" if self.sort == column else column)


class ClientSearch(ClientFilter):
    """The same with a search: only a form sends it, because what is searched for must not stand in an address."""

    q: str = ""

    @property
    def text(self) -> str:
        return self.q.strip()


@router.get("/")
def clients(request: Request, person: PersonDep, sent: Annotated[ClientFilter, Query()]) -> Response:
    if _OF_IMPORTS & set(request.query_params):
        return RedirectResponse(f"{root_of(request)}/imports?{request.query_params}", 303)
    return client_screen(request, person, sent)


@router.post("/")
def clients_searched(request: Request, person: PersonDep, sent: Annotated[ClientSearch, Form()]) -> Response:
    return client_screen(request, person, sent)


def client_screen(request: Request, person: Person, sent: ClientFilter) -> Response:
    """Show one screenful of clients, and note who saw which; to others say who may see clients."""
    if not person.may_see_clients:
        return show(request, "no_clients.html", person)
    engine, query = connections.engine(), sent.query()
    desks = desks_of_all_projects(engine)
    if sent.project and not any((desk.id, desk.project) == (sent.desk, sent.project) for desk in desks):
        sent = sent.model_copy(update={"desk": ""})  # another project was chosen
        query = sent.query()
    screen = client_list.screen(engine, query, desks, _id(sent.after), _id(sent.before))
    if screen.clients:
        person.note("clients_viewed", client_ids=[client["id"] for client in screen.clients])
    elif query.text:
        person.note("search_failed", searched="clients")
    return show(
        request, "clients.html", person, screen=screen, sent=sent, query=query, columns=COLUMNS,
        names=_names_of(desks), projects=_projects(desks), desks=desks, types=FIELDS["type"].allowed,
        most=client_list.MOST,
    )  # fmt: skip


def _id(text: str) -> str:
    return text if re.fullmatch(r"[0-9a-f]{24}", text) else ""


def _names_of(desks: Sequence[Desk]) -> dict[str, str]:
    """Give the names of projects and desks by their IDs."""
    return {desk.project: desk.project_name for desk in desks} | {desk.id: desk.name for desk in desks}


def _projects(desks: Sequence[Desk]) -> dict[str, list[Desk]]:
    by_project: dict[str, list[Desk]] = {}
    for desk in desks:
        by_project.setdefault(desk.project, []).append(desk)
    return by_project


@router.get("/clients.csv")
def export(person: PersonDep, sent: Annotated[ClientFilter, Query()]) -> Response:
    return _export(person, sent)


@router.post("/clients.csv")
def export_searched(person: PersonDep, sent: Annotated[ClientSearch, Form()]) -> Response:
    return _export(person, sent)


def _export(person: Person, sent: ClientFilter) -> Response:
    """Send all clients of the list as CSV, and note who has them."""
    if not person.may_see_clients:
        raise HTTPException(404, "There are no clients that you may see.")
    engine, query, now = connections.engine(), sent.query(), datetime.now(UTC)
    person.note("clients_exported", **_for_the_log(query))
    content = export_clients(engine, query, desks_of_all_projects(engine), now.date())
    disposition = {"Content-Disposition": f'attachment; filename="clients_{now:%Y-%m-%d}.csv"'}
    return StreamingResponse(content, media_type="text/csv; charset=utf-8", headers=disposition)


def _for_the_log(query: ClientQuery) -> dict[str, Any]:
    """Say which clients without what was searched for."""
    filters = {name: getattr(query, name) for name in ("project", "desk", "active", "type")}
    return {name: value for name, value in filters.items() if value is not None} | {"searched": bool(query.text)}
