"""Files whose sender went on writing after they were read: nothing of them is lost (SPEC.md section 8)."""

from __future__ import annotations

from datetime import timedelta

from include.adapters.database import ledger
from include.adapters.files.paths import FilePath
from include.codes import Code, message_for
from include.schemas.client_tables import Import
from include.steps.context import ImportContext
from include.steps.prepare import prepare_again
from include.steps.validate import stage

_LOOK_BACK = timedelta(days=1)


def read_again_if_changed(context: ImportContext, entry: Import) -> None:
    """Read and prepare a staged file once more when it is not what was read any more. Raises FileRefused."""
    if _is_as_it_was(context, entry, context.storage.staged_source(entry.id)):
        return
    ledger.change(context.engine, entry.id, **stage(context, entry))
    prepare_again(context, entry)


def give_back_if_changed(context: ImportContext, entry: Import) -> None:
    """Put a file that changed after it was read back into its inbox, and note it. Repeating it does what is left."""
    storage, inbox, path = context.storage, context.feed.inbox, context.storage.root / (entry.file_path or "")
    # Given back, a file that was only checked would be imported.
    if entry.dry_run or not entry.file_path or _is_as_it_was(context, entry, path):
        return storage.release(inbox, entry.id)
    code = Code.FILE_CHANGED_AFTER_READING
    # Not mailed yet: this run, or the next one, mails it and is red.
    noted = {"code": code, "message": message_for(code, found=f"{entry.bytes:,}"), "line": None, "notified_state": None}
    ledger.change(context.engine, entry.id, **noted)
    storage.give_back(inbox, entry.file_name, entry.id, path)
    if "://" not in inbox:
        ledger.change(context.engine, entry.id, file_path=None)
    return None


def give_back_late_writes(context: ImportContext) -> None:
    """Look at the sizes of the files archived in the last day: a sender may pause for longer than an import takes."""
    since = context.clock() - _LOOK_BACK
    for import_id, path, size in ledger.archived_since(context.engine, context.feed.name, since):
        if not context.storage.has_size(context.storage.root / path, size):
            give_back_if_changed(context, ledger.find(context.engine, import_id))


def _is_as_it_was(context: ImportContext, entry: Import, path: FilePath) -> bool:
    if entry.bytes is None:
        return True
    return context.storage.is_as_it_was(context.feed.inbox, entry.id, path, entry.bytes, entry.sha256)
