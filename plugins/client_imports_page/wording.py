"""What the page says: one sentence for what happened, and cells in a form that can be looked at."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from include.codes import Code, printable
from include.emails import summary
from include.emails.summary import FileSummary, plural
from include.models import OUTCOMES, Cause, Import
from include.schemas import client_tables
from include.schemas.client_rows import FIELDS

# What is being done while an import is in a state.
DOING = {"received": "Validating", "validated": "Preparing", "prepared": "Merging"}
LONGEST_CELL = 300


# For templates, which know this module and no other.
describe, STATES = summary.describe, client_tables.STATES


def ended(entry: Import) -> str:
    """What became of an import, or how far it is; failed rows are told by `failed_sentence`."""
    counts = entry.counts
    if entry.reverts_import_id:
        return _of_a_revert(entry)
    if entry.state == "reverted":
        return f"{_imported(entry, 'was imported', 'were imported')} All of it was taken back later."
    if entry.state in DOING:
        return f"On its way: {DOING[entry.state].lower()}…"
    if entry.state not in ("merged", "previewed") or counts.read == 0:
        told = FileSummary(entry, ())
        advice = f" {Code(entry.code).advice}" if entry.state == "refused" and entry.code else ""
        return f"{told.headline}{f' (line {entry.line})' if entry.line else ''}{advice}"
    if entry.state == "previewed":
        return f"{_imported(entry, 'would be imported', 'would be imported')} Nothing has been written."
    return _imported(entry, "imported", "imported")


def failed_sentence(entry: Import) -> str:
    """`12 rows failed`, '' when none did."""
    shown = entry.state in ("merged", "previewed", "held", "reverted") or entry.code == "FILE_FAILED_ROWS"
    return f"{plural(entry.counts.failed, 'row')} failed" if shown and entry.counts.failed else ""


def _imported(entry: Import, one: str, many: str) -> str:
    counts = entry.counts
    if not counts.imported:
        return f"No client {one}."
    parts = [f"{number:,} {name}" for name in ("created", "updated", "unchanged") if (number := getattr(counts, name))]
    duplicates = f" {plural(counts.duplicate, 'row')} repeated another row." if counts.duplicate else ""
    verb = one if counts.imported == 1 else many
    return f"{plural(counts.imported, 'client')} {verb}: {', '.join(parts)}.{duplicates}"


def _of_a_revert(entry: Import) -> str:
    verb = "would be taken back" if entry.dry_run else "taken back"
    kept = f", {entry.kept:,} kept as they are" if entry.kept else ""
    failed = f", {entry.counts.failed:,} could not be" if entry.counts.failed else ""
    return f"{plural(entry.reverted, 'client')} {verb}{kept}{failed}."


def tone(entry: Import) -> str:
    """`good`, `warning` (rows failed), `refused`, `question` (held), `fault` (ours), `doing` or `quiet`."""
    if entry.state in ("merged", "previewed"):
        return "warning" if entry.counts.failed else "good"
    fixed = {"refused": "refused", "held": "question", "failed": "fault", "discarded": "quiet", "reverted": "quiet"}
    return fixed.get(entry.state, "doing")


def shares(entry: Import) -> list[tuple[str, int, float, float]]:
    """(outcome, records, start %, width %) of each outcome that there is, for the bar."""
    total, start, parts = max(1, entry.counts.read), 0.0, []
    for outcome in OUTCOMES:
        number = getattr(entry.counts, outcome)
        width = round(100 * number / total, 3)
        if number:
            parts.append((outcome, number, round(start, 3), width))
        start += width
    return parts


def advice(cause: Cause) -> str:
    return "Use the ID, or let the feed understand the word:" if cause.value_map else Code(cause.code).advice


def kind(name: str) -> str:
    """`CELL_FORMAT email` as people read it."""
    code, _, field = name.partition(" ")
    title = Code(code).title
    return f"{title}: {FIELDS[field].label}" if field in FIELDS else title


def visible(value: object) -> str:
    """A cell for the screen: what cannot be seen is written out, what is very long is cut (the report has all)."""
    text = "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
    shown = printable(text[: LONGEST_CELL + 1], keep="\n")
    return shown if len(text) <= LONGEST_CELL else f"{shown[:LONGEST_CELL]}… ({len(text):,} characters)"


def field_changes(before: Mapping[str, Any] | None, after: Mapping[str, Any] | None) -> list[tuple[str, str, str]]:
    """(label, old, new) of each field that is different, in the order of the fields."""
    images = [(field, (before or {}).get(name, ""), (after or {}).get(name, "")) for name, field in FIELDS.items()]
    return [(field.label, visible(old), visible(new)) for field, old, new in images if old != new]
