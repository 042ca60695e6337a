"""The API for programs and for the page's own script: send a file, follow it, undo its import. JSON in and out."""

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

from client_imports_page import connections, feeds, wording
from client_imports_page.permissions import Person, PersonDep, visible_import
from client_imports_page.rendering import airflow_of, root_of
from client_imports_page.routes.details import can_be_imported_again
from include.adapters.database import ledger, uploads
from include.airflow_support import runs
from include.airflow_support.runs import REVERT_DAG, dag_id_of
from include.errors import UploadNotFound
from include.models import FINAL_STATES, State
from include.schemas.client_tables import Import, Upload
from include.schemas.feed import Feed
from include.steps.context import ImportContext
from include.steps.import_file import result_of
from include.steps.upload import UploadRequest, Writing, is_there

router = APIRouter(prefix="/api")

_BLOCK = 1 << 20  # bytes handed to the disk at once
_REMEMBERED = timedelta(days=7)  # how long an upload's result is shown to a person who does not dismiss it


def _importable(person: PersonDep, feed: str) -> Feed:
    """Give the feed to import to. Raises 404 for one that the person cannot see, 403 for one they may only see."""
    known = feeds.with_a_dag().get(feed) if feed in person.feeds else None
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
    """Receive a file as the body. Answers 202 and how to follow it; 400 when it is plainly wrong, 413 when too large.

    Its name comes in a header: servers log URLs, and a file name may hold the name of a person.
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
    """Read the file name from the header; '' when there is none, or when the header cannot be parsed."""
    message = EmailMessage()
    with suppress(ValueError):  # plain UTF-8, which the web server reads as Latin-1
        content_disposition = content_disposition.encode("latin-1").decode("utf-8")
    with suppress(ValueError, LookupError, RecursionError):
        message["Content-Disposition"] = content_disposition or "attachment"
        return message.get_filename() or ""
    return ""


async def _write(request: Request, context: ImportContext, upload_request: UploadRequest) -> Upload:
    """Write the body while it comes in: at most the feed's `max_bytes`, and never all of it in memory."""
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
    """Start the run that imports the upload. If this fails, the feed's next run imports it from the inbox."""
    if upload.import_id is not None:
        return
    try:
        runs.trigger_run(dag_id_of(upload.feed), _run_of(upload), {"upload": upload.id}, person.name)
    except DagNotFound:
        raise HTTPException(
            503, "The file is safe in the inbox, but Airflow does not know the feed's DAG yet. Its next run imports it."
        ) from None


def _run_of(upload: Upload) -> str:
    return f"upload__{upload.id}"


@router.get("/uploads")
def mine(request: Request, person: PersonDep) -> list[dict[str, Any]]:
    """List the person's uploads that they have not dismissed."""
    since = datetime.now(UTC) - _REMEMBERED
    unseen = uploads.unseen_by(connections.engine(), person.name, since)
    unseen = [upload for upload in unseen if upload.feed in person.feeds]
    return [_followed(request, connections.context_of_feed_named(upload.feed), upload) for upload in unseen]


@router.get("/uploads/{upload_id}")
def one_upload(request: Request, upload_id: str, person: PersonDep) -> dict[str, Any]:
    """Say how far an upload is, with the import's result once it has ended."""
    upload = _visible_upload(upload_id, person)
    context = connections.context_of_feed_named(upload.feed)
    followed = _followed(request, context, upload)
    if followed["done"] and upload.import_id:
        followed["result"] = result_of(context.engine, upload.import_id).as_json()
    return followed


@router.post("/uploads/{upload_id}/seen")
def seen(upload_id: str, person: PersonDep) -> dict[str, bool]:
    """Note that the person has dismissed the status of an upload."""
    uploads.note_seen(connections.engine(), _visible_upload(upload_id, person).id, person.name, datetime.now(UTC))
    return {"seen": True}


def _visible_upload(upload_id: str, person: Person) -> Upload:
    upload = uploads.find(connections.engine(), upload_id)
    if upload.feed not in person.feeds:
        raise UploadNotFound(upload_id)
    return upload


