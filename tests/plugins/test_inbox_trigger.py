"""The inbox trigger, for an inbox in a folder, in a bucket or on a server."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from inbox_trigger import InboxTrigger


@pytest.fixture
def trigger(airflow, place, monkeypatch) -> InboxTrigger:
    from inbox_trigger import InboxTrigger

    monkeypatch.setattr("include.adapters.files.location.open_storage", lambda root, login_of: place.storage)
    return InboxTrigger(
        root="where `place` is", inbox=place.inbox, pattern="*", stable_seconds=0, poll_seconds=0.01,
    )  # fmt: skip


async def fired(trigger: InboxTrigger, then) -> int:
    """Count how often it fires until everything in `then` is done and each was followed by a few looks."""
    looks, count = 0, 0
    look = trigger._look

    def counted() -> str:
        nonlocal looks
        looks += 1
        return look()

    trigger._look = counted

    async def listen() -> None:
        nonlocal count
        async for _ in trigger.run():
            count += 1

    listening = asyncio.create_task(listen())
    for each in then:
        each()
        seen = looks
        while looks < seen + 3:
            await asyncio.sleep(0.01)
    listening.cancel()
    return count


def test_it_fires_once_for_each_change_and_never_for_an_empty_inbox(trigger, place):
    drops = [lambda: None, lambda: place.put("a.csv", "x"), lambda: None, lambda: place.put("b.csv", "x")]
    assert asyncio.run(fired(trigger, drops)) == 2


@pytest.mark.parametrize("place", ["folder", "sftp"], indirect=True)
def test_an_inbox_that_cannot_be_read_is_logged_once_and_the_trigger_goes_on(trigger, place, monkeypatch):
    warnings = []
    monkeypatch.setattr(type(trigger.log), "warning", lambda self, *args: warnings.append(args), raising=False)
    trigger.inbox = "sftp://acme/elsewhere"
    if place.inbox == "default":
        (place.storage.root / "inbox" / "default").rmdir()
        (place.storage.root / "inbox").rmdir()
        trigger.inbox = "default"
    assert asyncio.run(fired(trigger, [lambda: None, lambda: None])) == 0
    assert len(warnings) == 1 and "StorageMissing" in str(warnings)


def test_it_survives_being_stored(trigger):
    path, keys = trigger.serialize()
    assert path == "inbox_trigger.InboxTrigger" and type(trigger)(**keys).serialize() == trigger.serialize()
