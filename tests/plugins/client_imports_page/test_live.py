"""In a real browser: what is new appears without a reload, and what a person reads or has in focus does not move."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import sqlalchemy as sa

from tests.browser.conftest import CHROMIUM
from tests.plugins.page import ROOT

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="No chromium on this machine.")


@pytest.fixture
def add(engine: sa.Engine) -> Callable[[str], None]:
    """Write an import of the feed default into the ledger."""

    def _add(name: str) -> None:
        with engine.begin() as connection:
            connection.execute(
                sa.text("""INSERT INTO imports (id, feed, file_name, state, received_at, requested_by)
                VALUES (gen_random_uuid(), 'default', :name, 'received', '2026-11-26 12:00+00', 'the schedule')"""),
                {"name": name},
            )

    return _add


def row(page, name):
    return page.locator("tr", has_text=name)


def top_of(page, name):
    return round(row(page, name).bounding_box()["y"])


def test_two_people_see_a_new_import_and_its_new_state_without_a_reload(watch, add, engine):
    add("first.csv")
    pages = [watch(person, "/imports") for person in ("olga", "vera")]
    for page in pages:
        page.evaluate("window.isTheSamePage = true")
    add("second.csv")
    for page in pages:
        row(page, "second.csv").wait_for()
    with engine.begin() as connection:
        connection.execute(sa.text("UPDATE imports SET state = 'refused', code = 'FILE_EMPTY', message = ''"))
    for page in pages:
        row(page, "second.csv").locator(".state", has_text="Refused").wait_for()
        assert page.locator("td.file").all_inner_texts() == ["second.csv", "first.csv"]
        assert page.evaluate("window.isTheSamePage")


def test_what_is_in_focus_or_pointed_at_or_scrolled_to_does_not_move(watch, add):
    for n in range(40):
        add(f"old{n:02}.csv")
    focusing, pointing, scrolling = (watch("olga", "/imports") for _ in range(3))
    row(focusing, "old39.csv").locator("a").focus()
    row(pointing, "old38.csv").hover()
    scrolling.evaluate("window.scrollTo(0, 700)")
    read = [(focusing, "old39.csv"), (pointing, "old38.csv"), (scrolling, "old20.csv")]
    before = [top_of(page, name) for page, name in read]
    add("new.csv")
    for (page, name), top in zip(read, before, strict=True):
        row(page, "new.csv").wait_for(state="attached")
        assert abs(top_of(page, name) - top) <= 1  # a window scrolls by whole pixels
    assert focusing.evaluate("document.activeElement.textContent.trim()") == "old39.csv"
    scrolling.get_by_role("button", name="1 new import").click()
    assert scrolling.evaluate("document.activeElement.textContent.trim()") == "new.csv"
    assert scrolling.locator("#news").count() == 0


def test_a_filter_that_is_being_typed_stays_and_a_posted_search_stays_a_search(watch, add, imported):
    imported("First Name,Email\nNora,nora@example.com\n", name="nora.csv")
    page = watch("olga", "/imports")
    page.locator(".filters input[name=q]").fill("half a wo")
    add("new.csv")
    row(page, "new.csv").wait_for()
    assert page.locator(".filters input[name=q]").input_value() == "half a wo"
    page.locator(".filters input[name=q]").fill("nora@example.com")
    page.locator(".filters input[name=q]").press("Enter")
    page.locator("mark", has_text="changed the client").wait_for()
    with page.expect_response(lambda answer: answer.request.method == "POST") as posted:
        pass
    assert posted.value.status == 200 and "@" not in page.url
    assert page.locator("td.file a").all_inner_texts() == ["nora.csv"]


def test_what_was_written_into_a_form_survives_a_section_that_appears_before_it(watch):
    page = watch("olga", "/imports")
    kept = page.evaluate(
        """async (live) => {
        const { morph } = await import(live);
        const main = (html) => { const main = document.createElement("main"); main.innerHTML = html; return main; };
        const rows = '<section id="rows"><form><input id="cell" value="sent"></form><p>old</p></section>';
        const old = main(rows);
        document.body.append(old);
        const cell = old.querySelector("#cell");
        cell.value = "typed";
        cell.focus();
        morph(old, main(`<section><h2>Causes</h2></section>${rows.replace("old", "new")}<section>More</section>`));
        return [cell.isConnected && cell.value, document.activeElement === cell, old.innerText.split(/\\s+/).join(" ")];
    }""",
        f"{ROOT}/static/live.js",
    )
    assert kept == ["typed", True, "Causes new More"]


def test_times_are_in_the_zone_that_was_chosen_in_airflow(watch, add):
    add("a.csv")
    assert row(watch("olga", "/imports"), "a.csv").locator("time").inner_text() == "2026-11-26 13:00"
    page = watch("olga", "/imports", zone="Asia/Tokyo")
    assert row(page, "a.csv").locator("time").inner_text() == "2026-11-26 21:00"
    assert "UTC" not in row(page, "a.csv").locator("time").inner_text()
    assert page.locator("[data-zone]").input_value() == "Asia/Tokyo"
    assert row(watch("olga", "/imports", zone="No/Where"), "a.csv").locator("time").inner_text() == "2026-11-26 13:00"
