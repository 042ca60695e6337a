"""Files to download: reports, templates, and the page's own styles and scripts."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import PurePath
from typing import Annotated

from fastapi import APIRouter, Header, HTTPException
from fastapi.responses import Response, StreamingResponse

from client_imports_page import connections
from client_imports_page.permissions import Person, PersonDep, visible_import
from client_imports_page.rendering import FOLDER
from include.schemas.client_tables import Import
from include.steps.result_file import has_result, result_file
from include.transforms import client_templates

router = APIRouter()

_CSV = "text/csv; charset=utf-8"
_LINES_AT_ONCE = 1_000
_TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}


@router.get("/imports/{import_id}/failed-rows.csv")
def failed_rows(import_id: str, person: PersonDep) -> Response:
    entry = visible_import(import_id, person)
    return _report(entry, entry.report_path, person, "failed rows")


@router.get("/imports/{import_id}/planned-changes.csv")
def planned_changes(import_id: str, person: PersonDep) -> Response:
    entry = visible_import(import_id, person)
    return _report(entry, entry.planned_path, person, "planned changes")


@router.get("/imports/{import_id}/result.csv")
def result(import_id: str, person: PersonDep) -> Response:
    """Send every record of an import with its outcome, client and problems. It is written while it is sent."""
    entry = visible_import(import_id, person)
    if not has_result(entry):
        raise HTTPException(404, "This import has no outcome for each of its rows.")
    person.note("report_downloaded", entry, report="result")
    lines = result_file(connections.context_of_feed_named(entry.feed), entry)
    name = f"{PurePath(entry.file_path or 'clients.csv').stem}.result.csv"
    return StreamingResponse(_blocks(lines), media_type=_CSV, headers=_attachment(name))


def _blocks(lines: Iterator[bytes]) -> Iterator[bytes]:
    """Join lines: each block that is sent costs a change of threads."""
    while block := b"".join(islice(lines, _LINES_AT_ONCE)):
        yield block


def _report(entry: Import, path: str | None, person: Person, report: str) -> Response:
    if path is None:
        raise HTTPException(404, "This import has no such report, or it is still being written.")
    try:
        content = connections.storage().read(path)
    except FileNotFoundError:
        raise HTTPException(404, "The report is not in the storage any more.") from None
    person.note("report_downloaded", entry, report=report)
    return _csv(content, path.rpartition("/")[2])


@router.get("/templates/{layout}.csv")
def template(layout: str) -> Response:
    if layout not in client_templates.LAYOUTS:
        raise HTTPException(404, "There is no such template.")
    return _csv(client_templates.template(layout), f"{layout}_template.csv")


def _csv(content: bytes, name: str) -> Response:
    return Response(content, media_type=_CSV, headers=_attachment(name))


def _attachment(name: str) -> dict[str, str]:
    """Let a browser save the answer. `name` is plain ASCII, as all file names that the storage makes."""
    return {"Content-Disposition": f'attachment; filename="{name}"'}


@router.get("/static/{name}")
def static(name: str, if_none_match: Annotated[str, Header()] = "") -> Response:
    """Send a style, a script or an icon, also these only to a person who is logged in."""
    path = next((file for file in (FOLDER / "static").iterdir() if file.name == name), None)
    if path is None or path.suffix not in _TYPES:
        raise HTTPException(404, "There is no such file.")
    tag = f'"{path.stat().st_mtime_ns:x}"'
    headers = {"ETag": tag, "Cache-Control": "private, no-cache"}
    if if_none_match == tag:
        return Response(status_code=304, headers=headers)
    return Response(path.read_bytes(), media_type=_TYPES[path.suffix], headers=headers)
