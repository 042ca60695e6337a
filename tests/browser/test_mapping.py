"""A file whose header and words no synonym knows is mapped in the Import dialog, and imported."""

from __future__ import annotations

from tests.browser.test_browser import open_tray

GERMAN = (
    "Rufzeichen;Elektropost;Standort;Status\n"
    "Jörg;joerg@mapping.example.com;Hauptstadt;läuft\n"
    "Änne;aenne@mapping.example.com;Hauptstadt;läuft\n"
)


def test_a_german_file_is_mapped_imported_and_remembered_for_its_feed(browse, tmp_path, axe):
    path = tmp_path / "kunden.csv"
    path.write_text(GERMAN, encoding="utf-8")
    browser = browse(width=1024)
    frame = browser.open_imports()
    frame.locator("#open-import").click()
    frame.set_input_files("#import-file", str(path))
    # First name and e-mail are suggested by their cells; the rest is for the person to say, with the keyboard alone.
    frame.locator("#import-send:enabled", has_text="Import").wait_for()
    assert frame.get_by_label("Field of the column Elektropost").input_value() == "email"
    assert frame.get_by_label("Field of the column Rufzeichen").input_value() == "first_name"
    for label, choice in (
        ("Field of the column Standort", "Desk"),
        ("Field of the column Status", "Active"),
        ("What the word Hauptstadt of Desk means", "London"),
        ("What the word läuft of Active means", "yes"),
    ):
        chosen = frame.get_by_label(label)
        chosen.focus()
        chosen.press_sequentially(choice)
        frame.locator("#check-status:not(.doing)").wait_for()
        assert frame.evaluate("document.activeElement.getAttribute('aria-label')") == label
    frame.locator("#check-status", has_text="2 clients would be imported: 2 created.").wait_for()
    assert axe(frame) == []
    frame.locator("#remember-mapping").check()
    frame.locator("#import-send").click()
    card = frame.locator("#uploads .upload", has_text="kunden.csv")
    card.wait_for(state="attached")
    open_tray(frame)
    card.get_by_role("button", name="Dismiss").wait_for()
    assert "2 clients imported: 2 created." in card.inner_text()

    frame.get_by_role("link", name="Feeds").click()
    frame = browser.frame()
    frame.locator("summary", has_text="remembered").click()
    assert "Hauptstadt" in frame.locator("details.remembered").inner_text() and axe(frame) == []
    frame.get_by_role("button", name="Forget all").click()
    frame.locator("dialog[open]").get_by_role("button", name="Forget all").click()
    frame.locator("details.remembered").wait_for(state="detached")

    frame.set_input_files("#draft-file", str(path))
    frame.locator("#draft-status", has_text="Save it as kunden.yaml in the folder of the feeds").wait_for()
    assert "Elektropost: email" in frame.locator("#draft-yaml").inner_text() and axe(frame) == []
