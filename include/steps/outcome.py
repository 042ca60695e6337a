"""Decide whether a run was successful. A refused file or a system error makes it red; failed rows do not."""

from __future__ import annotations

from include.adapters.database import ledger
from include.models import RunRequest, State
from include.schemas.client_tables import Import
from include.steps.context import ImportContext

_SUCCESSFUL = (State.MERGED, State.PREVIEWED, State.SKIPPED, State.DISCARDED, State.HELD, State.REVERTED)
_HAS_A_FILE_TO_FILE = (State.MERGED, State.PREVIEWED, State.SKIPPED)


def not_done(context: ImportContext, request: RunRequest) -> list[str]:
    """Write a sentence for each file that was refused, is not merged or is not filed, and for a run without files."""
    entries = ledger.of_request(context.engine, request)
    if not entries:
        return ["The run received no file: the task `sense_inbox` failed."]
    unsuccessful = [
        f"{entry.file_name!r}: {entry.state}{_why(entry)}" for entry in entries if entry.state not in _SUCCESSFUL
    ]
    unfiled = [
        f"{entry.file_name!r}: {entry.state}, but the file is not in its final folder yet"
        for entry in entries
        if entry.state in _HAS_A_FILE_TO_FILE and not entry.filed
    ]
    wrong_afterwards = [
        f"{entry.file_name!r}: {entry.state}, but {entry.code}"
        for entry in entries
        if entry.state in _SUCCESSFUL and entry.has_error
    ]
    return unsuccessful + unfiled + wrong_afterwards


def _why(entry: Import) -> str:
    """Name the code of a refusal, whose sentence may quote the file, or the cause of a system error."""
    if entry.code:
        return f" ({entry.code})"
    return f" ({entry.message.rstrip('.')})" if entry.state == State.FAILED and entry.message else ""
