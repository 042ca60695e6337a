"""The summary says for each file what became of it and what to do; the subject says who has to act."""

from __future__ import annotations

import pytest

from include.emails.summary import FileSummary, Summary, describe, plural
from include.models import Cause, State
from include.schemas.client_tables import Import

NUMBERS = dict.fromkeys(
    ("read", "created", "updated", "unchanged", "duplicate", "failed", "deactivated", "warnings"), 0
)


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
        (file(State.PREVIEWED, read=3, created=1, updated=1, failed=1),
         "Checked only: nothing was written. 2 rows of 3 would be imported; 1 row failed."),
        (file(State.PREVIEWED),
         "Checked only: nothing was written. The file has a header and no records: there is nothing to import."),
        (file(State.REFUSED, code="FILE_EMPTY", message="No bytes."), "Refused, nothing was imported. File is empty: No bytes."),
        (file(State.MERGED, read=3, created=3, deactivated=1),
         "3 rows of 3 imported. 1 client missing in the file became inactive."),
        (file(State.HELD, message="2 of 3 rows failed."), "Waiting for a decision: nothing is imported yet. 2 of 3 rows failed."),
        (file(State.DISCARDED, message="Discarded by olga."), "Discarded by olga."),
        (file(State.REVERTED, message="Approved by olga."), "Imported, and undone later."),
        (file(State.FAILED, message="merge failed: No space left on device"),
         "System error: not imported yet (merge failed: No space left on device). The file is safe."),
        (file(State.FAILED, message="The bucket crm does not exist."),
         "System error: not imported yet (The bucket crm does not exist). The file is safe."),
        (file(State.RECEIVED), "System error: not imported yet. The file is safe."),
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
        (file(State.PREVIEWED, read=3, created=2, failed=1, report_path="reports/r"),
         "To import it, press “Import it now” on the import's page, or send it again, not as a dry run. "
         "To import all rows, first correct the failed ones in the file; the report lists them: reports/r"),
        (file(State.PREVIEWED, read=1, failed=1, report_path="reports/r"), "To import all rows, first correct"),
        (file(State.FAILED, dag_id="import_clients__x"),
         "Nothing for the sender to do. An engineer opens the run, mends the cause and clears the red task."),
        (file(State.FAILED, dag_id="import_clients__x", inbox_name="612e637376"),
         "An engineer mends the cause. The feed's next run claims the file."),
        (file(State.FAILED), "An engineer mends the cause and imports the file again on the command line."),
    ],
)  # fmt: skip
def test_the_advice_is_for_the_one_who_can_act(summary_file, advice):
    assert advice in summary_file.what_to_do


@pytest.mark.parametrize("state", [State.MERGED, State.PREVIEWED, State.DISCARDED, State.REVERTED])
def test_where_nothing_is_wrong_and_nothing_is_left_there_is_no_advice(state):
    assert file(state, read=1, unchanged=1).what_to_do == ""


@pytest.mark.parametrize(
    ("files", "subject"),
    [
        ([file(State.MERGED, read=480, created=480), file(State.MERGED, read=12, failed=12)],
         "acme: 2 files, 480 created, 12 failed rows"),
        ([file(State.REFUSED), file(State.HELD)], "acme: 2 files, 1 refused, 1 held: please decide"),
        ([file(State.FAILED), file(State.MERGED, read=1, updated=1)],
         "acme: SYSTEM ERROR, 2 files, 1 updated, 1 not imported yet"),
        ([], "acme: SYSTEM ERROR, 0 files, none received"),
        ([file(State.PREVIEWED, read=5, created=2, updated=1, failed=2)],
         "acme: Checked only: nothing was written (1 file, 2 would be created, 1 would be updated, 2 failed rows)"),
        ([file(State.PREVIEWED, read=9, created=9), file(State.MERGED, read=3, created=2, failed=1)],
         "acme: 2 files, 2 created, 1 failed row, 1 checked only"),
    ],
)  # fmt: skip
def test_the_subject_counts_what_matters(files, subject):
    assert summary(*files).subject == subject


def test_a_run_has_problems_unless_every_file_and_row_is_done():
    assert not summary(file(State.MERGED, read=1, created=1), file(State.DISCARDED)).has_problems
    assert summary().has_problems and summary(file(State.HELD)).has_problems
    assert summary(file(State.MERGED, read=1, failed=1)).has_problems


def test_the_numbers_of_a_dry_run_say_that_they_are_not_true_yet():
    mail = summary(file(State.PREVIEWED, read=3, created=2, failed=1))
    assert "  if it is imported: read 3, created 2," in mail.text() and "<p" in mail.html()
    assert "If it is imported:</p>" in mail.html() and "other rows are done" not in mail.text() + mail.html()
    assert "  if it is approved: read 3" in summary(file(State.HELD, read=3, message="x")).text()
    assert "\n  read 3, created 3" in summary(file(State.MERGED, read=3, created=3)).text()


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


def test_a_file_that_changed_after_it_was_imported_is_said_in_subject_and_text():
    late = file(State.MERGED, read=1, created=1, code="FILE_CHANGED_AFTER_READING", message="The sender went on.")
    mail = summary(late)
    assert mail.has_problems and "file changed after it was read" in mail.subject
    assert "The sender went on." in mail.text() and "renaming it when it is complete" in mail.html()
