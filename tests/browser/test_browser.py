"""What people do on the page, in a real browser with a real Airflow and its scheduler."""

from __future__ import annotations

import email
import email.policy
import re

import pytest

from demo.reference_data import SAMPLES

THEMES = pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])


def write(tmp_path, name, text):
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return str(path)


def attach(frame, path, feed="default"):
    if not frame.locator("#import-dialog").is_visible():
        frame.get_by_role("button", name="Import", exact=True).first.click()
    frame.select_option("#import-feed", feed)
    frame.set_input_files("#import-file", path)


def import_file(frame, path, feed="default"):
    """Press Import and wait for the notification; gives the newest one."""
    frame.locator("#tray[aria-busy=false]").wait_for(state="attached")  # earlier uploads are in it
    before = frame.locator("#uploads .upload").count()
    attach(frame, path, feed)
    frame.locator("#import-send").click()
    card = frame.locator("#uploads .upload").nth(before)
    card.wait_for(state="attached")
    open_tray(frame)
    card.get_by_role("button", name="Dismiss").wait_for()
    return card


def beyond_the_edge(frame):
    """Name what stays beyond the window's right edge, so that the page scrolls sideways. A page may still be moving."""
    find = """() => {
        const edge = document.documentElement.clientWidth;
        if (document.documentElement.scrollWidth <= edge) return [];
        const boxes = [...document.querySelectorAll("*")].map((each) => [each, each.getBoundingClientRect()]);
        return boxes.filter(([, box]) => box.right > edge + 0.5).map(([each, box]) =>
            `${each.tagName} #${each.id} .${each.className}: ${box.left} to ${box.right} of ${edge}`);
    }"""
    for _ in range(20):
        if not (found := frame.evaluate(find)):
            break
        frame.page.wait_for_timeout(100)
    return found


def open_tray(frame):
    """Open the list of the tray, which is folded where all is done, or a screen has no room beside it."""
    frame.locator("#uploads .upload").first.wait_for(state="attached")
    if frame.locator("#tray-button").get_attribute("aria-expanded") == "false":
        frame.locator("#tray-button").click()


def test_a_file_is_imported_corrected_and_seen_as_fixed_on_dark_pages(browse, tmp_path, axe):
    browser = browse(dark=True)
    frame = browser.open_imports()
    assert frame.evaluate("document.documentElement.classList.contains('dark')")
    assert not frame.locator("#import-dialog").is_visible()
    attach(frame, write(tmp_path, "clients.xlsx", b"PK\x03\x04"))
    frame.locator("#import-problem", has_text="does not end in .csv").wait_for()
    attach(frame, write(tmp_path, "clients.csv", b"PK\x03\x04\x00\x00"))
    frame.locator("#check-status.refused", has_text="not CSV text").wait_for()
    assert frame.locator("#import-send").is_disabled() and axe(frame) == []

    sample = (SAMPLES / "partner_feed.csv").read_text().replace("example.com", "dark.example.com")
    card = import_file(frame, write(tmp_path, "partner_feed.csv", sample), "acme")
    assert "2 clients imported: 2 created. 1 row repeated another row. 5 rows failed: see them." in card.inner_text()
    frame.locator("td.file", has_text="partner_feed.csv").first.wait_for()  # the list shows it without reloading
    assert axe(frame) == []

    card.get_by_role("link", name="see them").click()
    frame = browser.frame()
    frame.locator("h1", has_text="partner_feed.csv").wait_for()
    assert frame.locator("#rows tbody tr").count() == 5 and frame.locator("#rows td.wrong").count() >= 3
    frame.locator("time[title*='(']").first.wait_for()  # its script has run
    assert re.search(r"CET|CEST|GMT\+[12]", frame.locator("time").first.get_attribute("title"))
    assert axe(frame) == []

    with browser.page.expect_download() as downloading:
        frame.get_by_role("link", name="Download failed rows").click()
    report = tmp_path / "corrected.csv"
    downloading.value.save_as(report)
    text = report.read_text(encoding="utf-8-sig")
    assert text.count("\n") == 6
    corrected = text.replace("carl@example", "carl@fixed.example.com").replace(";maybe;", ";yes;")
    card = import_file(frame, write(tmp_path, "corrected.csv", corrected), "acme")
    assert re.search(r"[1-4] clients? imported", card.inner_text())
    card.get_by_role("link", name=re.compile("see them|Open the import")).click()
    frame = browser.frame()
    fixed = frame.locator("p", has_text="Corrects")
    fixed.wait_for()
    assert re.search(r"Corrects partner_feed.csv: [1-4] of 5 failed rows (is|are) fixed", fixed.inner_text())
    fixed.get_by_role("link").click()
    browser.frame().locator("p", has_text="Corrected by").wait_for()


