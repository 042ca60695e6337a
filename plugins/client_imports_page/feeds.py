"""The feeds that the page shows and imports to."""

from __future__ import annotations

import logging

from include.errors import FeedInvalid
from include.schemas.feed import Feed
from include.schemas.feed_folder import feed_files, find_feed, read_feeds, salvage_feed
from include.settings import read_settings

log = logging.getLogger(__name__)


def known() -> dict[str, Feed | None]:
    """Give every feed that has a file, by name; None where the file is broken.

    A folder that cannot be read has none: what was imported can be looked at all the same.
    """
    try:
        return read_feeds(read_settings().feeds)
    except FeedInvalid as error:
        log.error("%s", error)
        return {}


def why_unreadable() -> str:
    """Say why the folder of feeds cannot be read, without its path; '' when it can."""
    try:
        feed_files(read_settings().feeds)
    except FeedInvalid as error:
        return error.sentences[0]
    return ""


def with_a_dag() -> dict[str, Feed]:
    """Give the feeds that have a DAG, by name: those whose file is not broken."""
    return {name: feed for name, feed in known().items() if feed is not None}


def named(name: str) -> Feed:
    """Give a feed by name. For a missing or broken file the feed has default settings: its imports are still there."""
    try:
        return find_feed(read_settings().feeds, name)
    except FeedInvalid:
        return salvage_feed(read_settings().feeds, name)