def _followed(request: Request, context: ImportContext, upload: Upload) -> dict[str, Any]:
    """Describe an upload as JSON: `step` and `sentence` for people, `done`, `tone`, and links."""
    entry = ledger.find(context.engine, upload.import_id) if upload.import_id else None
    step, sentence, tone, done = _progress(context, upload, entry)
    run = entry.run_id if entry and entry.run_id else _run_of(upload)
    return {
        "upload_id": upload.id, "feed": upload.feed, "file_name": entry.file_name if entry else upload.file_name,
        "dry_run": upload.dry_run, "step": step, "sentence": sentence, "tone": tone, "done": done,
        "failed": wording.failed_sentence(entry) if entry and done else "",
        "import_id": upload.import_id, "state": entry.state if entry else None,
        "import_url": f"{root_of(request)}/imports/{entry.id}" if entry else None,
        "run_url": f"{airflow_of(request)}/dags/{dag_id_of(upload.feed)}/runs/{quote(run, safe='')}",
    }  # fmt: skip


def _progress(context: ImportContext, upload: Upload, entry: Import | None) -> tuple[str, str, str, bool]:
    """Give (step, sentence, tone, done)."""
    if entry is None:
        return _before_a_run(context, upload)
    if entry.state in FINAL_STATES or entry.state == State.HELD:
        return "Done", wording.ended(entry), wording.tone(entry), True
    if runs.run_state(entry.dag_id or "", entry.run_id or "") == "failed":
        return "Stopped", wording.ended(entry), "error", True
    if entry.state == State.FAILED:
        return "Trying again", "System error. The file is safe, and the import is tried again.", "doing", False
    doing = wording.DOING[entry.state]
    return doing, f"{doing}…", "doing", False


def _before_a_run(context: ImportContext, upload: Upload) -> tuple[str, str, str, bool]:
    state = runs.run_state(dag_id_of(upload.feed), _run_of(upload))
    if not is_there(context, upload):
        return "Stopped", "The file left the inbox before a run could import it. Please send it again.", "error", True
    if state in ("failed", "success"):
        reason = "System error: the run ended without importing the file, which is safe in the inbox."
        return "Stopped", f"{reason} The feed's next run imports it.", "error", True
    if runs.is_paused(dag_id_of(upload.feed)):
        return "Waiting", "The feed is paused in Airflow. The file waits until the feed is switched on.", "doing", False
    if state == "running":
        return "Received", "Received, the run has started…", "doing", False
    return "Waiting", "Received, waiting for the run to start…", "doing", False


@router.get("/imports/{import_id}")
def one_import(import_id: str, person: PersonDep) -> dict[str, Any]:
    """Give the result that the command line prints with `--json`."""
    return result_of(connections.engine(), visible_import(import_id, person).id).as_json()


@router.post("/imports/{import_id}/import")
def import_again(request: Request, import_id: str, person: PersonDep) -> JSONResponse:
    """Import a file that was only checked, or that was refused as already imported: its kept bytes are sent again."""
    entry = visible_import(import_id, person)
    feed = _importable(person, entry.feed)
    if not can_be_imported_again(entry):
        raise HTTPException(409, "Only a dry run, or a file refused as already imported, can be imported this way.")
    context = connections.context_of(feed)
    try:
        content = context.storage.read(entry.file_path or "")
    except FileNotFoundError:
        raise HTTPException(409, "The file is not in the storage any more. Please send it again.") from None
    forced = entry.forced or entry.state == State.REFUSED
    upload_request = UploadRequest(person.name, entry.file_name, force=forced, note=f"again after {entry.id}")
    with Writing(context, upload_request) as writing:
        writing.write(content)
        upload = writing.finish()
    _start(upload, person)
    return JSONResponse(_followed(request, context, upload), 202)


@router.post("/imports/{import_id}/revert")
def revert(request: Request, import_id: str, person: PersonDep) -> JSONResponse:
    """Start the run that undoes an import."""
    entry = visible_import(import_id, person)
    if not person.may_undo(entry.feed):
        raise HTTPException(403, f"You may not start the DAG {REVERT_DAG}.")
    if entry.state != State.MERGED or entry.reverts_import_id:
        raise HTTPException(409, "Only a completed import can be undone.")
    run_id = f"undo__{entry.id}"
    if runs.run_state(REVERT_DAG, run_id) == "failed":
        raise HTTPException(409, f"The undo has failed before. Clear the run {run_id} of {REVERT_DAG} in Airflow.")
    try:
        runs.trigger_run(REVERT_DAG, run_id, {"import_id": entry.id}, person.name)
    except DagNotFound:
        raise HTTPException(503, f"Airflow does not know the DAG {REVERT_DAG} yet. Please try again later.") from None
    return JSONResponse({"run_url": f"{airflow_of(request)}/dags/{REVERT_DAG}/runs/{run_id}"}, 202)
