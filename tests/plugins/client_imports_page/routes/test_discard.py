"""An import that no run works on any more says so, and can be discarded on its page."""

from __future__ import annotations

import sqlalchemy as sa

from include.adapters.database import ledger as imports
from tests.plugins.page import ROOT


def test_a_dead_import_is_called_stopped_and_can_be_discarded(web, imported, engine):
    import_id = imported()
    with engine.begin() as connection:
        dead = "state = 'validated', filed = false, dag_id = 'import_clients__default', run_id = 'gone'"
        connection.execute(sa.text(f"UPDATE imports SET {dead}"))
    olga = web("olga")
    page = olga.get(f"{ROOT}/imports/{import_id}").text
    assert "Stopped: the run ended before" in page and "reparing…" not in page and "Discard this import" in page
    assert olga.post(f"{ROOT}/api/imports/{import_id}/discard").json() == {"state": "discarded"}
    assert imports.find(engine, import_id).message == "Discarded by olga."
    assert "Discarded by olga." in olga.get(f"{ROOT}/imports/{import_id}").text


def test_an_import_whose_run_finishes_it_during_the_look_is_not_called_stopped(web, imported, engine, monkeypatch):
    from client_imports_page import connections

    import_id = imported()

    def become(state):
        with engine.begin() as connection:
            connection.execute(sa.text(f"UPDATE imports SET state = '{state}', dag_id = 'gone', run_id = 'gone'"))
        return True

    become("prepared")
    monkeypatch.setattr(connections.runs, "has_ended", lambda entry: become("merged"))
    assert "Stopped" not in web("olga").get(f"{ROOT}/imports/{import_id}").text


def test_an_import_that_has_ended_cannot_be_discarded_and_who_may_only_look_may_not(web, imported, engine):
    import_id = imported()
    assert web("olga").post(f"{ROOT}/api/imports/{import_id}/discard").status_code == 409
    assert web("vera").post(f"{ROOT}/api/imports/{import_id}/discard").status_code == 403
    assert web("nobody").post(f"{ROOT}/api/imports/{import_id}/discard").status_code == 404
    assert imports.find(engine, import_id).state == "merged"


def test_an_import_whose_feed_file_is_broken_can_be_discarded(web, imported, engine, installation, monkeypatch):
    import_id = imported()
    with engine.begin() as connection:
        connection.execute(sa.text("UPDATE imports SET state = 'failed', filed = false"))
    folder = installation.home / "broken_feeds"
    folder.mkdir(exist_ok=True)
    (folder / "default.yaml").write_text("titel: a key that no feed has\n")
    monkeypatch.setenv("CLIENT_IMPORTS_FEEDS", str(folder))
    assert "Discard this import" in web("olga").get(f"{ROOT}/imports/{import_id}").text
    assert web("olga").post(f"{ROOT}/api/imports/{import_id}/discard").json() == {"state": "discarded"}
