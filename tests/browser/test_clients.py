"""The screen Clients in a real browser: export, edit, import; by keyboard, and in every width and theme."""

from __future__ import annotations

import pytest

from tests.browser.test_browser import beyond_the_edge, import_file, write


def test_clients_are_exported_edited_and_imported(browse, tmp_path, axe):
    browser = browse()
    frame = browser.open_clients()
    text = "First Name,Last Name,Email\nEve,One,eve@edit.example.com\nAda,Two,+ada@edit.example.com\n"
    import_file(frame, write(tmp_path, "edit.csv", text))
    frame.locator("#search").fill("edit.example")
    frame.locator("#search").press("Enter")
    frame = browser.frame()
    frame.locator("main [role=status]", has_text="2 clients").wait_for()
    assert "edit" not in browser.page.url and "edit" not in frame.url and axe(frame) == []
    frame.get_by_role("button", name="Last Name").click()
    frame = browser.frame()
    frame.locator("th[aria-sort=ascending]", has_text="Last Name").wait_for()
    assert frame.locator("tbody td:nth-child(3)").all_inner_texts() == ["One", "Two"]

    with browser.page.expect_download() as downloading:
        frame.get_by_role("button", name="Export").click()
    exported = tmp_path / "exported.csv"
    downloading.value.save_as(exported)
    edited = exported.read_text(encoding="utf-8-sig").replace("Two", "Three")
    card = import_file(frame, write(tmp_path, "edited.csv", edited))
    assert "1 updated, 1 unchanged" in card.inner_text()

    frame.locator("#search").fill("ada three")
    frame.locator("#search").press("Enter")
    frame = browser.frame()
    frame.locator("main [role=status]", has_text="1 client").wait_for()
    frame.locator("tbody a").first.click()
    frame = browser.frame()
    frame.locator("h1", has_text="+ada@edit.example.com").wait_for()
    assert frame.locator("del", has_text="Two").count() == 1 and axe(frame) == []


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_the_screen_fits_a_phone(browse, dark, axe):
    browser = browse(dark=dark, width=390)
    frame = browser.open_clients()
    for _ in range(2):
        assert beyond_the_edge(frame) == []
        assert frame.get_by_role("button", name="Import", exact=True).first.is_visible() and axe(frame) == []
        frame.locator("#search").fill("nobody at all")
        frame.locator("#search").press("Enter")
        frame = browser.frame()
        frame.locator("h2", has_text="Nothing found").wait_for()


def test_a_click_before_the_scripts_have_come_opens_the_dialog_once_they_are_there(browse):
    browser, held = browse(), []
    browser.page.route("**/static/dialog.js", lambda route: held.append(route))
    browser.page.goto(f"{browser.site.url}/client-imports/", wait_until="commit")
    browser.page.locator("#open-import").click()
    dialog = browser.page.locator("#import-dialog")
    assert held and not dialog.is_visible()
    held[0].continue_()
    dialog.wait_for(state="visible")
