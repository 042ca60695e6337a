"""Write the mail that says that no file has come. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from include.emails.letter import Letter
from include.schemas.feed import Feed


@dataclass(frozen=True)
class LateFeed(Letter):
    """A feed whose next file is late.

    `last_arrival`: when its last file came or, where none has, since when one is expected; `due`: until when the next
    one should have come (UTC). The mail says them in the feed's time zone.
    """

    feed: Feed
    last_arrival: datetime
    every: timedelta
    due: datetime
    link: str

    @property
    def subject(self) -> str:
        return f"{self.feed.name}: LATE, no file since {self._when(self.last_arrival)}"

    @property
    def paragraphs(self) -> list[str]:
        pattern = "" if self.feed.file_pattern == "*" else f" that match {self.feed.file_pattern}"
        done = f", each with its {' and '.join(self.feed.side_files)} file" if self.feed.side_files else ""
        return [
            f"{self.feed.title} ({self.feed.name})",
            f"No file has come since {self._when(self.last_arrival)}. One is expected every {_span(self.every)}, so "
            f"the feed is late since {self._when(self.due)}.",
            "What to do: ask the sender. If they say that it was sent, look for it in another folder or under "
            f"another name: inbox/{self.feed.inbox} receives files{pattern}{done}.",
            "You get this mail once, and again when a file has come and the next one is late.",
            f"The run that noticed: {self.link}",
        ]

    def _when(self, time: datetime) -> str:
        return f"{self.feed.local(time):%Y-%m-%d %H:%M %Z}"


def _span(time: timedelta) -> str:
    """Write a time in the largest unit that leaves no rest: 26 hours, 7 days, 90 minutes."""
    for name, unit in (("day", timedelta(days=1)), ("hour", timedelta(hours=1)), ("minute", timedelta(minutes=1))):
        if time % unit == timedelta(0):
            return f"{time // unit} {name}{'s' if time != unit else ''}"
    return str(time)
