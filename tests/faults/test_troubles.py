"""An error in the file and a system error differ in the ledger, in the mail, in the task's state and in a retry.

Each test is one real DAG run in which something breaks once (the retry succeeds) or for good.
"""

from __future__ import annotations

import os
import resource
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import psycopg
import pytest
import sqlalchemy as sa

from include.adapters.database import plan
from include.adapters.files.staging import StagingFolder
from include.adapters.files.storage import Storage
from include.steps import email_summary as email_summary_step
from include.steps import merge as merge_step
from include.steps import prepare as prepare_step
from include.steps.context import ImportContext
from tests.airflow_installation import states

TEXT = "First Name,Email\nAnn,ann@example.com\nBea,bea@example.com\n"
MARK = "marked-cell-4711"


@pytest.fixture
def once(monkeypatch) -> Callable[..., list]:
    """Replace `owner.name`, for its first call only (`times` for more), by `trouble(original, *args)`."""

    def _once(owner: object, name: str, trouble: Callable, times: int = 1) -> list:
        original, calls = getattr(owner, name), []

        def _troubled(*args, **keys):
            calls.append(args)
            return trouble(original, *args, **keys) if len(calls) <= times else original(*args, **keys)

        monkeypatch.setattr(owner, name, _troubled)
        return calls

    return _once


def tries(run) -> dict[str, int]:
    return {ti.task_id: ti.try_number for ti in run.get_task_instances()}


@pytest.fixture
def without_retries(installation, monkeypatch) -> Callable[[str], None]:
    def _without_retries(task_id: str) -> None:
        monkeypatch.setattr(installation.bag.dags["import_clients__default"].get_task(task_id), "retries", 0)

    return _without_retries


def assert_imported_once(installation, ledger, clients, engine, run) -> None:
    assert run.state == "success", states(run)
    (row,) = ledger()
    assert (row["state"], row["code"], row["message"], row["filed"]) == ("merged", None, None, True)
    assert (row["read"], row["created"]) == (2, 2) and len(clients()) == 2
    with engine.connect() as connection:
        assert connection.scalar(sa.text("SELECT count(*) FROM client_changes")) == 2
    *earlier, mail = installation.read_mails()
    assert mail["Subject"] == "default: 1 file, 2 created"
    assert {each["Subject"] for each in earlier} <= {"default: SYSTEM ERROR, the run has not finished"}
    assert installation.files("inbox") == [] and installation.files("staging") == []
    assert len(installation.files("archive")) == 1


def test_an_error_in_the_file_is_refused_at_once_and_never_retried(impatient, ledger, clients):
    impatient.drop("default", "First Name\nAnn\n", "x.csv")
    run = impatient.run("default")
    assert run.state == "failed" and states(run)["validate_and_prepare[0]"] == "failed"
    assert tries(run)["validate_and_prepare"] == 1 and tries(run)["merge"] == 1
    (row,) = ledger()
    assert (row["state"], row["code"]) == ("refused", "FILE_MISSING_COLUMN") and "failed" not in row["state_times"]
    (mail,) = impatient.read_mails()
    assert mail["Subject"] == "default: 1 file, 1 refused" and clients() == {}
    assert len(impatient.files("refused")) == 1


def test_a_database_that_is_down_before_the_merge_is_retried(impatient, ledger, clients, engine, once):
    def with_another_server(original, context, *args, **keys):
        no_server = sa.create_engine("postgresql+psycopg://user@127.0.0.1:1/nothing")
        return original(ImportContext(context.feed, no_server, context.storage, context.staging), *args, **keys)

    once(merge_step, "merge_all", with_another_server)
    impatient.drop("default", TEXT, "x.csv")
    run = impatient.run("default")
    assert_imported_once(impatient, ledger, clients, engine, run)
    assert tries(run)["merge"] == 2


