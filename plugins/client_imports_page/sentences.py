"""Sentences as HTML: `code` between backticks, times in the person's own zone, a link instead of an import's ID.

A sentence may quote a cell, so all of it is text, never markup, and what stands between “ and ” is left as it is.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime

from markupsafe import Markup, escape

from include.codes import printable

_PARTS = re.compile(
    r"(?P<quoted>“[^”]*”)|`(?P<code>[^`]+)`"
    r"|(?P<time>\d{4}-\d\d-\d\d \d\d:\d\d) UTC"
    r"|\(import (?P<id>[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\)"
)
_TIME = Markup('<time datetime="{iso}" title="{iso}">{shown}</time>')
_IMPORT = Markup('(<a href="{root}/imports/{id}" title="{id}">that import</a>)')


def as_html(sentence: object, root: str) -> Markup:
    """Write a sentence as HTML; `root` is the path of the page."""
    text, html, end = printable(str(sentence), keep="\n"), Markup(""), 0
    for found in _PARTS.finditer(text):
        html += escape(text[end : found.start()]) + _part(found, root)
        end = found.end()
    return html + escape(text[end:])


def _part(found: re.Match[str], root: str) -> Markup:
    if found["code"]:
        return Markup("<code>{}</code>").format(found["code"])
    if found["id"]:
        return _IMPORT.format(root=root, id=found["id"])
    if found["time"] and (at := _instant(found["time"])):
        return _TIME.format(iso=at.isoformat(timespec="milliseconds"), shown=found["time"])
    return escape(found[0])


def _instant(time: str) -> datetime | None:
    try:
        return datetime.strptime(time, "%Y-%m-%d %H:%M").replace(tzinfo=UTC)
    except ValueError:  # looks like a time, and is none
        return None
