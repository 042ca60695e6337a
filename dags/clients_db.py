"""No DAG lives here: what the DAG files share, from Airflow's connections and our settings."""

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

    from include.adapters.storage import Storage
    from include.emails.late import LateFeed
    from include.emails.summary import Summary
    from include.steps.corridor import Corridor


def doors() -> tuple[Engine, Storage]:
    """Opened inside a task, never when a DAG file is read."""
    from airflow_logins import login_of

    from include.adapters.database import url_of_connection
    from include.adapters.storage_root import open_storage

    url = url_of_connection(Connection.get("clients_db"))
    return _engine(url, os.getpid()), open_storage(read_settings().storage, login_of)


@cache
def _engine(url: str, _process: int) -> Engine:
    """One for each process: a forked one must not speak over its parent's connections."""
    from include.adapters.database import engine_from_url

    engine = engine_from_url(url)
    atexit.register(engine.dispose)
    return engine


def corridor_of(feed: Feed) -> Corridor:
    from include.steps.corridor import Corridor

    return Corridor.of(feed, *doors())


def requested_by(run: Any) -> str:
    """The user name of who started a run, or how it was started: `scheduled`, `asset_triggered` ..."""
    return getattr(run, "triggering_user_name", None) or str(getattr(run.run_type, "value", run.run_type))


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
