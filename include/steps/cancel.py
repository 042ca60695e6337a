"""Cancel an upload while nothing of it is written (SPEC.md section 15)."""

from __future__ import annotations

from include.adapters.database import uploads
from include.adapters.files.storage import upload_name
from include.errors import TooLateToCancel
from include.models import State
from include.schemas.client_tables import Upload
from include.steps.context import ImportContext
from include.steps.discard import discard


def cancel(context: ImportContext, upload_id: str, by: str) -> Upload:
    """End an upload that is not imported; one that was cancelled before stays as it is. Raises TooLateToCancel.

    One that no run has claimed leaves the inbox. Of one that a run has claimed, the import is discarded.
    """
    if uploads.cancel(context.engine, upload_id, by, context.clock()):
        context.storage.delete_upload(upload_name(upload_id))
    upload = uploads.find(context.engine, upload_id)
    if upload.import_id is not None:
        _discard(context, upload.import_id, by)
    return upload


def _discard(context: ImportContext, import_id: str, by: str) -> None:
    ended = discard(context, import_id, by)
    if ended.state in (State.MERGED, State.REVERTED):
        raise TooLateToCancel("It was imported already.")
    if ended.state != State.DISCARDED:
        raise TooLateToCancel(f"It has ended already: {ended.state.label}.")
