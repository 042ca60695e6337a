"""Write the mail that says that no file has come. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from html import escape

from include.schemas.feed import Feed


@dataclass(frozen=True)
class LateFeed:
    """A feed whose next file is late.

    `last_arrival`: when its last file came or, where none has, since when one is expected (UTC).
    """

    feed: Feed
    last_arrival: datetime
    every: timedelta
    link: str

    @property
    def subject(self) -> str:
        return f"{self.feed.name}: LATE, no file since {_when(self.last_arrival)}"

    @property
    def _paragraphs(self) -> list[str]:
        pattern = "" if self.feed.file_pattern == "*" else f" that match {self.feed.file_pattern}"
        done = ", each with its .done file" if self.feed.require_done_file else ""
        return [
            f"{self.feed.title} ({self.feed.name})",
            f"No file has come since {_when(self.last_arrival)}. One is expected every {_span(self.every)}, so the "
            f"feed is late since {_when(self.last_arrival + self.every)}.",
            "What to do: ask the sender. If they say that it was sent, look for it in another folder or under "
            f"another name: inbox/{self.feed.inbox} receives files{pattern}{done}.",
            "You get this mail once, and again when a file has come and the next one is late.",
            f"The run that noticed: {self.link}",
        ]

    def text(self) -> str:
        return "\n\n".join(self._paragraphs) + "\n"

    def html(self) -> str:
        return "\n".join(f"<p>{escape(paragraph)}</p>" for paragraph in self._paragraphs)


def _when(time: datetime) -> str:
    return f"{time:%Y-%m-%d %H:%M} UTC"


def _span(time: timedelta) -> str:
    """Write a time in the largest unit that leaves no rest: 26 hours, 7 days, 90 minutes."""
    for name, unit in (("day", timedelta(days=1)), ("hour", timedelta(hours=1)), ("minute", timedelta(minutes=1))):
        if time % unit == timedelta(0):
            return f"{time // unit} {name}{'s' if time != unit else ''}"
    return str(time)
