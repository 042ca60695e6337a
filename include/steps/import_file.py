"""All steps for one file in one process, without Airflow: for the command line, tests and benchmarks."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import sqlalchemy as sa

from include.adapters.database import import_rows, ledger
from include.adapters.files.staging import StagingMemory
from include.adapters.files.storage import Storage
from include.errors import FileRefused
from include.models import ImportResult, RunRequest
from include.schemas.feed import Feed
from include.steps.archive import archive
from include.steps.check_feed import check_ids, read_references
from include.steps.context import ImportContext, utc_now
from include.steps.merge import merge
from include.steps.prepare import prepare
from include.steps.receive import receive_copy
from include.steps.validate import validate
from include.transforms.matching.feed_references import has_ids


def import_file(
    path: Path,
    *,
    feed: Feed,
    engine: sa.Engine,
    storage: Storage,
    by: str = "",
    note: str = "",
    force: bool = False,
    dry_run: bool = False,
    clock: Callable[[], datetime] = utc_now,
) -> ImportResult:
    """Import one file, which stays where it is; a copy is archived.

    A refused file is a result, not an error. A system error is raised, and the ledger notes `failed`. FeedInvalid comes
    before anything else, where the CRM does not have a project or desk that the feed names.
    """
    if has_ids(feed):
        check_ids(feed, read_references(engine))
    context = ImportContext(feed, engine, storage, StagingMemory(storage.root), clock)
    entry = receive_copy(context, path, RunRequest(by=by, note=note, force=force, dry_run=dry_run))
    try:
        for step in (validate, prepare, merge):
            step(context, entry.id)
    except FileRefused:
        pass
    archive(context, entry.id)
    return result_of(engine, entry.id)


def result_of(engine: sa.Engine, import_id: str) -> ImportResult:
    """Read what became of an import."""
    entry = ledger.find(engine, import_id)
    return ImportResult(
        file=entry.file_name,
        import_id=entry.id,
        state=entry.state,
        code=entry.code,
        message=entry.message,
        line=entry.line,
        counts=entry.counts,
        report=entry.report_path,
        planned=entry.planned_path,
        problems=tuple(import_rows.problems_of(engine, import_id)),
    )
