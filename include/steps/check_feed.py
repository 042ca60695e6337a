"""Check of a feed what its file does not show by itself: it is done when a run starts, before any file is claimed."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime

import sqlalchemy as sa

from include.adapters.database import clients
from include.errors import FeedInvalid
from include.schemas.feed import Feed
from include.transforms.matching.feed_references import has_ids, wrong_ids
from include.transforms.matching.references import Desk, ReferenceData
from include.transforms.validation.feed_values import wrong_values


def check_feed(feed: Feed, engine: sa.Engine, now: datetime) -> None:
    """Raise FeedInvalid where a default, a meaning or a column's name cannot be, or an ID is not in the CRM."""
    check_values(feed, now)
    if has_ids(feed):
        check_ids(feed, read_references(engine))


def check_values(feed: Feed, now: datetime) -> None:
    """Raise FeedInvalid where no cell could hold what the feed says."""
    if sentences := wrong_values(feed, now):
        raise FeedInvalid(feed.file, sentences)


def check_ids(feed: Feed, data: ReferenceData) -> None:
    """Raise FeedInvalid: a client must never land on another desk than the one that the feed names."""
    if sentences := wrong_ids(feed, data):
        raise FeedInvalid(feed.file, sentences)


def read_references(engine: sa.Engine) -> ReferenceData:
    """Read the CRM's projects and desks."""
    projects, desks = clients.read_reference_data(engine)
    default = next((project.id for project in projects if project.is_default), None)
    names = {project.id: project.name for project in projects}
    return ReferenceData(names, default, {desk.id: Desk(*desk) for desk in desks})


def references_of(engine: sa.Engine) -> ReferenceData | None:
    """Read the CRM's projects and desks; None when the database cannot be asked."""
    with suppress(sa.exc.SQLAlchemyError):
        return read_references(engine)
    return None
