"""The inbox trigger starts a run when files arrive in a watched inbox.

It only reports that something is there: the run that it starts lists the inbox itself. It is a plugin because the
triggerer cannot import from `dags/`.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import AsyncIterator, Sequence
from typing import TYPE_CHECKING, Any

from airflow.triggers.base import BaseEventTrigger, TriggerEvent

if TYPE_CHECKING:
    from include.adapters.files.storage import Storage


class InboxTrigger(BaseEventTrigger):
    """Fire when the stable files of one inbox differ from those of the last look; never for an empty inbox."""

    def __init__(
        self,
        *,
        root: str,
        inbox: str,
        pattern: str,
        stable_seconds: float,
        side_files: Sequence[str] = (),
        poll_seconds: float = 1.0,
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # Airflow's triggers have no annotations
        self.root, self.inbox, self.pattern = root, inbox, pattern
        self.stable_seconds, self.side_files = stable_seconds, list(side_files)
        self.poll_seconds = poll_seconds
        self._storage: Storage | None = None

    def serialize(self) -> tuple[str, dict[str, Any]]:
        names = ("root", "inbox", "pattern", "stable_seconds", "side_files", "poll_seconds")
        return "inbox_trigger.InboxTrigger", {name: getattr(self, name) for name in names}

    async def run(self) -> AsyncIterator[TriggerEvent]:
        fired_for, logged = "", ""
        while True:
            began = time.monotonic()
            try:
                fingerprint, error = await asyncio.to_thread(self._look), ""
            # An exception would make Airflow restart the trigger every two seconds. The periodic scan reports it.
            except Exception as exception:  # noqa: BLE001 - a partner's server may fail in any way
                fingerprint, error = fired_for, f"{type(exception).__name__}: {exception}"
                self._storage = None  # the next look reads the connection again
            if error and error != logged:
                self.log.warning("The inbox %s cannot be read: %s", self.inbox, error)
            logged = error
            if fingerprint and fingerprint != fired_for:
                yield TriggerEvent({"inbox": self.inbox})
            fired_for = fingerprint
            # A look at a full or slow inbox may take seconds: looking is never more than a tenth of the work.
            await asyncio.sleep(max(self.poll_seconds, 9 * (time.monotonic() - began)))

    def _look(self) -> str:
        """Give a fingerprint of the files that wait; '' when there are none."""
        from include.airflow_support.connections import open_storage

        self._storage = self._storage or open_storage(self.root)
        files = self._storage.stable_files(self.inbox, self.pattern, self.stable_seconds, self.side_files)
        listing = "\n".join(f"{file.name!r} {file.size} {file.modified}" for file in files)
        return hashlib.sha256(listing.encode("utf-8", "surrogateescape")).hexdigest() if files else ""
