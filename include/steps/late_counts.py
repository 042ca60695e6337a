"""`NAME.csv.count` that comes after its CSV was taken: it is compared with that import, and never judges another."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from include.adapters.database import ledger
from include.codes import Code
from include.models import FINAL_STATES, State
from include.schemas.client_tables import Import
from include.steps.context import ImportContext
from include.transforms.csv_reading.records import count_mismatch

# A count is of the file that came at most so long before it.
_LATEST = timedelta(hours=1)


def as_text(name: str) -> str:
    """Write a file name as text: it may be bytes that are no text, and a database keeps only text."""
    return name.encode("utf-8", "backslashreplace").decode()


def is_of_an_earlier_file(context: ImportContext, folder: str, name: str, modified: float | None) -> bool:
    """Say whether a count beside a file is too old to be of this file, which was written at `modified`."""
    written = None if modified is None else context.storage.count_written(folder, name)
    return modified is not None and written is not None and written < modified - _LATEST.total_seconds()


def compare_late_counts(context: ImportContext) -> None:
    """Compare each count without a CSV in the inbox with the import that took that CSV, if it came shortly before."""
    storage, inbox = context.storage, context.feed.inbox
    counts = {name: datetime.fromtimestamp(time, UTC) for name, time in storage.lone_counts(inbox).items()}
    if not counts:
        return
    since = min(counts.values()) - _LATEST
    newest = ledger.newest_of_names(context.engine, context.feed.name, [as_text(name) for name in counts], since)
    for name, written in counts.items():
        entry = newest.get(as_text(name))
        if entry is None or entry.announced_records is not None:
            continue
        came_in_time = -ledger.CLOCKS_DIFFER <= written - entry.received_at <= _LATEST
        if came_in_time and (announced := storage.announced_count(inbox, name)) is not None:
            _compare(context, entry, announced)
            storage.drop_side_files(inbox, name)


def _compare(context: ImportContext, entry: Import, announced: int) -> None:
    """Note the number; where the import has ended and read another one, note also that this is not mailed yet."""
    values: dict[str, object] = {"announced_records": announced}
    if entry.state in FINAL_STATES and entry.state != State.REFUSED and announced != entry.read:
        message = count_mismatch(announced, entry.read)
        values |= {"code": Code.FILE_COUNT_MISMATCH, "message": message, "notified_state": None}
    ledger.change(context.engine, entry.id, **values)
