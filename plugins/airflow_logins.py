"""Airflow's connections as our adapters want them, for tasks and for the triggerer, which cannot import `dags/`."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from include.settings import Login


def login_of(connection_id: str) -> Login:
    from airflow.sdk import Connection

    from include.settings import Login

    found = Connection.get(connection_id)
    return Login(found.host or "", found.port, found.login, found.password, found.extra_dejson)
