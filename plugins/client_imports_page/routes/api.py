"""What programs, and the page's own script, ask for: send a file, follow it, take it back. JSON in and out."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from typing import Annotated, Any
from urllib.parse import quote

from airflow.exceptions import DagNotFound
from fastapi import APIRouter, Depends, Header, HTTPException, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse

from client_imports_page import connections, wording
from client_imports_page.permissions import Person, PersonDep, visible_import
from client_imports_page.rendering import airflow_of, root_of
from client_imports_page.routes.details import can_be_imported_again
from include.adapters.database import ledger, uploads
from include.errors import UploadNotFound
from include.models import FINAL_STATES, Import, Upload
from include.schemas.feed import Feed
from include.steps.context import ImportContext
from include.steps.import_file import result_of
from include.steps.upload import UploadRequest, Writing, is_there

router = APIRouter(prefix="/api")

_BLOCK = 1 << 20  # bytes handed to the disk at once
_REMEMBERED = timedelta(days=7)  # how long somebody who never looked is told of an upload's end


def _importable(person: PersonDep, feed: str) -> Feed:
    """The feed to import to. Raises 404 for one that the person cannot see, 403 for one they may only see."""
    known = connections.feeds().get(feed) if feed in person.feeds else None
    if known is None:
        raise HTTPException(404, "There is no such feed, or you may not see it.")
    if not person.may_import(feed):
        raise HTTPException(403, f"You may see the feed {feed}, but not import to it.")
    return known


@router.post("/imports")
async def send(
    request: Request, person: PersonDep, feed: Annotated[Feed, Depends(_importable)],
    dry_run: bool = False, force: bool = False, content_type: Annotated[str, Header()] = "",
    content_disposition: Annotated[str, Header()] = "",
    idempotency_key: Annotated[str | None, Header(min_length=1, max_length=200)] = None,
) -> JSONResponse:  # fmt: skip
    """The file is the body. 202 and how to follow it; 400 when it is plainly wrong, 413 when it is too large.

    Its name comes in a header: servers log addresses, and a file name may hold a person's.
    """
    if content_type.partition(";")[0].strip().lower() != "text/csv":
        raise HTTPException(415, "Send the file as the body, with Content-Type: text/csv.")
    context = connections.context_of(feed)
    upload_request = UploadRequest(person.name, _file_name(content_disposition), dry_run, force, key=idempotency_key)
    upload = await _write(request, context, upload_request)
    await run_in_threadpool(_start, upload, person)
    followed = await run_in_threadpool(_followed, request, context, upload)
    return JSONResponse(followed, 202, {"Location": f"{root_of(request)}/api/uploads/{upload.id}", "Retry-After": "1"})


def _file_name(content_disposition: str) -> str:
    """'' when there is none, also when the header is no header: the parser fails in many ways on what nobody sends."""
    message = EmailMessage()
    with suppress(ValueError):  # UTF-8 as it is typed, which the web server reads as Latin-1
        content_disposition = content_disposition.encode("latin-1").decode("utf-8")
    with suppress(ValueError, LookupError, RecursionError):
        message["Content-Disposition"] = content_disposition or "attachment"
        return message.get_filename() or ""
    return ""


async def _write(request: Request, context: ImportContext, upload_request: UploadRequest) -> Upload:
    """As it comes in, never more than the feed's `max_bytes`, never all of it in memory."""
    with Writing(context, upload_request) as writing:
        block = bytearray()
        async for chunk in request.stream():
            block += chunk
            if len(block) >= _BLOCK:
                await run_in_threadpool(writing.write, bytes(block))
                block.clear()
        await run_in_threadpool(writing.write, bytes(block))
        return await run_in_threadpool(writing.finish)


def _start(upload: Upload, person: Person) -> None:
    """Start the run that takes the upload. It lies in the inbox: if this fails, the feed's next run takes it."""
    if upload.import_id is not None:
        return
    try:
        connections.trigger(connections.dag_of(upload.feed), _run_of(upload), {"upload": upload.id}, person.name)
    except DagNotFound:
        raise HTTPException(
            503, "The file is safe in the inbox, but Airflow does not know the feed's DAG yet. Its next run takes it."
        ) from None


def _run_of(upload: Upload) -> str:
    return f"upload__{upload.id}"


@router.get("/uploads")
def mine(request: Request, person: PersonDep) -> list[dict[str, Any]]:
    """What this person uploaded and has not been told the end of."""
    since = datetime.now(UTC) - _REMEMBERED
    unseen = [u for u in uploads.unseen_by(connections.engine(), person.name, since) if u.feed in person.feeds]
    return [
        _followed(request, connections.context_of(connections.feed_named(upload.feed)), upload) for upload in unseen
    ]


@router.get("/uploads/{upload_id}")
def one_upload(request: Request, upload_id: str, person: PersonDep) -> dict[str, Any]:
    """How far an upload is; with the import's result once it has ended."""
    upload = _visible_upload(upload_id, person)
    context = connections.context_of(connections.feed_named(upload.feed))
    followed = _followed(request, context, upload)
    if followed["done"] and upload.import_id:
        followed["result"] = result_of(context.engine, upload.import_id).as_json()
    return followed


