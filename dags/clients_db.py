"""No DAG lives here: what the DAG files share. Engine and storage, from Airflow's connection and our settings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow.sdk import Connection

from include.settings import read_settings

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from include.adapters.storage import Storage


def doors() -> tuple[Engine, Storage]:
    """Opened inside a task, never when a DAG file is read."""
    from sqlalchemy import URL

    from include.adapters.database import engine_from_url
    from include.adapters.storage import Storage

    found = Connection.get("clients_db")
    url = URL.create(
        "postgresql", found.login, found.password, found.host, found.port, found.schema, found.extra_dejson
    )
    return engine_from_url(url.render_as_string(hide_password=False)), Storage(read_settings().storage)
