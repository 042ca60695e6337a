"""End an import that is not finished: a person says no to it, or nothing will go on with it (SPEC.md section 11)."""

from __future__ import annotations

from include.adapters.database import ledger
from include.adapters.files.paths import is_there
from include.models import FINAL_STATES, State
from include.schemas.client_tables import Import
from include.steps.archive import archive
from include.steps.claims import Claims, is_upload
from include.steps.context import ImportContext

# A file that could not be claimed is no import's any more: people take it out of the inbox, or correct it. No run takes
# an upload that an import has claimed.
_STAYS_IN_INBOX = "Its file is still in the inbox, where the next run takes it."
_UPLOAD_STAYS = "Its upload could not be moved to `refused/` and will be deleted. To import the file, send it again."


def discard(context: ImportContext, import_id: str, by: str, reason: str = "") -> Import:
    """Discard an import, whatever it waits for: its file goes to `refused/`, and nothing of it is imported.

    Gives the import as it is afterwards; one that has ended stays as it is. A task that works on it at this moment
    either ends it first or finds it discarded.
    """
    _finish_claim(context, import_id)
    with context.engine.begin() as connection:
        entry = ledger.lock(connection, import_id)
        if entry.state not in FINAL_STATES:
            said = f"Discarded by {by}" + (f": {reason}" if reason else ".")
            unclaimed = entry.inbox_name is not None
            stays = (_UPLOAD_STAYS if is_upload(entry) else _STAYS_IN_INBOX) if unclaimed else ""
            values = {"message": f"{said} {stays}".strip(), "inbox_name": None, "filed": unclaimed}
            ledger.enter_state(connection, import_id, State.DISCARDED, context.clock(), **values)
    archive(context, import_id)
    return ledger.find(context.engine, import_id)


def _finish_claim(context: ImportContext, import_id: str) -> None:
    """Finish a claim whose process died, where nobody else can take the file: an upload, or one in staging already."""
    if ledger.find(context.engine, import_id).inbox_name is None:
        return
    with ledger.only_one(context.engine, f"receive {context.feed.name}"):
        entry = ledger.find(context.engine, import_id)
        is_staged = is_there(context.storage.staged_source(import_id))
        if entry.inbox_name is not None and (is_staged or is_upload(entry)):
            Claims(context).finish(entry)
