"""Correct failed rows on the page: check them while they are edited, and send them as a corrected report."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Header, HTTPException, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ValidationError

from client_imports_page import checking, connections, editing, feeds, wording
from client_imports_page.permissions import Person, PersonDep, visible_import
from client_imports_page.routes.api import follow, start
from include.adapters.database import ledger
from include.emails.summary import plural
from include.errors import CheckImpossible, FileRefused
from include.models import Outcome
from include.schemas.client_tables import Import, Upload
from include.schemas.feed import Feed
from include.steps.corrections import (
    Corrected,
    Corrections,
    Replacement,
    as_report,
    correct,
    name_of_correction,
    to_judge,
)
from include.steps.upload import UploadRequest, Writing

router = APIRouter(prefix="/api/imports/{import_id}/corrections")

_MOST_BYTES, _SECONDS = 4 << 20, 60.0


class SentReplacement(BaseModel):
    code: str
    field: str
    value: str
    text: str


class SentCorrections(BaseModel):
    """The body of both requests. `seen`: how many corrections the page knew when it was loaded."""

    cells: dict[int, dict[int, str]] = {}
    replacements: list[SentReplacement] = []
    seen: int = 0

    def as_corrections(self) -> Corrections:
        return Corrections(self.cells, [Replacement(**each.model_dump()) for each in self.replacements])


@router.post("/check")
async def check(request: Request, import_id: str, person: PersonDep) -> dict[str, Any]:
    """Say what would become of the failed rows as they are corrected now. Nothing is kept."""
    entry, feed = await run_in_threadpool(_correctable, import_id, person)
    sent = await _read(request)
    return await run_in_threadpool(_judge, entry, feed, sent)


@router.post("")
async def send(
    request: Request, import_id: str, person: PersonDep,
    idempotency_key: Annotated[str | None, Header(min_length=1, max_length=200)] = None,
) -> JSONResponse:  # fmt: skip
    """Import the failed rows as they are corrected: they are sent as the corrected report of the import."""
    entry, feed = await run_in_threadpool(_correctable, import_id, person)
    sent = await _read(request)
    upload = await run_in_threadpool(_send, entry, feed, sent, person, idempotency_key)
    followed = await run_in_threadpool(follow, request, connections.context_of(feed), upload)
    return JSONResponse(followed.model_dump(exclude_unset=True), 202)


def _correctable(import_id: str, person: Person) -> tuple[Import, Feed]:
    """Find an import whose rows the person may correct, and its feed. Raises ImportNotFound, 403 and 409."""
    entry = visible_import(import_id, person)
    if not person.may_import(entry.feed):
        person.note("import_refused", entry)
        raise HTTPException(403, f"You may see the feed {entry.feed}, but not import to it.")
    if not editing.may_correct(entry, person):
        raise HTTPException(409, "This import has no failed rows that can be corrected here.")
    feed = feeds.with_a_dag().get(entry.feed)
    if feed is None:
        raise HTTPException(409, f"The file of the feed {entry.feed} is missing or broken. Mend it, then try again.")
    return entry, feed


async def _read(request: Request) -> SentCorrections:
    request.state.body.allow(_MOST_BYTES, _SECONDS)
    try:
        return SentCorrections.model_validate_json(await request.body())
    except ValidationError:
        raise HTTPException(422, "Not understood: the corrections.") from None


def _judge(entry: Import, feed: Feed, sent: SentCorrections) -> dict[str, Any]:
    corrected = correct(connections.engine(), entry, sent.as_corrections())
    rows = to_judge(corrected)
    try:
        judged = checking.judge_rows(feed, as_report(entry, rows, feed)) if rows else []
    except FileRefused as refused:
        return {"rows": {}, "sentence": f"These rows would be refused as a whole. {refused.message}"}
    except CheckImpossible as impossible:
        sentence = f"The rows could not be checked: {impossible}. They can be imported all the same."
        raise HTTPException(503, sentence) from None
    verdicts = {
        failed.row: _verdict(outcome, problems)
        for failed, (_, outcome, problems) in zip(rows, judged, strict=True)
    }  # fmt: skip
    # What is wrong with a row that fails as it was sent is on the page already.
    told = {str(row): each for row, each in verdicts.items() if each["good"] or row in corrected.changed}
    return {"rows": told, "sentence": _sentence(corrected, [each["good"] for each in verdicts.values()])}


def _verdict(outcome: str, problems: list[dict[str, Any]]) -> dict[str, Any]:
    """Give what would become of a row, `good` unless it would fail, with its sentence and its problems."""
    shown = [{"field": problem["field"], "message": wording.visible(problem["message"])} for problem in problems]
    good = outcome != Outcome.FAILED
    return {"outcome": outcome, "good": good, "sentence": wording.WOULD_BE.get(outcome, ""), "problems": shown}


def _sentence(corrected: Corrected, good: list[bool]) -> str:
    number, failed, more = sum(good), good.count(False), len(corrected.rows) - len(good)
    sentence = f"{number:,} of {plural(len(good), 'row')} {'is' if number == 1 else 'are'} good now."
    if failed:
        sentence += f" {plural(failed, 'row')} would fail again, and can be corrected then."
    if more:
        sentence += f" {plural(more, 'more row')} that you did not change would fail again."
    return sentence


def _send(entry: Import, feed: Feed, sent: SentCorrections, person: Person, key: str | None) -> Upload:
    context = connections.context_of(feed)
    corrections = editing.corrections_of(entry, ledger.children(context.engine, entry.id))
    corrected = correct(context.engine, entry, sent.as_corrections())
    if not corrected.changed:
        raise HTTPException(409, "Nothing is corrected yet.")
    name = name_of_correction(entry.file_name)
    upload_request = UploadRequest(person.name, name, key=key, corrects=entry.id, email=person.email)
    with Writing(context, upload_request) as writing:
        writing.write(as_report(entry, corrected.rows, feed))
        if corrections > sent.seen and not writing.came_before():
            raise HTTPException(
                409, "Somebody else has sent corrections of these rows meanwhile. Load this page again to see them."
            )
        upload = writing.finish()
    start(upload, person)
    return upload
