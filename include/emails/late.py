"""The mail that says that no file has come. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from html import escape

from include.schemas.feed import Feed


@dataclass(frozen=True)
class LateFeed:
    """`sign`: when the last file came or, where none ever did, since when one is expected (UTC)."""

    feed: Feed
    sign: datetime
    every: timedelta
    link: str

    @property
    def subject(self) -> str:
        return f"{self.feed.name}: LATE, no file since {_when(self.sign)}"

    @property
    def _paragraphs(self) -> list[str]:
        pattern = "" if self.feed.file_pattern == "*" else f" that match {self.feed.file_pattern}"
        done = ", each with its .done file" if self.feed.require_done_file else ""
        return [
            f"{self.feed.title} ({self.feed.name})",
            f"No file has come since {_when(self.sign)}. One is expected every {_span(self.every)}, so the feed is "
            f"late since {_when(self.sign + self.every)}.",
            "What to do: ask the sender. If they say that it was sent, look whether it lies in another folder or has "
            f"another name: inbox/{self.feed.inbox} takes files{pattern}{done}.",
            "You hear of this once, and again when a file has come and the next one is late.",
            f"The run that noticed: {self.link}",
        ]

    def text(self) -> str:
        return "\n\n".join(self._paragraphs) + "\n"

    def html(self) -> str:
        return "\n".join(f"<p>{escape(paragraph)}</p>" for paragraph in self._paragraphs)


def _when(time: datetime) -> str:
    return f"{time:%Y-%m-%d %H:%M} UTC"


def _span(time: timedelta) -> str:
    """26 hours, 7 days, 90 minutes: the largest unit that leaves no rest."""
    for name, unit in (("day", timedelta(days=1)), ("hour", timedelta(hours=1)), ("minute", timedelta(minutes=1))):
        if time % unit == timedelta(0):
            return f"{time // unit} {name}{'s' if time != unit else ''}"
    return str(time)
