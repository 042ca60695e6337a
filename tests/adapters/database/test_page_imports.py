"""The page reads one screenful of imports at a time, and only of the feeds that a person may see."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from include.adapters.database import ledger, page_imports
from include.adapters.database.page_imports import ListQuery, screen
from include.models import RunRequest, State

START = datetime(2026, 11, 2, 6, tzinfo=UTC)


@pytest.fixture
def entries(engine):
    """Five imports of one feed, an hour apart, and one of another feed."""
    with engine.begin() as connection:
        entries = [
            ledger.open_import(connection, "acme", f"{n}_100%.csv", RunRequest(), START + timedelta(hours=n))
            for n in range(5)
        ]
        ledger.open_import(connection, "other", "secret.csv", RunRequest(), START)
    return entries


def names(shown):
    return [listed.entry.file_name[0] for listed in shown.listed]


def test_screens_follow_each_other_in_both_directions(engine, entries):
    query = ListQuery(["acme"])
    first = screen(engine, query, size=2)
    assert names(first) == ["4", "3"] and first.newer is None
    second = screen(engine, query, before=first.older, size=2)
    assert names(second) == ["2", "1"]
    assert names(screen(engine, query, before=second.older, size=2)) == ["0"]
    assert names(screen(engine, query, after=second.newer, size=2)) == ["4", "3"]
    assert screen(engine, query, before=0).listed == []


def test_imports_of_other_feeds_are_never_shown(engine, entries):
    assert len(screen(engine, ListQuery(["acme"])).listed) == 5
    assert screen(engine, ListQuery([])).listed == []


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ({"state": State.REFUSED}, ["1"]),
        ({"since": START + timedelta(hours=3)}, ["4", "3"]),
        ({"until": START + timedelta(hours=1)}, ["0"]),
        ({"text": "2_100%"}, ["2"]),
        ({"text": "2_1_0"}, []),
        ({"text": "%"}, ["4", "3", "2", "1", "0"]),
    ],
)
def test_a_list_is_filtered_and_signs_of_a_pattern_are_letters(engine, entries, keys, expected):
    ledger.change(engine, entries[1].id, state=State.REFUSED)
    assert names(screen(engine, ListQuery(["acme"], **keys))) == expected


def test_a_kind_of_failure_is_new_when_the_merged_file_before_did_not_have_it(engine, entries):
    for entry, kinds in zip(entries, ({"A": 1}, {"A": 1, "B": 2}, {}, {"B": 1}, {"B": 1}), strict=True):
        ledger.change(engine, entry.id, state=State.MERGED, failure_kinds=kinds, read=1, failed=1)
    shown = screen(engine, ListQuery(["acme"])).listed
    assert [listed.new_kinds for listed in shown] == [(), ("B",), (), ("B",), ()]
    (day,) = page_imports.days(engine, ["acme", "other"], START)
    assert (day.feed, day.read, day.failed, day.new_failures) == ("acme", 5, 5, 2)


def test_every_feed_that_ever_had_an_import_is_known(engine, entries):
    assert page_imports.feeds(engine) == ["acme", "other"]
