"""Airflow's connections as our adapters want them, for tasks and for the triggerer, which cannot import `dags/`."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from include.settings import Login


def login_of(connection_id: str) -> Login:
    from airflow.sdk import Connection

    from include.settings import Login

    return Login.of_connection(Connection.get(connection_id))
