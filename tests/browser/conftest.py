"""A whole Airflow as a user starts it, and a real browser that opens its pages."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest

from demo import mail_catcher, reference_data
from demo.environment import environment, free_port
from include import migrations
from include.adapters.database.engine import engine_from_url
from include.settings import ROOT

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PATIENCE_SECONDS = 180
# Complaints about Airflow's own page, which frames this one.
ABOUT_AIRFLOW = re.compile(r"allow-scripts and allow-same-origin|Download the React DevTools")


@dataclass
class Site:
    url: str
    home: Path
    passwords: dict[str, str]


def _environment(home: Path, postgres: Any, port: int, smtp: int) -> dict[str, str]:
    variables = environment(
        home, metadata_db=postgres.url("airflow_browser"), clients_db=postgres.url("clients_browser"),
        smtp_port=smtp, api_port=port,
    )  # fmt: skip
    # Other tests of this process have set variables for an Airflow of their own.
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW")}
    inherited.pop("CLIENT_IMPORTS_FEEDS", None)
    return {**inherited, **variables, "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": "admin:admin,vera:viewer"}


@pytest.fixture(scope="package")  # a whole Airflow takes half a core, which other tests need afterwards
def site(postgres: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    if CHROMIUM is None:
        pytest.skip("No chromium on this machine.")
    home, port, smtp = tmp_path_factory.mktemp("site"), free_port(), free_port()
    variables = _environment(home, postgres, port, smtp)
    (home / "storage" / "inbox").mkdir(parents=True)
    engine = engine_from_url(variables["AIRFLOW_CONN_CLIENTS_DB"])
    migrations.upgrade(engine)
    reference_data.load(engine)
    engine.dispose()
    catcher = mail_catcher.start(smtp, home / "mail")
    with (home / "airflow.log").open("wb") as log:
        command = [str(Path(sys.executable).parent / "airflow"), "standalone"]
        process = subprocess.Popen(command, cwd=ROOT, env=variables, stdout=log, stderr=log, start_new_session=True)
        try:
            _until(lambda: _dags_are_known(postgres, port), home)
            passwords = json.loads((home / "airflow" / "passwords.json").read_text())
            yield Site(f"http://127.0.0.1:{port}", home, passwords)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)
                process.wait(timeout=20)
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            catcher.stop()


def _dags_are_known(postgres: Any, port: int) -> bool:
    import sqlalchemy as sa

    with urlopen(f"http://127.0.0.1:{port}/api/v2/version", timeout=5):
        pass
    engine = engine_from_url(postgres.url("airflow_browser"))
    with engine.connect() as connection:
        known = set(connection.scalars(sa.text("SELECT dag_id FROM serialized_dag")))
    engine.dispose()
    return {"import_clients__default", "import_clients__acme", "revert_import"} <= known


def _until(look: Callable[[], bool], home: Path) -> None:
    patience = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < patience:
        with suppress(Exception):  # it has not started yet
            if look():
                return
        time.sleep(0.5)
    raise TimeoutError(f"Airflow did not start: {(home / 'airflow.log').read_text()[-3000:]}")


@dataclass
class Browser:
    """One person's window. `complaints`: messages on the browser's console, and failed requests."""

    page: Any
    site: Site
    complaints: list[str] = field(default_factory=list)

    def open_imports(self) -> Any:
        """The imports inside Airflow, by its entry in the navigation; gives the frame."""
        self.open_clients().get_by_role("link", name="Imports", exact=True).click()
        self.frame().wait_for_selector("td.file, .empty h2")
        return self.frame()

    def open_clients(self) -> Any:
        """The clients inside Airflow, by its entry in the navigation; gives the frame."""
        self.page.goto(self.site.url)
        self.page.get_by_role("link", name="Clients", exact=True).click()
        return self.frame()

    def frame(self) -> Any:
        """The page inside Airflow, once Airflow has stopped replacing its frame."""
        for _ in range(50):
            with suppress(Exception):  # Airflow replaced the frame in the meantime
                frame = self.page.wait_for_selector("iframe").content_frame()
                frame.wait_for_selector("main")
                self.page.wait_for_timeout(300)
                if not frame.is_detached():
                    frame.wait_for_load_state()
                    return frame
        raise AssertionError("Airflow shows no frame with the page.")

    def reload(self) -> Any:
        """Load the page in its frame again, and give the frame once the new page is there."""
        frame = self.frame()
        with frame.expect_navigation():
            frame.evaluate("location.reload()")
        return self.frame()


@pytest.fixture(scope="package")
def chromium(site: Site) -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield running
        running.close()


@pytest.fixture
def browse(site: Site, chromium: Any) -> Iterator[Callable[..., Browser]]:
    """A fresh profile for each window: `browse("admin", dark=True, width=800)`."""
    opened: list[Browser] = []

    def _browse(person: str = "admin", *, dark: bool = False, width: int = 1440, height: int = 900) -> Browser:
        context = chromium.new_context(
            viewport={"width": width, "height": height}, color_scheme="dark" if dark else "light",
            accept_downloads=True, timezone_id="Europe/Berlin", locale="en-GB",
        )  # fmt: skip
        context.set_default_timeout(PATIENCE_SECONDS * 1000)
        browser = Browser(context.new_page(), site)
        opened.append(browser)
        browser.page.on("console", lambda message: _complain(browser, message.type, message.text))
        browser.page.on("pageerror", lambda error: browser.complaints.append(str(error)))
        browser.page.on("response", lambda answer: _note_failure(browser, answer))
        browser.page.goto(f"{site.url}/auth/login")
        browser.page.fill("input[name=username]", person)
        browser.page.fill("input[name=password]", site.passwords[person])
        browser.page.click("button[type=submit]")
        browser.page.wait_for_url(re.compile(r"/(\?.*)?$"))
        return browser

    yield _browse
    for browser in opened:
        browser.page.context.close()
    for browser in opened:
        assert browser.complaints == []


def _complain(browser: Browser, kind: str, text: str) -> None:
    if kind in ("error", "warning") and not ABOUT_AIRFLOW.search(text):
        browser.complaints.append(f"{kind}: {text}")


def _note_failure(browser: Browser, answer: Any) -> None:
    if answer.status >= 400 and "/client-imports/" in answer.url:
        browser.complaints.append(f"{answer.status} {answer.url}")


@pytest.fixture(scope="session")
def axe() -> Callable[[Any], list[str]]:
    """Check a page or frame with axe-core; gives its serious findings as sentences."""
    import axe_playwright_python

    source = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text(encoding="utf-8")

    def _axe(frame: Any) -> list[str]:
        frame.evaluate(source)
        violations = frame.evaluate("() => axe.run(document).then(result => result.violations)")
        return [
            f"{violation['id']} ({violation['impact']}): {node['html'][:160]} {node['failureSummary'][:200]}"
            for violation in violations
            if violation["impact"] in ("serious", "critical")
            for node in violation["nodes"]
        ]

    return _axe
