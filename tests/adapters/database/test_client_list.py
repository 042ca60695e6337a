"""The page lists clients: what it finds, in which order, and screen by screen in both directions."""

from __future__ import annotations

import itertools

import pytest
import sqlalchemy as sa

from include.adapters.database import client_list
from include.adapters.database.client_list import all_clients, screen
from include.adapters.database.client_query import ORDERS, ClientQuery
from include.adapters.database.client_query import desks_of_all_projects as desks
from tests.conftest import DESK, LONDON, NIGHT, PARTNERS, PROJECT

PEOPLE = [
    ("Ann", "Lee", "ann.lee@example.com", "ann.lee", DESK, True, "personal"),
    ("Anna Maria", "Møller", "am@mail.example.org", "zebra", LONDON, True, "business"),
    ("Ben", "van der Berg", "ben@acme.example", "ben", NIGHT, False, "personal"),
    ("ben", "O'Neil", "o'neil+crm@example.com", "bo_neil", LONDON, False, "business"),
    ("Zoe", "", "zoe@exämple.de", "zoe", DESK, True, "personal"),
]


@pytest.fixture
def people(engine):
    """Five clients whose IDs end in 0 to 4."""
    project_of = {DESK: PROJECT, LONDON: PARTNERS, NIGHT: PARTNERS}
    with engine.begin() as crm:
        for n, (first, last, email, username, desk, active, kind) in enumerate(PEOPLE):
            crm.execute(
                sa.text("""INSERT INTO clients (id, first_name, last_name, email, email_key, username, project, desk,
                    active, type, created) VALUES (:id, :first, :last, :email, :key, :username, :project, :desk,
                    :active, :type, timestamptz '2026-01-01' + :n * interval '1 day')"""),
                {"id": f"6a{n:022x}", "first": first, "last": last, "email": email, "username": username, "n": n,
                 "key": email.replace("exämple", "xn--exmple-cua"), "desk": desk, "project": project_of[desk],
                 "active": active, "type": kind},
            )  # fmt: skip
    return engine


def shown(found) -> str:
    return "".join(client["id"][-1] for client in found.clients)


def listed(engine, **query) -> str:
    return shown(screen(engine, ClientQuery(**{"order": "id", "descending": False, **query}), desks(engine)))


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("an", "01"), ("ANNA", "1"), ("maria", "1"), ("møl", "1"), ("MØLLER", "1"), ("berg", "2"), ("lee ann", "0"),
        ("ann ben", ""), ("zebra", "1"), ("acme", "2"), ("neil", "3"), ("o'neil", "3"), ("%", ""), ("_", ""), ("*", ""),
        ("ann.lee@example.com", "0"), ("lee@exam", "0"), ("@example.com", "03"), ("@example.org", ""), ("@", ""),
        ("ZOE@exämple.de", "4"), ("zoe@xn--exmple-cua.de", "4"), ("o'neil+crm@", "3"), ("  ben ", "23"),
        ("6a0000000000000000000003", "3"), ("6A00", "01234"), ("6a0", ""), ("nn", ""), ("a\\b' :* & | !", ""),
        ("x" * 5000, ""), ("\\", ""), ("an & !x", ""),
    ],
)  # fmt: skip
def test_a_search_finds_the_beginning_of_words_part_of_an_address_and_the_beginning_of_an_id(people, typed, expected):
    assert listed(people, text=typed) == expected


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({"project": PARTNERS}, "123"), ({"desk": LONDON}, "13"), ({"active": False}, "23"), ({"type": "business"}, "13"),
        ({"project": PARTNERS, "active": True, "type": "business"}, "1"), ({"project": PROJECT, "desk": LONDON}, ""),
        ({"project": "unknown"}, ""), ({"text": "ben", "type": "business"}, "3"),
    ],
)  # fmt: skip
def test_filters_and_a_search_hold_together(people, filters, expected):
    assert listed(people, **filters) == expected


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        ("id", "01234"), ("created", "01234"), ("first_name", "01234"), ("last_name", "40132"), ("email", "10234"),
        ("project", "04132"), ("desk", "04132"), ("active", "04132"), ("type", "13042"),
    ],
)  # fmt: skip
def test_a_list_is_sorted_by_each_column_whatever_the_case(people, order, expected):
    assert listed(people, order=order) == expected
    assert listed(people, order=order, descending=True) == expected[::-1]


@pytest.mark.parametrize(
    ("most", "estimate", "walked"), [(20_000, 0, 0), (0, 0, 0), (0, 1, 9), (0, 1, 3)],
    ids=["few", "sorted", "in the order of an index", "some in the order of an index, the others sorted"],
)  # fmt: skip
@pytest.mark.parametrize("query", [{}, {"text": "e"}, {"active": True}, {"project": PARTNERS, "text": "e"}], ids=str)
def test_screens_follow_each_other_in_both_directions_in_every_order(
    people, monkeypatch, query, most, estimate, walked
):  # fmt: skip
    monkeypatch.setattr(client_list, "MOST", most)
    monkeypatch.setattr(client_list, "WALKED", walked)
    monkeypatch.setattr(client_list.client_search, "estimate", lambda *_: estimate)
    for order, descending in itertools.product(ORDERS, (False, True)):
        asked = ClientQuery(order=order, descending=descending, **query)
        whole = shown(screen(people, asked, desks(people)))
        assert "".join(row[0][-1] for row in all_clients(people, asked, desks(people))) == whole
        seen, found = "", screen(people, asked, desks(people), size=2)
        assert not found.before
        while True:
            seen += shown(found)
            if not found.after:
                break
            found = screen(people, asked, desks(people), after=found.clients[-1]["id"], size=2)
            assert found.before
        assert seen == whole and len(whole) == len(set(whole)) > 1
        while found.before:
            first = found.clients[0]["id"]
            found = screen(people, asked, desks(people), before=first, size=2)
            assert found.after and shown(found) in whole[: whole.index(first[-1])]
        assert shown(found) == whole[: len(shown(found))]


def test_a_list_is_counted_when_it_is_narrowed_and_not_too_long(people, monkeypatch):
    def counted(**query):
        found = screen(people, ClientQuery(**query), desks(people))
        return found.total, found.is_large

    assert counted() == (None, False) and counted(text="ben") == (2, False) and counted(active=True) == (3, False)
    monkeypatch.setattr(client_list, "MOST", 2)
    monkeypatch.setattr(client_list.client_search, "estimate", lambda *_: 0)
    assert counted(text="ben") == (2, False) and counted(active=True) == (None, True) == counted(text="e")


def test_beside_a_client_that_is_gone_the_list_begins_again(people):
    query = ClientQuery(order="id", descending=False)
    found = screen(people, query, desks(people), after="f" * 24)
    assert shown(found) == "01234" and not found.before
