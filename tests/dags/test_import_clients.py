"""Each use case as one real DAG run: real tasks, real PostgreSQL, real SMTP, and the mail that was received."""

from __future__ import annotations

import html
import json
from unittest.mock import Mock

import pytest

from demo.reference_data import SAMPLES
from tests.airflow_installation import states

HEADER = "First Name;Last Name;E-mail;Desk;Active\n"


def body_of(mail, kind="plain"):
    return mail.get_body((kind,)).get_content()


def test_onboarding_creates_clients_with_defaults_and_mails_the_counts(installation, ledger, clients):
    installation.drop("default", SAMPLES / "onboarding.csv")
    run = installation.run("default")
    assert run.state == "success", states(run)
    assert clients()["zoe.van.dijk@example.org"]["username"] == "zoe"
    assert clients()["wang.wei@example.cn"]["type"] == "personal"
    (mail,) = installation.read_mails()
    assert mail["Subject"] == "default: 1 file, 4 created"
    assert "4 rows of 4 imported." in body_of(mail)
    assert "/dags/import_clients__default/runs/" in body_of(mail, "html")
    assert installation.files("inbox") == [] and installation.files("staging") == []
    assert len(installation.files("archive")) == 1
    assert ledger()[0]["state"] == "merged" and ledger()[0]["filed"]


def test_a_bulk_update_changes_emails_of_existing_clients_and_nothing_else(installation, clients):
    installation.drop("default", SAMPLES / "clients_export.csv")
    installation.run("default")
    edited = (SAMPLES / "clients_export.csv").read_text().replace("emma.smith@example.com", "emma.new@example.com")
    installation.drop("default", edited, "edited.csv")
    assert installation.run("default").state == "success"
    assert clients()["emma.new@example.com"]["id"] == "66829b2e43c91e3ce480b6c4"
    assert "emma.smith@example.com" not in clients()
    assert installation.read_mails()[-1]["Subject"] == "default: 1 file, 1 updated, 2 unchanged"


def test_a_partner_feed_imports_its_good_rows_and_says_why_the_others_failed(installation, ledger, clients):
    installation.drop("acme", SAMPLES / "partner_feed.csv")
    assert installation.run("acme").state == "success"
    assert {"anna.null@example.com", "bob@example.com"} == set(clients())
    assert clients()["anna.null@example.com"]["last_name"] == "Null"
    counts = {name: ledger()[0][name] for name in ("read", "created", "duplicate", "failed")}
    assert counts == {"read": 8, "created": 2, "duplicate": 1, "failed": 5}
    (mail,) = installation.read_mails()
    assert mail["Subject"] == "acme: 1 file, 2 created, 5 failed rows"
    assert mail["To"] == "data-engineering@example.com, acme-desk@example.com"
    assert "2 x Row does not fit the columns, for example: The row has 4 cells, the header has 5." in body_of(mail)
    assert "carl@example" in body_of(mail) and "First name is blank" in body_of(mail, "html")


def test_a_refused_a_half_failed_and_a_good_file_do_not_stop_each_other(installation, ledger, clients):
    installation.drop("acme", "First Name;Desk\nAnn;\n", "1-refused.csv")
    installation.drop("acme", HEADER + "Ann;;ann@example.com;;yes\n;;none@example.com;;\n", "2-half.csv")
    installation.drop("acme", HEADER + "Ben;;ben@example.com;;<b>\nCat;;cat@example.com;;no\n", "3-<img src=x>.csv")
    run = installation.run("acme")
    assert run.state == "failed"
    tasks = states(run)
    assert sorted(tasks[f"validate_and_prepare[{n}]"] for n in range(3)) == ["failed", "success", "success"]
    assert tasks["merge"] == "success" and tasks["email_summary"] == "success" and tasks["outcome"] == "failed"
    assert {row["file_name"]: row["state"] for row in ledger()} == {
        "1-refused.csv": "refused", "2-half.csv": "merged", "3-<img src=x>.csv": "merged",
    }  # fmt: skip
    assert set(clients()) == {"ann@example.com", "cat@example.com"}
    (mail,) = installation.read_mails()
    assert mail["Subject"] == "acme: 3 files, 2 created, 2 failed rows, 1 refused"
    assert "<img" not in body_of(mail, "html") and "&lt;img src=x&gt;" in body_of(mail, "html")
    assert [path.split("/")[0] for path in installation.files("refused")] == ["acme"]
    assert len(installation.files("archive")) == 2 and installation.files("inbox") == []


