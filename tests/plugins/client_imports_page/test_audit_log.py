"""Who saw what: the entries in Airflow's audit log, as its own API gives them."""

from __future__ import annotations

import html
import json

import pytest
import sqlalchemy as sa

from tests.plugins.page import ROOT, TEXT, send

ACME = "import_clients__acme"


@pytest.fixture
def entries(web, installation):
    """Read the entries since the last call: event, person, DAG, and what else they hold."""
    seen = set()

    def _entries() -> list[tuple[str, str, str | None, dict[str, object]]]:
        answer = web("auditor").get("/api/v2/eventLogs?event_prefix_pattern=client_imports&order_by=id")
        assert answer.status_code == 200, answer.text
        new = [each for each in answer.json()["event_logs"] if each["event_log_id"] not in seen]
        seen.update(each["event_log_id"] for each in new)
        return [
            (each["event"].removeprefix("client_imports."), each["owner"], each["dag_id"], json.loads(each["extra"]))
            for each in new
            if each["event"].startswith("client_imports.")
        ]

    from airflow.models.log import Log
    from airflow.utils.session import create_session

    with create_session() as session:
        session.query(Log).delete()
    return _entries


def test_a_download_and_a_view_of_an_import_are_entries(web, imported, entries):
    import_id, vera = imported(feed="acme", name="Zoe Smith.csv", dry_run=True), web("vera")
    for path in (f"/imports/{import_id}", f"/imports/{import_id}/failed-rows.csv"):
        assert vera.get(ROOT + path).status_code == 200
    assert vera.get(f"{ROOT}/imports/{import_id}/planned-changes.csv").status_code == 200
    assert vera.get(f"{ROOT}/api/imports/{import_id}").status_code == 200
    assert entries() == [
        ("import_viewed", "vera", ACME, {"import_id": import_id}),
        ("report_downloaded", "vera", ACME, {"import_id": import_id, "report": "failed rows"}),
        ("report_downloaded", "vera", ACME, {"import_id": import_id, "report": "planned changes"}),
        ("import_viewed", "vera", ACME, {"import_id": import_id}),
    ]


def test_a_check_is_an_entry_without_a_word_of_the_file(web, entries):
    headers = {"content-type": "text/csv", "content-disposition": 'attachment; filename="Zoe Smith.csv"'}
    assert web("admin").post(f"{ROOT}/api/checks?feed=acme", content=TEXT, headers=headers).status_code == 200
    assert entries() == [("file_checked", "admin", ACME, {})]


def test_a_report_that_is_not_there_was_not_downloaded(web, imported, entries):
    import_id = imported("First Name,Email\nAnn,ann@example.com\n")
    assert web("admin").get(f"{ROOT}/imports/{import_id}/failed-rows.csv").status_code == 404
    assert entries() == []


def test_whatever_is_refused_about_an_import_is_an_entry(web, imported, installation, entries):
    import_id = imported(feed="acme")
    upload = send(web("admin"), feed="acme").json()["upload_id"]
    installation.run("acme", upload=upload)
    sent = web("admin").get(f"{ROOT}/api/uploads/{upload}").json()["import_id"]
    entries()
    for person, method, path, status, what in (
        ("olga", "GET", f"/imports/{import_id}", 404, import_id),
        ("olga", "GET", f"/imports/{import_id}/failed-rows.csv", 404, import_id),
        ("olga", "GET", f"/api/imports/{import_id}", 404, import_id),
        ("olga", "GET", f"/api/uploads/{upload}", 404, sent),
        ("olga", "POST", f"/api/imports/{import_id}/revert", 404, import_id),
        ("vera", "POST", f"/api/imports/{import_id}/revert", 403, import_id),
        ("vera", "POST", f"/api/imports/{import_id}/import", 403, import_id),
        ("vera", "POST", f"/api/imports/{import_id}/discard", 403, import_id),
    ):
        assert web(person).request(method, ROOT + path).status_code == status
        assert [entry[:2] + (entry[3],) for entry in entries()] == [("import_refused", person, {"import_id": what})]
    assert web("olga").get(f"{ROOT}/imports/00000000-0000-0000-0000-000000000000").status_code == 404
    assert entries() == []  # there is no such import


