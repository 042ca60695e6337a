"""Put the file of a finished import where it stays, beside its report, and empty its staging (SPEC.md section 8)."""

from __future__ import annotations

from include.adapters.database import ledger
from include.models import State
from include.steps.context import ImportContext
from include.steps.report import report, report_planned

_PLACES = {
    State.MERGED: "archive", State.PREVIEWED: "archive", State.REFUSED: "refused", State.DISCARDED: "refused",
}  # fmt: skip


def archive(context: ImportContext, import_id: str) -> None:
    """Repeating it does nothing; an import that is still on its way, or held, keeps its staged data."""
    entry = ledger.find(context.engine, import_id)
    place = _PLACES.get(entry.state)
    if entry.filed:
        # Somebody who did the same at the same time may have staged once more.
        return context.storage.empty_staging(import_id)
    if place is None and entry.state != State.HELD:
        return None
    if entry.file_path is None:
        paths = {"report_path": report(context, entry), "planned_path": report_planned(context, entry)}
        if place is not None:
            paths["file_path"] = context.storage.archive(
                entry.id, place, entry.feed, entry.received_at, entry.file_name
            )
        known = {column: path for column, path in paths.items() if path is not None}
        if known:
            ledger.change(context.engine, import_id, **known)
    if place is None:
        return None
    # Staging goes last: whoever dies before needs it to write the same report once more.
    context.storage.empty_staging(entry.id)
    ledger.change(context.engine, import_id, filed=True)
