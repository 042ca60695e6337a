"""The doorbell of watched inboxes. It lives here because the triggerer cannot import from `dags/`.

It only says that something is there: the run it starts lists the inbox itself.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

from airflow.triggers.base import BaseEventTrigger, TriggerEvent

if TYPE_CHECKING:
    from include.adapters.files.storage import Storage


class InboxTrigger(BaseEventTrigger):
    """Fires when the stable_files files of one inbox are others than at the last look; never while the inbox is empty."""

    def __init__(
        self,
        *,
        root: str,
        inbox: str,
        pattern: str,
        stable_seconds: float,
        require_done_file: bool,
        poll_seconds: float = 1.0,
    ) -> None:
        super().__init__()
        self._storage: Storage | None = None
        self.facts = {
            "root": root,
            "inbox": inbox,
            "pattern": pattern,
            "stable_seconds": stable_seconds,
            "require_done_file": require_done_file,
            "poll_seconds": poll_seconds,
        }

    def serialize(self) -> tuple[str, dict[str, Any]]:
        return "inbox_trigger.InboxTrigger", self.facts

    async def run(self) -> AsyncIterator[TriggerEvent]:
        rung_for, complaint = "", ""
        while True:
            try:
                waiting, said = await asyncio.to_thread(self._look), ""
            # Raising would restart this trigger every two seconds, for ever. The next sweep makes its run red.
            except Exception as error:  # noqa: BLE001 - a partner's server may fail in any way
                waiting, said = rung_for, f"{type(error).__name__}: {error}"
                self._storage = None  # the connection may be another one by now
            if said and said != complaint:
                self.log.warning("The inbox %s cannot be read: %s", self.facts["inbox"], said)
            complaint = said
            if waiting and waiting != rung_for:
                yield TriggerEvent({"inbox": self.facts["inbox"]})
            rung_for = waiting
            await asyncio.sleep(self.facts["poll_seconds"])

    def _look(self) -> str:
        """A fingerprint of what waits, '' for nothing."""
        from include.airflow_support.connections import login_of

        from include.adapters.files.storage_root import open_storage

        facts = self.facts
        self._storage = self._storage or open_storage(facts["root"], login_of)
        found = self._storage.stable_files(
            facts["inbox"], facts["pattern"], facts["stable_seconds"], facts["require_done_file"]
        )
        listed = "\n".join(f"{w.name!r} {w.size} {w.modified}" for w in found)
        return hashlib.sha256(listed.encode("utf-8", "surrogateescape")).hexdigest() if found else ""
