"""Check files before they are sent, in one process beside this one (docs/decisions/0019-checked-in-a-process.md)."""

from __future__ import annotations

import atexit
import os
import re
from functools import cache
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

from client_imports_page import connections, wording
from include.adapters.limited_process import LimitedProcess
from include.codes import Code
from include.emails.summary import plural
from include.errors import CheckImpossible, FileRefused
from include.models import Cause, Counts
from include.schemas.client_rows import FIELDS
from include.schemas.feed import Feed
from include.schemas.mapping import Mapping
from include.settings import read_settings

_SUGGESTED = "{} chosen in the lists below. Please look at them before you import."
SECONDS = 20.0  # for one check
_TO_START = 40.0  # more for the first one, on a busy machine: pandas and Pandera are loaded
_WAITING = 8  # checks at once: the others are told so, and their files can be sent all the same


def check(feed: Feed, name: str, path: Path, mapping: Mapping, suggest: bool) -> dict[str, Any]:
    """Say what the import of a file would do. Raises CheckImpossible, whose text ends a sentence."""
    of_file = {"name": name, "path": str(path), "mapping": mapping.model_dump(), "suggest": suggest}
    answer = _process(os.getpid()).ask({**_request(feed), **of_file})
    if not isinstance(answer.get("preview"), dict):
        raise CheckImpossible(str(answer.get("error", "the check ended with an error")))
    return described(answer["preview"])


def judge_rows(feed: Feed, content: bytes) -> list[tuple[int, str, list[dict[str, Any]]]]:
    """Say what would become of each record of a file: (row, outcome, problems).

    Raises CheckImpossible, whose text ends a sentence, and FileRefused.
    """
    with NamedTemporaryFile(prefix="check-", suffix=".csv") as file:
        file.write(content)
        file.flush()
        request = {**_request(feed), "name": "corrected.csv", "path": file.name, "rows": True}
        answer = _process(os.getpid()).ask(request)
    if "refused" in answer:
        raise FileRefused("", str(answer["refused"]))
    if not isinstance(answer.get("rows"), list):
        raise CheckImpossible(str(answer.get("error", "the check ended with an error")))
    return [(row, outcome, problems) for row, outcome, problems in answer["rows"]]


def draft(name: str, path: Path) -> dict[str, Any]:
    """Write the feed file for a sample. Raises CheckImpossible, whose text ends a sentence, and FileRefused."""
    answer = _process(os.getpid()).ask({"database": _database(), "name": name, "path": str(path), "draft": True})
    if "refused" in answer:
        raise FileRefused(Code(answer["code"]), str(answer["refused"]))
    if not isinstance(answer.get("draft"), dict):
        raise CheckImpossible(str(answer.get("error", "the check ended with an error")))
    found = answer["draft"]
    look = f"{plural(found['doubts'], 'line')} with a remark to look at" if found["doubts"] else "no line needs a look"
    return {**found, "sentence": f"Save it as {found['name']}.yaml in the folder of the feeds: {look}."}


def described(preview: dict[str, Any]) -> dict[str, Any]:
    """Add the sentence, the remarks, and `button`: what the dialog offers, '' where nothing can be imported.

    `force`: the same bytes were imported last, and are to be imported once more.
    """
    plan, refusal = preview["plan"], preview["refusal"]
    for cause in plan["causes"] if plan else ():
        cause |= {"sentence": wording.describe(Cause(**cause)), "advice": _plain(Code(cause["code"]).advice)}
    fields = [(field.name, field.label) for field in FIELDS.values()]
    own: dict[str, Any] = {"remarks": list(preview["notes"]), "force": False, "button": "", "fields": fields}
    if number := preview["suggested"]:
        own["remarks"].insert(0, _SUGGESTED.format(f"{plural(number, 'suggestion')} {'is' if number == 1 else 'are'}"))
    if refusal is not None:
        line = f" (line {refusal['line']})" if refusal["line"] else ""
        sentence = f"This file would be refused. {refusal['message']}{line} {_plain(refusal['advice'])}"
        return {**preview, **own, "sentence": sentence, "tone": "refused"}
    if not plan["counts"]["read"]:
        return {**preview, **own, "sentence": "The file has no records: there is nothing to import.", "tone": "quiet"}
    return {**preview, **own, **_offer(plan, own["remarks"])}


def _plain(advice: str) -> str:
    """Write names of keys as people read them on a screen."""
    return re.sub(r"`([^`]*)`", r"“\1”", advice)


def _offer(plan: dict[str, Any], remarks: list[str]) -> dict[str, Any]:
    counts = Counts(**plan["counts"])
    remarks += plan["notes"]
    good = counts.read - counts.failed
    if plan["same"]:
        return {"sentence": plan["same"], "tone": "question", "button": "Import it once more", "force": True}
    if plan["hold"]:
        remarks.append(f"The import would wait for a person to approve it: {plan['hold']}")
    would_be = wording.would_be_imported(counts)
    if not counts.failed:
        return {"sentence": would_be, "tone": "good", "button": "Import"}
    sentence = f"{would_be} {plural(counts.failed, 'row')} would fail."
    button = f"Import the {good:,} good rows" if good > 1 else "Import the good row" if good else ""
    return {"sentence": sentence, "tone": "warning", "button": button}


def warm(feed: Feed) -> None:
    """Have the process ready for the file that a person may attach."""
    _process(os.getpid()).warm(_request(feed))


def _request(feed: Feed) -> dict[str, Any]:
    return {"feeds": str(read_settings().feeds), "feed": feed.name, "database": _database()}


def _database() -> str:
    return connections.engine().url.render_as_string(hide_password=False)


@cache
def _process(_server: int) -> LimitedProcess:
    """Each process of the API server has one of its own: two could not share its input and output."""
    process = LimitedProcess("include.steps.preview_process", SECONDS, _WAITING, _TO_START)
    atexit.register(process.end)
    return process
