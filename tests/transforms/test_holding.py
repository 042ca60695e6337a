"""An import above a limit of its feed waits for a person, who reads one sentence for each limit."""

from __future__ import annotations

import pytest

from include.schemas.feed import Hold
from include.transforms.holding import EarlierFile, Weight, new_columns, reasons_from_habit, reasons_to_hold


def reasons(read: int = 100, failed: int = 0, updated: int = 0, deactivated: int = 0, **limits: float) -> list[str]:
    return reasons_to_hold(Hold(**limits), Weight(read, failed, updated, deactivated))


def test_a_feed_without_limits_holds_nothing():
    assert reasons(failed=100, updated=100, deactivated=100) == []


@pytest.mark.parametrize(("failed", "is_held"), [(50, False), (51, True)])
def test_an_import_is_held_above_the_limit_and_not_at_it(failed, is_held):
    assert bool(reasons(failed=failed, failed_over=0.5)) is is_held


def test_each_limit_that_is_exceeded_is_a_sentence():
    assert reasons(2_000, 1_200, 10, 500, failed_over=0.5, updated_over=0.5, deactivated_over=0.2) == [
        "1,200 of 2,000 rows failed (60%; the feed holds above 50%).",
        "500 of 2,000 rows would deactivate a client (25%; the feed holds above 20%).",
    ]
    assert reasons(10, updated=9, updated_over=0) == [
        "9 of 10 rows would update a client (90%; the feed holds above 0%)."
    ]


def test_a_file_with_few_records_is_not_held():
    assert reasons(19, failed=19, failed_over=0.5, from_records=20) == []
    assert reasons(20, failed=20, failed_over=0.5, from_records=20) != []


def test_a_file_without_records_is_not_held():
    assert reasons(0, failed_over=0) == []


def files(*reads: int, header: tuple[str, ...] = ("Email", "Desk")) -> list[EarlierFile]:
    return [EarlierFile(read, header) for read in reads]


@pytest.mark.parametrize(("read", "is_held"), [(49, True), (50, False), (5_000, False)])
def test_a_file_with_far_fewer_records_than_usual_is_held(read, is_held):
    hold = Hold(fewer_than=0.5, from_records=20)
    assert bool(reasons_from_habit(hold, *files(read), files(100, 90, 100, 1_000))) is is_held
    assert reasons_from_habit(hold, *files(1), files(100, 100)) == [], "two files are no habit"
    assert reasons_from_habit(hold, *files(1), files(19, 19, 19)) == [], "small files are not held"


def test_the_sentence_says_what_is_usual_and_which_columns_are_missing():
    hold = Hold(fewer_than=0.5, missing_columns=True)
    assert reasons_from_habit(hold, EarlierFile(12, ["E-MAIL", "email"]), files(340, 340, 350)) == [
        "12 records, where the last 3 files had 340 as a rule (the feed holds below 50%).",
        "The last 3 files had the column “Desk”; this one does not.",
    ]


def test_a_column_is_new_that_none_of_the_last_files_had():
    file = EarlierFile(1, ["email", "desk", "Phone", ""])
    assert new_columns(file, files(1, 1, 1)) == ["Phone"] and new_columns(file, files(1, 1)) == []
