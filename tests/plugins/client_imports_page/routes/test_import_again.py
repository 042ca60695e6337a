"""The API that imports a kept file again, and the API that undoes an import."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from include.adapters.files.storage import Storage
from include.schemas.feed import Feed
from include.steps.erase import erase_person
from tests.plugins.page import ROOT, send


def test_a_dry_run_shows_what_would_happen_and_can_be_imported_afterwards(web, installation, clients):
    olga = web("olga")
    upload = send(olga, more="&dry_run=true").json()["upload_id"]
    installation.run("default", upload=upload)
    looked = olga.get(f"{ROOT}/api/uploads/{upload}").json()
    assert looked["sentence"] == "2 clients would be imported: 2 created. Nothing has been written." and clients() == {}
    page = olga.get(f"{ROOT}/imports/{looked['import_id']}").text
    assert "What would change" in page and "Import it now" in page
    again = olga.post(f"{ROOT}/api/imports/{looked['import_id']}/import")
    assert again.status_code == 202
    installation.run("default", upload=again.json()["upload_id"])
    assert len(clients()) == 2


def test_a_dry_run_whose_file_is_gone_cannot_be_imported(web, imported, engine):
    olga, looked = web("olga"), imported(dry_run=True)
    with engine.begin() as connection:
        connection.execute(sa.text("UPDATE imports SET file_path = 'archive/default/none.csv'"))
    again = olga.post(f"{ROOT}/api/imports/{looked}/import")
    assert again.status_code == 409 and "send it again" in again.text


def test_a_file_that_was_skipped_as_imported_before_can_be_imported_anyway(web, installation, ledger):
    olga = web("olga")
    for _ in range(2):
        upload = send(olga, "First Name,Email\nAnn,ann@example.com\n").json()["upload_id"]
        installation.run("default", upload=upload)
    skipped = olga.get(f"{ROOT}/api/uploads/{upload}").json()
    assert skipped["tone"] == "quiet" and "The same bytes were imported" in skipped["sentence"]
    assert "Import it anyway" in olga.get(f"{ROOT}/imports/{skipped['import_id']}").text
    again = olga.post(f"{ROOT}/api/imports/{skipped['import_id']}/import").json()["upload_id"]
    installation.run("default", upload=again)
    assert [row["state"] for row in ledger()] == ["merged", "skipped", "merged"] and ledger()[2]["unchanged"] == 1


def test_an_undo_from_the_page_is_the_undo_of_the_dag(web, installation, imported, clients, ledger):
    import_id = imported()
    assert web("admin").post(f"{ROOT}/api/imports/{import_id}/revert").status_code == 202
    conf = {"import_id": import_id, "dry_run": False, "note": None}
    installation.bag.dags["revert_import"].test(run_conf=conf, logical_date=None)
    assert clients() == {}
    page = web("admin").get(f"{ROOT}/imports/{import_id}").text
    assert "The import was undone later." in page and "Undone for 2 clients" in page
    assert web("admin").post(f"{ROOT}/api/imports/{import_id}/revert").status_code == 409


@pytest.mark.parametrize("dry_run", [False, True])
def test_an_undo_that_keeps_a_changed_client_says_why(web, installation, imported, engine, ledger, dry_run):
    import_id, admin = imported(), web("admin")
    with engine.begin() as connection:  # as somebody in the CRM would
        connection.execute(sa.text("UPDATE clients SET first_name = 'Anna' WHERE email = 'ann@example.com'"))
    conf = {"import_id": import_id, "dry_run": dry_run, "note": None}
    installation.bag.dags["revert_import"].test(run_conf=conf, logical_date=None)
    undo_id = ledger()[-1]["id"]
    page = admin.get(f"{ROOT}/imports/{undo_id}?kind=kept")
    assert page.status_code == 200
    assert f"{'Would be undone' if dry_run else 'Undone'} for 1 client, 1 kept as it is." in page.text
    assert "Something else has changed the client since; it is kept as it is." in page.text
    result = admin.get(f"{ROOT}/api/imports/{undo_id}")
    assert result.status_code == 200
    assert [problem["code"] for problem in result.json()["problems"]] == ["CLIENT_CHANGED_SINCE"]


def test_an_undo_of_an_import_with_an_erased_person_says_the_same_everywhere(
    web, installation, imported, ledger, engine
):
    import_id, admin = imported(), web("admin")
    storage = Storage(installation.home / "storage")
    erase_person(engine, storage, {"default": Feed(name="default", title="")}, email="ann@example.com")
    conf = {"import_id": import_id, "dry_run": False, "note": None}
    installation.bag.dags["revert_import"].test(run_conf=conf, logical_date=None)
    undone = "Undone for 1 client, 1 failed."
    page = admin.get(f"{ROOT}/imports/{import_id}").text
    assert "The import was undone later." in page and undone in page and "All of it" not in page
    undo = admin.get(f"{ROOT}/imports/{ledger()[-1]['id']}").text
    assert undone in undo and "row failed" not in undo and "or the person was erased" in undo


def test_an_undo_that_has_failed_is_not_reported_as_started_again(web, imported):
    from airflow.models.dagrun import DagRun
    from airflow.utils.session import create_session

    admin, import_id = web("admin"), imported()
    assert admin.post(f"{ROOT}/api/imports/{import_id}/revert").status_code == 202
    assert admin.post(f"{ROOT}/api/imports/{import_id}/revert").status_code == 202
    with create_session() as session:
        session.query(DagRun).where(DagRun.run_id == f"undo__{import_id}").update({"state": "failed"})
    again = admin.post(f"{ROOT}/api/imports/{import_id}/revert")
    assert again.status_code == 409 and f"Clear the run undo__{import_id}" in again.text
