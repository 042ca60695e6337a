"""Airflow's own web application with the plugin in it, and people with different rights."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from threading import Thread
from typing import Any

import pytest

from tests.plugins.connection import Connection
from tests.plugins.page import ROOT, TEXT


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


@pytest.fixture(scope="session")
def api_server(web_app: Any) -> Iterator[int]:
    """The port of the real web server, uvicorn, with Airflow's application in it."""
    import uvicorn

    from demo.environment import free_port

    config = uvicorn.Config(web_app, port=free_port(), log_config=None, access_log=False, lifespan="off")
    server = uvicorn.Server(config)
    thread = Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.05)
    yield config.port
    server.should_exit = True
    thread.join(20)


@pytest.fixture
def connect(api_server: int, installation: Any) -> Iterator[Callable[..., Connection]]:
    """A connection to the web server: `connect("olga")`; without a name it is not logged in."""
    with ExitStack() as stack:
        yield lambda name=None: stack.enter_context(Connection(api_server, name))


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    from tests.browser.conftest import CHROMIUM, FLAGS

    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield running
        running.close()


@pytest.fixture
def watch(api_server: int, installation: Any, chromium: Any) -> Iterator[Callable[..., Any]]:
    """A window of a person: `watch("olga", "/imports", zone="Asia/Tokyo")`; `zone` is chosen in Airflow."""
    from tests.browser.conftest import PATIENCE_SECONDS
    from tests.plugins.persons import token_of

    address, opened = f"http://127.0.0.1:{api_server}", []

    def _watch(person: str, path: str, zone: str = "", width: int = 1200, dark: bool = False) -> Any:
        context = chromium.new_context(
            viewport={"width": width, "height": 600}, timezone_id="Europe/Berlin",
            color_scheme="dark" if dark else "light",
        )  # fmt: skip
        opened.append(context)
        context.set_default_timeout(PATIENCE_SECONDS * 1000)
        context.add_cookies([{"name": "_token", "value": token_of(person), "url": address}])
        if zone:
            context.add_init_script(f"localStorage.setItem('timezone', JSON.stringify('{zone}'))")
        page = context.new_page()
        page.goto(f"{address}{ROOT}{path}")
        return page

    yield _watch
    for context in opened:
        context.close()
