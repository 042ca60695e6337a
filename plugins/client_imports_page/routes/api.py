"""The API for programs and for the page's own script: send a file, and follow it. JSON in and out."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated
from urllib.parse import quote

from airflow.exceptions import DagNotFound
from fastapi import APIRouter, Depends, Header, HTTPException, Path, Query, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse

from client_imports_page import connections, feeds, sent_files, wording
from client_imports_page.answers import BODY, OF_A_BODY, Result, UploadStatus, not_done
from client_imports_page.permissions import Person, PersonDep, visible_import
from client_imports_page.rendering import airflow_of, root_of
from include.adapters.database import ledger, remembered, uploads
from include.airflow_support import runs
from include.airflow_support.runs import dag_id_of
from include.errors import UploadNotFound
from include.models import FINAL_STATES, State
from include.schemas.client_tables import Import, Upload
from include.schemas.feed import Feed
from include.steps.cancel import cancel
from include.steps.context import ImportContext
from include.steps.import_file import result_of
from include.steps.upload import UploadRequest, Writing, check_room, files_before, is_there

router = APIRouter(prefix="/api")

_NO_RUN = (
    "The run could not be started, and the file is safe in the inbox: the feed's next run imports it. Or a server does "
    "not answer: send the file again, with the same key."
)
_REMEMBERED = timedelta(days=7)  # how long an upload's result is shown to a person who does not dismiss it


UploadId = Annotated[str, Path(description="`upload_id` of the answer to the upload.")]
_UNKNOWN = not_done(
    s404="There is no such upload or import, or you may not see it.", s422="A character in it is in no ID.",
)  # fmt: skip
# What comes with a file, in a request that has it as its body.
ContentType = Annotated[str, Header(include_in_schema=False)]
Disposition = Annotated[str, Header(description='`attachment; filename="clients.csv"`. It is no part of the URL.')]
Mapping = Annotated[str, Header(description="What columns and words mean: ASCII JSON with `columns` and `values`.")]


def importable(person: PersonDep, feed: str) -> Feed:
    """Give the feed to import to. Raises 404 for one that the person cannot see, 403 for one they may only see."""
    known = feeds.with_a_dag().get(feed) if feed in person.feeds else None
    if known is None:
        raise HTTPException(404, "There is no such feed, or you may not see it.")
    if not person.may_import(feed):
        raise HTTPException(403, f"You may see the feed {feed}, but not import to it.")
    return known


def corrected_import(
    person: PersonDep, feed: Annotated[Feed, Depends(importable)],
    corrects: Annotated[str | None, Query(description="The import whose failed rows the file has, corrected.")] = None,
) -> str | None:  # fmt: skip
    """Give the import whose failed rows a file has. Raises ImportNotFound, and 422 for an import of another feed."""
    if corrects is None:
        return None
    entry = visible_import(corrects, person)
    if entry.feed != feed.name:
        raise HTTPException(422, f"The file corrects an import of the feed {entry.feed}: send it to that one.")
    return entry.id


@router.post(
    "/imports", status_code=202, response_model=UploadStatus, openapi_extra=BODY,
    responses=not_done(**OF_A_BODY, s429="50 of your uploads wait for a run. Send the file again later.", s503=_NO_RUN),
)  # fmt: skip
async def send(
    request: Request, person: PersonDep, feed: Annotated[Feed, Depends(importable)],
    corrected: Annotated[str | None, Depends(corrected_import)],
    dry_run: Annotated[bool, Query(description="Do everything but the write.")] = False,
    force: Annotated[bool, Query(description="Import bytes that the feed has imported last once more.")] = False,
    remember: Annotated[bool, Query(description="Read the feed's next files by the mapping, too.")] = False,
    content_type: ContentType = "", content_disposition: Disposition = "", client_imports_mapping: Mapping = "",
    idempotency_key: Annotated[
        str | None, Header(min_length=1, max_length=200, description="The same key is the same upload.")
    ] = None,
) -> JSONResponse:  # fmt: skip
    """Send a file as the body.

    The answer says how to follow it (`Location`). What can be refused before the body is read, is.
    """
    # The file's name comes in a header: servers log URLs, and a file name may hold the name of a person.
    mapping = sent_files.mapping_of(client_imports_mapping)
    name = sent_files.name_of(content_type, content_disposition)
    context = connections.context_of(feed)
    upload_request = UploadRequest(
        person.name, name, dry_run, force, key=idempotency_key, corrects=corrected, mapping=mapping,
        email=person.email,
    )  # fmt: skip
    writing = Writing(context, upload_request, request.state.body.announced)
    await run_in_threadpool(check_room, context, upload_request)
    with writing:
        await sent_files.receive(request, writing)
        upload = await run_in_threadpool(writing.finish)
    if remember:
        said, now = mapping.only_beside(feed), datetime.now(UTC)
        await run_in_threadpool(remembered.remember, context.engine, feed.name, said, person.name, now)
    await run_in_threadpool(start, upload, person)
    followed = await run_in_threadpool(follow, request, context, upload)
    headers = {"Location": f"{root_of(request)}/api/uploads/{upload.id}", "Retry-After": "1"}
    return JSONResponse(followed.model_dump(exclude_unset=True), 202, headers)


def start(upload: Upload, person: Person) -> None:
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


@router.get("/uploads", include_in_schema=False, response_model_exclude_unset=True)
def mine(request: Request, person: PersonDep) -> list[UploadStatus]:
    """List the person's uploads that they have not dismissed."""
    since = datetime.now(UTC) - _REMEMBERED
    unseen = uploads.unseen_by(connections.engine(), person.name, since)
    unseen = [upload for upload in unseen if upload.feed in person.feeds]
    return [follow(request, connections.context_of_feed_named(upload.feed), upload) for upload in unseen]


