"""An import above a limit of its feed waits for a person, who reads one sentence for each limit."""

from __future__ import annotations

import pytest

from include.schemas.feed import Hold
from include.transforms.holding import Weight, reasons_to_hold


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
