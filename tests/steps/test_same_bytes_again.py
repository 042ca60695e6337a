"""The same bytes once more: nothing is done after the same file, and everything after another one."""

from __future__ import annotations

import pytest

MONDAY = "First Name,Email,Active\nAnn,ann@example.com,yes\n"
TUESDAY = "First Name,Email,Active\nAnn,ann@example.com,no\n"


@pytest.fixture
def shared_engine(engine_on_every_server):
    return engine_on_every_server


def test_the_bytes_of_the_newest_merged_file_are_skipped_and_name_that_import(bring):
    first, again = bring(MONDAY, file_name="monday.csv"), bring(MONDAY, file_name="again.csv")
    assert (again.state, again.code, again.counts.unchanged) == ("skipped", "FILE_ALREADY_IMPORTED", 0)
    assert "as monday.csv" in again.message and first.import_id in again.message


def test_bytes_older_than_the_newest_merged_file_are_imported(bring, clients):
    bring(MONDAY)
    bring(TUESDAY)
    assert bring(MONDAY).counts.updated == 1 and clients()["ann@example.com"]["active"] is True
    assert bring(MONDAY).state == "skipped"


def test_a_dry_run_of_another_file_does_not_come_between(bring):
    bring(MONDAY)
    bring(TUESDAY, dry_run=True)
    assert bring(MONDAY).state == "skipped"
    assert bring(MONDAY, dry_run=True).state == "skipped"


def test_a_file_without_records_succeeds_each_time(bring):
    assert [bring("First Name,Email\n").state for _ in range(3)] == ["merged"] * 3


def test_a_file_with_failed_rows_is_imported_again_because_what_they_lacked_may_be_there_now(bring):
    text = "First Name,Email\nAnn,ann@example.com\n,ben@example.com\n"
    bring(text)
    assert (bring(text).counts.unchanged, bring(text).counts.failed) == (1, 1)


def test_a_file_can_be_forced(bring):
    bring(MONDAY)
    assert bring(MONDAY, force=True).counts.unchanged == 1
