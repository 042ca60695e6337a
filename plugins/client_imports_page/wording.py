"""The words of the page: one sentence for what became of an import, names for states, and cells made readable."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from include.codes import Code, printable
from include.emails import summary
from include.emails.summary import FileSummary, plural
from include.models import OUTCOMES, Cause, State
from include.schemas.client_rows import FIELDS
from include.schemas.client_tables import Import

# What is being done while an import is in a state.
DOING = {State.RECEIVED: "Validating", State.VALIDATED: "Preparing", State.PREPARED: "Merging"}
STATES = {state: state.label for state in State}
_READ_COMPLETELY = (State.MERGED, State.PREVIEWED, State.HELD, State.REVERTED)
_TONES = {
    State.REFUSED: "refused", State.HELD: "question", State.FAILED: "error", State.DISCARDED: "quiet",
    State.REVERTED: "quiet",
}  # fmt: skip
LONGEST_CELL = 300

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


def ended(entry: Import) -> str:
    """Say what became of an import, or how far it is. Failed rows have a sentence of their own."""
    counts = entry.counts
    if entry.reverts_import_id:
        return _ended_undo(entry)
    if entry.state == State.REVERTED:
        return f"{_imported(entry, 'was imported', 'were imported')} All of it was undone later."
    if entry.state in DOING:
        return f"In progress: {DOING[entry.state].lower()}…"
    if entry.state not in (State.MERGED, State.PREVIEWED) or counts.read == 0:
        line = f" (line {entry.line})" if entry.line else ""
        advice = f" {entry.code.advice}" if entry.state == State.REFUSED and entry.code else ""
        return f"{FileSummary(entry, ()).headline}{line}{advice}"
    if entry.state == State.PREVIEWED:
        return f"{_imported(entry, 'would be imported', 'would be imported')} Nothing has been written."
    return _imported(entry, "imported", "imported")


def failed_sentence(entry: Import) -> str:
    """Say `12 rows failed`; '' when none did."""
    shown = entry.state in _READ_COMPLETELY or entry.code == "FILE_FAILED_ROWS"
    return f"{plural(entry.counts.failed, 'row')} failed" if shown and entry.counts.failed else ""


def _imported(entry: Import, one: str, many: str) -> str:
    counts = entry.counts
    if not counts.imported:
        return f"No client {one}."
    parts = [f"{number:,} {name}" for name in ("created", "updated", "unchanged") if (number := getattr(counts, name))]
    duplicates = f" {plural(counts.duplicate, 'row')} repeated another row." if counts.duplicate else ""
    verb = one if counts.imported == 1 else many
    return f"{plural(counts.imported, 'client')} {verb}: {', '.join(parts)}.{duplicates}"


def _ended_undo(entry: Import) -> str:
    verb = "Would be undone" if entry.dry_run else "Undone"
    kept = f", {entry.kept:,} kept as {'it is' if entry.kept == 1 else 'they are'}" if entry.kept else ""
    failed = f", {entry.counts.failed:,} failed" if entry.counts.failed else ""
    return f"{verb} for {plural(entry.reverted, 'client')}{kept}{failed}."


def tone(entry: Import) -> str:
    """Give the CSS class: `good`, `warning` (rows failed), `refused`, `question`, `error`, `doing` or `quiet`."""
    if entry.state in (State.MERGED, State.PREVIEWED):
        return "warning" if entry.counts.failed else "good"
    return _TONES.get(entry.state, "doing")


def shares(entry: Import) -> list[tuple[str, int, float, float]]:
    """Give (outcome, records, start %, width %) of each outcome with records, for the bar."""
    total, start = max(1, entry.counts.read), 0.0
    parts: list[tuple[str, int, float, float]] = []
    for outcome in OUTCOMES:
        number = getattr(entry.counts, outcome)
        width = round(100 * number / total, 3)
        if number:
            parts.append((outcome, number, round(start, 3), width))
        start += width
    return parts


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


def field_changes(before: Mapping[str, Any] | None, after: Mapping[str, Any] | None) -> list[tuple[str, str, str]]:
    """Give (label, old, new) of each field that differs, in the order of the fields."""
    values = [(field, (before or {}).get(name, ""), (after or {}).get(name, "")) for name, field in FIELDS.items()]
    return [(field.label, visible(old), visible(new)) for field, old, new in values if old != new]
