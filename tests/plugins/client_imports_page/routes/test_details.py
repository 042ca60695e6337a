"""The page of one import, and the page of one client."""

from __future__ import annotations

import re

from tests.plugins.page import ROOT, file_names, send


def test_a_failed_row_report_that_is_corrected_and_sent_back_shows_as_fixed(web, installation):
    olga = web("olga")
    first = send(olga).json()["upload_id"]
    installation.run("default", upload=first)
    parent = olga.get(f"{ROOT}/api/uploads/{first}").json()["import_id"]
    report = olga.get(f"{ROOT}/imports/{parent}/failed-rows.csv")
    assert "attachment" in report.headers["content-disposition"]
    second = send(olga, report.content.replace(b"\r\n,", b"\r\nNora,"), name="corrected.csv").json()["upload_id"]
    installation.run("default", upload=second)
    child = olga.get(f"{ROOT}/api/uploads/{second}").json()
    assert child["sentence"] == "1 client imported: 1 created."
    assert "1 of 1 failed row is fixed" in olga.get(f"{ROOT}/imports/{child['import_id']}").text
    assert "1 fixed, 0 still failed" in olga.get(f"{ROOT}/imports/{parent}").text


def test_one_import_shows_its_causes_rows_changes_and_history(web, imported):
    text = "First Name,Email,Desk\nAnn,ann@example.com,\nBen,ben@example.com,London\n,cat@example.com,\n"
    import_id = imported(text, name="a.csv")
    page = web("admin").get(f"{ROOT}/imports/{import_id}").text
    assert "1 client imported: 1 created. 2 rows failed" in re.sub(r"\s+", " ", page)
    assert "CELL_REFERENCE_NOT_FOUND" in page and "First name is blank, and every client needs one." in page
    page = web("vera").get(f"{ROOT}/imports/{import_id}").text  # who may only look has no fields to fill
    assert re.search(r'class="wrong"[^>]*><span class="hidden">wrong: </span>London', page)
    assert re.search(r'class="wrong"[^>]*><span class="hidden">wrong: </span><span class="blank">blank', page)
    assert '<td class="wrong"></td>' not in page
    for state in ("Received", "Validated", "Prepared", "Imported"):
        assert f"<td>{state}</td>" in page
    imported("First Name,Email\nAnna,ann@example.com\n", name="b.csv")
    changed = file_names(web("admin").get(f"{ROOT}/imports"))
    assert changed == ["b.csv", "a.csv"]


def test_a_word_that_the_feed_could_map_is_offered_as_yaml(web, imported):
    rows = "\n".join(f"A{n},a{n}@example.com,6655aa10caa3558dd8f8da99,London" for n in range(3))
    import_id = imported(f"First Name,Email,Project,Desk\n{rows}\n")
    page = web("admin").get(f"{ROOT}/imports/{import_id}").text
    assert "values: {desk: {&#34;London&#34;: &#34;67a3470d8092c651c9193390&#34;}}" in page


def test_a_client_is_found_by_address_or_id_and_shows_what_each_import_did(web, imported, clients):
    imported("First Name,Email,Last Name\nAnn,Ann@Example.com,One\n", name="1.csv")
    imported(
        "First Name,Email,Last Name\nAnn,ann@example.com,Two\n,ann@example.com,\n",
        name="2.csv",
        duplicates="keep_first",
    )
    admin = web("admin")
    found = admin.post(f"{ROOT}/client", data={"q": " ANN@example.com "})
    client_id = clients()["ann@example.com"]["id"]
    assert found.status_code == 303 and found.headers["location"] == f"{ROOT}/client/{client_id}"
    assert "@" not in found.headers["location"]
    page = admin.get(found.headers["location"]).text
    assert "<del>One</del>" in page and "<ins>Two</ins>" in page and page.index("2.csv") < page.index("1.csv")
    assert admin.post(f"{ROOT}/client", data={"q": client_id.upper()}).headers["location"].endswith(client_id)
    imported("First Name,Email\n,lost@example.com\n", name="3.csv")
    missing = admin.post(f"{ROOT}/client", data={"q": "lost@example.com"})
    assert missing.status_code == 200 and "3.csv" in missing.text and "First name is blank" in missing.text
    assert "Nothing found" in admin.post(f"{ROOT}/client", data={"q": "never@example.com"}).text


def test_a_forgotten_import_says_so_and_shows_no_cell(web, imported, engine, installation):
    from datetime import UTC, datetime, timedelta

    from include.adapters.files.storage import Storage
    from include.schemas.feed import Feed
    from include.steps.forget import forget

    import_id = imported()
    feed = Feed(name="default", title="", retention_days=1)
    forget(engine, Storage(installation.home / "storage"), {"default": feed}, datetime.now(UTC) + timedelta(days=9))
    page = web("admin").get(f"{ROOT}/imports/{import_id}").text
    assert "were removed" in page and "nobody@example.com" not in page and "1 row failed" in page
    assert "CELL_REQUIRED" in page and "see them" not in page and "result.csv" not in page


def test_an_import_whose_file_was_deleted_for_a_persons_sake_says_so(web, imported, engine, installation):
    from include.adapters.files.storage import Storage
    from include.steps.erase import erase_person

    import_id = imported()
    erase_person(engine, Storage(installation.home / "storage"), {}, email="nobody@example.com")
    page = web("admin").get(f"{ROOT}/imports/{import_id}").text
    assert "A person was erased from this import" in page and "nobody@example.com" not in page
    assert "Lies in" not in page and "1 row failed" in page
