"""The words of the page: one sentence for what became of an import, names for states, and cells made readable."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from include.codes import Code, printable
from include.emails import summary
from include.emails.summary import FileSummary, plural
from include.models import OUTCOMES, Cause, Counts, Outcome, State
from include.schemas.client_rows import FIELDS, Field
from include.schemas.client_tables import Import

# What is being done while an import is in a state.
DOING = {State.RECEIVED: "Validating", State.VALIDATED: "Preparing", State.PREPARED: "Merging"}
STATES = {state: state.label for state in State}
_READ_COMPLETELY = (State.MERGED, State.PREVIEWED, State.HELD, State.REVERTED)
_TONES = {
    State.REFUSED: "refused", State.HELD: "question", State.FAILED: "error", State.DISCARDED: "quiet",
    State.REVERTED: "quiet", State.SKIPPED: "quiet",
}  # fmt: skip
LONGEST_CELL = 300
# What would become of a row that is not imported yet.
WOULD_BE: dict[str, str] = {
    Outcome.CREATED: "Good: a new client", Outcome.UPDATED: "Good: changes a client",
    Outcome.UNCHANGED: "Good: a client that is so already", Outcome.DUPLICATE: "Another row is the same client",
}  # fmt: skip

describe = summary.describe  # templates call it; they know this module and no other


def state(entry: Import) -> str:
    """Name the state of an import in a few words."""
    if entry.state == State.MERGED and entry.reverts_import_id:
        return STATES[State.REVERTED]
    if entry.state == State.MERGED and entry.counts.failed:
        return "Imported with failed rows"
    if entry.state == State.MERGED and not entry.counts.created + entry.counts.updated:
        return "Nothing new"
    return STATES[entry.state]


def state_once(entry: Import, name: str) -> str:
    """Name a state that an import had once; an undo imports nothing."""
    return STATES[State.REVERTED if entry.reverts_import_id and name == State.MERGED else State(name)]


def ended(entry: Import, stopped: bool = False) -> str:
    """Say what became of an import, or how far it is. Failed rows have a sentence of their own.

    `stopped`: the run that worked on it has ended without finishing it.
    """
    counts = entry.counts
    if entry.reverts_import_id:
        return _ended_undo(entry)
    if entry.state == State.REVERTED:
        return f"{_imported(entry, 'was imported', 'were imported')} The import was undone later."
    if entry.state in DOING and stopped:
        return "Stopped: the run ended before the file was imported. The feed's next run goes on with it."
    if entry.state in DOING:
        return f"In progress: {so_far(entry, DOING[entry.state].lower())}"
    if entry.state not in (State.MERGED, State.PREVIEWED) or counts.read == 0:
        line = f" (line {entry.line})" if entry.line else ""
        advice = f" {entry.code.advice}" if entry.state == State.REFUSED and entry.code else ""
        headline = FileSummary(entry, ()).headline
        ends = "." if line and headline.endswith(".") else ""
        return f"{headline.removesuffix(ends)}{line}{ends}{advice}"
    if entry.state == State.PREVIEWED:
        return f"{_imported(entry, 'would be imported', 'would be imported')} Nothing has been written."
    return _imported(entry, "imported", "imported")


def so_far(entry: Import, doing: str) -> str:
    """Say what is done with an import, and with how many records, as far as that is known."""
    if entry.counts.read:
        return f"{doing} {plural(entry.counts.read, 'record')}…"
    return f"{doing}… {checked(entry)}." if checked(entry) else f"{doing}…"


def checked(entry: Import) -> str:
    """Say how many records of a file are checked while it is read; '' where that takes no time."""
    is_read_now = entry.state == State.RECEIVED and entry.checked
    return f"{plural(entry.checked, 'record')} checked so far" if is_read_now else ""


def waiting_behind(files: int) -> str:
    """Say that an upload waits, and how many files of the feed are imported before it."""
    if not files:
        return "Received, waiting for the run to start…"
    verb = "comes" if files == 1 else "come"
    return f"Received. {plural(files, 'file')} of the feed {verb} before it…"


def failed_sentence(entry: Import) -> str:
    """Say `12 rows failed`; '' when none did. An undo has no rows, and its own sentence counts clients that failed."""
    was_read = entry.state in _READ_COMPLETELY or entry.code == "FILE_FAILED_ROWS"
    shown = was_read and not entry.reverts_import_id
    return f"{plural(entry.counts.failed, 'row')} failed" if shown and entry.counts.failed else ""


def fixed(correction: Import, parent: Import) -> str:
    """Say how many failed rows of an import a corrected file has fixed."""
    number = min(correction.counts.imported, parent.counts.failed)  # a result file also has the rows that were good
    return f"{number:,} of {plural(parent.counts.failed, 'failed row')} {'is' if number == 1 else 'are'} fixed."


def still_failed(correction: Import) -> str:
    """Say what became of the rows of a corrected file."""
    return f"{correction.counts.imported:,} fixed, {correction.counts.failed:,} still failed."


def would_be_imported(counts: Counts) -> str:
    """Say what an import would do: `480 clients would be imported: 470 created, 10 updated.`."""
    return _counted(counts, "would be imported", "would be imported")


def _imported(entry: Import, one: str, many: str) -> str:
    return _counted(entry.counts, one, many)


def _counted(counts: Counts, one: str, many: str) -> str:
    lacks = ""
    if counts.deactivated:
        become = "would become" if one.startswith("would") else "became"
        lacks = f" {plural(counts.deactivated, 'client')} missing in the file {become} inactive."
    if not counts.imported:
        return f"No client {one}.{lacks}"
    parts = [f"{number:,} {name}" for name in ("created", "updated", "unchanged") if (number := getattr(counts, name))]
    duplicates = f" {plural(counts.duplicate, 'row')} repeated another row." if counts.duplicate else ""
    verb = one if counts.imported == 1 else many
    return f"{plural(counts.imported, 'client')} {verb}: {', '.join(parts)}.{duplicates}{lacks}"


def _ended_undo(entry: Import) -> str:
    verb = "Would be undone" if entry.dry_run else "Undone"
    kept = f", {entry.kept:,} kept as {'it is' if entry.kept == 1 else 'they are'}" if entry.kept else ""
    failed = f", {entry.counts.failed:,} failed" if entry.counts.failed else ""
    return f"{verb} for {plural(entry.reverted, 'client')}{kept}{failed}."


# Older imports have the names that Airflow gives to kinds of runs.
_STARTED_BY = {
    "the schedule": "schedule", "scheduled": "schedule", "a new file": "new file", "asset_triggered": "new file",
    "operator_triggered": "another DAG", "a backfill": "backfill", "manual": "an unknown person",
}  # fmt: skip


def requested_by(entry: Import) -> str:
    """Say who or what started an import, in words that follow "by"."""
    return _STARTED_BY.get(entry.requested_by, visible(entry.requested_by))


def client_name(values: Mapping[str, Any] | None) -> str:
    """Name a client by what an import did to it; '' where that is not known."""
    known = values or {}
    name = " ".join(str(known[part]) for part in ("first_name", "last_name") if known.get(part))
    return visible(name or known.get("email") or "")


def marked(text: str, part: str) -> list[tuple[str, bool]]:
    """Split a text at the part that was searched for: (piece, is that part)."""
    pieces = re.split(f"({re.escape(part)})", text, flags=re.IGNORECASE) if part else [text]
    return [(visible(piece), n % 2 == 1) for n, piece in enumerate(pieces) if piece]


def outcomes(entry: Import) -> str:
    """Say how the records ended: `8 rows: 2 created, 1 duplicate, 5 failed`; of an undo, how its clients did."""
    if entry.reverts_import_id:
        return undone(entry)
    parts = [f"{number:,} {outcome} ({width:.0f} %)" for outcome, number, _, width in shares(entry)]
    return f"{plural(entry.counts.read, 'row')}: {', '.join(parts)}" if parts else "No rows"


def undone(entry: Import) -> str:
    """Say in a few words what an undo did to clients."""
    verb = "would be undone" if entry.dry_run else "undone"
    return f"{entry.reverted:,} {verb}" + (f", {entry.kept:,} kept" if entry.kept else "")


def tone(entry: Import) -> str:
    """Give the CSS class: `good`, `warning` (rows failed), `refused`, `question`, `error`, `doing` or `quiet`."""
    if entry.state in (State.MERGED, State.PREVIEWED):
        return "warning" if entry.counts.failed else "good"
    return _TONES.get(entry.state, "doing")


def shares(entry: Import) -> list[tuple[str, int, float, float]]:
    """Give (outcome, records, start %, width %) of each outcome with records, for the bar."""
    numbers = _undo_numbers(entry) if entry.reverts_import_id else _numbers(entry)
    total, start = max(1, sum(numbers.values())), 0.0
    parts: list[tuple[str, int, float, float]] = []
    for outcome, number in numbers.items():
        width = round(100 * number / total, 3)
        if number:
            parts.append((outcome, number, round(start, 3), width))
        start += width
    return parts


def _numbers(entry: Import) -> dict[str, int]:
    return {outcome: getattr(entry.counts, outcome) for outcome in OUTCOMES}


def _undo_numbers(entry: Import) -> dict[str, int]:
    return {Outcome.REVERTED: entry.reverted, Outcome.KEPT: entry.kept, Outcome.FAILED: entry.counts.failed}


def advice(cause: Cause) -> str:
    """Say what to do about a cause of failed rows."""
    return "Use the ID, or add the word to the feed:" if cause.value_map else Code(cause.code).advice


def kind(name: str) -> str:
    """Name a kind of failure, such as `CELL_FORMAT email`, for people."""
    code, _, field = name.partition(" ")
    title = Code(code).title
    return f"{title}: {FIELDS[field].label}" if field in FIELDS else title


def visible(value: object) -> str:
    """Make a cell readable: invisible characters are written out, and a very long text is cut (the report has all)."""
    text = "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
    shown = printable(text[: LONGEST_CELL + 1], keep="\n")
    return shown if len(text) <= LONGEST_CELL else f"{shown[:LONGEST_CELL]}… ({len(text):,} characters)"


def field_changes(
    before: Mapping[str, Any] | None, after: Mapping[str, Any] | None, names: Mapping[str, str] | None = None
) -> list[tuple[str, str, str]]:
    """Give (label, old, new) of each field that differs, in the order of the fields. `names`: of projects and desks."""
    values = [(field, (before or {}).get(name, ""), (after or {}).get(name, "")) for name, field in FIELDS.items()]
    return [
        (field.label, client_value(field, old, names), client_value(field, new, names))
        for field, old, new in values
        if old != new
    ]


def client_value(field: Field, value: object, names: Mapping[str, str] | None = None) -> str:
    """Make a client's value readable: a project or desk by its name, a time to the second."""
    if field.kind == "reference" and names:
        return visible(names.get(str(value), value))
    if field.kind == "timestamp" and value:
        return f"{datetime.fromisoformat(str(value)).astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
    return visible(value)


def what_cause(cause: Cause) -> str:
    """Name the rows of a cause: `14 rows: Desk “Madrid” …`."""
    return visible(f"{plural(cause.rows, 'row')}: {describe(cause)}")
