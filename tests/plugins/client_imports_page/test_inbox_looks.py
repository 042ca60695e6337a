"""No screen waits for an inbox on a server: looks go on beside it, one at a time for each inbox."""

from __future__ import annotations

from pathlib import Path
from threading import Event

import pytest

from include.adapters.files.inbox import Waiting
from include.adapters.files.storage import Storage
from include.errors import StorageFailed
from include.schemas.feed import Feed

FEED = Feed(name="acme", title="Acme", inbox="sftp://acme/out")


class Server:
    """An inbox on a server that answers when the test lets it."""

    def __init__(self) -> None:
        self.may_answer, self.answered, self.looks, self.is_broken = Event(), Event(), 0, False

    def entries(self) -> list[Waiting]:
        self.looks += 1
        self.may_answer.wait(30)
        if self.is_broken:
            raise StorageFailed("The server has gone.")
        return [Waiting("a.csv", 1, 1.0), Waiting("b.csv.part", 1, 1.0)]

    def needs_second_look(self, stable_seconds: float) -> bool:
        return False


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def server():
    server = Server()
    yield server
    server.may_answer.set()


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def look(airflow, server, clock, tmp_path):
    """Look once; `look(until=...)` looks until the answer is there."""
    from client_imports_page.inbox_looks import InboxLooks

    looks, storage = InboxLooks(clock), Storage(tmp_path, lambda url: server)

    def _look(until=None):
        result = looks.at(storage, FEED)
        while until is not None and result != until:
            Event().wait(0.01)
            result = looks.at(storage, FEED)
        return result

    return _look


def test_a_server_that_is_silent_is_asked_once_and_called_unknown_in_the_end(look, server, clock):
    from client_imports_page.inbox_looks import Look

    assert [look() for _ in range(5)] == [Look()] * 5
    clock.now += 11
    assert look() == Look(failed=True) and server.looks == 1


def test_what_was_found_is_shown_for_a_minute_and_then_found_anew(look, server, clock):
    from client_imports_page.inbox_looks import Look

    server.may_answer.set()
    assert look(until=Look(files=1)) and server.looks == 1
    clock.now += 59
    assert look() == Look(files=1) and server.looks == 1
    clock.now += 2
    server.is_broken = True
    assert look(until=Look(failed=True)) and server.looks == 2


def test_a_folder_of_this_machine_is_looked_at_at_once(airflow, tmp_path):
    from client_imports_page.inbox_looks import InboxLooks, Look

    feed = Feed(name="acme", title="Acme")
    (tmp_path / "inbox" / "acme").mkdir(parents=True)
    Path(tmp_path / "inbox" / "acme" / "a.csv").touch()
    assert InboxLooks().at(Storage(tmp_path), feed) == Look(files=1)
    assert InboxLooks().at(Storage(tmp_path / "not mounted"), feed) == Look(failed=True)
