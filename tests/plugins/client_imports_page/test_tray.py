"""In a real browser: a person's uploads are in one tray that folds, and nothing a person needs is behind it."""

from __future__ import annotations

import os
import re

import pytest

from tests.browser.conftest import CHROMIUM
from tests.plugins.page import TEXT, send

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="No chromium on this machine.")

IS_COVERED = """() => {
    const at = document.activeElement.getBoundingClientRect(), tray = document.querySelector("#tray").getBoundingClientRect();
    return at.bottom > tray.top && at.right > tray.left;
}"""


@pytest.fixture
def uploads(web, installation):
    """Three of olga's uploads: one imported with a failed row, one refused, one that waits."""
    olga = web("olga")
    for text in (TEXT, "no header\n"):
        installation.run("default", upload=send(olga, text).json()["upload_id"])
    send(olga, "First Name,Email\nEve,eve@example.com\n", name="waits.csv")


def test_the_tray_says_what_is_in_it_folds_and_is_cleared_by_keyboard(watch, uploads, imported):
    page = watch("olga", "/imports")
    button, cards = page.locator("#tray-button"), page.locator("#uploads .upload")
    cards.nth(2).wait_for()
    assert re.sub(r"\s+", " ", button.inner_text()) == "Your imports 1 on the way · 2 done · refused"
    assert page.evaluate("document.querySelector('#tray').getBoundingClientRect().top") > 200
    cards.first.get_by_role("link").focus()
    page.keyboard.press("Escape")
    assert button.get_attribute("aria-expanded") == "false" and not cards.first.is_visible()
    assert page.evaluate("document.activeElement.id") == "tray-button"
    page.reload()
    cards.nth(2).wait_for(state="attached")
    assert not cards.first.is_visible()  # as it was left
    button.press("Enter")
    page.get_by_role("button", name="Dismiss all that are done").press("Enter")
    cards.nth(1).wait_for(state="detached")
    assert button.inner_text().endswith("1 on the way")
    assert page.evaluate("document.activeElement.id") == "tray-button"
    page.get_by_role("button", name="Cancel the import of waits.csv").press("Enter")
    cards.locator("p", has_text="Cancelled by olga. Nothing was imported.").wait_for()
    assert page.evaluate("document.activeElement.textContent") == "Dismiss"


@pytest.mark.parametrize("width", [1200, 390])
def test_nothing_that_gets_the_focus_is_behind_the_tray(watch, uploads, imported, width):
    for n in range(12):
        imported(f"First Name,Email\nA,a{n}@example.com\n", name=f"{n}.csv")
    page = watch("olga", "/imports", width=width)
    page.locator("#uploads .upload").nth(2).wait_for(state="attached")
    assert page.locator("#uploads").is_visible() is (width > 960)  # open where it leaves room
    page.locator("#open-import").click(trial=True)
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    page.locator("td.file a").first.focus()
    for _ in range(30):
        page.keyboard.press("Tab")
        if page.evaluate("!document.querySelector('main').contains(document.activeElement)"):
            break
        assert not page.evaluate(IS_COVERED), page.evaluate("document.activeElement.outerHTML")
    if folder := os.environ.get("SHOTS"):
        page.screenshot(path=f"{folder}/{width}.png")


def test_a_tray_in_which_everything_is_done_covers_nothing_until_it_is_opened(watch, web, installation):
    installation.run("default", upload=send(web("olga"), TEXT).json()["upload_id"])
    page = watch("olga", "/imports")
    page.locator("#uploads .upload").wait_for(state="attached")
    assert page.locator("#tray-button").inner_text().split() == ["Your", "imports", "1", "done", "·", "rows", "failed"]
    assert not page.locator("#uploads").is_visible()
