"""The screen Feeds: the feeds whose imports the person may see."""

from __future__ import annotations

from datetime import UTC, datetime

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, Response

from client_imports_page import feeds
from client_imports_page.feed_rows import feed_rows
from client_imports_page.permissions import PersonDep
from client_imports_page.remembered_rows import remembered_feeds
from client_imports_page.rendering import show

router = APIRouter(default_response_class=HTMLResponse)


@router.get("/feeds")
def feed_list(request: Request, person: PersonDep) -> Response:
    rows = feed_rows(person, datetime.now(UTC))
    return show(
        request, "feeds.html", person, rows=rows, unreadable=feeds.why_unreadable(),
        remembered=remembered_feeds(person),
    )  # fmt: skip
