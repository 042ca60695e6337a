"""The same DAG, with the storage root in a bucket and the inbox on a partner's server."""

from __future__ import annotations

import json

import pytest

from tests import inboxes
from tests.airflow_installation import states

TEXT = "First Name,Email\nAnn,ann@example.com\n,none@example.com\n"
PARAMS = {"file": None, "force": False, "dry_run": False, "note": None}


def as_connection(kind: str, login) -> str:
    return json.dumps({"conn_type": kind, "host": login.host, "port": login.port, "login": login.user,
                       "password": login.password, "extra": dict(login.extra)})  # fmt: skip


@pytest.fixture
def dag_of(installation, tmp_path, monkeypatch):
    """The DAG of the only feed, whose inbox is `inbox`."""
    from airflow.dag_processing.dagbag import DagBag

    path = tmp_path / "feeds" / "partner.yaml"
    path.parent.mkdir()
    monkeypatch.setenv("CLIENT_IMPORTS_FEEDS", str(path.parent))

    def _dag_of(inbox: str):
        path.write_text(f"title: Partner\ninbox: {inbox}\nstable_seconds: 0\nnotify: {{to: [a@example.com]}}\n")
        return DagBag(dag_folder=installation.bag.dag_folder).dags["import_clients__partner"]

    return _dag_of


@pytest.mark.parametrize("sent_to", ["bucket", "server"])
def test_a_file_from_elsewhere_is_imported_and_filed_in_the_bucket(
    installation, ledger, clients, dag_of, s3_login, sftp_server, tmp_path, monkeypatch, sent_to
):
    bucket = inboxes.on_s3(s3_login)
    monkeypatch.setenv("AIRFLOW_CONN_OUR_S3", as_connection("aws", s3_login))
    monkeypatch.setenv("AIRFLOW_CONN_ACME", as_connection("sftp", sftp_server.login))
    root = bucket.storage.root
    monkeypatch.setenv("CLIENT_IMPORTS_STORAGE", f"s3://our_s3@{root.bucket}/{root.key}")
    sender = bucket if sent_to == "bucket" else inboxes.on_sftp(sftp_server, tmp_path)
    dag = dag_of(sender.inbox)
    assert set(states(dag.test(run_conf=PARAMS, logical_date=None)).values()) == {"skipped"}
    sender.put("x.csv", TEXT)
    run = dag.test(run_conf=PARAMS, logical_date=None)
    assert run.state == "success", states(run)
    (line,) = ledger()
    assert (line["state"], line["created"], line["failed"], line["filed"]) == ("merged", 1, 1, True)
    assert set(clients()) == {"ann@example.com"} and sender.names() == []
    assert bucket.files("staging") == bucket.files("inbox") == []
    assert sorted(inboxes.all_files(bucket.storage)) == [line["file_path"], line["report_path"]]
    assert inboxes.all_files(bucket.storage)[line["file_path"]] == TEXT.encode()
    (mail,) = installation.read_mails()
    assert mail["Subject"] == "partner: 1 file, 1 created, 1 failed row"


def test_a_storage_that_is_not_mounted_makes_the_run_red_and_says_so(impatient, monkeypatch, tmp_path, capfd):
    monkeypatch.setenv("CLIENT_IMPORTS_STORAGE", str(tmp_path))
    run = impatient.run("default")
    assert (run.state, states(run)["sense_inbox"]) == ("failed", "failed")
    assert "Is the storage mounted?" in capfd.readouterr().out
    assert "SYSTEM ERROR" in impatient.read_mails()[-1]["Subject"]
