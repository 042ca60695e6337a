"""Is everything this run took done? A refused file or a fault makes the run red; failed rows do not."""

from __future__ import annotations

from include.adapters.database import ledger
from include.models import RunRequest, State
from include.steps.context import ImportContext

_DONE = (State.MERGED, State.PREVIEWED, State.DISCARDED, State.HELD, State.REVERTED)
_FILED = (State.MERGED, State.PREVIEWED)


def not_done(context: ImportContext, request: RunRequest) -> list[str]:
    """A sentence per file that was refused, is not merged or not filed; one more when the run took no file at all."""
    entries = ledger.of_run(context.engine, request.dag_id or "", request.run_id or "")
    if not entries:
        return ["The run took no file: `receive` failed."]
    undone = [
        f"{entry.file_name!r}: {entry.state}{f' ({entry.code})' if entry.code else ''}"
        for entry in entries
        if entry.state not in _DONE
    ]
    unfiled = [
        f"{entry.file_name!r}: {entry.state}, but the file is not yet in its last place"
        for entry in entries
        if entry.state in _FILED and not entry.filed
    ]
    return undone + unfiled
