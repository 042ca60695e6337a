"""What people do on the page of one import: correct its failed rows, and decide about it when it is held."""

from __future__ import annotations

from tests.browser.test_browser import beyond_the_edge, import_file, write
from tests.conftest import LONDON, PARTNERS

THREE_CAUSES = (
    "First Name,Email,Project,Desk,Active\n"
    + "".join(f"Bo,bo{n}@three.example.com,{PARTNERS},Madrid,yes\n" for n in range(3))
    + "".join(f"Cy,cy{n}@three.example.com,,,maybe\n" for n in range(2))
    + "Di,di@three,,,yes\nEve,x,eve@three.example.com,,,yes\nGood,good@three.example.com,,,yes\n"
)
MOSTLY_WRONG = "First Name;E-mail\n" + "".join(f"{'Ann' * (n < 8)};held{n}@held.example.com\n" for n in range(20))


def test_three_causes_are_corrected_with_the_keyboard_on_a_small_dark_screen_and_imported(browse, tmp_path, axe):
    browser = browse(dark=True, width=390)
    card = import_file(browser.open_imports(), write(tmp_path, "three.csv", THREE_CAUSES))
    card.get_by_role("link", name="see them").click()
    frame = browser.frame()
    frame.locator("h1", has_text="three.csv").wait_for()
    assert beyond_the_edge(frame) == [] and axe(frame) == []
    desk = frame.get_by_label("Desk in all 3 rows")
    desk.focus()
    desk.press("L")  # London, by its first letter
    assert desk.input_value() == LONDON
    active = frame.get_by_label("Active in all 2 rows")
    active.focus()
    active.press("Y")
    mail = frame.get_by_label("Email, line 7")
    mail.focus()
    mail.fill("di@three.example.com")
    mail.press("Enter")  # sends nothing
    frame.locator("#checked", has_text="6 of 7 rows are good now").wait_for()
    assert frame.locator("#corrections tr.corrected").count() == 6

    frame.get_by_label("Email, line 8").select_option("eve@three.example.com")
    frame.get_by_label("Project, line 8").select_option("")
    frame.locator("#checked", has_text="7 of 7 rows are good now").wait_for()
    assert beyond_the_edge(frame) == [] and axe(frame) == []
    frame = browser.reload()
    frame.locator("#checked", has_text="7 of 7 rows are good now").wait_for()  # a reload loses nothing
    button = frame.get_by_role("button", name="Import corrected rows")
    button.focus()
    button.press("Enter")
    frame.locator("main", has_text="7 fixed, 0 still failed").wait_for()  # without a reload
    frame.locator("#posted", has_text="are sent").wait_for()


def test_a_held_file_is_approved_while_somebody_else_looks_at_it(browse, tmp_path, axe):
    browser = browse()
    card = import_file(browser.open_imports(), write(tmp_path, "held.csv", MOSTLY_WRONG), "acme")
    card.get_by_role("link", name="Open the import").or_(card.get_by_role("link", name="see them")).first.click()
    frame = browser.frame()
    frame.locator("#decision").wait_for()  # Airflow asks, and the page shows it without a reload
    assert "12 of 20 rows failed" in frame.locator(".sentence").inner_text() and axe(frame) == []
    assert frame.get_by_role("link", name="Would be created 8").count() == 1
    address = browser.page.url

    other = browse("vera")
    other.page.goto(address)
    watching = other.frame()
    watching.locator("#decide").wait_for()
    assert watching.get_by_role("button", name="Approve").count() == 0
    frame.get_by_label("Reason").fill("the partner said so")
    frame.get_by_role("button", name="Approve").click()
    for page in (frame, watching):
        page.locator(".note", has_text="Approved by admin: the partner said so").wait_for()
        assert "8 clients imported" in page.locator(".sentence").inner_text()
