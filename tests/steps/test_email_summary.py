"""Who gets which mail, and when none is sent."""

from __future__ import annotations

import email
import email.policy
import smtplib
from errno import ENOSPC

import pytest

from demo import mail_catcher
from demo.environment import free_port
from include.adapters import mail
from include.adapters.database import ledger
from include.errors import StepFailed
from include.models import RunRequest, State
from include.schemas.feed import Feed, Notify
from include.steps.archive import archive
from include.steps.context import ImportContext, step
from include.steps.email_summary import email_summary, summary_of
from include.steps.merge import merge
from include.steps.outcome import not_done
from include.steps.prepare import prepare
from include.steps.receive import receive
from include.steps.upload import UploadRequest, Writing
from include.steps.validate import validate

RUN = RunRequest("test", dag_id="import_clients__x", run_id="run-1")
GOOD, HALF = "First Name,Email\nAnn,ann@example.com\n", "First Name,Email\nAnn,ann@example.com\n,x\n"


@pytest.fixture
def run_of(engine, storage):
    """Import one file of a feed with these `notify` keys, up to the mail."""

    def _run_of(text: str, steps=(validate, prepare, merge), **notify) -> ImportContext:
        feed = Feed(name="x", title="X", stable_seconds=0, notify=Notify(to=["a@example.com"], **notify))
        context = ImportContext.of(feed, engine, storage)
        storage.inbox("x").mkdir(parents=True)
        (storage.inbox("x") / "x.csv").write_text(text)
        for entry in receive(context, RUN):
            for do in steps:
                do(context, entry.id)
        return context

    return _run_of


@pytest.mark.parametrize(
    ("text", "when", "mails"),
    [(GOOD, "always", 1), (GOOD, "problems", 0), (HALF, "problems", 1), (HALF, "never", 0)],
)
def test_the_feed_decides_when_a_mail_is_sent(run_of, text, when, mails):
    sent = []
    email_summary(run_of(text, when=when), RUN, "http://link", lambda _, summary, __: sent.append(summary))
    assert len(sent) == mails


def test_repeating_the_task_mails_only_what_is_new(run_of, engine):
    context, sent = run_of(GOOD), []
    for _ in range(2):
        email_summary(context, RUN, "http://link", lambda _, summary, __: sent.append(summary))
    assert len(sent) == 1
    (entry,) = ledger.of_run(engine, RUN.dag_id, RUN.run_id)
    with engine.begin() as connection:
        ledger.enter_state(connection, entry.id, State.REVERTED, context.clock())
    email_summary(context, RUN, "http://link", lambda _, summary, __: sent.append(summary))
    assert len(sent) == 2


def test_a_mail_that_the_server_refused_is_not_noted_as_sent(run_of, engine):
    context = run_of(GOOD)

    def refuse(*_):
        raise smtplib.SMTPServerDisconnected

    with pytest.raises(smtplib.SMTPException):
        email_summary(context, RUN, "http://link", refuse)
    assert ledger.of_run(engine, RUN.dag_id, RUN.run_id)[0].notified_state is None


@pytest.fixture
def uploaded(engine, storage):
    """Two senders' files of a feed that mails uploaders, imported by one run; Cat's account has no address."""
    feed = Feed(name="x", title="X", stable_seconds=0, notify=Notify(to=["a@example.com"], uploader=True))
    context = ImportContext.of(feed, engine, storage)
    storage.inbox("x").mkdir(parents=True)
    for by, text in (("olga", HALF), ("otto", GOOD), ("cat", "First Name,Email\nCat,cat@example.com\n")):
        email_of = f"{by}@example.com" if by != "cat" else None
        with Writing(context, UploadRequest(by, f"of {by}.csv", email=email_of)) as writing:
            writing.write(text.encode())
            writing.finish()
    for entry in receive(context, RUN):
        for do in (validate, prepare, merge):
            do(context, entry.id)
    return context


def test_who_sent_a_file_is_mailed_once_what_became_of_it(uploaded, tmp_path):
    port = free_port()
    catcher = mail_catcher.start(port, tmp_path / "mail")

    def send(to, summary, _):
        with smtplib.SMTP("127.0.0.1", port) as client:
            mail.send(client, sender="s@example.com", to=to, subject=summary.subject, text=summary.text(), html="h")

    for _ in range(2):
        email_summary(uploaded, RUN, "http://link", send)
    catcher.stop()
    mails = [email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
             for path in (tmp_path / "mail").glob("*.eml")]  # fmt: skip
    texts = {got["To"]: got.get_body(("plain",)).get_content() for got in mails}
    assert len(mails) == 3 and texts.keys() == {"a@example.com", "olga@example.com", "otto@example.com"}
    assert "of olga.csv" in texts["olga@example.com"] and "of otto.csv" not in texts["olga@example.com"]
    assert "of cat.csv" in texts["a@example.com"]


