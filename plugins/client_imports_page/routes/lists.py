"""Lists of imports: all imports, and the tabs on a DAG, a run and a task."""

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
from include.airflow_support import runs
from include.errors import ImportNotFound
from include.models import State
from include.schemas.client_tables import Import
from include.schemas.email_addresses import email_key
from include.steps.review import REVIEW_DAG

router = APIRouter(default_response_class=HTMLResponse)

CHART_DAYS = 30
_SHOWN_FIRST = (State.FAILED, State.REFUSED, State.HELD)


class ListFilter(BaseModel):
    """The filter as the form sent it; every value may be any text."""

    feed: str = ""
    state: str = ""
    since: str = ""
    until: str = ""
    q: str = ""
    tz: str = ""
    sort: str = ""
    order: str = ""

    def query(self, person: Person) -> ListQuery:
        """Give the query for the database, restricted to the feeds that the person may see."""
        zone, text = _zone(self.tz), self.q.strip()
        address = text if "@" in text else ""
        return ListQuery(
            feeds=sorted({self.feed} & person.feeds if self.feed else person.feeds),
            state=self.state if self.state in wording.STATES else None,
            since=_midnight(_day(self.since), zone),
            until=_midnight(_day(self.until), zone, days_later=1),
            text="" if address else text,
            cell=address,
            email_key=email_key(address) or address if address else "",
            sort=self.sorted_by,
            ascending=self.is_ascending,
        )

    @property
    def sorted_by(self) -> str:
        return self.sort if self.sort in page_imports.SORTS else "when"

    @property
    def is_ascending(self) -> bool:
        return self.order == "asc"

    @property
    def is_newest_first(self) -> bool:
        return self.sorted_by == "when" and not self.is_ascending

    @property
    def is_narrowed(self) -> bool:
        """Say whether it filters by more than a feed."""
        return any((self.state, self.since, self.until, self.q))


def _zone(name: str) -> Any:
    with suppress(Exception):  # zoneinfo fails in many ways on what is no zone
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


class ListPage(ListFilter):
    """A filter and a page of the list: the imports before or after an arrival number."""

    before: Annotated[int | None, Field(ge=0, le=2**62)] = None
    after: Annotated[int | None, Field(ge=0, le=2**62)] = None
    dag_id: str = ""


# The form posts when it holds an e-mail address, because servers log URLs.
@router.get("/imports")
def imports(request: Request, person: PersonDep, page: Annotated[ListPage, Query()]) -> Response:
    return _list(request, person, page)


@router.post("/imports")
def imports_posted(request: Request, person: PersonDep, page: Annotated[ListPage, Form()]) -> Response:
    return _list(request, person, page)


@router.get("/dag")
def of_dag(request: Request, person: PersonDep, page: Annotated[ListPage, Query()]) -> Response:
    """Show the tab of a DAG: the imports of its feed."""
    feed = runs.feed_of(page.dag_id)
    if feed is None or feed not in person.feeds:
        return show(request, "not_an_import.html", person, what="DAG")
    return _list(request, person, page.model_copy(update={"feed": feed}))


@router.post("/dag")
def of_dag_posted(request: Request, person: PersonDep, page: Annotated[ListPage, Form()]) -> Response:
    return of_dag(request, person, page)


def _list(request: Request, person: Person, page: ListPage) -> Response:
    query = page.query(person)
    screen = page_imports.screen(connections.engine(), query, page.before, page.after)
    if page.q.strip() and not screen.listed:
        person.note("search_failed", searched="imports")
    is_first = page.is_newest_first and page.before is None and page.after is None
    return show(
        request, "imports.html", person, screen=screen, is_first=is_first, dag_id=page.dag_id, parameters=_parameters,
        charts=_charts(query.feeds) if is_first and not page.is_narrowed else [], filters=page,
        posted=_parameters(page, page.dag_id, before=page.before, after=page.after) if "@" in page.q else {},
    )  # fmt: skip


def _charts(feeds: Sequence[str]) -> list[Chart]:
    today = datetime.now(UTC).date()
    since = datetime.combine(today - timedelta(days=CHART_DAYS - 1), time(), UTC)
    return charts(page_imports.days(connections.engine(), feeds, since), today, CHART_DAYS)


def _parameters(page: ListPage, dag_id: str = "", **more: object) -> dict[str, object]:
    """Give the filter as query parameters, without empty ones."""
    own = {name: getattr(page, name) for name in ListFilter.model_fields}
    if dag_id:
        del own["feed"]  # the tab of a DAG is of its feed alone
    return {name: value for name, value in {**own, "dag_id": dag_id, **more}.items() if value not in ("", None)}


@router.get("/run")
def of_run(request: Request, person: PersonDep, dag_id: str, run_id: str) -> Response:
    """Show the tab of a run: its imports, those with most failed rows first."""
    if reviewed := re.fullmatch(r"held__([0-9a-f-]{36})__\w*", run_id) if dag_id == REVIEW_DAG else None:
        with suppress(ImportNotFound):
            return _to_import(request, visible_import(reviewed[1], person).id)
    return _show_together(request, person, ledger.of_run(connections.engine(), dag_id, run_id))


def _show_together(request: Request, person: Person, imports: Sequence[Import]) -> Response:
    engine, entries = connections.engine(), _visible(imports, person)
    if not entries:
        return show(request, "not_an_import.html", person, what="run")
    entries.sort(key=lambda entry: (entry.state not in _SHOWN_FIRST, -entry.counts.failed))
    causes = {entry.id: import_rows.causes_of(engine, entry, most=5) for entry in entries if entry.counts.failed}
    return show(request, "run.html", person, entries=entries, causes=causes)


def _visible(entries: Sequence[Import], person: Person) -> list[Import]:
    """Give the imports that the person may see, and note who sees them."""
    is_over = not any(entry.state in wording.DOING for entry in entries)  # until then they are asked for every second
    for entry in entries:
        if entry.feed not in person.feeds:
            person.note("import_refused", entry)
        elif is_over:
            person.note("import_viewed", entry)
    return [entry for entry in entries if entry.feed in person.feeds]


@router.get("/task")
def of_task(
    request: Request, person: PersonDep, dag_id: str, run_id: Annotated[str, Query(pattern=r"^[^\x00]*$")],
    map_index: str = "",
) -> Response:  # fmt: skip
    """Show the tab of a task: the imports that a mapped task works on; of any other task, all imports of its run.

    Airflow gives no number for a task that is not mapped: it leaves the placeholder `{MAP_INDEX}` as it is.
    """
    if not re.fullmatch(r"\d{1,6}", map_index):
        return of_run(request, person, dag_id, run_id)
    if runs.feed_of(dag_id) in person.feeds:
        import_ids = runs.imports_of_task(dag_id, run_id, int(map_index))
        if len(import_ids) == 1:
            return _to_import(request, import_ids[0])
        if import_ids:
            imports = ledger.of_run(connections.engine(), dag_id, run_id)
            return _show_together(request, person, [entry for entry in imports if entry.id in import_ids])
    return show(request, "not_an_import.html", person, what="task")


def _to_import(request: Request, import_id: str) -> Response:
    return RedirectResponse(f"{root_of(request)}/imports/{import_id}", 303)
