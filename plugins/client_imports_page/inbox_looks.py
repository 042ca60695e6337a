"""How many files wait in each inbox. No screen waits for a server: a look at one goes on beside the screen.

A folder on this machine is looked at at once. A look into a bucket costs money and a look at a partner's server costs a
connection, so each is repeated after a minute at the earliest, and each inbox has one at a time.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from threading import Lock, Thread

from include.adapters.files.storage import Storage
from include.schemas.feed import Feed

_FRESH_SECONDS = 60
_PATIENCE_SECONDS = 10  # after that the screen says that the server does not answer, while the look goes on
_MOST_AT_ONCE = 8


@dataclass(frozen=True)
class Look:
    """What one look found. `files` is None while it is not known: `failed` says whether the inbox did not answer."""

    files: int | None = None
    failed: bool = False


@dataclass
class _Memory:
    result: Look = Look()
    ended: float | None = None
    started: float | None = None  # of a look that is under way


class InboxLooks:
    """The looks of this process."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock, self._lock = clock, Lock()
        self._memories: dict[tuple[str, str, tuple[str, ...]], _Memory] = {}

    def at(self, storage: Storage, feed: Feed) -> Look:
        """Give what is known of the feed's inbox, and look again where that is old. Never waits for a server."""
        if isinstance(storage.root, Path) and "://" not in feed.inbox:
            return _look(storage, feed)
        now = self._clock()
        with self._lock:
            memory = self._memories.setdefault((feed.inbox, feed.file_pattern, feed.side_files), _Memory())
            is_old = memory.ended is None or now - memory.ended > _FRESH_SECONDS
            under_way = sum(each.started is not None for each in self._memories.values())
            if is_old and memory.started is None and under_way < _MOST_AT_ONCE:
                memory.started = now
                # A daemon: a server that is silent must not keep this process from ending.
                Thread(target=self._remember, args=(memory, storage, feed), daemon=True).start()
            is_stuck = memory.started is not None and now - memory.started > _PATIENCE_SECONDS
            return Look(failed=True) if is_stuck else memory.result

    def _remember(self, memory: _Memory, storage: Storage, feed: Feed) -> None:
        result = Look(failed=True)
        try:
            result = _look(storage, feed)
        finally:
            with self._lock:
                memory.result, memory.ended, memory.started = result, self._clock(), None


def _look(storage: Storage, feed: Feed) -> Look:
    """Count the files that the feed takes, also those that are still being written."""
    try:
        return Look(len(storage.stable_files(feed.inbox, feed.file_pattern, 0, feed.side_files)))
    except Exception:  # noqa: BLE001 - whatever it is, `watch_feeds` says it in its log; the screen shows the rest
        return Look(failed=True)


looks = InboxLooks()
