"""The feeds that the page shows and imports to."""

from __future__ import annotations

from include.errors import FeedInvalid
from include.schemas.feed import Feed, load_feed, read_feeds
from include.settings import read_settings


def with_a_dag() -> dict[str, Feed]:
    """Give the feeds that have a DAG, by name: those whose file is not broken."""
    return {name: feed for name, feed in read_feeds(read_settings().feeds).items() if feed is not None}


def named(name: str) -> Feed:
    """Give a feed by name. For a missing or broken file the feed has default settings: its imports are still there."""
    try:
        return load_feed(read_settings().feeds / f"{name}.yaml")
    except (FeedInvalid, OSError):
        return Feed(name=name, title=name)
