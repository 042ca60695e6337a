"""What tasks need from Airflow: the client database, the storage, and the mail connection."""

from __future__ import annotations

import atexit
import os
from datetime import timedelta
from functools import cache
from typing import TYPE_CHECKING, Any

from airflow.sdk import Connection

from include.schemas.feed import Feed, load_feed
from include.settings import read_settings

# What every task of ours does after a fault of ours; a fault of the sender is never tried again.
RETRIES = {"retries": 3, "retry_delay": timedelta(seconds=10), "retry_exponential_backoff": 2.0}

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from include.adapters.files.storage import Storage
    from include.emails.late import LateFeed
    from include.emails.summary import Summary
    from include.settings import Login
    from include.steps.context import ImportContext


def open_resources() -> tuple[Engine, Storage]:
    """Opened inside a task, never when a DAG file is read."""
    from include.adapters.database.engine import url_of_connection
    from include.adapters.files.storage_root import open_storage

    url = url_of_connection(Connection.get("clients_db"))
    return _engine(url, os.getpid()), open_storage(read_settings().storage, login_of)


@cache
def _engine(url: str, _process: int) -> Engine:
    """One for each process: a forked one must not speak over its parent's connections."""
    from include.adapters.database.engine import engine_from_url

    engine = engine_from_url(url)
    atexit.register(engine.dispose)
    return engine


def context_of(feed: Feed) -> ImportContext:
    from include.steps.context import ImportContext

    return ImportContext.of(feed, *open_resources())


def requested_by(run: Any) -> str:
    """The user name of who started a run, or how it was started: `scheduled`, `asset_triggered` ..."""
    return getattr(run, "triggering_user_name", None) or str(getattr(run.run_type, "value", run.run_type))


def login_of(connection_id: str) -> Login:
    from include.settings import Login

    return Login.of_connection(Connection.get(connection_id))


def feed_named(name: str) -> Feed:
    return load_feed(read_settings().feeds / f"{name}.yaml")


def send_with_smtp_connection(feed: Feed, letter: Summary | LateFeed, reports: dict[str, bytes]) -> None:
    from airflow.providers.smtp.hooks.smtp import SmtpHook

    from include.adapters import mail

    with SmtpHook() as hook:
        mail.send(
            hook._smtp_client, sender=hook.from_email or "client-imports@localhost", to=feed.notify.to,
            subject=letter.subject, text=letter.text(), html=letter.html(), reports=reports,
        )  # fmt: skip
