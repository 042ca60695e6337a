"""Write the summary of one run as mail: subject, plain text and HTML. Pure; cells and file names are hostile text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import jinja2

from include.codes import Code, show
from include.models import OUTCOMES, Cause, Outcome, State
from include.schemas.client_tables import Import

CHECKED_ONLY = "Checked only: nothing was written"
_READ_TO_THE_END = (State.MERGED, State.PREVIEWED)
_NOT_IMPORTED_YET = (State.RECEIVED, State.VALIDATED, State.PREPARED, State.FAILED)


def describe(cause: Cause) -> str:
    """Give the sentence of the rows' problem, or an example where the sentences differ."""
    return cause.message if cause.alike else f"{Code(cause.code).title}, for example: {cause.message}"


@dataclass(frozen=True)
class FileSummary:
    """One file of the run. `review` links to the decision about a held import, `page` to the import's own page."""

    entry: Import
    causes: Sequence[Cause]
    parent: Import | None = None
    review: str = ""
    page: str = ""

    @property
    def fixed(self) -> str:
        """`12 of 15 failed rows of “x.csv” are fixed`, for a corrected report; '' for any other file."""
        parent = self.parent
        if parent is None or self.entry.state != State.MERGED or parent.state == State.REFUSED:
            return ""
        failed = plural(parent.failed, "failed row")
        return f"{self.entry.counts.imported:,} of {failed} of {show(parent.file_name)} are fixed."

    @property
    def headline(self) -> str:
        """What became of the file, in one sentence; an error in the file and a system error never read alike."""
        entry = self.entry
        if entry.state == State.PREVIEWED:
            return f"{CHECKED_ONLY}. {_would_be_imported(entry)}"
        if entry.state == State.MERGED:
            return f"{_imported(entry)} {entry.message}" if self.went_wrong_afterwards else _imported(entry)
        if entry.state == State.REFUSED:
            return f"Refused, nothing was imported. {Code(entry.code).title if entry.code else ''}: {entry.message}"
        if entry.state == State.HELD:
            return f"{entry.state.label}: nothing is imported yet. {entry.message}"
        if entry.state == State.REVERTED:
            return "Imported, and undone later."
        if entry.state == State.SKIPPED:
            return f"{entry.state.label}. {entry.message}"
        if entry.state in _NOT_IMPORTED_YET:
            cause = f" ({entry.message.rstrip('.')})" if entry.state == State.FAILED and entry.message else ""
            return f"System error: not imported yet{cause}. The file is safe."
        return entry.message or f"{entry.state.label}."

    @property
    def went_wrong_afterwards(self) -> bool:
        """Return True for a merged file whose sender went on writing, or whose count came late and does not fit."""
        return self.entry.state == State.MERGED and self.entry.has_error

    @property
    def what_to_do(self) -> str:
        """The advice for the people of the feed, '' when there is nothing to do."""
        entry = self.entry
        where = f": {entry.report_path}" if entry.report_path else ""
        if entry.state == State.REFUSED and entry.code:
            return f"{Code(entry.code).advice.rstrip('.')}{where or '.'}"
        if entry.state == State.PREVIEWED and entry.read:
            return _import_it_now(entry, where)
        if self.went_wrong_afterwards and entry.code:
            return Code(entry.code).advice
        if entry.state == State.MERGED and entry.failed:
            return f"Correct the rows in the failed-row report and send it again; all other rows are done{where}"
        if entry.state == State.HELD:
            return f"Look at the planned changes ({entry.planned_path}), then approve or discard: {self.review}"
        if entry.state in _NOT_IMPORTED_YET:
            return f"Nothing for the sender to do. {_try_again(entry)}"
        return ""

    @property
    def has_numbers(self) -> bool:
        return self.entry.state in (*_READ_TO_THE_END, State.HELD)

    @property
    def condition(self) -> str:
        """When the numbers come true; '' when they have."""
        return {State.HELD: "if it is approved", State.PREVIEWED: "if it is imported"}.get(self.entry.state, "")

    @property
    def numbers(self) -> list[tuple[str, str]]:
        names = ("read", *OUTCOMES, *([Outcome.DEACTIVATED] if self.entry.deactivated else ()), "warnings")
        return [(name, f"{getattr(self.entry, name):,}") for name in names]

    def describe(self, cause: Cause) -> str:
        return describe(cause)

    def advice_for(self, cause: Cause) -> str:
        if cause.value_map:
            return f"Use the ID, or add to `values` in the feed file: {cause.value_map}"
        return Code(cause.code).advice


def _imported(entry: Import) -> str:
    if entry.read == 0:
        return "The file has a header and no records: there was nothing to import."
    failed = f"; {plural(entry.failed, 'row')} failed" if entry.failed else ""
    return f"{plural(entry.counts.imported, 'row')} of {entry.read:,} imported{failed}.{_lacks(entry, 'became')}"


