"""Several files in one task: where many wait, a task for each would cost more than the work itself."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import TypedDict

from include.codes import for_the_log
from include.errors import FileRefused
from include.schemas.client_tables import Import
from include.steps.archive import archive
from include.steps.context import ImportContext
from include.steps.prepare import prepare
from include.steps.validate import validate

MOST_BATCHES = 8
log = logging.getLogger(__name__)


class File(TypedDict):
    """A claimed file, as tasks hand it to each other."""

    import_id: str
    file_name: str


def in_batches(entries: Sequence[Import]) -> list[list[File]]:
    """Divide imports among at most MOST_BATCHES tasks, in order: up to that number each has its own task."""
    files = [File(import_id=entry.id, file_name=entry.file_name) for entry in entries]
    size = max(1, -(-len(files) // MOST_BATCHES))
    return [files[start : start + size] for start in range(0, len(files), size)]


def label_of(files: Sequence[File]) -> str:
    """Name a batch for people, by its first and last file."""
    first, last = files[0]["file_name"], files[-1]["file_name"]
    return first if len(files) == 1 else f"{first} to {last} ({len(files)} files)"


def validate_and_prepare(context: ImportContext, files: Sequence[File]) -> list[str]:
    """Validate and prepare files one after another. Returns a sentence for each one that was refused.

    What goes wrong with one file stops no other. Raises the system errors together at the end, so that the task is
    retried: a repetition does only what is left.
    """
    refused: list[str] = []
    errors: list[Exception] = []
    for file in files:
        name, import_id = file["file_name"], file["import_id"]
        try:
            validate(context, import_id)
            prepare(context, import_id)
            log.info("%s: validated and prepared (import %s)", name, import_id)
        except FileRefused as error:
            archive(context, import_id)
            refused.append(f"{name}: {for_the_log(error.code, error.line)} (import {import_id})")
        except Exception as error:  # noqa: BLE001 - all errors are raised together
            errors.append(error)
    if errors:
        raise ExceptionGroup(f"{len(errors)} file(s) could not be validated and prepared", errors)
    return refused
