"""Write the question that Airflow shows to the person who decides about a held import. Pure.

Airflow keeps it in its own database, so it names causes and counts, never a cell.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from include.codes import Code
from include.models import APPROVE, DISCARD, OUTCOMES, Cause, Outcome
from include.schemas.client_rows import FIELDS
from include.schemas.client_tables import Import
from include.schemas.feed import Feed


@dataclass(frozen=True)
class Question:
    """One held import; `newer` are files of the feed that came later and are merged already, `page` its address."""

    feed: Feed
    entry: Import
    causes: Sequence[Cause]
    newer: Sequence[Import]
    page: str = ""

    @property
    def subject(self) -> str:
        return f"{self.feed.title}: {_code(self.entry.file_name)} waits for a decision"

    @property
    def body(self) -> str:
        """Markdown. File names are hostile text, so they stand in code spans without what would end a span."""
        entry = self.entry
        parts = [
            f"**{entry.message}**",
            f"[Look at its rows and planned changes, and decide there]({self.page})" if self.page else "",
            f"File `{_code(entry.file_name)}`, received {entry.received_at:%Y-%m-%d %H:%M} UTC, feed `{entry.feed}`.",
            "If it is approved:",
            self._numbers(),
            self._causes(),
            self._newer(),
            f"Planned changes, field by field: `{entry.planned_path}`. " + self._report(),
            f"{APPROVE}: exactly this plan is carried out; if the clients have changed by then, you are asked again. "
            f"{DISCARD}: nothing is imported. "
            f"Without an answer within {self.feed.hold.answer_days:g} days it is discarded.",
            f"Import `{entry.id}`, plan `{(entry.plan_hash or '')[:12]}`.",
        ]
        return "\n\n".join(part for part in parts if part)

    def as_shown(self) -> dict[str, Any]:
        """The result of the task: the question, who may answer for how long, and which plan it is about."""
        hold = self.feed.hold
        return {
            "subject": self.subject, "body": self.body, "plan_hash": self.entry.plan_hash,
            "reviewers": hold.reviewers, "answer_days": hold.answer_days,
        }  # fmt: skip

    def _numbers(self) -> str:
        names = (*OUTCOMES, *([Outcome.DEACTIVATED] if self.entry.deactivated else ()))
        numbers = (f"{getattr(self.entry, name):,}" for name in ("read", *names))
        return "\n".join(("| rows | " + " | ".join(names) + " |", "|---:" * (1 + len(names)) + "|",
                          "| " + " | ".join(numbers) + " |"))  # fmt: skip

    def _causes(self) -> str:
        lines = [
            f"- {cause.rows:,} × {Code(cause.code).title}{f' ({FIELDS[cause.field].label})' if cause.field else ''}"
            for cause in self.causes
            if cause.severity == "error"
        ]
        return "Why rows failed:\n\n" + "\n".join(lines) if lines else ""

    def _newer(self) -> str:
        if not self.newer:
            return ""
        number = f"{len(self.newer)} newer file{'s' if len(self.newer) > 1 else ''}"
        verb = "are" if len(self.newer) > 1 else "is"
        return f"**{number} of this feed {verb} merged already**: this one would overwrite what they brought."

    def _report(self) -> str:
        return f"Failed rows: `{self.entry.report_path}`." if self.entry.report_path else ""


def _code(text: str) -> str:
    return "".join(c for c in text if c.isprintable() and c not in "`|")[:120]
