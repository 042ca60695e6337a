"""What people have said of a feed's columns and words, remembered for its next files: forget it."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, HTTPException

from client_imports_page import connections
from client_imports_page.permissions import PersonDep
from client_imports_page.routes.api import importable
from include.adapters.database import remembered
from include.airflow_support.runs import dag_id_of
from include.schemas.feed import Feed

router = APIRouter(prefix="/api/feeds/{feed}/remembered")


@router.post("/forget")
def forget_all(person: PersonDep, feed: Annotated[Feed, Depends(importable)]) -> dict[str, int]:
    """Forget everything that a feed remembers. Its next file is read by the feed's own file alone."""
    person.note("mapping_forgotten", dag_id=dag_id_of(feed.name))
    return {"forgotten": remembered.forget(connections.engine(), feed.name)}


@router.post("/{entry_id}/forget")
def forget_one(person: PersonDep, feed: Annotated[Feed, Depends(importable)], entry_id: int) -> dict[str, int]:
    """Forget what one column or word means."""
    forgotten = remembered.forget(connections.engine(), feed.name, entry_id)
    if not forgotten:
        raise HTTPException(404, "This is not remembered any more.")
    person.note("mapping_forgotten", dag_id=dag_id_of(feed.name))
    return {"forgotten": forgotten}
