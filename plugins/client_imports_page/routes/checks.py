"""Check a file before it is sent: what its import would do, with nothing written."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, HTTPException, Request
from fastapi.concurrency import run_in_threadpool

from client_imports_page import checking, connections, sent_files
from client_imports_page.permissions import PersonDep
from client_imports_page.routes.api import importable
from include.airflow_support.runs import dag_id_of
from include.errors import CheckImpossible
from include.schemas.feed import Feed
from include.steps.upload import UploadRequest, Writing
from include.transforms.csv_reading.unpacking import compression_of

router = APIRouter(prefix="/api")


@router.post("/checks")
async def check(
    request: Request, person: PersonDep, feed: Annotated[Feed, Depends(importable)],
    suggest: bool = False, content_type: Annotated[str, Header()] = "",
    content_disposition: Annotated[str, Header()] = "", client_imports_mapping: Annotated[str, Header()] = "",
) -> dict[str, Any]:  # fmt: skip
    """Receive a file as the body, as an upload is received, and keep nothing of it.

    Answers 503 where the check itself is impossible: the file can be sent all the same.
    """
    mapping = sent_files.mapping_of(client_imports_mapping)
    name = sent_files.name_of(content_type, content_disposition)
    writing = Writing(connections.context_of(feed), UploadRequest(person.name, name), request.state.body.announced)
    with writing:
        await sent_files.receive(request, writing)
        path = await run_in_threadpool(writing.written)
        await run_in_threadpool(person.note, "file_checked", dag_id=dag_id_of(feed.name))
        try:
            return await run_in_threadpool(checking.check, feed, name, path, mapping, suggest)
        except CheckImpossible as impossible:
            sentence = f"The file could not be checked: {impossible}. It can be imported all the same."
            raise HTTPException(503, sentence) from None


@router.post("/checks/warm")
def warm(feed: Annotated[Feed, Depends(importable)]) -> dict[str, bool]:
    """Get ready: the dialog was opened, and a file will follow."""
    checking.warm(feed)
    return {"warm": True}


@router.post("/drafts")
async def draft(
    request: Request, person: PersonDep, content_type: Annotated[str, Header()] = "",
    content_disposition: Annotated[str, Header()] = "",
) -> dict[str, Any]:  # fmt: skip
    """Write a feed file for a partner's sample, and keep nothing of it: feeds are files of the repository.

    The text names projects and desks, which everyone knows who may import to some feed.
    """
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
            return await run_in_threadpool(checking.draft, name, path)
        except CheckImpossible as impossible:
            raise HTTPException(503, f"No feed could be drafted: {impossible}.") from None