def test_an_address_that_the_server_refuses_keeps_nobody_else_from_their_mail(uploaded):
    sent, refused = [], {"olga@example.com"}

    def send(to, *_):
        if refused & set(to):
            raise smtplib.SMTPRecipientsRefused({to[0]: (550, b"no such user olga@example.com")})
        sent.extend(to)

    with pytest.raises(smtplib.SMTPException, match=r"1 sender\(s\) of uploads were not mailed") as error:
        email_summary(uploaded, RUN, "http://link", send)
    assert "olga" not in str(error.value) and sorted(sent) == ["a@example.com", "otto@example.com"]
    refused.clear()
    email_summary(uploaded, RUN, "http://link", send)
    assert sent[2:] == ["olga@example.com"]


def test_a_system_error_reads_differently_from_a_refused_file(run_of):
    context = run_of(GOOD, steps=(validate,))
    summary = summary_of(context, RUN, "http://link")
    assert summary.subject == "x: SYSTEM ERROR, 1 file, 1 not imported yet"
    assert "System error" in summary.text() and "Nothing for the sender to do" in summary.html()
    assert not_done(context, RUN) == ["'x.csv': validated"]


def test_a_system_error_keeps_its_cause_in_the_mail_and_in_the_log(run_of, engine):
    context = run_of(GOOD, steps=(validate,))
    (entry,) = ledger.of_run(engine, RUN.dag_id, RUN.run_id)
    with pytest.raises(StepFailed), step(context, "prepare", entry.id):
        raise OSError(ENOSPC, "Failed to write 'Zoe Mark.csv'")
    summary = summary_of(context, RUN, "http://link")
    sentence = "System error: not imported yet (prepare failed: No space left on device). The file is safe."
    assert sentence in summary.text() and sentence in summary.html() and "clears the red task" in summary.text()
    assert not_done(context, RUN) == ["'x.csv': failed (prepare failed: No space left on device)"]


@pytest.mark.parametrize(
    ("run", "page"),
    [
        ("http://h:8080/dags/d/runs/r", "http://h:8080/plugin/client-imports/client-imports/imports/"),
        ("https://h/airflow/dags/d/runs/r", "https://h/airflow/plugin/client-imports/airflow/client-imports/imports/"),
    ],
)
def test_the_link_to_an_import_opens_its_page_inside_airflow_also_below_a_path(run_of, run, page):
    """Airflow's page takes what follows /plugin/NAME as a path from the root of the server."""
    summary = summary_of(run_of(GOOD), RUN, run)
    assert summary.files[0].page == page + summary.files[0].entry.id


def test_a_run_that_received_no_file_says_that_none_is_lost(engine, storage, feed):
    context = ImportContext.of(feed, engine, storage)
    summary = summary_of(context, RUN, "http://link")
    assert summary.subject == "default: SYSTEM ERROR, 0 files, none received"
    assert "No file is lost" in summary.text()
    assert not_done(context, RUN) == ["The run received no file: the task `sense_inbox` failed."]


def test_a_subject_with_line_breaks_cannot_add_headers(tmp_path):
    port = free_port()
    catcher = mail_catcher.start(port, tmp_path)
    with smtplib.SMTP("127.0.0.1", port) as client:
        mail.send(
            client, sender="a@example.com", to=["b@example.com"], subject="x\r\nBcc: c@example.com", text="t", html="h"
        )
    catcher.stop()
    (got,) = tmp_path.glob("*.eml")
    assert b"\nBcc:" not in got.read_bytes() and b"Subject: x  Bcc: c@example.com" in got.read_bytes()


@pytest.mark.parametrize("attach", [True, False])
def test_the_failed_row_report_is_attached_when_the_feed_says_so(run_of, tmp_path, attach):
    context = run_of(HALF, steps=(validate, prepare, merge, archive), attach_failed_rows=attach)
    port = free_port()
    catcher = mail_catcher.start(port, tmp_path / "mail")

    def send(_, summary, reports):
        with smtplib.SMTP("127.0.0.1", port) as client:
            mail.send(client, sender="a@example.com", to=["b@example.com"], subject=summary.subject,
                      text=summary.text(), html=summary.html(), reports=reports)  # fmt: skip

    email_summary(context, RUN, "http://link", send)
    catcher.stop()
    (path,) = (tmp_path / "mail").glob("*.eml")
    got = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
    names = [part.get_filename() for part in got.iter_attachments()]
    assert len(names) == attach and all(name.endswith(".failed.csv") for name in names)