@router.get("/uploads/{upload_id}", response_model_exclude_unset=True, responses=_UNKNOWN)
def one_upload(request: Request, upload_id: UploadId, person: PersonDep) -> UploadStatus:
    """Say how far an upload is, with the import's result once it has ended."""
    upload = _visible_upload(upload_id, person)
    context = connections.context_of_feed_named(upload.feed)
    followed = follow(request, context, upload)
    followed.can_be_cancelled &= may_cancel(upload, person)
    if followed.done and followed.import_id:
        followed.result = _result(followed.import_id, person)
    return followed


@router.post("/uploads/{upload_id}/seen", include_in_schema=False)
def seen(upload_id: str, person: PersonDep) -> dict[str, bool]:
    """Note that the person has dismissed the status of an upload."""
    uploads.note_seen(connections.engine(), _visible_upload(upload_id, person).id, person.name, datetime.now(UTC))
    return {"seen": True}


@router.post(
    "/uploads/{upload_id}/cancel", response_model_exclude_unset=True,
    responses=_UNKNOWN | not_done(s403="You may see the feed, but not import to it.", s409="It is too late."),
)  # fmt: skip
def cancel_upload(request: Request, upload_id: UploadId, person: PersonDep) -> UploadStatus:
    """End an upload while nothing of it is written: for its sender, and for who may import to the feed."""
    upload = _visible_upload(upload_id, person)
    if not may_cancel(upload, person):
        raise HTTPException(403, f"You may see the feed {upload.feed}, but not import to it.")
    context = connections.context_of_feed_named(upload.feed)
    cancelled = cancel(context, upload.id, person.name)
    person.note("upload_cancelled", upload_id=upload.id, import_id=cancelled.import_id or "")
    return follow(request, context, cancelled)


def may_cancel(upload: Upload, person: Person) -> bool:
    return upload.requested_by == person.name or person.may_import(upload.feed)


def _visible_upload(upload_id: str, person: Person) -> Upload:
    upload = uploads.find(connections.engine(), upload_id)
    if upload.feed not in person.feeds:
        if upload.import_id:
            person.note("import_refused", ledger.find(connections.engine(), upload.import_id))
        raise UploadNotFound(upload_id)
    return upload


def follow(request: Request, context: ImportContext, upload: Upload) -> UploadStatus:
    """Describe how far an upload is: for people, for programs, and with links."""
    entry = ledger.find(context.engine, upload.import_id) if upload.import_id else None
    step, sentence, tone, done = _progress(context, upload, entry)
    if entry is None and step == "Stopped":
        now = uploads.find(context.engine, upload.id)
        if now.import_id is not None or now.cancelled_at is not None:  # since `upload` was read
            return follow(request, context, now)
    run = entry.run_id if entry and entry.run_id else _run_of(upload)
    return UploadStatus(
        upload_id=upload.id, feed=upload.feed, file_name=entry.file_name if entry else upload.file_name,
        dry_run=upload.dry_run, step=step, sentence=sentence, tone=tone, done=done, can_be_cancelled=not done,
        failed=wording.failed_sentence(entry) if entry and done else "",
        import_id=upload.import_id, state=entry.state if entry else None,
        import_url=f"{root_of(request)}/imports/{entry.id}" if entry else None,
        run_url=f"{airflow_of(request)}/dags/{dag_id_of(upload.feed)}/runs/{quote(run, safe='')}",
    )  # fmt: skip


def _progress(context: ImportContext, upload: Upload, entry: Import | None) -> tuple[str, str, str, bool]:
    """Give (step, sentence, tone, done)."""
    if upload.cancelled_at is not None:
        return "Cancelled", f"Cancelled by {upload.cancelled_by}. Nothing was imported.", "quiet", True
    if entry is None:
        return _before_a_run(context, upload)
    if entry.state in FINAL_STATES or entry.state == State.HELD:
        return "Done", wording.ended(entry), wording.tone(entry), True
    if connections.has_stopped(entry):
        return "Stopped", wording.ended(entry, stopped=True), "error", True
    if entry.state == State.FAILED:
        return "Trying again", "System error. The file is safe, and the import is tried again.", "doing", False
    doing = wording.DOING[entry.state]
    return doing, wording.so_far(entry, doing), "doing", False


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
    before = files_before(context, upload)
    return "Waiting", wording.waiting_behind(before), "doing", False


@router.get("/imports/{import_id}", responses=_UNKNOWN)
def one_import(import_id: Annotated[str, Path(description="The import.")], person: PersonDep) -> Result:
    """Give the result of an import, which the command line prints with `--json`."""
    return _result(import_id, person)


def _result(import_id: str, person: Person) -> Result:
    """Give the result, and note who saw it: its problems quote cells."""
    entry = visible_import(import_id, person)
    person.note("import_viewed", entry)
    return Result(**result_of(connections.engine(), entry.id).as_json())
