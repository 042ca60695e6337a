"""Open what Airflow's connections describe: the client database, the file storage, and logins on other servers.

The same calls work in a task, in the triggerer and in the API server: `airflow.sdk.Connection` looks a connection up
wherever the process it runs in may look.
"""

from __future__ import annotations

import atexit
import os
from functools import cache
from typing import TYPE_CHECKING

from airflow.sdk import Connection

from include.schemas.feed_folder import find_feed
from include.settings import read_settings

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from include.adapters.files.storage import Storage
    from include.adapters.webhook import Webhook
    from include.settings import Login
    from include.steps.context import ImportContext

CLIENTS_DB = "clients_db"


def open_engine(statement_ms: int | None = None) -> Engine:
    """Give this process's engine for the client database. With `statement_ms` no statement takes longer."""
    from include.adapters.database.engine import url_of_connection

    return _engine(url_of_connection(Connection.get(CLIENTS_DB)), statement_ms, os.getpid())


@cache
def _engine(url: str, statement_ms: int | None, _process: int) -> Engine:
    """Each process needs an engine of its own: a forked one would share its parent's network connections."""
    from include.adapters.database.engine import engine_from_url

    engine = engine_from_url(url, statement_ms)
    atexit.register(engine.dispose)
    return engine


def open_storage(root: str = "") -> Storage:
    """Open the file storage at `root`, or where the settings say it is."""
    from include.adapters.files import location

    return location.open_storage(root or read_settings().storage, find_login)


def find_login(connection_id: str) -> Login:
    """Read one of Airflow's connections. Raises AirflowNotFoundException when there is no such connection."""
    from include.settings import Login

    return Login.of_connection(Connection.get(connection_id))


def find_webhook(connection_id: str) -> Webhook:
    """Read one of Airflow's HTTP connections. Raises AirflowNotFoundException and SettingInvalid."""
    from include.adapters.webhook import Webhook

    return Webhook.of_connection(Connection.get(connection_id))


def open_context(feed_name: str) -> ImportContext:
    """Open everything that the steps of one feed need, with the feed as its file describes it now."""
    from include.steps.context import ImportContext

    feed = find_feed(read_settings().feeds, feed_name)
    return ImportContext.of(feed, open_engine(), open_storage())