def test_the_notification_reaches_the_person_on_another_page_and_after_the_window_was_closed(browse, tmp_path):
    browser = browse()
    frame = browser.open_imports()
    attach(frame, write(tmp_path, "moved.csv", "First Name,Email\nMo,mo@moved.example.com\n"))
    frame.locator("#import-send").click()
    frame.locator("#uploads .upload").first.wait_for()
    frame.locator("#find-client").fill("mo@moved.example.com")
    frame.locator("#find-client").press("Enter")
    frame = browser.frame()
    card = frame.locator("#uploads .upload", has_text="moved.csv")
    open_tray(frame)
    card.get_by_role("button", name="Dismiss").wait_for()
    assert "1 client imported: 1 created." in card.inner_text()
    browser.page.close()

    again = browse()
    frame = again.open_imports()
    card = frame.locator("#uploads .upload", has_text="moved.csv")
    open_tray(frame)
    card.get_by_role("button", name="Dismiss").click()
    card.wait_for(state="detached")
    frame.locator("#find-client").fill("mo@moved.example.com")
    frame.locator("#find-client").press("Enter")
    again.frame().locator("h1", has_text="mo@moved.example.com").wait_for()
    assert "@" not in again.page.url


def test_a_dry_run_is_looked_at_then_imported_then_undone(browse, tmp_path, axe):
    browser = browse()
    frame = browser.open_imports()
    # Only a program asks for a dry run: the dialog checks each file before it is sent.
    frame.evaluate("""() => fetch(`${document.documentElement.dataset.root}/api/imports?feed=default&dry_run=true`, {
        method: "POST", body: "First Name,Email\\nCleo,cleo@careful.example.com\\n",
        headers: {"Content-Type": "text/csv", "Content-Disposition": 'attachment; filename="careful.csv"'},
    })""")
    frame = browser.open_imports()
    card = frame.locator("#uploads .upload", has_text="careful.csv (dry run)")
    card.get_by_role("link", name="Open the import").click()
    frame = browser.frame()
    frame.locator("h2", has_text="What would change").wait_for()
    assert axe(frame) == []
    frame.get_by_role("button", name="Import it now").click()
    card = frame.locator("#uploads .upload", has_text="1 client imported: 1 created.")
    card.get_by_role("link", name="Open the import").last.click()
    frame = browser.frame()
    frame.get_by_role("button", name="Undo this import").click()
    frame.locator("dialog[open]").get_by_role("button", name="Undo this import").click()
    frame.locator("#posted", has_text="Started").wait_for()
    frame.locator("#posted").get_by_role("link", name="Open the run").click()
    browser.page.wait_for_url(re.compile(r"/dags/revert_import/runs/undo__"))  # Airflow itself moved, not the frame


def test_the_dialog_is_worked_by_keyboard_and_by_dropping_a_file(browse):
    frame = browse().open_imports()
    button = frame.locator("#open-import")
    button.focus()
    button.press("Enter")
    frame.locator("#import-dialog").wait_for()
    assert frame.evaluate("document.activeElement.closest('dialog') !== null")
    frame.evaluate("""() => {
        const data = new DataTransfer();
        data.items.add(new File(["First Name,Email\\nDrop,drop@example.com\\n,none\\n"], "dropped.csv", {type: "text/csv"}));
        document.getElementById("drop").dispatchEvent(new DragEvent("drop", {dataTransfer: data, bubbles: true, cancelable: true}));
    }""")
    frame.locator("#attached", has_text="dropped.csv").wait_for()
    frame.locator("#import-send:enabled", has_text="Import the good row").wait_for()
    assert "1 client would be imported: 1 created. 1 row would fail." in frame.locator("#check-status").inner_text()
    for key in ("Tab",) * 9 + ("Shift+Tab",) * 9:  # in Airflow's frame, Tab would leave the dialog for Airflow's page
        frame.locator("#import-dialog *:focus").press(key)
        assert frame.evaluate("document.activeElement.closest('dialog') !== null")
    frame.locator("#import-dialog").press("Escape")
    assert not frame.locator("#import-dialog").is_visible()
    assert frame.evaluate("document.activeElement.id") == "open-import"


