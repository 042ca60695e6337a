"""What a person does to an import through the API: import it again, discard it, undo it."""

from __future__ import annotations

from typing import Any

from airflow.exceptions import DagNotFound
from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import JSONResponse

from client_imports_page import connections, feeds
from client_imports_page.permissions import Person, PersonDep, visible_import
from client_imports_page.rendering import airflow_of
from client_imports_page.routes.api import follow, start
from client_imports_page.routes.one_import import can_be_discarded, can_be_imported_again, can_be_undone
from include.airflow_support import runs
from include.airflow_support.runs import REVERT_DAG
from include.models import State
from include.schemas.client_tables import Import
from include.steps.discard import discard
from include.steps.upload import UploadRequest, Writing

router = APIRouter(prefix="/api/imports/{import_id}")


def _changeable(import_id: str, person: Person) -> Import:
    """Find an import. Raises ImportNotFound, and 403 for a person who may not import to its feed."""
    entry = visible_import(import_id, person)
    if not person.may_import(entry.feed):
        person.note("import_refused", entry)
        raise HTTPException(403, f"You may see the feed {entry.feed}, but not import to it.")
    return entry


@router.post("/import")
def import_again(request: Request, import_id: str, person: PersonDep) -> JSONResponse:
    """Import a file that was only checked, or skipped as already imported: its kept bytes are sent again."""
    entry = _changeable(import_id, person)
    if not can_be_imported_again(entry):
        raise HTTPException(409, "Only a dry run, or a file skipped as already imported, can be imported this way.")
    feed = feeds.with_a_dag().get(entry.feed)
    if feed is None:
        raise HTTPException(409, f"The file of the feed {entry.feed} is missing or broken. Mend it, then try again.")
    context = connections.context_of(feed)
    try:
        content = context.storage.read(entry.file_path or "")
    except FileNotFoundError:
        raise HTTPException(409, "The file is not in the storage any more. Please send it again.") from None
    forced = entry.forced or entry.state == State.SKIPPED
    note = f"again after {entry.id}"
    upload_request = UploadRequest(person.name, entry.file_name, force=forced, note=note, email=person.email)
    with Writing(context, upload_request) as writing:
        writing.write(content)
        upload = writing.finish()
    start(upload, person)
    return JSONResponse(follow(request, context, upload).model_dump(exclude_unset=True), 202)


@router.post("/discard")
def discard_import(import_id: str, person: PersonDep) -> dict[str, Any]:
    """End an import that no run goes on with: nothing of it is imported, and its file goes to `refused/`."""
    entry = _changeable(import_id, person)
    if not can_be_discarded(entry):
        raise HTTPException(409, "Only an import that is held, or that no run is working on, can be discarded.")
    person.note("import_discarded", entry)
    context = connections.context_of_feed_named(entry.feed)  # also of a broken feed: nothing else could end the import
    return {"state": discard(context, entry.id, person.name).state}


@router.post("/revert")
def revert(request: Request, import_id: str, person: PersonDep) -> JSONResponse:
    """Start the run that undoes an import."""
    entry = visible_import(import_id, person)
    if not person.may_undo(entry.feed):
        person.note("import_refused", entry)
        raise HTTPException(403, f"You may not start the DAG {REVERT_DAG}.")
    if not can_be_undone(entry):
        raise HTTPException(409, "Only an import that changed clients, and still has their old values, can be undone.")
    run_id = runs.undo_run_id(entry.id)
    if runs.run_state(REVERT_DAG, run_id) == "failed":
        raise HTTPException(409, f"The undo has failed before. Clear the run {run_id} of {REVERT_DAG} in Airflow.")
    try:
        runs.trigger_run(REVERT_DAG, run_id, {"import_id": entry.id}, person.name)
    except DagNotFound:
        raise HTTPException(503, f"Airflow does not know the DAG {REVERT_DAG} yet. Please try again later.") from None
    return JSONResponse({"run_url": f"{airflow_of(request)}/dags/{REVERT_DAG}/runs/{run_id}"}, 202)
