"""Check a file before it is sent: what its import would do, with nothing written."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, HTTPException, Query, Request
from fastapi.concurrency import run_in_threadpool

from client_imports_page import checking, connections, sent_files
from client_imports_page.answers import BODY, OF_A_BODY, Draft, Preview, not_done
from client_imports_page.permissions import PersonDep
from client_imports_page.routes.api import ContentType, Disposition, Mapping, importable
from include.airflow_support.runs import dag_id_of
from include.errors import CheckImpossible
from include.schemas.feed import Feed
from include.steps.upload import UploadRequest, Writing
from include.transforms.csv_reading.unpacking import compression_of

router = APIRouter(prefix="/api")

_NOT_DRAFTED = not_done(**OF_A_BODY | {"s403": "You may not import to any feed."})
del _NOT_DRAFTED[404]


@router.post(
    "/checks", openapi_extra=BODY,
    responses=not_done(**OF_A_BODY, s503="The check is not possible. The file can be sent all the same."),
)  # fmt: skip
async def check(
    request: Request, person: PersonDep, feed: Annotated[Feed, Depends(importable)],
    suggest: Annotated[bool, Query(description="Add what columns and words are likely to mean.")] = False,
    content_type: ContentType = "", content_disposition: Disposition = "", client_imports_mapping: Mapping = "",
) -> Preview:  # fmt: skip
    """Say what the import of a file would do. The body is that of an upload; nothing of it is kept."""
    mapping = sent_files.mapping_of(client_imports_mapping)
    name = sent_files.name_of(content_type, content_disposition)
    writing = Writing(connections.context_of(feed), UploadRequest(person.name, name), request.state.body.announced)
    with writing:
        await sent_files.receive(request, writing)
        path = await run_in_threadpool(writing.written)
        await run_in_threadpool(person.note, "file_checked", dag_id=dag_id_of(feed.name))
        try:
            return Preview(**await run_in_threadpool(checking.check, feed, name, path, mapping, suggest))
        except CheckImpossible as impossible:
            sentence = f"The file could not be checked: {impossible}. It can be imported all the same."
            raise HTTPException(503, sentence) from None


@router.post("/checks/warm", include_in_schema=False)
def warm(feed: Annotated[Feed, Depends(importable)]) -> dict[str, bool]:
    """Get ready: the dialog was opened, and a file will follow."""
    checking.warm(feed)
    return {"warm": True}


@router.post("/drafts", openapi_extra=BODY, responses=_NOT_DRAFTED)
async def draft(
    request: Request, person: PersonDep, content_type: ContentType = "", content_disposition: Disposition = ""
) -> Draft:
    """Write a feed file for a partner's sample, and keep nothing of it: feeds are files of the repository."""
    # The text names projects and desks, which everyone knows who may import to some feed.
    if not await run_in_threadpool(lambda: person.may_see_clients):
        raise HTTPException(403, "You may not import to any feed.")
    name = sent_files.name_of(content_type, content_disposition)
    context = connections.context_of(Feed(name="draft", title="Draft", compression=compression_of(name)))
    writing = Writing(context, UploadRequest(person.name, name), request.state.body.announced)
    with writing:
        await sent_files.receive(request, writing)
        path = await run_in_threadpool(writing.written)
        await run_in_threadpool(person.note, "feed_drafted")
        try:
            return Draft(**await run_in_threadpool(checking.draft, name, path))
        except CheckImpossible as impossible:
            raise HTTPException(503, f"No feed could be drafted: {impossible}.") from None
