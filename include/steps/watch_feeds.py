"""Look at all feeds: what waits in their inboxes, what waits for a person, and who is late (`expected_every`)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

from include.adapters.database import uploads
from include.adapters.database.arrivals import arrivals, expect, tell_once
from include.adapters.files.storage import Storage
from include.emails.late import LateFeed
from include.metrics import Measure, state
from include.schemas.feed import Feed

Send = Callable[[Feed, LateFeed], None]
_NONE = timedelta(0)


@dataclass(frozen=True)
class Standing:
    """One feed now. `waits`: how long its oldest file has. `overdue`: how long no file has come that should have.

    `sign`: its last file, or since when one is expected. `told`: people know that it is late.
    """

    feed: Feed
    waits: timedelta
    held: int
    overdue: timedelta
    sign: datetime | None
    told: bool

    @property
    def measures(self) -> list[Measure]:
        name = self.feed.name
        return [
            state("waiting_age", self.waits.total_seconds(), feed=name),
            state("held", self.held, feed=name),
            state("late", self.overdue.total_seconds(), feed=name),
        ]

    def __str__(self) -> str:
        said = [f"oldest file waits {_minutes(self.waits)}"] if self.waits else ["no file waits"]
        if self.held:
            said.append(f"{self.held} held")
        if self.overdue:
            said.append(f"LATE by {_minutes(self.overdue)}, no file since {self.sign:%Y-%m-%d %H:%M %Z}")
        return f"{self.feed.name}: {', '.join(said)}"


@dataclass
class Watched:
    """`late`: feeds whose people were told just now. `faults` are ours, and stop no other feed."""

    standings: list[Standing] = field(default_factory=list)
    late: list[Standing] = field(default_factory=list)
    faults: list[Exception] = field(default_factory=list)

    @property
    def measures(self) -> Iterable[Measure]:
        return (measure for standing in self.standings for measure in standing.measures)


def watch_feeds(
    engine: sa.Engine, storage: Storage, feeds: Mapping[str, Feed | None], now: datetime, send: Send, link: str
) -> Watched:
    """Look at every feed whose file is not broken, and tell each late one's people once."""
    known = {name: feed for name, feed in feeds.items() if feed is not None}
    expect(engine, [name for name, feed in known.items() if feed.expected_every], feeds.keys() - known.keys(), now)
    came = arrivals(engine, known)
    watched = Watched()
    for name, feed in known.items():
        try:
            waits, found = _oldest(engine, storage, feed, now), came[name]
            late = now - found.sign - feed.expected_every if feed.expected_every and found.sign else _NONE
            overdue = _NONE if waits is not None else max(late, _NONE)
            standing = Standing(feed, waits or _NONE, found.held, overdue, found.sign, found.told_for == found.sign)
            watched.standings.append(standing)
            if overdue and not standing.told and _tell(engine, standing, send, link):
                watched.late.append(standing)
        except Exception as fault:  # noqa: BLE001 - one feed's inbox or mail must not hide another feed's lateness
            watched.faults.append(fault)
    return watched


def _oldest(engine: sa.Engine, storage: Storage, feed: Feed, now: datetime) -> timedelta | None:
    """How long the oldest file or upload waits; None for no file. One that is still being written has come."""
    waiting = storage.stable_files(feed.inbox, feed.file_pattern, 0, feed.require_done_file)
    since = [datetime.fromtimestamp(each.modified, UTC) for each in waiting]
    since += [upload.uploaded_at for upload in uploads.waiting(engine, feed.name)]
    return max((now - each for each in since), default=None)


def _tell(engine: sa.Engine, standing: Standing, send: Send, link: str) -> bool:
    feed, sign = standing.feed, standing.sign
    if sign is None or feed.expected_every is None:
        return False
    with tell_once(engine, feed.name, sign) as news:
        if news and feed.notify.to and feed.notify.when != "never":
            send(feed, LateFeed(feed, sign, feed.expected_every, link))
    return news


def _minutes(time: timedelta) -> str:
    return f"{time // timedelta(hours=1)} h {time // timedelta(minutes=1) % 60} min"
