"""The values that steps hand to each other, in the words of SPEC.md section 2."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, fields
from datetime import datetime
from enum import StrEnum
from typing import Any, Literal

Severity = Literal["error", "warning", "note"]

# IDs of clients, projects and desks.
ID_PATTERN = "[0-9a-fA-F]{24}"

# The two answers to a held import. A DAG file shows them, so they are here for the same reason.
APPROVE, DISCARD = "Approve", "Discard"


class State(StrEnum):
    """How far an import is. The ledger keeps it, and only along `TRANSITIONS`.

    `label` is what people read, `advice` what they can do where a state waits for them.
    """

    label: str
    advice: str

    def __new__(cls, name: str, label: str = "", advice: str = "") -> State:
        member = str.__new__(cls, name)
        member._value_, member.label, member.advice = name, label, advice
        return member

    RECEIVED = "received", "Received"
    VALIDATED = "validated", "Validated"
    PREPARED = "prepared", "Prepared"
    MERGED = "merged", "Imported"
    REFUSED = "refused", "Refused"
    HELD = (
        "held",
        "Waiting for a decision",
        "Look at the planned changes. Then approve or discard it on its page, or in Airflow (Required Actions).",
    )
    DISCARDED = "discarded", "Discarded"
    FAILED = "failed", "System error"
    REVERTED = "reverted", "Undone"
    PREVIEWED = "previewed", "Checked only"
    SKIPPED = "skipped", "Nothing new"


# Where an import may go from each state. `failed` is a system error: the step that failed is repeated, so the import
# goes on from where it was. `held` may be held again, with a new plan. A revert starts as `prepared`.
TRANSITIONS: dict[State, frozenset[State]] = {
    State.RECEIVED: frozenset({State.VALIDATED, State.REFUSED, State.DISCARDED, State.FAILED}),
    State.VALIDATED: frozenset({State.PREPARED, State.REFUSED, State.DISCARDED, State.FAILED}),
    State.PREPARED: frozenset({
        State.MERGED, State.PREVIEWED, State.SKIPPED, State.HELD, State.REFUSED, State.DISCARDED, State.FAILED,
    }),
    State.HELD: frozenset({
        State.MERGED, State.SKIPPED, State.HELD, State.REFUSED, State.DISCARDED, State.FAILED,
    }),
    State.FAILED: frozenset({
        State.VALIDATED, State.PREPARED, State.MERGED, State.PREVIEWED, State.SKIPPED, State.HELD, State.REFUSED,
        State.DISCARDED, State.FAILED,
    }),
    State.MERGED: frozenset({State.REVERTED}),
    State.REFUSED: frozenset(),
    State.DISCARDED: frozenset(),
    State.REVERTED: frozenset(),
    State.PREVIEWED: frozenset(),
    State.SKIPPED: frozenset(),
}  # fmt: skip

# No step changes an import in one of these states; a person can still undo one that is merged.
FINAL_STATES: frozenset[State] = frozenset(state for state in State if TRANSITIONS[state] <= {State.REVERTED})


class Outcome(StrEnum):
    """How a record of a file ended, a client that the file lacks, or a client of an undo."""

    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    DUPLICATE = "duplicate"
    FAILED = "failed"
    DEACTIVATED = "deactivated"
    REVERTED = "reverted"
    KEPT = "kept"


# Those of a file's records; `Counts` has one number for each.
OUTCOMES = (Outcome.CREATED, Outcome.UPDATED, Outcome.UNCHANGED, Outcome.DUPLICATE, Outcome.FAILED)
# Those of the clients of an undo (SPEC.md section 11), beside `failed`.
REVERT_OUTCOMES = (Outcome.REVERTED, Outcome.KEPT)
# Those of rows that changed a client.
CHANGING = (Outcome.CREATED, Outcome.UPDATED, Outcome.REVERTED, Outcome.DEACTIVATED)


@dataclass(frozen=True)
class Problem:
    """One reason. `row` counts records from 1 (0: the file as a whole), `line` is where the record starts.

    `meant`: what the feed's `values` could map the value to, '' when that is not known.
    """

    code: str
    field: str
    message: str
    value: str
    severity: Severity = "error"
    row: int = 0
    line: int = 0
    meant: str = ""


@dataclass(frozen=True)
class Counts:
    """How the records of one file ended.

    `warnings` counts problems, `deactivated` clients that the file lacks, everything else counts records.
    """

    read: int = 0
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    duplicate: int = 0
    failed: int = 0
    warnings: int = 0
    deactivated: int = 0

    @property
    def imported(self) -> int:
        return self.created + self.updated + self.unchanged

    def add_up(self) -> bool:
        return self.read == self.created + self.updated + self.unchanged + self.duplicate + self.failed


@dataclass(frozen=True)
class RunRequest:
    """Who requested an import, and how. `started`: when the run began; None where no other run could be at work."""

    by: str = ""
    note: str = ""
    dag_id: str | None = None
    run_id: str | None = None
    force: bool = False
    dry_run: bool = False
    started: datetime | None = None


@dataclass(frozen=True)
class Cause:
    """Rows with the same code, field and value, which a person corrects at once.

    `message` is an example when `alike` is False. `severity` is `error` for failed rows. `meant` is as in `Problem`.
    `word`: what the cells of all its rows say, where rows are told apart by it; else None.
    """

    code: str
    field: str
    value: str
    severity: Severity
    rows: int
    message: str
    alike: bool
    meant: str
    word: str | None = None

    @property
    def value_map(self) -> str:
        """The line for the feed's `values` that makes this value understood, '' where its meaning is not known."""
        return value_map(self.field, self.value, self.meant)


