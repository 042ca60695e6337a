"""Move the file of a finished import to where it stays, beside its report, and empty its staging (SPEC.md 8)."""

from __future__ import annotations

from include.adapters.database import ledger
from include.errors import ClientImportError, StepFailed
from include.models import State
from include.schemas.client_tables import Import
from include.steps.changed_files import give_back_if_changed
from include.steps.context import ImportContext
from include.steps.report import report, report_planned

_FOLDERS = {
    State.MERGED: "archive", State.PREVIEWED: "archive", State.SKIPPED: "archive", State.REFUSED: "refused",
    State.DISCARDED: "refused",
}  # fmt: skip


def archive(context: ImportContext, import_id: str) -> None:
    """File one import. Repeating it does nothing; an import that is not finished keeps its staged data."""
    entry = ledger.find(context.engine, import_id)
    folder = _FOLDERS.get(entry.state)
    if entry.filed:
        # Another process that did the same at the same time may have staged the file once more.
        return context.storage.empty_staging(import_id)
    if folder is None and entry.state != State.HELD:
        return None
    try:
        return _file(context, entry, folder)
    except ClientImportError:
        raise
    except Exception as error:  # noqa: BLE001 - raised without its text, which may have the sender's file name
        raise StepFailed("archive", error).with_traceback(error.__traceback__) from None


def _file(context: ImportContext, entry: Import, folder: str | None) -> None:
    if entry.file_path is None:
        _write_files(context, entry, folder)
    if folder is None:
        return None
    give_back_if_changed(context, ledger.find(context.engine, entry.id))
    # Staging goes last: a process that dies before this point needs it to write the same report once more.
    context.storage.empty_staging(entry.id)
    return ledger.change(context.engine, entry.id, filed=True)


def _write_files(context: ImportContext, entry: Import, folder: str | None) -> None:
    paths = {"report_path": report(context, entry), "planned_path": report_planned(context, entry)}
    if folder is not None:
        paths["file_path"] = context.storage.archive(
            entry.id, folder, entry.feed, context.feed.local(entry.received_at), entry.file_name
        )  # fmt: skip
    written = {column: path for column, path in paths.items() if path is not None}
    if written:
        ledger.change(context.engine, entry.id, **written)
