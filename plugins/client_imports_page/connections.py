"""The connections of the page: the client database, the file storage, and both together as the context of a feed."""

from __future__ import annotations

from functools import cache

from sqlalchemy import Engine

from client_imports_page import feeds
from include.adapters.database import clients, ledger
from include.adapters.files.storage import Storage
from include.airflow_support import runs
from include.airflow_support.connections import open_engine, open_storage
from include.schemas.client_tables import Import
from include.schemas.feed import Feed
from include.steps.context import ImportContext

# A page that needs longer is broken, and must not keep the database busy.
_STATEMENT_MS = 15_000


@cache
def engine() -> Engine:
    return open_engine(_STATEMENT_MS)


@cache
def storage() -> Storage:
    return open_storage()


def reference_names() -> dict[str, str]:
    """Give the name of each project and desk by its ID."""
    return {row.id: row.name for rows in clients.read_reference_data(engine()) for row in rows}


def context_of(feed: Feed) -> ImportContext:
    return ImportContext.of(feed, engine(), storage())


def context_of_feed_named(name: str) -> ImportContext:
    """Give the context of a feed, also when its file is missing or broken."""
    return context_of(feeds.named(name))


def has_stopped(entry: Import) -> bool:
    """Return True when the run that works on an unfinished import has ended.

    The run may have finished the import after `entry` was read, so its state is read again.
    """
    return runs.has_ended(entry) and ledger.find(engine(), entry.id).state == entry.state
