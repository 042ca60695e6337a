"""The screen Clients: who sees it, what it shows, and its export, which imports again as it is."""

from __future__ import annotations

import html
import re

import pytest
import sqlalchemy as sa

from include.schemas.client_rows import FIELDS
from tests.conftest import LONDON, PARTNERS
from tests.plugins.page import ROOT

TEXT = (
    "First Name,Last Name,Email,Project,Desk,Type,Active\n"
    f"Ann,Lee,ann@example.com,,,,\nBen,Berg,ben@example.com,{PARTNERS},{LONDON},business,no\n"
)


def names(answer) -> list[str]:
    """Read the first names of the table, from top to bottom."""
    return re.findall(r"</code></a></td>\s*<td>([^<]*)</td>", answer.text)


def test_a_list_shows_names_of_project_and_desk_with_their_ids_on_hover(web, imported):
    imported(TEXT)
    page = web("olga").get(f"{ROOT}/")
    assert sorted(names(page)) == ["Ann", "Ben"] and 'aria-sort="descending"' in page.text
    assert re.search(rf'<td title="{LONDON}">London[^<]*</td>', page.text)
    assert re.search(rf'<td title="{PARTNERS}">[^<]+</td>', page.text)


def test_filters_and_order_are_in_the_address_and_what_is_searched_for_never_is(web, imported):
    imported(TEXT)
    olga = web("olga")
    assert names(olga.get(f"{ROOT}/?desk={LONDON}")) == ["Ben"] == names(olga.get(f"{ROOT}/?active=no"))
    assert names(olga.get(f"{ROOT}/?sort=first_name")) == ["Ann", "Ben"] == names(olga.get(f"{ROOT}/?sort=email"))
    assert names(olga.get(f"{ROOT}/?sort=-last_name&type=x&active=maybe&sort=zzz&after=%27")) != []
    found = olga.post(f"{ROOT}/", data={"q": "ann@exa", "sort": "email"})
    assert names(found) == ["Ann"] and "1 client" in found.text
    assert not re.search(r'(href|action)="[^"]*ann', html.unescape(found.text)) and "data-refresh" not in found.text
    assert names(olga.get(f"{ROOT}/?q=ann@exa")) == names(olga.get(f"{ROOT}/"))  # not even by hand
    assert "Nothing found" in olga.post(f"{ROOT}/", data={"q": "nobody"}).text


def test_a_desk_of_another_project_is_forgotten_when_the_project_is_changed(web, imported):
    imported(TEXT)
    assert "Nothing found" not in web("olga").get(f"{ROOT}/?project=66524609caa3558dd8f8da65&desk={LONDON}").text


def test_an_empty_table_says_how_to_begin(web, engine):
    assert "No clients yet" in web("olga").get(f"{ROOT}/").text


def test_the_list_is_paged_to_its_end_and_back(web, engine):
    with engine.begin() as crm:
        crm.execute(
            sa.text("""INSERT INTO clients (id, first_name, email, email_key, username, project, desk)
            SELECT lpad(n::text, 24, '0'), 'n' || n, n || '@example.com', n || '@example.com', 'user' || n, :project, :desk
            FROM generate_series(1, 120) n"""), {"project": PARTNERS, "desk": LONDON},
        )  # fmt: skip
    olga, seen, answer = web("olga"), [], web("olga").get(f"{ROOT}/?sort=id&type=personal")
    while True:
        seen += names(answer)
        following = re.search(r'href="([^"]*after=\d{24})"', answer.text)
        if not following:
            break
        answer = olga.get(html.unescape(following[1]))
    assert seen == [f"n{n}" for n in range(1, 121)]
    earlier = re.search(r'href="([^"]*before=\d{24})"', answer.text)[1]
    assert names(olga.get(html.unescape(earlier))) == seen[50:100]
    searched = olga.post(f"{ROOT}/", data={"q": "user", "sort": "id"})
    fields = dict(re.findall(r'name="(\w+)" value="([^"]*)"', searched.text.rpartition("Screens of clients")[2]))
    assert fields == {"q": "user", "sort": "id", "after": f"{50:024d}"}
    assert names(olga.post(f"{ROOT}/", data=fields)) == seen[50:100]