def test_a_run_shows_its_imports_to_some_and_refuses_them_to_others(web, installation, ledger, entries):
    installation.drop("acme", TEXT.replace(",", ";"), "a.csv")
    run = installation.run("acme")
    for person, event in (("vera", "import_viewed"), ("olga", "import_refused")):
        web(person).get(f"{ROOT}/run", params={"dag_id": ACME, "run_id": run.run_id})
        assert entries() == [(event, person, ACME, {"import_id": str(ledger()[0]["id"])})]


def test_a_view_of_a_client_is_an_entry_and_so_is_one_that_is_refused(web, imported, clients, entries):
    imported(feed="acme")
    client_id = clients()["ann@example.com"]["id"]
    for person, event in (("vera", "client_viewed"), ("olga", "client_viewed"), ("dora", "client_refused")):
        web(person).get(f"{ROOT}/client/{client_id}")
        assert entries() == [(event, person, None, {"client_id": client_id})]


def test_a_search_is_noted_by_what_it_showed_and_never_by_what_was_typed(web, imported, entries):
    import_id, vera = imported(feed="acme"), web("vera")
    vera.post(f"{ROOT}/client", data={"q": "nobody@example.com"})
    assert entries() == [("client_viewed", "vera", None, {"import_ids": [import_id]})]
    vera.post(f"{ROOT}/client", data={"q": "never@example.com"})
    web("dora").post(f"{ROOT}/client", data={"q": "nobody@example.com"})
    for typed in ("never@example.com", "Zoe Smith.csv"):
        vera.post(f"{ROOT}/imports", data={"q": typed})
    missed = [("client", "vera"), ("client", "dora"), ("imports", "vera"), ("imports", "vera")]
    assert entries() == [("search_failed", person, None, {"searched": what}) for what, person in missed]
    vera.post(f"{ROOT}/imports", data={"q": "nobody@example.com"})
    assert vera.get(f"{ROOT}/client").status_code == 200
    assert entries() == []


def test_clients_that_were_listed_or_exported_are_entries_without_what_was_searched_for(
    web, imported, clients, entries
):
    imported("First Name,Email\nAnn,ann@example.com\n")
    client_id, olga = clients()["ann@example.com"]["id"], web("olga")
    olga.get(f"{ROOT}/?active=yes")
    olga.post(f"{ROOT}/", data={"q": "ann"})
    olga.post(f"{ROOT}/", data={"q": "zoe"})
    olga.post(f"{ROOT}/clients.csv", data={"q": "ann", "type": "personal"})
    web("vera").post(f"{ROOT}/", data={"q": "ann"})
    viewed = ("clients_viewed", "olga", None, {"client_ids": [client_id]})
    assert entries() == [
        viewed,
        viewed,
        ("search_failed", "olga", None, {"searched": "clients"}),
        ("clients_exported", "olga", None, {"type": "personal", "searched": True}),
    ]


def test_what_cannot_be_noted_is_not_shown_and_the_right_database_is_named(web, imported):
    from airflow.utils.session import create_session

    def rename(old: str, new: str) -> None:
        with create_session() as session:
            session.execute(sa.text(f"ALTER TABLE {old} RENAME TO {new}"))

    import_id, admin = imported(), web("admin")
    rename("log", "log_elsewhere")
    try:
        answer = admin.get(f"{ROOT}/imports/{import_id}")
    finally:
        rename("log_elsewhere", "log")
    assert answer.status_code == 503 and "Airflow's own database does not answer" in html.unescape(answer.text)
    assert "log_elsewhere" not in answer.text and "nobody@example.com" not in answer.text
