"""Find what a run has to do: stable files of the inbox, uploads, and what dead runs left; and claim it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from include.adapters.database import ledger, uploads
from include.adapters.files.inbox import COUNT, Waiting
from include.adapters.files.storage import number_in
from include.errors import AnotherRunIsAhead, ClaimedByAnotherRun, FileNotInInbox, UploadCancelled
from include.models import RunRequest
from include.schemas.client_tables import Import, Upload
from include.steps.changed_files import give_back_late_writes
from include.steps.check_feed import check_feed
from include.steps.claims import Claims, claim, name_in_ledger, note_content
from include.steps.context import ImportContext, step
from include.steps.late_counts import as_text, compare_late_counts


@dataclass(frozen=True)
class Only:
    """The one file a run was started for: by its name in the inbox, or by the upload's id. Neither: every file."""

    file: str | None = None
    upload: str | None = None


EVERYTHING = Only()


def something_to_do(context: ImportContext, request: RunRequest, only: Only = EVERYTHING) -> bool:
    """Return True when a stable file waits, or when this run or a dead one left an import unfinished.

    Raises FileNotInInbox when the one file of the request is not there, and for an upload ClaimedByAnotherRun or
    UploadCancelled.
    """
    give_back_late_writes(context)
    compare_late_counts(context)
    if _unfinished(context, request):
        return True
    if only.file is not None and not context.storage.is_in_inbox(context.feed.inbox, only.file):
        raise FileNotInInbox(_where_it_went(context, only.file))
    if only.upload is not None:
        _check_upload_waits(context, only.upload)
    # A claim that failed is tried again, also when nothing else waits.
    return bool(_waiting(context, only) or ledger.claims(context.engine, context.feed.name))


def _check_upload_waits(context: ImportContext, upload_id: str) -> None:
    upload = uploads.find(context.engine, upload_id)
    if upload.feed != context.feed.name:
        raise FileNotInInbox(f"Feed {context.feed.name} has no upload {upload_id}.")
    if upload.import_id is not None:
        raise ClaimedByAnotherRun(f"Another run has claimed upload {upload_id}: import {upload.import_id}.")
    if upload.cancelled_at is not None:
        raise UploadCancelled(f"Upload {upload_id} was cancelled.")


def _where_it_went(context: ImportContext, name: str) -> str:
    earlier = ledger.newest_of_name(context.engine, context.feed.name, name)
    not_there = f"The inbox of feed {context.feed.name} has no file {name!r}."
    return not_there if earlier is None else f"{not_there} It was claimed before: import {earlier.id}, {earlier.state}."


def receive(context: ImportContext, request: RunRequest, only: Only = EVERYTHING) -> list[Import]:
    """Claim the files that wait, and return the imports of this run in order of arrival.

    Repeating it claims nothing twice: what a dead process has claimed is finished first. Raises AnotherRunIsAhead, and
    FeedInvalid before it claims anything.
    """
    check_feed(context.feed, context.engine, context.clock())
    claims = Claims(context)
    with ledger.only_one(context.engine, f"receive {context.feed.name}") as connection:
        give_back_late_writes(context)
        compare_late_counts(context)
        for claimed in ledger.claims(context.engine, context.feed.name):
            claims.finish(claimed)
        unfinished = _unfinished(context, request)
        for entry in (*unfinished, *claims.mended):
            ledger.change(context.engine, entry.id, dag_id=request.dag_id, run_id=request.run_id)
        to_claim = _waiting(context, only)[: max(0, context.feed.max_files_per_run - len(unfinished))]
        if to_claim:
            _check_order(context, request)
        for waiting in to_claim:
            # Through the lock's own connection: a process that has lost the lock unnoticed can claim nothing.
            claimed_now = claim(connection, context, *waiting, request)
            if claimed_now is not None:
                claims.finish(claimed_now, waiting[0].modified)
    claims.raise_if_none_succeeded()
    received = ledger.of_request(context.engine, request)
    return [entry for entry in received if entry.inbox_name is None]


def _check_order(context: ImportContext, request: RunRequest) -> None:
    """Each run merges its files in order of arrival, so two runs of a feed must not have files on the way at once."""
    dag_id, run_id = request.dag_id or "", request.run_id or ""
    now = context.clock()
    if later := ledger.on_the_way_in_later_runs(context.engine, dag_id, run_id, request.started, now):
        raise AnotherRunIsAhead(
            f"Run {later[0].run_id} of this feed has files on the way. This run claims its files when those are merged."
        )


def receive_copy(context: ImportContext, path: Path, request: RunRequest) -> Import:
    """Open an import for a file that stays where it is (command line)."""
    with context.engine.begin() as connection:
        entry = ledger.open_import(
            connection, context.feed.name, as_text(path.name), request, context.clock()
        )  # fmt: skip
    with step(context, "receive", entry.id):
        context.storage.stage(entry.id, path)
        with suppress(FileNotFoundError):
            count = path.with_name(f"{path.name}{COUNT}").read_bytes()
            ledger.change(context.engine, entry.id, announced_records=number_in(count))
        note_content(context, entry)
    return ledger.find(context.engine, entry.id)


def _unfinished(context: ImportContext, request: RunRequest) -> list[Import]:
    dag_id, run_id = request.dag_id or "", request.run_id or ""
    own = ledger.of_run(context.engine, dag_id, run_id)
    return own + ledger.stalled(context.engine, dag_id, run_id, request.started, context.clock())


def _waiting(context: ImportContext, only: Only) -> list[tuple[Waiting, Upload | None]]:
    """List what can be claimed, in order of arrival. Files, and uploads, of the same second keep their order."""
    claimed = {entry.inbox_name for entry in ledger.claims(context.engine, context.feed.name)}
    every = (*_waiting_files(context, only), *_waiting_uploads(context, only))
    waiting = [each for each in every if name_in_ledger(each[0].name) not in claimed]
    return sorted(waiting, key=lambda each: int(each[0].modified))


def _waiting_files(context: ImportContext, only: Only) -> Iterator[tuple[Waiting, None]]:
    feed = context.feed
    if only.upload is None:
        for file in context.storage.stable_files(feed.inbox, feed.file_pattern, feed.stable_seconds, feed.side_files):
            if only.file in (None, file.name):
                yield file, None


def _waiting_uploads(context: ImportContext, only: Only) -> Iterator[tuple[Waiting, Upload]]:
    """List uploads that are there. An upload is whole once it is there, so it need not become stable."""
    if only.file is None:
        for upload in uploads.waiting(context.engine, context.feed.name):
            if only.upload in (None, upload.id) and (file := context.storage.waiting_upload(upload.id)):
                yield file, upload