def value_map(field: str, value: str, meant: str) -> str:
    """Write `desk: {"London": "67a3..."}`. The ID is quoted, because YAML would read some IDs as numbers."""
    return f"{field}: {{{json.dumps(value.strip(), ensure_ascii=False)}: {json.dumps(meant)}}}" if meant else ""


@dataclass(frozen=True)
class Forgotten:
    """What was deleted for good.

    imports       how many imports lost something
    rows          how many rows were deleted, by retention; erasure of a person empties some, as follows
    cells         how many rows lost their original cells, and `problems` how many lost the texts of their problems
    images        how many clients lost the values before and after one import
    files         how many files were deleted
    left          ids of imports that hold something and are not finished: decide about them, then repeat
    unread        ids of imports whose files were not searched: they are too large, or are no text
    broken_feeds  feeds of which nothing was deleted, because their file cannot be read
    """

    imports: int = 0
    rows: int = 0
    cells: int = 0
    problems: int = 0
    images: int = 0
    files: int = 0
    left: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()
    broken_feeds: tuple[str, ...] = ()
    of_person: bool = False

    def __add__(self, other: Forgotten) -> Forgotten:
        """Add the numbers and join the lists."""
        both = {f.name: getattr(self, f.name) + getattr(other, f.name) for f in fields(self) if f.name != "of_person"}
        return Forgotten(**both, of_person=self.of_person or other.of_person)

    def sentences(self) -> list[str]:
        """Say it to people, without personal data."""
        lost = f"Imports that lost something: {self.imports:,}. Files deleted: {self.files:,}."
        sentences = [lost if self.of_person else f"{lost} Rows deleted: {self.rows:,}."]
        if self.of_person and self.imports:
            sentences.append(
                f"Rows that lost their original cells: {self.cells:,}, and the texts of their problems: "
                f"{self.problems:,}. Before/after images deleted: {self.images:,}."
            )
            sentences.append(
                "Files that held the person were deleted whole; failed-row reports were written again without the "
                "person. Counts stay. The client itself stays in `clients`, which is the CRM's own business, and mails "
                "that were sent are out of reach."
            )
        if self.left:
            why = "hold this person" if self.of_person else "are older than their feed's retention"
            sentences.append(f"Not changed, because they are not finished, though they {why}: {_list(self.left)}.")
        if self.unread:
            sentences.append(
                f"Not searched, because the file is too large or no text: {_list(self.unread)}. Look yourself."
            )
        if self.broken_feeds:
            sentences.append(f"Nothing deleted of feeds whose file is broken: {_list(self.broken_feeds)}.")
        return sentences


def _list(names: tuple[str, ...]) -> str:
    return ", ".join(names)


@dataclass(frozen=True)
class ImportResult:
    """What became of one file. SPEC.md section 12: `--json` prints exactly this."""

    file: str
    import_id: str | None
    state: State
    code: str | None = None
    message: str | None = None
    line: int | None = None
    counts: Counts = field(default_factory=Counts)
    report: str | None = None
    planned: str | None = None
    problems: tuple[Problem, ...] = ()

    def as_json(self) -> dict[str, Any]:
        flat = asdict(self)
        counts = flat.pop("counts")
        problems = flat.pop("problems")
        return {**flat, **counts, "problems": problems}