def test_an_upload_that_did_not_arrive_is_reported_and_only_the_same_request_repeats_its_key(browse, tmp_path):
    browser = browse()
    frame, routes = browser.open_imports(), []
    browser.page.route("**/client-imports/api/imports?*", lambda route: routes.append(route))
    attach(frame, write(tmp_path, "unsent.csv", "First Name,Email\nUna,una@unsent.example.com\n"))

    def press_and_break(number):
        frame.locator("#import-send").click()
        while len(routes) < number:
            browser.page.wait_for_timeout(50)
        if number == 3:
            frame.locator("#import-dialog").press("Escape")
        routes[-1].abort()
        frame.locator("#import-problem", has_text="cannot be reached").wait_for()
        frame.locator("#import-send:enabled").wait_for()

    press_and_break(1)
    press_and_break(2)
    attach(frame, write(tmp_path, "another.csv", "First Name,Email\nUna,una@another.example.com\n"))
    frame.locator("#attached", has_text="another.csv").wait_for()
    press_and_break(3)  # closed meanwhile: it opens again and reports the error
    assert frame.locator("#import-dialog").is_visible()
    first, same, other = (route.request.headers["idempotency-key"] for route in routes)
    assert first == same != other
    browser.complaints.clear()  # about the connections that were broken here


@THEMES
def test_nothing_is_cut_off_at_800_pixels(browse, dark, axe):
    browser = browse(dark=dark, width=800)
    frame = browser.open_imports()
    for _ in range(2):
        assert beyond_the_edge(frame) == []
        assert axe(frame) == []
        if frame.locator("td.file a").count() == 0:
            break
        frame.locator("td.file a").first.click()
        frame = browser.frame()


def test_the_tabs_of_dag_run_and_task_show_their_imports(browse, site, tmp_path):
    browser = browse()
    inbox = site.home / "storage" / "inbox" / "acme"
    inbox.mkdir(parents=True, exist_ok=True)
    (inbox / "tabs.csv").write_text("First Name;E-mail\nTab;tab@tabs.example.com\n;none@tabs.example.com\n")
    frame = browser.open_imports()
    for _ in range(60):  # the file of another person: the page does not announce it
        if frame.locator("td.file a", has_text="tabs.csv").count():
            break
        browser.page.wait_for_timeout(1000)
        frame = browser.open_imports()
    frame.locator("td.file a", has_text="tabs.csv").click()
    frame = browser.frame()
    frame.get_by_role("link", name="Run and logs in Airflow").click()
    browser.page.wait_for_url(re.compile("/dags/import_clients__acme/runs/"))
    run_url = browser.page.url.split("?")[0].rstrip("/")
    browser.page.locator("a[href*='client-imports-of-run']").click()
    frame = browser.frame()
    frame.locator("h2", has_text="tabs.csv").wait_for()
    frame.locator("main", has_text="1 row failed").wait_for()  # it may still be in progress: the page refreshes itself
    browser.page.goto(f"{run_url}/tasks/validate_and_prepare/mapped/0")
    browser.page.locator("a[href*='client-import-of-task']").click()
    browser.frame().locator("h1", has_text="tabs.csv").wait_for()
    browser.page.goto(f"{site.url}/dags/import_clients__acme")
    browser.page.locator("a[href*='client-imports-of-dag']").click()
    browser.frame().locator("td.file", has_text="tabs.csv").wait_for()


def test_the_link_in_the_mail_opens_the_imports_page_inside_airflow(browse, site, tmp_path):
    browser = browse()
    import_file(browser.open_imports(), write(tmp_path, "mailed.csv", "First Name,Email\nMa,ma@mailed.example.com\n"))
    links = []
    for _ in range(60):  # the mail is sent after the merge
        texts = [
            email.message_from_bytes(path.read_bytes(), policy=email.policy.default).get_body(("plain",))
            for path in site.home.glob("mail/*.eml")
        ]
        links = [
            re.search(r"http\S+/plugin/client-imports/\S+", text.get_content())
            for text in texts
            if "mailed.csv" in text.get_content()
        ]
        if links:
            break
        browser.page.wait_for_timeout(500)
    link = re.sub(r"http://[^/]+", site.url, links[0][0])
    browser.page.goto(link)
    browser.frame().locator("h1", has_text="mailed.csv").wait_for()


def test_a_person_who_may_only_look_sees_imports_and_no_button(browse, axe):
    frame = browse("vera").open_imports()
    frame.locator("h1").first.wait_for(state="attached")
    assert frame.locator("#open-import").count() == 0 and axe(frame) == []