def test_an_empty_inbox_skips_the_run_and_mails_nobody(installation, ledger):
    run = installation.run("default")
    assert set(states(run).values()) == {"skipped"}
    assert run.state == "success" and ledger() == [] and installation.read_mails() == []


def test_a_run_for_one_file_takes_only_that_file(installation, ledger):
    installation.drop("default", SAMPLES / "onboarding.csv", "a.csv")
    installation.drop("default", SAMPLES / "clients_export.csv", "b.csv")
    installation.run("default", file="b.csv", note="for Olga")
    assert [(row["file_name"], row["note"]) for row in ledger()] == [("b.csv", "for Olga")]
    assert installation.files("inbox") == ["default/a.csv"]


def test_the_mail_of_a_dry_run_says_that_nothing_was_written_and_how_to_import_the_file(installation, clients):
    installation.drop("acme", SAMPLES / "partner_feed.csv")
    assert installation.run("acme", dry_run=True).state == "success" and clients() == {}
    (mail,) = installation.read_mails()
    assert mail["Subject"] == "acme: Checked only: nothing was written (1 file, 2 would be created, 5 failed rows)"
    for body in (body_of(mail), body_of(mail, "html")):
        assert "Checked only: nothing was written. 2 rows of 8 would be imported; 5 rows failed." in body
        assert "press “Import it now” on the import's page" in html.unescape(body) and "rows are done" not in body
    assert "  if it is imported: read 8, created 2," in body_of(mail)


def test_the_same_bytes_again_are_skipped_in_a_green_run_and_can_be_forced(installation, ledger):
    for conf in ({}, {}, {"force": True}):
        installation.drop("default", SAMPLES / "onboarding.csv")
        assert installation.run("default", **conf).state == "success"
    assert [(row["state"], row["code"], row["unchanged"]) for row in ledger()] == [
        ("merged", None, 0), ("skipped", "FILE_ALREADY_IMPORTED", 0), ("merged", None, 4),
    ]  # fmt: skip


def test_a_mail_server_that_is_down_changes_nothing_about_the_import(impatient, clients, monkeypatch):
    monkeypatch.setenv("AIRFLOW_CONN_SMTP_DEFAULT", '{"conn_type":"smtp","host":"127.0.0.1","port":1,"extra":'
                       '{"disable_ssl":true,"disable_tls":true,"from_email":"a@example.com"}}')  # fmt: skip
    impatient.drop("default", SAMPLES / "onboarding.csv")
    run = impatient.run("default")
    tasks = states(run)
    assert (run.state, tasks["email_summary"], tasks["outcome"]) == ("failed", "failed", "success")
    assert len(clients()) == 4 and tasks["merge"] == "success"


def test_a_client_database_that_is_away_is_mailed_once_with_its_cause(impatient, clients, monkeypatch):
    impatient.drop("default", SAMPLES / "onboarding.csv")
    impatient.read_mails()
    with monkeypatch.context() as patch:
        patch.setenv("AIRFLOW_CONN_CLIENTS_DB", "postgresql://clients:secret@127.0.0.1:1/clients")
        assert states(impatient.run("default"))["email_summary"] == "failed"
    (mail,) = impatient.read_mails()
    assert mail["subject"] == "default: SYSTEM ERROR, the run has not finished"
    for kind in ("plain", "html"):
        text = mail.get_body((kind,)).get_content()
        assert "could not connect to 127.0.0.1:1" in text and "secret" not in text
    assert impatient.run("default").state == "success" and len(clients()) == 4


@pytest.mark.parametrize("feed", ["default", "acme"])
def test_every_feed_has_a_dag_that_keeps_the_policy(airflow, feed):
    dag = airflow.bag.dags[f"import_clients__{feed}"]
    assert dag.doc_md and dag.tags and dag.max_active_runs == 1 and not dag.catchup and dag.dagrun_timeout
    for task in dag.tasks:
        assert task.owner and task.owner != "airflow"
        assert task.execution_timeout
        assert task.retries == (0 if task.task_id == "outcome" else 3), task.task_id
    assert airflow.bag.import_errors == {}


