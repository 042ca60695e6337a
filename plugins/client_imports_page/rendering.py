"""Answers made from templates. Cells and file names are hostile text, so every template escapes them."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import jinja2
from fastapi import Request
from fastapi.responses import HTMLResponse, JSONResponse, Response
from markupsafe import Markup

from client_imports_page import feeds, wording
from client_imports_page.permissions import Person
from client_imports_page.sentences import as_html
from include.codes import Code
from include.models import State
from include.schemas.client_rows import FIELDS

FOLDER = Path(__file__).parent


@cache
def _templates() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(FOLDER / "templates"), autoescape=True, undefined=jinja2.StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    environment.filters["number"] = lambda value: f"{value:,}"
    environment.filters["instant"] = _instant
    environment.filters["visible"] = wording.visible
    environment.filters["sentence"] = _sentence
    environment.globals.update(wording=wording, Code=Code, State=State, FIELDS=FIELDS)
    return environment


@jinja2.pass_context
def _sentence(context: jinja2.runtime.Context, text: object) -> Markup:
    return as_html(text, str(context["root"]))


def _instant(value: datetime | str) -> dict[str, str]:
    """Give the parts of a `<time>`: the exact instant, and UTC to show until the script knows the person's own zone."""
    at = (datetime.fromisoformat(value) if isinstance(value, str) else value).astimezone(UTC)
    return {"iso": at.isoformat(timespec="milliseconds"), "shown": f"{at:%Y-%m-%d %H:%M}"}


def page(request: Request, template: str, status: int = 200, **values: Any) -> HTMLResponse:
    """Render a template as a page."""
    content = _templates().get_template(template).render(root=root_of(request), airflow=airflow_of(request), **values)
    return HTMLResponse(content, status)


def show(request: Request, template: str, person: Person, **values: Any) -> HTMLResponse:
    """Render a page for a person, with the feeds that they may import to."""
    known = feeds.with_a_dag()
    importable = [known[name] for name in sorted(known) if person.may_import(name)]
    return page(request, template, person=person, importable=importable, **values)


def root_of(request: Request) -> str:
    """Give the path that this application is served under."""
    return str(request.scope.get("root_path", "")).rstrip("/")


def airflow_of(request: Request) -> str:
    """Give the path that Airflow itself is served under."""
    return root_of(request).rpartition("/")[0]


def error_page(request: Request, status: int, sentence: str) -> Response:
    """Answer a person with a page, and a program with JSON that holds the same sentence."""
    if "text/html" not in request.headers.get("accept", ""):
        return JSONResponse({"detail": sentence}, status)
    return page(request, "error.html", status, sentence=sentence, log_in=status == 401)
