"""Failed rows are corrected on the page of their import: checked by the importer's rules, then sent as a report."""

from __future__ import annotations

import pytest

from tests.conftest import LONDON, PARTNERS
from tests.plugins.page import ROOT, send

TEXT = (
    "First Name,Email,Project,Desk,Active\n"
    f"Ann,ann@example.com,{PARTNERS},Madrid,yes\n"
    f"Ben,ben@example.com,{PARTNERS},Madrid,yes\n"
    ",cat@example.com,,,yes\n"
    "Dan,dan@example,,,maybe\n"
    "Eve,x,eve@example.com,,,yes\n"
)
MADRID = {"code": "CELL_REFERENCE_NOT_FOUND", "field": "desk", "value": "Madrid", "text": LONDON}
RAGGED = {"0": "Eve", "1": "eve@example.com", "2": "", "3": "", "4": "yes"}
ALL = {"cells": {"3": {"0": "Cat"}, "4": {"1": "dan@example.com", "4": "true"}, "5": RAGGED}, "replacements": [MADRID]}


@pytest.fixture
def path(imported):
    """Where the corrections of an import with five failed rows go."""
    return f"{ROOT}/api/imports/{imported(TEXT, name='five.csv')}/corrections"


def page_of(path):
    return path.replace("/api/", "/").removesuffix("/corrections")


def test_rows_are_checked_as_they_are_edited_by_the_importers_own_rules(web, path, imported, engine, ledger):
    imported("First Name,Email,Username\nOld,dan@example.com,dan\n", name="old.csv")
    before = len(ledger())
    olga = web("olga")
    answer = olga.post(f"{path}/check", json={"replacements": [MADRID]}).json()
    assert answer["sentence"] == "2 of 5 rows are good now. 3 rows would fail again, and can be corrected then."
    assert {row: verdict["outcome"] for row, verdict in answer["rows"].items()} == {"1": "created", "2": "created"}
    cells = {"4": {"1": "dan@example.com", "4": "vielleicht"}, "3": {"0": "=1+1"}}
    rows = olga.post(f"{path}/check", json={"cells": cells}).json()["rows"]
    assert [problem["field"] for problem in rows["4"]["problems"]] == ["active"]
    assert "formula" in rows["3"]["problems"][0]["message"]
    rows = olga.post(f"{path}/check", json=ALL).json()["rows"]
    assert {row: verdict["outcome"] for row, verdict in rows.items()} == {
        "1": "created", "2": "created", "3": "created", "4": "updated", "5": "created",
    }  # fmt: skip
    assert len(ledger()) == before  # nothing is kept


def test_corrected_rows_are_imported_as_a_correction_of_their_import(web, path, installation, clients):
    olga = web("olga")
    answer = olga.post(path, json=ALL)
    assert answer.status_code == 202 and answer.json()["file_name"] == "five (corrected).csv"
    installation.run("default", upload=answer.json()["upload_id"])
    assert {"ann@example.com", "ben@example.com", "cat@example.com", "dan@example.com", "eve@example.com"} <= set(
        clients()
    )
    assert clients()["ann@example.com"]["desk"] == LONDON
    child = olga.get(f"{ROOT}/api/uploads/{answer.json()['upload_id']}").json()
    assert "5 of 5 failed rows are fixed" in olga.get(f"{ROOT}/imports/{child['import_id']}").text
    assert "5 fixed, 0 still failed" in olga.get(page_of(path)).text


def test_the_second_of_two_people_learns_of_the_first_and_the_same_request_twice_is_one(web, path):
    key = {"Idempotency-Key": "k"}
    first = web("admin").post(path, json=ALL, headers=key)
    assert web("admin").post(path, json=ALL, headers=key).json()["upload_id"] == first.json()["upload_id"]
    second = web("olga").post(path, json=ALL)
    assert second.status_code == 409 and "Somebody else has sent corrections" in second.text
    assert 'data-seen="1"' in web("olga").get(page_of(path)).text
    assert web("olga").post(path, json={**ALL, "seen": 1}).status_code == 202


def test_the_page_offers_choices_by_name_one_text_for_a_cause_and_the_cells_of_a_ragged_row(web, path):
    page = web("olga").get(page_of(path)).text
    assert f'<option value="{LONDON}">London (Partners)</option>' in page
    assert 'data-code="CELL_REFERENCE_NOT_FOUND" data-field="desk" data-value="Madrid"' in page
    assert '<option value="eve@example.com" selected>3: eve@example.com</option>' in page
    assert "corrections" not in web("vera").get(page_of(path)).text.partition('id="rows"')[2]


def test_what_cannot_be_corrected_says_why(web, path, imported):
    olga = web("olga")
    assert "Nothing is corrected yet." in olga.post(path, json={}).text
    assert olga.post(path, content=b"{").status_code == 422
    good = imported("First Name,Email\nZoe,zoe@example.com\n", name="good.csv")
    assert olga.post(f"{ROOT}/api/imports/{good}/corrections", json=ALL).status_code == 409


def test_a_corrected_file_without_the_reports_own_columns_belongs_to_its_import_all_the_same(web, path, installation):
    olga, parent = web("olga"), path.split("/")[-2]
    answer = send(olga, "First Name,Email\nAnn,ann@example.com\n", more=f"&corrects={parent}")
    installation.run("default", upload=answer.json()["upload_id"])
    assert "1 fixed, 0 still failed" in olga.get(page_of(path)).text
    assert send(web("admin"), feed="acme", more=f"&corrects={parent}").status_code == 422


def test_an_id_or_a_username_that_many_rows_share_can_be_emptied_in_all_of_them(web, imported, installation, clients):
    cells = {"Ann": "new,", "Ben": "new,", "Cat": ",admin", "Dan": ",admin"}
    rows = "".join(f"{name},{name}@example.com,{ends}\n" for name, ends in cells.items())
    import_id = imported(f"First Name,Email,ID,Username\n{rows}x,y,,\nz,y,,\n")
    path = f"{ROOT}/api/imports/{import_id}/corrections"
    page = web("olga").get(page_of(path)).text
    assert page.count('class="replace"') == 2  # an e-mail is each row's own
    assert "ID in all 2 rows" in page and "Username in all 2 rows" in page
    emptied = [
        {"code": "CELL_FORMAT", "field": "id", "value": "new", "text": ""},
        {"code": "USERNAME_TAKEN", "field": "username", "value": "admin", "text": ""},
    ]
    answer = web("olga").post(path, json={"replacements": emptied})
    installation.run("default", upload=answer.json()["upload_id"])
    assert {client["username"] for client in clients().values()} == {"ann", "ben", "cat", "dan"}
