"""From templates to answers. Cells and file names are hostile text: every template escapes."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import jinja2
from fastapi import Request
from fastapi.responses import HTMLResponse, JSONResponse, Response

from client_imports_page import connections, wording
from client_imports_page.permissions import Person
from include.codes import Code
from include.schemas.client_rows import FIELDS

HERE = Path(__file__).parent


@cache
def _templates() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(HERE / "templates"), autoescape=True, undefined=jinja2.StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    environment.filters["number"] = lambda value: f"{value:,}"
    environment.filters["instant"] = _instant
    environment.filters["visible"] = wording.visible
    environment.globals.update(wording=wording, Code=Code, FIELDS=FIELDS)
    return environment


def _instant(value: datetime | str) -> dict[str, str]:
    """For `<time>`: the exact UTC instant, and what is read until the person's own zone is known."""
    at = (datetime.fromisoformat(value) if isinstance(value, str) else value).astimezone(UTC)
    return {"iso": at.isoformat(timespec="milliseconds"), "shown": f"{at:%Y-%m-%d %H:%M}"}


def page(request: Request, template: str, status: int = 200, **facts: Any) -> HTMLResponse:
    content = _templates().get_template(template).render(root=root_of(request), airflow=airflow_of(request), **facts)
    return HTMLResponse(content, status)


def show(request: Request, template: str, person: Person, **facts: Any) -> HTMLResponse:
    """A page with what every page has: who is here, and the feeds they may import to."""
    known = connections.feeds()
    importable = [known[name] for name in sorted(known) if person.may_import(name)]
    return page(request, template, person=person, importable=importable, **facts)


def root_of(request: Request) -> str:
    """The path that this application is served under."""
    return str(request.scope.get("root_path", "")).rstrip("/")


def airflow_of(request: Request) -> str:
    """The path that Airflow itself is served under."""
    return root_of(request).rpartition("/")[0]


def error_page(request: Request, status: int, sentence: str) -> Response:
    """For people a page, for programs JSON with the same sentence."""
    if "text/html" not in request.headers.get("accept", ""):
        return JSONResponse({"detail": sentence}, status)
    return page(request, "error.html", status, sentence=sentence, log_in=status == 401)
