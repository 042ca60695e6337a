"""Airflow's own web application with the plugin in it, and people with different rights."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.plugins.page import TEXT


@pytest.fixture(scope="session")
def web_app(airflow: Any) -> Iterator[Any]:
    (airflow.home / "airflow").mkdir(exist_ok=True)  # where it keeps passwords
    os.environ["AIRFLOW__CORE__AUTH_MANAGER"] = "tests.plugins.persons.PerDag"
    from airflow.api_fastapi import app as airflow_app
    from airflow.dag_processing.dagbag import sync_bag_to_db
    from airflow.models.dagbundle import DagBundleModel
    from airflow.utils.session import create_session

    with create_session() as session:
        if session.get(DagBundleModel, "dags-folder") is None:
            session.add(DagBundleModel(name="dags-folder"))
    sync_bag_to_db(airflow.bag, "dags-folder", None)
    airflow_app.purge_cached_app()
    yield airflow_app.create_app("core")
    airflow_app.purge_cached_app()
    del os.environ["AIRFLOW__CORE__AUTH_MANAGER"]


@pytest.fixture
def web(web_app: Any, installation: Any) -> Callable[..., Any]:
    """A browser of a person: `web("olga")`; `web(None)` is not logged in."""
    from starlette.testclient import TestClient

    from tests.plugins.persons import token_of

    def _web(name: str | None, **keys: Any) -> TestClient:
        client = TestClient(web_app, base_url="http://airflow.example", follow_redirects=False, **keys)
        client.headers["accept"] = "text/html"
        if name:
            client.cookies.set("_token", token_of(name))
        return client

    return _web


@pytest.fixture
def imported(installation: Any, engine: Any) -> Callable[..., str | None]:
    """Import text into a feed as the DAG would; gives the id of the import."""
    from include.adapters.files.storage import Storage
    from include.schemas.feed import Feed
    from include.steps.import_file import import_file

    def _imported(text: str = TEXT, feed: str = "default", name: str = "clients.csv", **keys: Any) -> str | None:
        path = installation.home / name
        path.write_text(text)
        own = {key: keys.pop(key) for key in ("dry_run", "force", "clock", "by") if key in keys}
        storage = Storage(installation.home / "storage")
        return import_file(
            path, feed=Feed(name=feed, title=feed, **keys), engine=engine, storage=storage, **own
        ).import_id

    return _imported