def test_a_broken_feed_is_an_import_error_of_its_own_and_the_others_stay(airflow, feeds_folder):
    from airflow.dag_processing.dagbag import DagBag

    broken = feeds_folder / "broken.yaml"
    broken.write_text("title: Broken\nduplicates: keep_all\nstabel_seconds: 3\n")
    try:
        bag = DagBag(dag_folder=airflow.bag.dag_folder)
    finally:
        broken.unlink()
    feeds = {name for name in bag.dags if name.startswith("import_clients__")}
    assert feeds == {"import_clients__default", "import_clients__acme"}
    ((path, message),) = bag.import_errors.items()
    assert path.endswith("feed_errors.py")
    assert "broken.yaml: `duplicates` is 'keep_all'" in message and "`stabel_seconds` is not a known key" in message


def test_a_scheduled_feed_that_waits_gives_its_worker_slot_back_between_looks(airflow, feeds_folder):
    from airflow.dag_processing.dagbag import DagBag

    waiting = feeds_folder / "waiting.yaml"
    waiting.write_text("title: Waiting\nschedule: 0 6 * * *\nwait_minutes: 90\n")
    try:
        dag = DagBag(dag_folder=airflow.bag.dag_folder).dags["import_clients__waiting"]
    finally:
        waiting.unlink()
    sensor = dag.get_task("sense_inbox")
    assert (sensor.mode, sensor.timeout) == ("reschedule", 100 * 60)
    assert dag.timetable.expression == "0 6 * * *"


def test_a_held_file_asks_a_person_and_the_other_files_go_on(installation, ledger, clients, feeds_folder):
    from airflow.dag_processing.dagbag import DagBag

    (feeds_folder / "careful.yaml").write_text(
        "title: Careful\nstable_seconds: 0\nhold: {failed_over: 0.5, reviewers: [olga]}\nnotify: {to: [olga@example.com]}\n"
    )
    try:
        dag = DagBag(dag_folder=installation.bag.dag_folder).dags["import_clients__careful"]
        installation.drop("careful", "First Name,Email\n,x@example.com\n", "1-wrong.csv")
        installation.drop("careful", "First Name,Email\nAnn,ann@example.com\n", "2-right.csv")
        conf = {"file": None, "force": False, "dry_run": False, "note": None}
        run = dag.test(run_conf=conf, logical_date=None)
    finally:
        (feeds_folder / "careful.yaml").unlink()
    assert [(row["file_name"], row["state"]) for row in ledger()] == [
        ("1-wrong.csv", "held"),
        ("2-right.csv", "merged"),
    ]
    assert states(run)["outcome"] == "success" and set(clients()) == {"ann@example.com"}
    (mail,) = installation.read_mails()
    assert mail["Subject"] == "careful: 2 files, 1 created, 1 held: please decide"
    question = f"/dags/review_held_import/runs/held__{ledger()[0]['id']}__{ledger()[0]['plan_hash'][:12]}/tasks/decide"
    assert question in body_of(mail) and "1 of 1 rows failed (100%; the feed holds above 50%)" in body_of(mail)


@pytest.mark.parametrize(
    "dag_id", ["discard_import", "review_held_import", "revert_import", "scorecard", "watch_feeds"]
)
def test_the_other_dags_keep_the_policy_too(airflow, dag_id):
    dag = airflow.bag.dags[dag_id]
    assert dag.doc_md and dag.tags and not dag.catchup and dag.dagrun_timeout
    assert (dag.schedule is None) == (dag_id not in ("scorecard", "watch_feeds"))
    for task in dag.tasks:
        assert task.owner == "data-engineering" and task.retries == 3


def test_an_import_is_reverted_from_its_trigger_form(installation, ledger, clients):
    installation.drop("default", SAMPLES / "onboarding.csv")
    installation.run("default")
    revert = installation.bag.dags["revert_import"]
    conf = {"import_id": str(ledger()[0]["id"]), "dry_run": False, "note": "wrong file"}
    assert revert.test(run_conf=conf, logical_date=None).state == "success"
    assert clients() == {} and [row["state"] for row in ledger()] == ["reverted", "merged"]
    assert (ledger()[1]["reverted"], ledger()[1]["note"]) == (4, "wrong file")
    other = revert.test(run_conf=conf | {"import_id": str(ledger()[1]["id"])}, logical_date=None)
    assert other.state == "failed"


