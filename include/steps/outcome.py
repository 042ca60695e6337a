"""Decide whether a run was successful. A refused file or a system error makes it red; failed rows do not."""

from __future__ import annotations

from include.adapters.database import ledger
from include.models import RunRequest, State
from include.steps.context import ImportContext

_SUCCESSFUL = (State.MERGED, State.PREVIEWED, State.DISCARDED, State.HELD, State.REVERTED)
_HAS_A_FILE_TO_FILE = (State.MERGED, State.PREVIEWED)


def not_done(context: ImportContext, request: RunRequest) -> list[str]:
    """Write a sentence for each file that was refused, is not merged or is not filed, and for a run without files."""
    entries = ledger.of_run(context.engine, request.dag_id or "", request.run_id or "")
    if not entries:
        return ["The run received no file: the task `receive` failed."]
    unsuccessful = [
        f"{entry.file_name!r}: {entry.state}{f' ({entry.code})' if entry.code else ''}"
        for entry in entries
        if entry.state not in _SUCCESSFUL
    ]
    unfiled = [
        f"{entry.file_name!r}: {entry.state}, but the file is not in its final folder yet"
        for entry in entries
        if entry.state in _HAS_A_FILE_TO_FILE and not entry.filed
    ]
    return unsuccessful + unfiled
