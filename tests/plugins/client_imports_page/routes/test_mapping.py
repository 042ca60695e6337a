"""What a person says of columns and words travels with the file, and is remembered for the feed's next one."""

from __future__ import annotations

import html
import json

from tests.plugins.page import ROOT, send

TEXT = "Rufname;Adresse;Büro\nÄnne;aenne@example.com;Hauptstadt\n"
DESK = "67a3470d8092c651c9193390"
SAID = {
    "columns": {"Rufname": "first_name", "Adresse": "email", "Büro": "desk"},
    "values": {"desk": {"Hauptstadt": DESK}},
}
HEADER = {"client-imports-mapping": json.dumps(SAID)}  # ASCII, as a header has to be


def check(client, more="", **headers):
    own = {"content-type": "text/csv", "content-disposition": 'attachment; filename="a.csv"', "accept": "*/*"}
    return client.post(f"{ROOT}/api/checks?feed=default{more}", content=TEXT.encode(), headers=own | headers).json()


def test_a_mapping_is_checked_sent_recorded_remembered_and_forgotten(web, installation, ledger, clients):
    olga = web("olga")
    assert check(olga)["button"] == ""  # the header is not understood
    found = check(olga, **HEADER)
    assert (found["button"], found["mapping"]) == ("Import", SAID)
    upload = send(olga, TEXT, more="&remember=true", **HEADER).json()
    installation.run("default", upload=upload["upload_id"])
    assert clients()["aenne@example.com"]["desk"] == DESK
    assert ledger()[0]["mapping"] == SAID
    page = html.unescape(web("vera").get(f"{ROOT}/imports/{ledger()[0]['id']}").text)
    assert "Columns and words as they were read" in page and ">London</td>" in page

    assert check(olga)["columns"][0]["field"] == "first_name"  # as it is remembered
    installation.drop("default", TEXT.replace("Änne", "Anna"), "next.csv")
    installation.run("default")
    assert ledger()[1]["mapping"] == SAID and clients()["aenne@example.com"]["first_name"] == "Anna"

    screen = html.unescape(web("vera").get(f"{ROOT}/feeds").text)
    for words in ("Büro", "London", "olga", f"Hauptstadt: {DESK}", "Rufname: first_name"):
        assert words in screen
    assert "/remembered/" not in screen and "/remembered/" in olga.get(f"{ROOT}/feeds").text
    assert olga.post(f"{ROOT}/api/feeds/default/remembered/forget").json() == {"forgotten": 4}
    assert check(olga)["button"] == "" and "Büro" not in html.unescape(olga.get(f"{ROOT}/feeds").text)


def test_what_cannot_be_a_mapping_is_said_and_nothing_is_sent(web, installation):
    olga = web("olga")
    for text, words in (
        ("{", "it is no JSON"),
        ('{"columns": {"A": "nothing"}}', "must be a field"),
        (json.dumps({"columns": {"A" * 9000: "email"}}), "more than 7,500 characters"),
    ):
        answer = send(olga, TEXT, **{"client-imports-mapping": text})
        assert answer.status_code == 422 and words in answer.json()["detail"]
    assert installation.files("inbox") == []


def test_the_same_key_with_another_mapping_is_another_request(web):
    olga, key = web("olga"), {"idempotency-key": "one"}
    assert send(olga, TEXT, **key, **HEADER).status_code == 202
    assert send(olga, TEXT, **key, **HEADER).status_code == 202
    assert send(olga, TEXT, **key).status_code == 422