def test_a_stuck_import_is_discarded_from_a_trigger_form(impatient, ledger, clients, monkeypatch):
    impatient.drop("default", SAMPLES / "onboarding.csv")
    with monkeypatch.context() as patch:
        patch.setattr("include.steps.merge.merge_all", Mock(side_effect=OSError(28, "No space left on device")))
        assert impatient.run("default").state == "failed" and ledger()[0]["state"] == "prepared"
    discard, conf = impatient.bag.dags["discard_import"], {"import_id": str(ledger()[0]["id"]), "note": "wrong file"}
    assert discard.test(run_conf=conf, logical_date=None).state == "success"
    assert (ledger()[0]["state"], clients()) == ("discarded", {}) and "wrong file" in ledger()[0]["message"]
    assert not impatient.files("inbox") and len(impatient.files("refused")) == 1
    unknown = conf | {"import_id": "00000000-0000-0000-0000-000000000000"}
    assert discard.test(run_conf=unknown, logical_date=None).state == "failed"


def test_the_process_of_a_task_builds_only_the_dag_of_its_feed(airflow, monkeypatch):
    from airflow.dag_processing.dagbag import DagBag

    monkeypatch.setenv("_AIRFLOW_PARSING_CONTEXT_DAG_ID", "import_clients__acme")
    bag = DagBag(dag_folder=airflow.bag.dag_folder)
    assert [name for name in bag.dags if name.startswith("import_clients__")] == ["import_clients__acme"]


def test_a_sender_is_answered_and_a_webhook_that_is_down_changes_nothing_and_tells_no_secret(
    installation, ledger, clients, feeds_folder, monkeypatch, capfd
):
    from airflow.dag_processing.dagbag import DagBag

    hook = '{"conn_type":"http","host":"127.0.0.1","schema":"http","port":1,"password":"T00/s3cret"}'
    monkeypatch.setenv("AIRFLOW_CONN_CHAT", hook)
    text = "title: Told\nstable_seconds: 0\nanswer: true\nnotify: {to: [a@example.com], sender: [p@example.com], webhook: chat}\n"
    (feeds_folder / "told.yaml").write_text(text)
    try:
        dag = DagBag(dag_folder=installation.bag.dag_folder).dags["import_clients__told"]
        monkeypatch.setattr(dag.get_task("post_receipt"), "retries", 0)
        installation.drop("told", "First Name,Email\nAnn,ann@example.com\n,x@example.com\n", "a.csv")
        run = dag.test(run_conf={"file": None, "force": False, "dry_run": False, "note": None}, logical_date=None)
        files = installation.files("inbox/told")
        undo = installation.bag.dags["revert_import"]
        monkeypatch.setattr(undo.get_task("post_receipt"), "retries", 0)
        (entry,) = ledger()
        undone = undo.test(run_conf={"import_id": str(entry["id"]), "dry_run": False, "note": None}, logical_date=None)
    finally:
        (feeds_folder / "told.yaml").unlink()
    assert (states(undone)["revert"], states(undone)["answer_sender"]) == ("success", "success")
    (answer,) = (path for path in (installation.home / "storage/inbox/told/answers").glob("*.json"))
    assert json.loads(answer.read_text())["state"] == "reverted"
    tasks = states(run)
    assert (tasks["post_receipt"], tasks["answer_sender"], tasks["email_summary"]) == ("failed", "success", "success")
    assert (tasks["outcome"], clients()) == ("success", {})
    assert [path for path in files if path.startswith("answers/")] == [
        "answers/a.csv.failed.csv", "answers/a.csv.receipt.json",
    ]  # fmt: skip
    assert {mail["To"] for mail in installation.read_mails()} == {"a@example.com", "p@example.com"}
    assert (entry["state"], entry["answered_state"], entry["posted_state"]) == ("merged", "merged", None)
    captured = capfd.readouterr()
    assert "s3cret" not in captured.out + captured.err
