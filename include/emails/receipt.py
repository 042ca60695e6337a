"""The receipt of one import: what a sender or another program is told of it, without a cell. Pure."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from include.codes import Code, show
from include.emails.letter import Letter
from include.emails.summary import plural
from include.models import OUTCOMES, Outcome, State
from include.schemas.client_rows import FIELDS
from include.schemas.client_tables import Import

VERSION = 1
_KEPT = Code.MISSING_KEPT
# The states of which there is a receipt. Those of a held import say what becomes true once it is approved.
ANSWERED = (State.MERGED, State.REFUSED, State.HELD, State.DISCARDED, State.SKIPPED, State.REVERTED)
# Advice for the sender. That of `State` is for the people who decide.
_OF_STATES = {State.HELD: "Nothing to do: once a person has decided, you are told what became of the file."}


def receipt(entry: Import, failed_rows_file: str | None = None) -> dict[str, Any]:
    """Give the receipt's keys and values; docs/receipts.md describes them for those who read it."""
    code = Code(entry.code) if entry.code else None
    return {
        "receipt": VERSION,
        "import_id": entry.id,
        "feed": entry.feed,
        "file": entry.file_name,
        "sha256": entry.sha256,
        "bytes": entry.bytes,
        "received_at": entry.received_at.isoformat(),
        "state": str(entry.state),
        "state_at": entry.state_times.get(entry.state),
        "code": code and str(code),
        "line": entry.line,
        "title": code and code.title,
        "advice": code.advice if code else _OF_STATES.get(entry.state),
        "counts": {str(name): getattr(entry, name) for name in ("read", *OUTCOMES, Outcome.DEACTIVATED, "warnings")},
        "failures": [_failure(kind, rows) for kind, rows in sorted(entry.failure_kinds.items())],
        "notes": [_note(Code(said)) for said in dict.fromkeys(problem["code"] for problem in entry.file_problems)],
        "failed_rows_file": failed_rows_file,
    }


def _note(code: Code) -> dict[str, str]:
    return {"code": str(code), "title": code.title}


def _failure(kind: str, rows: int) -> dict[str, Any]:
    code, _, field = kind.partition(" ")
    return {"code": code, "field": field or None, "rows": rows, "title": Code(code).title}


def as_json(content: dict[str, Any]) -> bytes:
    return (json.dumps(content, ensure_ascii=False, indent=2) + "\n").encode()


def sentence(content: dict[str, Any]) -> str:
    """Say a receipt in one line."""
    why = f" {content['title']} ({content['code']})." if content["code"] else ""
    numbers = f" {_numbers(content['counts'])}." if content["state"] in (State.MERGED, State.HELD) else ""
    undone = " What the file had changed was taken back." if content["state"] == State.REVERTED else ""
    return f"{label_of(content)}.{why}{numbers}{undone}"


def _numbers(counts: dict[str, int]) -> str:
    parts = [f"{counts[name]:,} {name}" for name in OUTCOMES if counts[name]]
    missing = counts[Outcome.DEACTIVATED]
    lacks = f"; {plural(missing, 'client')} missing in the file, deactivated" if missing else ""
    return f"{plural(counts['read'], 'row')}{': ' if parts else ''}{', '.join(parts)}{lacks}"


_MARKUP = str.maketrans(dict.fromkeys("<>&[]*~|`\\", " "))


def line_of(title: str, content: dict[str, Any]) -> str:
    """Say a receipt in one line for a chat, in which no sign of a file's name is markup or calls people."""
    return f"{title}: {show(content['file'], 120)} – {sentence(content)}".translate(_MARKUP)


def adaptive_card(text: str) -> dict[str, Any]:
    """Write the only form that workflows of Microsoft Teams take."""
    card = {"type": "AdaptiveCard", "version": "1.4", "body": [{"type": "TextBlock", "text": text, "wrap": True}]}
    attachment = {"contentType": "application/vnd.microsoft.card.adaptive", "content": card}
    return {"type": "message", "attachments": [attachment]}


def label_of(content: dict[str, Any]) -> str:
    state = State(content["state"])
    has_failed = state == State.MERGED and content["counts"]["failed"]
    return f"{state.label} with failed rows" if has_failed else state.label


@dataclass(frozen=True)
class ReceiptLetter(Letter):
    """The receipt as a mail to the sender of the file; `title` is the feed's."""

    title: str
    content: dict[str, Any]

    @property
    def subject(self) -> str:
        return f"{show(self.content['file'], 120)}: {label_of(self.content)}"

    @property
    def paragraphs(self) -> list[str]:
        content, name = self.content, self.content["failed_rows_file"]
        received = content["received_at"][:16].replace("T", " ")
        failures = [
            f"{plural(each['rows'], 'row')}: {each['title']}{_about(each['field'])}" for each in content["failures"]
        ]
        return [
            f"{self.title}: your file {show(content['file'], 120)}, received {received} UTC.",
            sentence(content),
            *([f"Line {content['line']}."] if content["line"] else []),
            *([content["advice"]] if content["advice"] else []),
            *failures,
            *([f"{_KEPT.title}. {_KEPT.advice}"] if any(note["code"] == _KEPT for note in content["notes"]) else []),
            *([f"The failed rows, each with its reasons, are in answers/{name}. Correct them and send that file."]
              if name else []),
            f"Import {content['import_id']}",
        ]  # fmt: skip


def _about(field: str | None) -> str:
    return f" ({FIELDS[field].label})" if field in FIELDS else ""
