"""Lists of imports: all of them, and the tabs on DAG, run and task."""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from pydantic import BaseModel, Field

from client_imports_page import connections, wording
from client_imports_page.charts import Chart, charts
from client_imports_page.permissions import Person, PersonDep, visible_import
from client_imports_page.rendering import root_of, show
from include.adapters.database import import_rows, ledger, page_imports
from include.adapters.database.page_imports import ListQuery
from include.errors import ImportNotFound
from include.steps.review import REVIEW_DAG
from include.schemas.email_addresses import email_key

router = APIRouter(default_response_class=HTMLResponse)

CHART_DAYS = 30


class Asked(BaseModel):
    """The list's filter as it was sent: every value may be anything."""

    feed: str = ""
    state: str = ""
    since: str = ""
    until: str = ""
    q: str = ""
    tz: str = ""

    def filter(self, person: Person) -> ListQuery:
        zone = _zone(self.tz)
        typed = self.q.strip()
        address = typed if "@" in typed else ""
        return ListQuery(
            feeds=sorted({self.feed} & person.feeds if self.feed else person.feeds),
            state=self.state if self.state in wording.STATES else None,
            since=_midnight(_day(self.since), zone),
            until=_midnight(_day(self.until), zone, days_later=1),
            text="" if address else typed,
            cell=address,
            email_key=email_key(address) or address if address else "",
        )

    @property
    def is_empty(self) -> bool:
        return not self.feed and not self.is_narrowed

    @property
    def is_narrowed(self) -> bool:
        """By more than a feed."""
        return any((self.state, self.since, self.until, self.q))


def _zone(name: str) -> Any:
    with suppress(Exception):  # whatever it is that is no zone
        return ZoneInfo(name)
    return UTC


def _day(text: str) -> date | None:
    with suppress(ValueError, OverflowError):
        return date.fromisoformat(text)
    return None


def _midnight(day: date | None, zone: Any, days_later: int = 0) -> datetime | None:
    with suppress(OverflowError):
        return datetime.combine(day + timedelta(days_later), time(), zone).astimezone(UTC) if day else None
    return None


class Place(Asked):
    """A filter and where in the list: before or after an arrival."""

    before: Annotated[int | None, Field(ge=0, le=2**62)] = None
    after: Annotated[int | None, Field(ge=0, le=2**62)] = None
    dag_id: str = ""


# The form posts when an e-mail is looked for: servers log what stands in an URL.
@router.get("/")
def imports(request: Request, person: PersonDep, place: Annotated[Place, Query()]) -> Response:
    return _list(request, person, place)


@router.post("/")
def imports_posted(request: Request, person: PersonDep, place: Annotated[Place, Form()]) -> Response:
    return _list(request, person, place)


@router.get("/dag")
def of_dag(request: Request, person: PersonDep, place: Annotated[Place, Query()]) -> Response:
    """The tab of a DAG: its feed's imports."""
    feed = connections.feed_of(place.dag_id)
    if feed is None or feed not in person.feeds:
        return show(request, "not_an_import.html", person, what="DAG")
    return _list(request, person, place.model_copy(update={"feed": feed}))


@router.post("/dag")
def of_dag_posted(request: Request, person: PersonDep, place: Annotated[Place, Form()]) -> Response:
    return of_dag(request, person, place)


def _list(request: Request, person: Person, place: Place) -> Response:
    wanted, engine = place.filter(person), connections.engine()
    screen = page_imports.screen(engine, wanted, place.before, place.after)
    drawn: Sequence[Chart] = []
    if not place.is_narrowed and place.before is None and place.after is None:
        today = datetime.now(UTC).date()
        since = datetime.combine(today - timedelta(days=CHART_DAYS - 1), time(), UTC)
        drawn = charts(page_imports.days(engine, wanted.feeds, since), today, CHART_DAYS)
    return show(
        request, "imports.html", person, screen=screen, charts=drawn, asked=place, dag_id=place.dag_id, query=_query
    )


def _query(place: Place, dag_id: str = "", **more: object) -> dict[str, object]:
    """The filter as query parameters, without what is empty."""
    own = {name: getattr(place, name) for name in Asked.model_fields}
    return {name: value for name, value in {**own, "dag_id": dag_id, **more}.items() if value not in ("", None)}


@router.get("/run")
def of_run(request: Request, person: PersonDep, dag_id: str, run_id: str) -> Response:
    """The tab of a run: its imports, those with most failed rows first."""
    engine = connections.engine()
    if reviewed := re.fullmatch(r"held__([0-9a-f-]{36})__\w*", run_id) if dag_id == REVIEW_DAG else None:
        with suppress(ImportNotFound):
            return _to_import(request, visible_import(reviewed[1], person).id)
    entries = [entry for entry in ledger.of_run(engine, dag_id, run_id) if entry.feed in person.feeds]
    if not entries:
        return show(request, "not_an_import.html", person, what="run")
    entries.sort(key=lambda entry: (entry.state not in ("failed", "refused", "held"), -entry.counts.failed))
    causes = {entry.id: import_rows.causes(engine, entry.id, most=5) for entry in entries if entry.counts.failed}
    return show(request, "run.html", person, entries=entries, causes=causes)


@router.get("/task")
def of_task(
    request: Request, person: PersonDep, dag_id: str, run_id: Annotated[str, Query(pattern=r"^[^\x00]*$")],
    map_index: int = -1,
) -> Response:  # fmt: skip
    """The tab of a mapped task: the import it works on."""
    if connections.feed_of(dag_id) in person.feeds:
        import_id = connections.import_of_task(dag_id, run_id, map_index)
        if import_id is not None:
            return _to_import(request, import_id)
    return show(request, "not_an_import.html", person, what="task")


def _to_import(request: Request, import_id: str) -> Response:
    return RedirectResponse(f"{root_of(request)}/imports/{import_id}", 303)