def test_a_connection_cut_during_the_merge_leaves_nothing_half_done(impatient, ledger, clients, engine, once):
    clients_seen = []

    def cut(original, connection, *args):
        original(connection, *args)
        clients_seen.append(len(clients()))
        with engine.connect() as other:
            pid = connection.scalar(sa.text("SELECT pg_backend_pid()"))
            other.execute(sa.text("SELECT pg_terminate_backend(:pid)"), {"pid": pid})

    once(plan, "apply_plan", cut)
    impatient.drop("default", TEXT, "x.csv")
    run = impatient.run("default")
    assert_imported_once(impatient, ledger, clients, engine, run)
    assert clients_seen == [0] and tries(run)["merge"] == 2 and "failed" in ledger()[0]["state_times"]


def test_a_connection_that_dies_after_the_commit_was_sent_leaves_the_import_merged(
    impatient, ledger, clients, engine, once, monkeypatch
):
    def no_answer(original, connection, *args):
        written = original(connection, *args)
        mine, commit = connection.connection.driver_connection, psycopg.Connection.commit

        def commit_and_die(self):
            commit(self)
            if self is mine:
                self.close()
                raise psycopg.OperationalError("server closed the connection unexpectedly")

        monkeypatch.setattr(psycopg.Connection, "commit", commit_and_die)
        return written

    once(plan, "record_plan", no_answer)
    impatient.drop("default", TEXT, "x.csv")
    run = impatient.run("default")
    assert_imported_once(impatient, ledger, clients, engine, run)
    assert tries(run)["merge"] == 2 and "failed" not in ledger()[0]["state_times"]


