"""Move the file of a finished import to where it stays, beside its report, and empty its staging (SPEC.md 8)."""

from __future__ import annotations

from include.adapters.database import ledger
from include.models import State
from include.schemas.client_tables import Import
from include.steps.context import ImportContext
from include.steps.report import report, report_planned

_FOLDERS = {
    State.MERGED: "archive", State.PREVIEWED: "archive", State.REFUSED: "refused", State.DISCARDED: "refused",
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
    if entry.file_path is None:
        _write_files(context, entry, folder)
    if folder is None:
        return None
    # Staging goes last: a process that dies before this point needs it to write the same report once more.
    context.storage.empty_staging(entry.id)
    ledger.change(context.engine, import_id, filed=True)


def _write_files(context: ImportContext, entry: Import, folder: str | None) -> None:
    paths = {"report_path": report(context, entry), "planned_path": report_planned(context, entry)}
    if folder is not None:
        paths["file_path"] = context.storage.archive(
            entry.id, folder, entry.feed, entry.received_at, entry.file_name
        )  # fmt: skip
    written = {column: path for column, path in paths.items() if path is not None}
    if written:
        ledger.change(context.engine, entry.id, **written)
