"""The summary of one run as mail: subject, plain text and HTML. Pure; cells and file names are hostile text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import jinja2

from include.codes import Code, show
from include.models import Cause, Import


def describe(cause: Cause) -> str:
    """The sentence of the rows' problem, or an example where each row has its own."""
    return cause.message if cause.alike else f"{Code(cause.code).title}, for example: {cause.message}"


@dataclass(frozen=True)
class FileSummary:
    """`review` and `page` are links: where a held import is decided, and the import's own page."""

    entry: Import
    causes: Sequence[Cause]
    parent: Import | None = None
    review: str = ""
    page: str = ""

    @property
    def fixed(self) -> str:
        """`12 of 15 failed rows of “x.csv” are fixed`, for a corrected report; '' for any other file."""
        if self.parent is None or self.entry.state != "merged" or self.parent.state == "refused":
            return ""
        failed = plural(self.parent.counts.failed, "failed row")
        return f"{self.entry.counts.imported:,} of {failed} of {show(self.parent.file_name)} are fixed."

    @property
    def headline(self) -> str:
        """What became of the file, in one sentence; the sender's fault and ours never read alike."""
        entry, counts = self.entry, self.entry.counts
        if entry.state == "refused":
            title = Code(entry.code).title if entry.code else "Refused"
            return f"Refused, nothing was imported. {title}: {entry.message}"
        if entry.state in ("merged", "previewed"):
            if counts.read == 0:
                return "The file has a header and no records: there was nothing to import."
            verb = "would be imported (dry run)" if entry.state == "previewed" else "imported"
            failed = f"; {plural(counts.failed, 'row')} failed" if counts.failed else ""
            return f"{plural(counts.imported, 'row')} of {counts.read:,} {verb}{failed}."
        if entry.state == "held":
            return f"Held, nothing is imported yet: somebody has to decide. {entry.message}"
        if entry.state == "discarded":
            return entry.message or "Discarded."
        return "Not imported yet, because of a fault on our side. The file is safe and will be tried again."

    @property
    def to_do(self) -> str:
        where = f": {self.entry.report_path}" if self.entry.report_path else ""
        if self.entry.state == "refused" and self.entry.code:
            return f"{Code(self.entry.code).advice.rstrip('.')}{where or '.'}"
        if self.entry.state in ("merged", "previewed") and self.entry.counts.failed:
            return f"Correct the rows in the failed-row report and send it again; all other rows are done{where}"
        if self.entry.state == "held":
            return f"Look at the planned changes ({self.entry.planned_path}), then approve or discard: {self.review}"
        if self.entry.state in ("merged", "previewed", "discarded"):
            return ""
        return "Nothing for the sender to do. An engineer opens the run, reads the log and clears the red task."

    @property
    def numbers(self) -> list[tuple[str, str]]:
        names = ("read", "created", "updated", "unchanged", "duplicate", "failed", "warnings")
        return [(name, f"{getattr(self.entry.counts, name):,}") for name in names]

    def describe(self, cause: Cause) -> str:
        return describe(cause)

    def advice_for(self, cause: Cause) -> str:
        if cause.value_map:
            return f"Use the ID, or add to `values` in the feed file: {cause.value_map}"
        return Code(cause.code).advice


@dataclass(frozen=True)
class Summary:
    """`feed` and `title` of the feed, files in order of arrival, and a link into the Airflow UI.

    Who is to blame shows at once: a refused or failed row is the sender's, OUR FAULT is ours, held is a question.
    """

    feed: str
    title: str
    files: Sequence[FileSummary]
    link: str

    @property
    def has_problems(self) -> bool:
        return not self.files or any(
            f.entry.state not in ("merged", "previewed", "discarded") or f.entry.counts.failed for f in self.files
        )

    @property
    def subject(self) -> str:
        """`acme: 2 files, 480 created, 12 failed rows`, on one line whatever the files are called."""
        ours = [f for f in self.files if f.entry.state in ("received", "validated", "prepared", "failed")]
        refused = [f for f in self.files if f.entry.state == "refused"]
        parts = [plural(len(self.files), "file")]
        parts += [f"{number:,} {name}" for name in ("created", "updated", "unchanged") if (number := self._sum(name))]
        parts += [plural(failed, "failed row")] if (failed := self._sum("failed")) else []
        parts += [f"{len(refused)} refused"] if refused else []
        held = [f for f in self.files if f.entry.state == "held"]
        parts += [f"{len(held)} held: please decide"] if held else []
        if ours or not self.files:
            waiting = f"{len(ours)} not imported yet" if ours else "nothing taken"
            return f"{self.feed}: OUR FAULT, {', '.join(parts)}, {waiting}"
        return f"{self.feed}: {', '.join(parts)}"

    def _sum(self, name: str) -> int:
        return sum(getattr(f.entry.counts, name) for f in self.files if f.entry.state in ("merged", "previewed"))

    def text(self) -> str:
        return _templates().get_template("summary.txt").render(summary=self, show=show)

    def html(self) -> str:
        return _templates().get_template("summary.html").render(summary=self, show=show)


def plural(count: int, what: str) -> str:
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
