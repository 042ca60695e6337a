"""Look at all feeds: what waits in their inboxes, what waits for a decision, and which feed is late."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

from include.adapters.database import uploads
from include.adapters.database.arrivals import Arrivals, arrivals, expect, notify_once
from include.adapters.files.storage import Storage
from include.emails.late import LateFeed
from include.metrics import Measure, state
from include.schemas.feed import Feed

Send = Callable[[Sequence[str], LateFeed], None]
_NONE = timedelta(0)


@dataclass(frozen=True)
class FeedStatus:
    """One feed now.

    waits         how long the oldest file in its inbox waits
    held          how many imports wait for a decision
    overdue       for how long a file should have come
    last_arrival  when its last file came or, where none has, since when one is expected
    notified      people know already that it is late
    """

    feed: Feed
    waits: timedelta
    held: int
    overdue: timedelta
    last_arrival: datetime | None
    notified: bool

    @property
    def measures(self) -> list[Measure]:
        name = self.feed.name
        return [
            state("waiting_age", self.waits.total_seconds(), feed=name),
            state("held", self.held, feed=name),
            state("late", self.overdue.total_seconds(), feed=name),
        ]

    def __str__(self) -> str:
        parts = [f"oldest file waits {_minutes(self.waits)}"] if self.waits else ["no file waits"]
        if self.held:
            parts.append(f"{self.held} held")
        if self.overdue:
            last = self.feed.local(self.last_arrival) if self.last_arrival else None
            parts.append(f"LATE by {_minutes(self.overdue)}, no file since {last:%Y-%m-%d %H:%M %Z}")
        return f"{self.feed.name}: {', '.join(parts)}"


@dataclass
class Watched:
    """All feeds now. `late`: those whose people were notified just now. `errors` are system errors of single feeds."""

    statuses: list[FeedStatus] = field(default_factory=list)
    late: list[FeedStatus] = field(default_factory=list)
    errors: list[Exception] = field(default_factory=list)

    @property
    def measures(self) -> Iterable[Measure]:
        return (measure for status in self.statuses for measure in status.measures)


def watch_feeds(
    engine: sa.Engine, storage: Storage, feeds: Mapping[str, Feed | None], now: datetime, send: Send, link: str
) -> Watched:
    """Look at every feed whose file is not broken, and notify the people of each late one once."""
    known = {name: feed for name, feed in feeds.items() if feed is not None}
    expect(engine, [name for name, feed in known.items() if feed.expected_every], feeds.keys() - known.keys(), now)
    arrived = arrivals(engine, known)
    watched = Watched()
    for name, feed in known.items():
        try:
            status = _status(feed, _oldest(engine, storage, feed, now), arrived[name], now)
            watched.statuses.append(status)
            if status.overdue and not status.notified and _notify(engine, status, send, link):
                watched.late.append(status)
        except Exception as error:  # noqa: BLE001 - one feed's inbox or mail must not hide that another feed is late
            watched.errors.append(error)
    return watched


def _status(feed: Feed, waits: timedelta | None, arrived: Arrivals, now: datetime) -> FeedStatus:
    last = arrived.last_arrival
    overdue = _NONE
    due = feed.next_file_due(last) if last is not None else None
    if waits is None and due is not None:
        overdue = max(now - due, _NONE)
    return FeedStatus(feed, waits or _NONE, arrived.held, overdue, last, arrived.late_notified_after == last)


def _oldest(engine: sa.Engine, storage: Storage, feed: Feed, now: datetime) -> timedelta | None:
    """Return how long the oldest file or upload waits, None without one. A file that is still being written counts."""
    waiting = storage.stable_files(feed.inbox, feed.file_pattern, 0, feed.side_files)
    since = [datetime.fromtimestamp(each.modified, UTC) for each in waiting]
    since += [upload.uploaded_at for upload in uploads.waiting(engine, feed.name)]
    return max((max(now - each, _NONE) for each in since), default=None)  # a clock may have been set back


def _notify(engine: sa.Engine, status: FeedStatus, send: Send, link: str) -> bool:
    """Mail the people of a late feed; return False when they know it already."""
    feed, last = status.feed, status.last_arrival
    due = feed.next_file_due(last) if last is not None else None
    if last is None or due is None or feed.expected_every is None:
        return False
    with notify_once(engine, feed.name, last) as is_new:
        if is_new and feed.notify.to and feed.notify.when != "never":
            send(feed.notify.to, LateFeed(feed, last, feed.expected_every, due, link))
    return is_new


def _minutes(time: timedelta) -> str:
    return f"{time // timedelta(hours=1)} h {time // timedelta(minutes=1) % 60} min"