@router.post("/uploads/{upload_id}/seen")
def seen(upload_id: str, person: PersonDep) -> dict[str, bool]:
    uploads.note_seen(connections.engine(), _visible_upload(upload_id, person).id, person.name, datetime.now(UTC))
    return {"seen": True}


def _visible_upload(upload_id: str, person: Person) -> Upload:
    upload = uploads.find(connections.engine(), upload_id)
    if upload.feed not in person.feeds:
        raise UploadNotFound(upload_id)
    return upload


def _followed(request: Request, context: ImportContext, upload: Upload) -> dict[str, Any]:
    """An upload as JSON: `step` and `sentence` for people, `done`, `tone`, and links."""
    entry = ledger.find(context.engine, upload.import_id) if upload.import_id else None
    step, sentence, tone, done = _progress(context, upload, entry)
    run = entry.run_id if entry and entry.run_id else _run_of(upload)
    return {
        "upload_id": upload.id, "feed": upload.feed, "file_name": entry.file_name if entry else upload.file_name,
        "dry_run": upload.dry_run, "step": step, "sentence": sentence, "tone": tone, "done": done,
        "failed": wording.failed_sentence(entry) if entry and done else "",
        "import_id": upload.import_id, "state": entry.state if entry else None,
        "import_url": f"{root_of(request)}/imports/{entry.id}" if entry else None,
        "run_url": f"{airflow_of(request)}/dags/{connections.dag_of(upload.feed)}/runs/{quote(run, safe='')}",
    }  # fmt: skip


def _progress(context: ImportContext, upload: Upload, entry: Import | None) -> tuple[str, str, str, bool]:
    """(step, sentence, tone, done)."""
    if entry is None:
        return _before_a_run(context, upload)
    if entry.state in FINAL_STATES or entry.state == "held":
        return "Done", wording.ended(entry), wording.tone(entry), True
    if connections.run_state(entry.dag_id or "", entry.run_id or "") == "failed":
        return "Stopped", wording.ended(entry), "fault", True
    if entry.state == "failed":
        return "Trying again", "A fault on our side. The file is safe and is tried again.", "doing", False
    return wording.DOING[entry.state], f"{wording.DOING[entry.state]}…", "doing", False


def _before_a_run(context: ImportContext, upload: Upload) -> tuple[str, str, str, bool]:
    state = connections.run_state(connections.dag_of(upload.feed), _run_of(upload))
    if not is_there(context, upload):
        return "Stopped", "The file left the inbox before a run could take it. Please send it again.", "fault", True
    if state in ("failed", "success"):
        why = "A fault on our side: the run ended without taking the file, which is safe in the inbox."
        return "Stopped", f"{why} The feed's next run takes it.", "fault", True
    if connections.is_paused(connections.dag_of(upload.feed)):
        return "Waiting", "The feed is paused in Airflow; the file waits until somebody switches it on.", "doing", False
    if state == "running":
        return "Received", "Received, the run has started…", "doing", False
    return "Waiting", "Received, waiting for the run to start…", "doing", False


@router.get("/imports/{import_id}")
def one_import(import_id: str, person: PersonDep) -> dict[str, Any]:
    """The same result that the command line prints with `--json`."""
    return result_of(connections.engine(), visible_import(import_id, person).id).as_json()


@router.post("/imports/{import_id}/import")
def import_again(request: Request, import_id: str, person: PersonDep) -> JSONResponse:
    """Import for real what was a dry run, or all the same what was imported before: the kept bytes are sent again."""
    entry = visible_import(import_id, person)
    feed = _importable(person, entry.feed)
    if not can_be_imported_again(entry):
        raise HTTPException(409, "Only a dry run, or a file refused as already imported, can be imported this way.")
    context = connections.context_of(feed)
    try:
        content = context.storage.read(entry.file_path or "")
    except FileNotFoundError:
        raise HTTPException(409, "The file is not in the storage any more. Please send it again.") from None
    forced = entry.forced or entry.state == "refused"
    upload_request = UploadRequest(person.name, entry.file_name, force=forced, note=f"again after {entry.id}")
    with Writing(context, upload_request) as writing:
        writing.write(content)
        upload = writing.finish()
    _start(upload, person)
    return JSONResponse(_followed(request, context, upload), 202)


@router.post("/imports/{import_id}/revert")
def take_back(request: Request, import_id: str, person: PersonDep) -> JSONResponse:
    """Start the run that undoes an import."""
    entry = visible_import(import_id, person)
    if not person.may_undo(entry.feed):
        raise HTTPException(403, "You may not start the DAG revert_import.")
    if entry.state != "merged" or entry.reverts_import_id:
        raise HTTPException(409, "Only a merged import can be undone.")
    run_id = f"undo__{entry.id}"
    if connections.run_state("revert_import", run_id) == "failed":
        raise HTTPException(409, f"The undo has failed before. Clear the run {run_id} of revert_import in Airflow.")
    try:
        connections.trigger("revert_import", run_id, {"import_id": entry.id}, person.name)
    except DagNotFound:
        raise HTTPException(503, "Airflow does not know the DAG revert_import yet. Please try again later.") from None
    return JSONResponse({"run_url": f"{airflow_of(request)}/dags/revert_import/runs/{run_id}"}, 202)
