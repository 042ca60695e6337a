"""Put the file of a finished import where it stays, beside its report, and empty its staging (SPEC.md section 8)."""

from __future__ import annotations

from include.adapters import import_ledger
from include.steps.corridor import Corridor
from include.steps.report import report, report_planned

_PLACES = {"merged": "archive", "previewed": "archive", "refused": "refused", "discarded": "refused"}


def file_away(corridor: Corridor, import_id: str) -> None:
    """Repeating it does nothing; an import that is still on its way, or held, keeps its staged data."""
    entry = import_ledger.find(corridor.engine, import_id)
    place = _PLACES.get(entry.state)
    if entry.filed:
        # Somebody who did the same at the same time may have staged once more.
        return corridor.storage.empty_staging(import_id)
    if place is None and entry.state != "held":
        return None
    if entry.file_path is None:
        paths = {"report_path": report(corridor, entry), "planned_path": report_planned(corridor, entry)}
        if place is not None:
            paths["file_path"] = corridor.storage.file_away(
                entry.id, place, entry.feed, entry.received_at, entry.file_name
            )
        known = {column: path for column, path in paths.items() if path is not None}
        if known:
            import_ledger.change(corridor.engine, import_id, **known)
    if place is None:
        return None
    # Staging goes last: whoever dies before needs it to write the same report once more.
    corridor.storage.empty_staging(entry.id)
    import_ledger.change(corridor.engine, import_id, filed=True)
