"""The receipt says what became of a file in keys that stay, and quotes no cell."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime

from include.emails.receipt import ReceiptLetter, receipt, sentence
from include.models import OUTCOMES, State
from include.schemas.client_tables import Import
from include.settings import ROOT

KEPT = [{"code": "MISSING_KEPT", "message": "The file lacks private@example.com"}] * 2
NUMBERS = dict.fromkeys(("read", *OUTCOMES, "deactivated", "warnings"), 0)


def entry(state: State, **values) -> Import:
    received = datetime(2026, 11, 27, 5, tzinfo=UTC)
    return Import(**{
        **NUMBERS, "id": "1", "feed": "acme", "file_name": "a.csv", "state": state, "received_at": received,
        "state_times": {}, "failure_kinds": {}, "file_problems": [], **values,
    })  # fmt: skip


def test_the_keys_are_those_that_the_documentation_shows():
    (example,) = re.findall(r"```json\n(.*?)```", (ROOT / "docs/receipts.md").read_text(), re.DOTALL)
    written, shown = (
        receipt(entry(State.MERGED, failure_kinds={"ROW_RAGGED": 2}, file_problems=KEPT)),
        json.loads(example),
    )
    assert list(written) == list(shown)
    for key in ("failures", "notes"):
        assert list(written[key][0]) == list(shown[key][0])
    assert list(written["counts"]) == list(shown["counts"])


def test_a_receipt_and_its_sentence_quote_no_cell():
    refused = entry(State.REFUSED, code="FILE_MISSING_COLUMN", message="The column private@example.com is missing.")
    listed = entry(State.MERGED, read=1, updated=1, deactivated=2)
    held = entry(
        State.HELD, message="Ann wants it", read=3, created=1, failed=2, failure_kinds={"CELL_FORMAT email": 2}
    )
    kept = entry(State.MERGED, read=1, file_problems=KEPT)
    assert receipt(kept)["notes"] == [{"code": "MISSING_KEPT", "title": "Missing clients stay as they are"}]
    assert "send the whole list again" in ReceiptLetter("Acme", receipt(kept)).text()
    for each in (refused, held, kept):
        assert "private" not in json.dumps(receipt(each)) and "Ann" not in json.dumps(receipt(each))
    assert sentence(receipt(refused)) == "Refused. A required column is missing (FILE_MISSING_COLUMN)."
    assert sentence(receipt(listed)) == "Imported. 1 row: 1 updated; 2 clients missing in the file, deactivated."
    assert sentence(receipt(entry(State.REVERTED))) == "Undone. What the file had changed was taken back."
    assert receipt(held)["advice"].startswith("Nothing to do: once a person has decided")
    assert sentence(receipt(held)) == "Waiting for a decision. 3 rows: 1 created, 2 failed."