@contextmanager
def full_disk() -> Iterator[None]:
    """Let no file of this process grow beyond 64 bytes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (64, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize(
    ("owner", "name", "task"),
    [(StagingFolder, "save", "validate_and_prepare"), (Storage, "write_report", "merge")],
)
def test_a_full_disk_is_a_system_error_and_is_retried(impatient, ledger, once, owner, name, task):
    def write_on_full_disk(original, *args):
        with full_disk():
            return original(*args)

    once(owner, name, write_on_full_disk)
    impatient.drop("default", TEXT + "Cat,no-address\n", "x.csv")
    run = impatient.run("default")
    assert run.state == "success" and tries(run)[task] == 2
    (row,) = ledger()
    assert (row["state"], row["created"], row["failed"], row["filed"]) == ("merged", 2, 1, True)
    assert impatient.files("staging") == [] and len(impatient.files("reports")) == 1
    assert impatient.read_mails()[0]["Subject"] == "default: 1 file, 2 created, 1 failed row"


def test_an_archive_that_cannot_be_written_makes_the_run_red_and_loses_nothing(
    impatient, ledger, clients, without_retries
):
    without_retries("merge")
    impatient.drop("default", TEXT, "x.csv")
    in_the_way = impatient.home / "storage" / "archive"
    in_the_way.write_text("")
    run = impatient.run("default")
    tasks = states(run)
    assert (run.state, tasks["merge"], tasks["outcome"]) == ("failed", "failed", "failed")
    assert ledger()[0]["state"] == "merged" and not ledger()[0]["filed"] and len(clients()) == 2
    in_the_way.unlink()
    assert impatient.run("default").state == "success"  # the next run archives it
    assert ledger()[0]["filed"] and len(impatient.files("archive")) == 1 and len(clients()) == 2


def test_a_mail_server_that_is_down_leaves_the_import_merged_and_the_mail_to_be_sent(
    impatient, ledger, clients, engine, once, without_retries, monkeypatch
):
    works = os.environ["AIRFLOW_CONN_SMTP_DEFAULT"]

    def no_server(original, *args, **keys):
        os.environ["AIRFLOW_CONN_SMTP_DEFAULT"] = '{"conn_type":"smtp","host":"127.0.0.1","port":1,"extra":{"disable_ssl":true}}'  # fmt: skip
        try:
            return original(*args, **keys)
        finally:
            os.environ["AIRFLOW_CONN_SMTP_DEFAULT"] = works

    once(email_summary_step, "email_summary", no_server, times=2)
    impatient.drop("default", TEXT, "x.csv")
    without_retries("email_summary")
    run = impatient.run("default")
    assert (run.state, states(run)["email_summary"], states(run)["outcome"]) == ("failed", "failed", "success")
    assert ledger()[0]["state"] == "merged" and impatient.read_mails() == []
    monkeypatch.setattr(impatient.bag.dags["import_clients__default"].get_task("email_summary"), "retries", 3)
    run = impatient.run("default")  # the next run sends it; its first try has the same trouble
    assert tries(run)["email_summary"] == 2
    assert_imported_once(impatient, ledger, clients, engine, run)


def test_a_bug_in_a_step_is_a_system_error_and_its_text_is_not_shown(
    impatient, ledger, clients, engine, once, capfd, caplog
):
    rows = []

    def bug(_original, *_):
        raise ValueError(f"cannot make sense of {MARK}")

    def look(original, *args, **keys):
        rows.append(ledger()[0])
        return original(*args, **keys)

    once(prepare_step, "decide", bug)
    once(prepare_step, "prepare_again", look, times=9)
    impatient.drop("default", TEXT, "x.csv")
    run = impatient.run("default")
    assert tries(run)["validate_and_prepare"] == 2
    assert (rows[1]["state"], rows[1]["message"]) == ("failed", "prepare failed: ValueError")
    assert_imported_once(impatient, ledger, clients, engine, run)
    shown = capfd.readouterr()
    assert MARK not in shown.out + shown.err + caplog.text


def test_a_bug_that_stays_is_mailed_as_a_system_error_and_waits_for_a_person(
    impatient, ledger, clients, once, without_retries
):
    def bug(_original, *_):
        raise ValueError(f"cannot make sense of {MARK}")

    once(prepare_step, "decide", bug)
    without_retries("validate_and_prepare")
    impatient.drop("default", TEXT, "x.csv")
    run = impatient.run("default")
    tasks = states(run)
    assert (run.state, tasks["validate_and_prepare[0]"], tasks["outcome"]) == ("failed", "failed", "failed")
    assert (ledger()[0]["state"], ledger()[0]["code"]) == ("failed", None) and clients() == {}
    (mail,) = impatient.read_mails()
    assert mail["Subject"] == "default: SYSTEM ERROR, 1 file, 1 not imported yet"
    assert MARK not in mail.as_string() and "Nothing for the sender to do" in mail.get_body(("plain",)).get_content()
    assert impatient.files("refused") == [] and len(impatient.files("staging")) > 0


@contextmanager
def away(postgres, database: str) -> Iterator[None]:
    """Let a database accept no connection, while the others of the server do."""
    admin = sa.create_engine(postgres._url("postgres"), isolation_level="AUTOCOMMIT")

    def allow(yes: bool) -> None:
        with admin.connect() as connection:
            connection.execute(sa.text(f"ALTER DATABASE {database} WITH ALLOW_CONNECTIONS {yes}"))

    allow(False)
    with admin.connect() as connection:
        ends = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = :name"
        connection.execute(sa.text(ends), {"name": database})
    try:
        yield
    finally:
        allow(True)
        admin.dispose()


def test_a_run_that_loses_airflows_database_after_the_merge_is_finished_by_the_next_run(
    impatient, ledger, clients, engine, postgres, once
):
    with ExitStack() as until_then:

        def lose(original, *args, **keys):
            original(*args, **keys)
            until_then.enter_context(away(postgres, "airflow"))

        once(merge_step, "merge_all", lose)
        impatient.drop("default", TEXT, "x.csv")
        with pytest.raises(sa.exc.OperationalError):
            impatient.run("default")
    assert (ledger()[0]["state"], ledger()[0]["filed"], ledger()[0]["notified_state"]) == ("merged", True, None)
    assert_imported_once(impatient, ledger, clients, engine, impatient.run("default"))


def test_files_wait_in_the_inbox_while_the_client_database_is_away(impatient, ledger, clients, engine, postgres):
    impatient.drop("default", TEXT, "x.csv")
    with away(postgres, "clients"):
        run = impatient.run("default")
    assert (run.state, states(run)["sense_inbox"]) == ("failed", "failed")
    assert impatient.files("inbox") == ["default/x.csv"] and ledger() == []
    assert_imported_once(impatient, ledger, clients, engine, impatient.run("default"))
