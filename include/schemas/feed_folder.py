"""Read the feeds of a folder, each from its file `NAME.yaml` (or `.yml`): SPEC.md section 9."""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress
from functools import lru_cache
from itertools import combinations
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from include.errors import FeedInvalid
from include.schemas.feed import Feed
from include.schemas.feed_file import read_keys
from include.schemas.feed_sentences import sentences_about

_ENDINGS = (".yaml", ".yml")
# What an import that is under way needs of its feed, to be ended.
_SALVAGED = {"title", "inbox", "timezone"}


def feed_files(folder: Path) -> list[Path]:
    """List the files of all feeds. Raises FeedInvalid for a folder that cannot be read: it is not one without feeds."""
    try:
        paths = [folder / name for name in os.listdir(folder) if not name.startswith(".")]
    except OSError as error:
        raise FeedInvalid(folder, [_unreadable(error)]) from None
    return sorted(path for path in paths if path.suffix in _ENDINGS)


def read_feeds(folder: Path) -> dict[str, Feed | None]:
    """Read every feed, by name; None where its file is broken."""
    feeds: dict[str, Feed | None] = {}
    for path in feed_files(folder):
        try:
            feeds[path.stem] = load_feed(path)
        except FeedInvalid:
            feeds[path.stem] = None
    return feeds


def find_feed(folder: Path, name: str) -> Feed:
    """Read the feed of this name. Raises FeedInvalid, also when it has no file."""
    paths = [folder / f"{name}{ending}" for ending in _ENDINGS]
    return load_feed(next((path for path in paths if os.path.exists(path)), paths[0]))


def salvage_feed(folder: Path, name: str) -> Feed:
    """Give a feed with default settings, and with what its broken or missing file still says about places and times."""
    feed, keys = Feed(name=name, title=name), dict[str, Any]()
    for ending in _ENDINGS:
        with suppress(FeedInvalid):
            keys = read_keys(folder / f"{name}{ending}")
    for key in _SALVAGED & keys.keys():
        with suppress(ValidationError):
            feed = Feed.model_validate({**feed.model_dump(include=_SALVAGED), "name": name, key: keys[key]})
    return feed


def load_feed(path: Path) -> Feed:
    """Read one feed file. Raises FeedInvalid with file, key and what is allowed."""
    twins = [path.with_suffix(ending) for ending in _ENDINGS if ending != path.suffix]
    if other := [twin.name for twin in twins if os.path.exists(twin)]:
        raise FeedInvalid(path, [f"describes the same feed as {other[0]}: keep one of the two files."])
    try:
        changed = path.stat().st_mtime_ns
    except OSError:
        changed = 0  # reading the file tells why
    return _load(path, changed)


def _unreadable(error: OSError) -> str:
    return f"the folder of feeds cannot be read: {error.strerror}. Let the account that runs Airflow read and enter it."


@lru_cache(maxsize=512)
def _load(path: Path, _changed: int) -> Feed:
    keys = read_keys(path)
    if "name" in keys:
        raise FeedInvalid(path, ["`name` is not a known key: a feed is named after its file."])
    try:
        return Feed.of_file(path, keys)
    except ValidationError as error:
        raise FeedInvalid(path, sentences_about(error, Feed)) from None


def shared_inboxes(feeds: Iterable[Feed]) -> list[FeedInvalid]:
    """Find the pairs of feeds that could take the same file."""
    return [_shared(one, other) for one, other in combinations(feeds, 2) if one.shares_files_with(other)]


def check_inbox(folder: Path, feed: Feed) -> None:
    """Raise FeedInvalid where another feed of the folder could take the same files: chance would decide."""
    for other in read_feeds(folder).values():
        if other is not None and other.name != feed.name and feed.shares_files_with(other):
            raise _shared(feed, other)


def _shared(one: Feed, other: Feed) -> FeedInvalid:
    return FeedInvalid(
        one.file,
        [
            f"can take the same files as {other.file.name}: both read the inbox {one.inbox}, and one name can match "
            f"`file_pattern` {one.file_pattern} and {other.file_pattern}. Give one feed another inbox, or patterns "
            "that share no name."
        ],
    )