def test_people_who_may_import_to_no_feed_see_no_client(web, imported):
    imported(TEXT)
    for answer in (web("vera").get(f"{ROOT}/"), web("vera").post(f"{ROOT}/", data={"q": "ann"})):
        assert "You may not see the clients" in answer.text and "ann@example.com" not in answer.text
    assert web("vera").get(f"{ROOT}/clients.csv").status_code == 404


def test_a_client_is_shown_as_it_is_now_without_imports_that_the_person_may_not_see(web, imported, clients):
    imported(TEXT, feed="acme", name="secret.csv")
    client_id = clients()["ben@example.com"]["id"]
    page = web("olga").get(f"{ROOT}/client/{client_id}").text
    assert "London" in page and "Berg" in page and "secret" not in page
    assert "No import that you may see has changed this client." in page
    assert "secret.csv" in web("admin").get(f"{ROOT}/client/{client_id}").text
    assert "Nothing found" in web("dora").get(f"{ROOT}/client/{client_id}").text
    assert "There is no client with this ID" in web("olga").get(f"{ROOT}/client/{'0' * 24}").text


def test_a_name_in_the_bar_is_searched_among_clients_or_is_said_to_need_a_right(web, imported):
    imported(TEXT)
    assert names(web("olga").post(f"{ROOT}/client", data={"q": "Ben"})) == ["Ben"]
    refused = web("dora").post(f"{ROOT}/client", data={"q": "Ben"}).text
    assert "Only people who may import can search for a name" in refused and "Berg" not in refused


ODD = {
    "first_name": ["-", "+49", "  =", "'t", "Ann\nMaria", '"q"', "a,b", "@", "Zoë", "＋"],
    "email": ["+a@example.com", "=b@example.com", "-c@example.com", "'+d@example.com", "''=e@example.com"],
}


@pytest.mark.parametrize("searched", [False, True])
def test_an_export_imports_again_unchanged_and_one_edited_cell_is_one_update(
    web, imported, ledger, clients, installation, engine, searched
):
    rows = [f"A,a{n}@example.com" for n in range(len(ODD["first_name"]))]
    imported("\n".join(["First Name,Email", *rows, *(f"A,{mail}" for mail in ODD["email"])]) + "\n")
    with engine.begin() as crm:
        for n, name in enumerate(ODD["first_name"]):
            crm.execute(
                sa.text(
                    "UPDATE clients SET first_name = :name, middle_name = :name, created = :at WHERE email = :email"
                ),
                {"name": name.strip(), "email": f"a{n}@example.com", "at": f"2020-02-03 04:05:06.{n:06d}+00"},
            )
    before, olga = clients(), web("olga")
    sent = olga.post(f"{ROOT}/clients.csv", data={"q": "example"}) if searched else olga.get(f"{ROOT}/clients.csv")
    assert sent.headers["content-disposition"].startswith('attachment; filename="clients_20')
    assert len(sent.content.splitlines()) > len(before)
    assert not re.search(rb'(?m)(^|,)"?[=+@-]', sent.content)
    again = imported(sent.content.decode("utf-8-sig"), name="again.csv")
    row = next(row for row in ledger() if str(row["id"]) == again)
    assert (row["read"], row["unchanged"], row["warnings"]) == (len(before), len(before), 0)
    edited = sent.content.decode("utf-8-sig").replace(",+c", ",").replace("'-c@example.com", "'-new@example.com")
    imported(edited, name="edited.csv")
    row = ledger()[-1]
    assert (row["unchanged"], row["updated"]) == (len(before) - 1, 1)
    assert set(clients()) - set(before) == {"-new@example.com"}


def test_an_export_has_the_clients_of_the_list_in_its_order(web, imported):
    imported(TEXT)
    lines = web("olga").get(f"{ROOT}/clients.csv?sort=-first_name").text.splitlines()
    names = [field.headers[0] for field in FIELDS.values()]
    assert lines[0].lstrip("\ufeff") == ",".join([*names, "_export"])
    assert ["ben@example.com" in lines[1], "ann@example.com" in lines[2]] == [True, True]
    assert len(web("olga").get(f"{ROOT}/clients.csv?active=no").text.splitlines()) == 2
    assert len(web("olga").post(f"{ROOT}/clients.csv", data={"q": "nobody"}).text.splitlines()) == 1
