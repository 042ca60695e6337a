"""The page shows a client with what each import did to it, and only imports of feeds that the person may see."""

from __future__ import annotations

import pytest

from include.adapters.database import page_clients

FEEDS = ["default"]


@pytest.fixture
def ann(bring, clients) -> str:
    """A client that one file created, a second changed and a third could not change."""
    bring("First Name,Email\nAnn,ann@example.com\n")
    bring("First Name,Email\nAnna,ann@example.com\n")
    bring("First Name,Email\n,Ann@Example.com\n")
    return clients()["ann@example.com"]["id"]


def test_a_client_is_found_by_its_id_and_by_its_address(engine, ann):
    assert page_clients.find_client(engine, ann)["first_name"] == "Anna"
    assert page_clients.find_client(engine, email_key="ann@example.com")["id"] == ann
    assert page_clients.find_client(engine, email_key="nobody@example.com") is None


def test_the_history_has_what_each_import_did_the_newest_first(engine, ann):
    updated, created = page_clients.history(engine, ann, FEEDS)
    assert (updated.outcome, updated.before["first_name"], updated.after["first_name"]) == ("updated", "Ann", "Anna")
    assert (created.outcome, created.before, created.after["first_name"]) == ("created", None, "Ann")
    assert updated.entry.arrival > created.entry.arrival and (updated.row, updated.line) == (1, 2)


def test_rows_that_were_not_imported_are_found_by_the_address_as_it_was_typed(engine, ann):
    (event,) = page_clients.mentioned(engine, "Ann@Example.com", "ann@example.com", FEEDS)
    assert (event.outcome, event.problems[0]["code"]) == ("failed", "CELL_REQUIRED")


def test_imports_of_other_feeds_are_not_shown(engine, ann):
    assert page_clients.history(engine, ann, ["other"]) == []
    assert page_clients.mentioned(engine, "Ann@Example.com", "ann@example.com", ["other"]) == []
