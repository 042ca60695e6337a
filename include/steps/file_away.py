"""Put the file of a finished import where it stays, beside its report, and empty its staging (SPEC.md section 8)."""

from __future__ import annotations

from include.adapters import import_ledger
from include.steps.corridor import Corridor
from include.steps.report import report

_PLACES = {"merged": "archive", "previewed": "archive", "refused": "refused"}


def file_away(corridor: Corridor, import_id: str) -> None:
    """Repeating it does nothing; an import that is still on its way keeps its staged data."""
    entry = import_ledger.find(corridor.engine, import_id)
    place = _PLACES.get(entry.state)
    if place is None or entry.filed:
        return
    if entry.file_path is None:
        report_path = report(corridor, entry)
        path = corridor.storage.file_away(entry.id, place, entry.feed, entry.received_at, entry.file_name)
        import_ledger.change(corridor.engine, import_id, file_path=path, report_path=report_path)
    # Staging goes last: whoever dies before needs it to write the same report once more.
    corridor.storage.drop_staged(entry.id)
    import_ledger.change(corridor.engine, import_id, filed=True)
