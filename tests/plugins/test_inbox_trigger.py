"""The doorbell of a watched inbox, wherever the inbox is."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from inbox_trigger import InboxTrigger


@pytest.fixture
def trigger(airflow, place, monkeypatch) -> InboxTrigger:
    from inbox_trigger import InboxTrigger

    monkeypatch.setattr("include.adapters.files.storage_root.open_storage", lambda root, login_of: place.storage)
    return InboxTrigger(
        root="where `place` is", inbox=place.inbox, pattern="*", stable_seconds=0, require_done_file=False,
        poll_seconds=0.01,
    )  # fmt: skip


async def rings(trigger: InboxTrigger, then) -> int:
    """How often it rang before each thing in `then` had been done and a few looks had followed."""
    looks, rung = 0, 0
    look = trigger._look

    def counted() -> str:
        nonlocal looks
        looks += 1
        return look()

    trigger._look = counted

    async def listen() -> None:
        nonlocal rung
        async for _ in trigger.run():
            rung += 1

    listening = asyncio.create_task(listen())
    for each in then:
        each()
        seen = looks
        while looks < seen + 3:
            await asyncio.sleep(0.01)
    listening.cancel()
    return rung


def test_it_rings_once_for_each_change_and_never_for_an_empty_inbox(trigger, place):
    drops = [lambda: None, lambda: place.put("a.csv", "x"), lambda: None, lambda: place.put("b.csv", "x")]
    assert asyncio.run(rings(trigger, drops)) == 2


@pytest.mark.parametrize("place", ["folder", "sftp"], indirect=True)
def test_an_inbox_that_cannot_be_read_is_said_once_and_the_doorbell_goes_on(trigger, place, monkeypatch):
    warnings = []
    monkeypatch.setattr(type(trigger.log), "warning", lambda self, *args: warnings.append(args), raising=False)
    trigger.facts["inbox"] = "sftp://acme/elsewhere"
    if place.inbox == "default":
        (place.storage.root / "inbox" / "default").rmdir()
        (place.storage.root / "inbox").rmdir()
        trigger.facts["inbox"] = "default"
    assert asyncio.run(rings(trigger, [lambda: None, lambda: None])) == 0
    assert len(warnings) == 1 and "StorageMissing" in str(warnings)


def test_it_survives_being_stored(trigger):
    path, facts = trigger.serialize()
    assert path == "inbox_trigger.InboxTrigger" and type(trigger)(**facts).facts == trigger.facts