def _would_be_imported(entry: Import) -> str:
    if entry.read == 0:
        return "The file has a header and no records: there is nothing to import."
    failed = f"; {plural(entry.failed, 'row')} failed" if entry.failed else ""
    lacks = _lacks(entry, "would become")
    return f"{plural(entry.counts.imported, 'row')} of {entry.read:,} would be imported{failed}.{lacks}"


def _lacks(entry: Import, become: str) -> str:
    missing = plural(entry.deactivated, "client")
    return f" {missing} missing in the file {become} inactive." if entry.deactivated else ""


def _import_it_now(entry: Import, where: str) -> str:
    """Say how a file that was only checked is imported for real; '' when that would change nothing."""
    parts = []
    if entry.counts.created + entry.counts.updated + entry.deactivated:
        parts.append("To import it, press “Import it now” on the import's page, or send it again, not as a dry run.")
    if entry.failed:
        parts.append(f"To import all rows, first correct the failed ones in the file; the report lists them{where}")
    return " ".join(parts)


def _try_again(entry: Import) -> str:
    """Say what makes the importer go on. Only a run of Airflow has a task that can be cleared."""
    if entry.dag_id is None:
        return "An engineer mends the cause and imports the file again on the command line."
    if entry.inbox_name is not None:
        return "An engineer mends the cause. The feed's next run claims the file."
    return "An engineer opens the run, mends the cause and clears the red task."


@dataclass(frozen=True)
class Summary:
    """One run: `feed` and `title` of the feed, its files in order of arrival, and a link to the run in Airflow.

    The subject says at once who has to act: a refused file or a failed row is for the sender, SYSTEM ERROR is for an
    engineer, a held import waits for a decision.
    """

    feed: str
    title: str
    files: Sequence[FileSummary]
    link: str

    @property
    def has_problems(self) -> bool:
        fine = (*_READ_TO_THE_END, State.SKIPPED, State.DISCARDED)
        return not self.files or any(
            f.entry.state not in fine or f.entry.failed or f.went_wrong_afterwards for f in self.files
        )

    @property
    def subject(self) -> str:
        """`acme: 2 files, 480 created, 12 failed rows`, on one line whatever the files are called.

        What was only checked counts by itself: nothing of it was created.
        """
        checked = self._number_of(State.PREVIEWED)
        if checked and checked == len(self.files):
            would_be = ", ".join([plural(checked, "file"), *self._outcomes(State.PREVIEWED, "would be ")])
            return f"{self.feed}: {CHECKED_ONLY} ({would_be})"
        parts = [plural(len(self.files), "file"), *self._outcomes(State.MERGED)]
        parts += [f"{checked} checked only"] if checked else []
        parts += [f"{skipped} with nothing new"] if (skipped := self._number_of(State.SKIPPED)) else []
        parts += [f"{refused} refused"] if (refused := self._number_of(State.REFUSED)) else []
        parts += [Code(f.entry.code).title.lower() for f in self.files if f.went_wrong_afterwards and f.entry.code][:1]
        parts += [f"{held} held: please decide"] if (held := self._number_of(State.HELD)) else []
        waiting = self._number_of(*_NOT_IMPORTED_YET)
        if waiting or not self.files:
            parts.append(f"{waiting} not imported yet" if waiting else "none received")
            return f"{self.feed}: SYSTEM ERROR, {', '.join(parts)}"
        return f"{self.feed}: {', '.join(parts)}"

    def _number_of(self, *states: State) -> int:
        return sum(file.entry.state in states for file in self.files)

    def _outcomes(self, state: State, would_be: str = "") -> list[str]:
        """Count the rows of the files in this state."""
        entries = [file.entry for file in self.files if file.entry.state == state]
        changes = (Outcome.CREATED, Outcome.UPDATED, Outcome.UNCHANGED, Outcome.DEACTIVATED)
        sums = {name: sum(getattr(entry, name) for entry in entries) for name in (*changes, Outcome.FAILED)}
        parts = [f"{sums[name]:,} {would_be}{name}" for name in changes if sums[name]]
        return parts + ([plural(sums[Outcome.FAILED], "failed row")] if sums[Outcome.FAILED] else [])

    def text(self) -> str:
        return _templates().get_template("summary.txt").render(summary=self, show=show, State=State)

    def html(self) -> str:
        return _templates().get_template("summary.html").render(summary=self, show=show, State=State)


def plural(count: int, what: str) -> str:
    """`1 row`, `1,200 rows`."""
    return f"{count:,} {what}" if count == 1 else f"{count:,} {what}s"


@cache
def _templates() -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        autoescape=jinja2.select_autoescape(["html"]),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
