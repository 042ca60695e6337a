"""The summary says for each file what became of it and what to do; the subject says who has to act."""

from __future__ import annotations

import pytest

from include.emails.summary import FileSummary, Summary, describe, plural
from include.models import Cause, State
from include.schemas.client_tables import Import

NUMBERS = dict.fromkeys(("read", "created", "updated", "unchanged", "duplicate", "failed", "warnings"), 0)


def file(state: State, *, parent: Import | None = None, causes=(), **values) -> FileSummary:
    entry = Import(**{
        **NUMBERS, "id": "0000", "file_name": "a.csv", "state": state, "file_problems": [], "planned_path": "reports/p",
        **values,
    })  # fmt: skip
    return FileSummary(entry, causes, parent, review="http://review")


def summary(*files: FileSummary) -> Summary:
    return Summary("acme", "Acme", files, "http://run")


@pytest.mark.parametrize(
    ("summary_file", "headline"),
    [
        (file(State.MERGED, read=3, created=1, updated=1, failed=1), "2 rows of 3 imported; 1 row failed."),
        (file(State.MERGED), "The file has a header and no records: there was nothing to import."),
        (file(State.PREVIEWED, read=1, created=1), "1 row of 1 would be imported (dry run)."),
        (file(State.REFUSED, code="FILE_EMPTY", message="No bytes."), "Refused, nothing was imported. File is empty: No bytes."),
        (file(State.HELD, message="2 of 3 rows failed."), "Waiting for a decision: nothing is imported yet. 2 of 3 rows failed."),
        (file(State.DISCARDED, message="Discarded by olga."), "Discarded by olga."),
        (file(State.REVERTED), "Undone."),
        (file(State.FAILED, message="merge failed: OSError"), "System error: not imported yet. The file is safe and will be tried again."),
        (file(State.RECEIVED), "System error: not imported yet. The file is safe and will be tried again."),
    ],
)  # fmt: skip
def test_the_headline_says_what_became_of_the_file(summary_file, headline):
    assert summary_file.headline == headline


@pytest.mark.parametrize(
    ("summary_file", "advice"),
    [
        (file(State.REFUSED, code="FILE_ENCODING", message="x"), "Save the file as 'CSV UTF-8' and send it again."),
        (file(State.REFUSED, code="FILE_FAILED_ROWS", message="x", report_path="reports/r"), ", and send it: reports/r"),
        (file(State.MERGED, read=1, failed=1, report_path="reports/r"), "all other rows are done: reports/r"),
        (file(State.HELD), "Look at the planned changes (reports/p), then approve or discard: http://review"),
        (file(State.FAILED), "Nothing for the sender to do."),
    ],
)  # fmt: skip
def test_the_advice_is_for_the_one_who_can_act(summary_file, advice):
    assert advice in summary_file.what_to_do


@pytest.mark.parametrize("state", [State.MERGED, State.PREVIEWED, State.DISCARDED, State.REVERTED])
def test_where_nothing_is_wrong_there_is_no_advice(state):
    assert file(state, read=1, created=1).what_to_do == ""


@pytest.mark.parametrize(
    ("files", "subject"),
    [
        ([file(State.MERGED, read=480, created=480), file(State.MERGED, read=12, failed=12)],
         "acme: 2 files, 480 created, 12 failed rows"),
        ([file(State.REFUSED), file(State.HELD)], "acme: 2 files, 1 refused, 1 held: please decide"),
        ([file(State.FAILED), file(State.MERGED, read=1, updated=1)],
         "acme: SYSTEM ERROR, 2 files, 1 updated, 1 not imported yet"),
        ([], "acme: SYSTEM ERROR, 0 files, none received"),
    ],
)  # fmt: skip
def test_the_subject_counts_what_matters(files, subject):
    assert summary(*files).subject == subject


def test_a_run_has_problems_unless_every_file_and_row_is_done():
    assert not summary(file(State.MERGED, read=1, created=1), file(State.DISCARDED)).has_problems
    assert summary().has_problems and summary(file(State.HELD)).has_problems
    assert summary(file(State.MERGED, read=1, failed=1)).has_problems


def test_a_corrected_report_says_how_many_rows_it_fixed():
    parent = file(State.MERGED, read=20, failed=15, file_name="x.csv").entry
    assert file(State.MERGED, read=12, created=12, parent=parent).fixed == "12 of 15 failed rows of “x.csv” are fixed."
    assert file(State.MERGED, read=12, created=12).fixed == ""


def test_names_and_cells_are_hostile_text():
    cause = Cause("CELL_FORMAT", "email", "<b>", "error", 2, "Email “<b>” has no @.", True, "")
    mail = summary(file(State.MERGED, read=2, failed=2, file_name="<script>.csv", causes=[cause]))
    assert "<script>" not in mail.html() and "<b>" not in mail.html() and "Email “&lt;b&gt;”" in mail.html()
    assert "2 x Email “<b>” has no @." in mail.text()


def test_a_cause_with_many_sentences_shows_one_of_them():
    cause = Cause("CELL_FORMAT", "email", "", "error", 2, "Email “x” has no @.", False, "")
    assert describe(cause) == "Not in the right format, for example: Email “x” has no @."


def test_numbers_agree_with_their_nouns():
    assert (plural(1, "row"), plural(0, "row"), plural(1200, "row")) == ("1 row", "0 rows", "1,200 rows")
