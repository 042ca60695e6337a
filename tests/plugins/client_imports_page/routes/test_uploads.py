"""The API that takes files: what it accepts, refuses, starts and remembers."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from errno import ENOSPC
from unittest.mock import Mock

import pytest
import sqlalchemy as sa

from demo.reference_data import SAMPLES
from include.adapters.files.storage import Storage
from include.models import RunRequest
from include.steps.receive import Only, receive
from tests.plugins.page import ROOT, TEXT, send


def test_an_upload_is_followed_from_the_inbox_to_the_notification(web, installation, ledger):
    olga = web("olga")
    sent = send(olga)
    assert sent.status_code == 202 and sent.headers["location"].endswith(sent.json()["upload_id"])
    upload = sent.json()
    assert (upload["step"], upload["done"], upload["import_id"]) == ("Waiting", False, None)
    installation.run("default", upload=upload["upload_id"])
    followed = olga.get(sent.headers["location"]).json()
    assert followed["done"] and followed["sentence"] == "2 clients imported: 2 created."
    assert (followed["failed"], followed["tone"]) == ("1 row failed", "warning")
    assert followed["result"]["created"] == 2 and followed["result"]["problems"][0]["code"] == "CELL_REQUIRED"
    assert followed["result"] == olga.get(f"{ROOT}/api/imports/{followed['import_id']}").json()
    assert ledger()[0]["requested_by"] == "olga"
    # Told until it is put away, on every page, and to nobody else.
    assert [u["upload_id"] for u in olga.get(f"{ROOT}/api/uploads").json()] == [upload["upload_id"]]
    assert web("admin").get(f"{ROOT}/api/uploads").json() == []
    assert olga.post(f"{ROOT}/api/uploads/{upload['upload_id']}/seen").json() == {"seen": True}
    assert olga.get(f"{ROOT}/api/uploads").json() == []


def test_an_upload_starts_one_run_in_the_name_of_the_person(web):
    from airflow.models.dagrun import DagRun
    from airflow.utils.session import create_session

    olga = web("olga")
    upload = send(olga, **{"idempotency-key": "k"}).json()
    assert send(olga, **{"idempotency-key": "k"}).json()["upload_id"] == upload["upload_id"]
    with create_session() as session:
        (run,) = session.query(DagRun).where(DagRun.run_id == f"upload__{upload['upload_id']}").all()
        assert (run.dag_id, run.triggering_user_name, run.conf) == (
            "import_clients__default",
            "olga",
            {"upload": upload["upload_id"]},
        )
    other = send(olga, TEXT + "Cat,cat@example.com\n", **{"idempotency-key": "k"})
    assert other.status_code == 422 and "use a new key" in other.json()["detail"]


@pytest.mark.parametrize(
    ("account", "uploader", "kept"),
    [
        ("olga@example.com", "true", "olga@example.com"),
        ("olga@example.com", "false", None),
        ("no address", "true", None),
    ],
)
def test_the_address_of_the_account_is_kept_where_the_feed_mails_uploaders(
    web, engine, installation, monkeypatch, tmp_path, account, uploader, kept
):
    from airflow.api_fastapi.auth.managers.simple.user import SimpleAuthManagerUser

    (tmp_path / "default.yaml").write_text(f"title: Manual uploads\nnotify: {{uploader: {uploader}}}\n")
    monkeypatch.setenv("CLIENT_IMPORTS_FEEDS", str(tmp_path))
    monkeypatch.setattr(SimpleAuthManagerUser, "email", account, raising=False)  # as the accounts of FAB have one
    assert send(web("olga")).status_code == 202
    with engine.connect() as look:
        assert look.scalars(sa.text("SELECT email FROM uploads")).one() == kept


def test_twenty_requests_at_once_with_one_key_are_one_upload_and_one_run(connect, engine, installation):
    from airflow.models.dagrun import DagRun
    from airflow.utils.session import create_session

    def answer(connection):
        return connection.ask("POST", "/api/imports?feed=default", TEXT.encode(), Idempotency_Key="one")

    with ThreadPoolExecutor(20) as at_once:
        answers = list(at_once.map(answer, [connect("olga") for _ in range(20)]))
    assert [answer["status"] for answer in answers] == [202] * 20
    (upload_id,) = {answer["upload_id"] for answer in answers}
    assert installation.files("inbox") == [f".uploads/{upload_id}.csv"]
    with engine.connect() as look, create_session() as session:
        assert list(look.scalars(sa.text("SELECT CAST(id AS text) FROM uploads"))) == [upload_id]
        assert session.query(DagRun).where(DagRun.run_id == f"upload__{upload_id}").count() == 1


def test_twenty_files_at_once_are_twenty_uploads(connect, installation, clients):
    def answer(numbered):
        n, connection = numbered
        return connection.ask(
            "POST", "/api/imports?feed=default", f"First Name,Email\nAnn,ann{n}@example.com\n".encode()
        )

    with ThreadPoolExecutor(20) as at_once:
        answers = list(at_once.map(answer, enumerate([connect("olga") for _ in range(20)])))
    assert [answer["status"] for answer in answers] == [202] * 20
    installation.run("default")
    assert len(clients()) == 20


def test_a_person_with_too_many_waiting_uploads_is_told_so_and_may_repeat_a_request(web, installation, monkeypatch):
    from include.steps import upload as uploading

    monkeypatch.setattr(uploading, "MOST_WAITING", 2)
    olga, keys = web("olga"), [{"idempotency-key": str(n)} for n in range(3)]
    assert [send(olga, **key).status_code for key in keys] == [202, 202, 429]
    refused = send(olga, **keys[2])
    assert refused.json()["detail"].startswith("2 of your uploads wait for a run already. Send this file again")
    assert refused.headers["retry-after"] == "60" and len(installation.files("inbox")) == 2
    assert send(olga, **keys[0]).status_code == 202  # an answer that was lost
    assert send(web("admin")).status_code == 202
    installation.run("default")
    assert send(olga, **keys[2]).status_code == 202


@pytest.mark.parametrize(
    ("keys", "status", "word"),
    [
        ({"name": "clients.xlsx"}, 422, "does not end in .csv"),
        ({"name": "..\\\\a.csv"}, 422, "parts of a path"),
        ({"name": f"{'a' * 252}.csv"}, 422, "The file name has 256 bytes, and at most 255 are allowed."),
        ({"text": ""}, 400, "no bytes"),
        ({"content-type": "text/plain"}, 415, "Content-Type: text/csv"),
        ({"content-type": "multipart/form-data"}, 415, "Content-Type: text/csv"),
        ({"more": "&dry_run=perhaps"}, 422, "dry_run"),
    ],
)
def test_a_plainly_wrong_upload_is_reported_at_once_and_leaves_nothing(web, installation, keys, status, word):
    answer = send(web("olga"), **keys)
    assert answer.status_code == status and word in answer.json()["detail"]
    assert installation.files("inbox") == []


@pytest.mark.parametrize(
    "header",
    [
        "attachment; filename*=idna''a%FF.csv",
        "attachment; filename*=utf-16''abc.csv",
        "attachment; filename;-*",
        "attachment; " + "(" * 3000 + "filename=a.csv",
        "attachment; filename=a\rb.csv",
        "attachment; filename*=UTF-8''a%00.csv",
        "attachment; filename*=UTF-8''..%2Fa.csv",
    ],
)
def test_a_header_without_a_usable_file_name_is_refused(web, installation, header):
    answer = send(web("olga"), **{"content-disposition": header})
    assert answer.status_code == 422 and answer.json()["code"] == "FILE_NAME"
    assert installation.files("inbox") == []


def test_a_storage_that_is_not_mounted_accepts_no_upload_and_is_not_created(web, installation):
    olga = web("olga")
    waiting = send(olga).json()["upload_id"]
    inbox = installation.home / "storage" / "inbox"
    inbox.rename(inbox.with_name("elsewhere"))
    for answer in (send(olga, TEXT + "Cat,cat@example.com\n"), olga.get(f"{ROOT}/api/uploads/{waiting}")):
        assert answer.status_code == 503 and "storage" in answer.text
    assert not inbox.exists()
    inbox.with_name("elsewhere").rename(inbox)
    assert olga.get(f"{ROOT}/api/uploads/{waiting}").json()["step"] == "Waiting"


@pytest.mark.parametrize("where", ["while it comes", "in the inbox"])
def test_a_full_disk_is_told_with_its_cause_and_the_same_request_can_be_repeated(web, installation, monkeypatch, where):
    olga, key = web("olga"), {"idempotency-key": "one"}
    with monkeypatch.context() as patch:
        if where == "in the inbox":
            patch.setattr(Storage, "put_upload", Mock(side_effect=OSError(ENOSPC, "No space left on device")))
        else:
            patch.setattr("include.steps.upload.NamedTemporaryFile", lambda **keys: open("/dev/full", "wb", 0))  # noqa: SIM115
        answer = send(olga, **key)
    assert answer.status_code == 503
    assert answer.json()["detail"] == "System error: No space left on device. Please try again later."
    assert installation.files("inbox") == []
    assert send(olga, **key).status_code == 202 and len(installation.files("inbox")) == 1


def test_a_person_with_many_unseen_uploads_is_shown_the_newest(web, engine):
    with engine.begin() as connection:
        connection.execute(
            sa.text("""INSERT INTO uploads (id, feed, file_name, sha256, bytes, requested_by, note, forced, dry_run, uploaded_at)
            SELECT gen_random_uuid(), 'default', n || '.csv', '', 1, 'olga', '', false, false, now() + n * interval '1 s'
            FROM generate_series(1, 50) n""")
        )
    shown = [upload["file_name"] for upload in web("olga").get(f"{ROOT}/api/uploads").json()]
    assert shown == [f"{n}.csv" for n in range(31, 51)]


def test_a_name_with_letters_of_any_script_arrives_as_it_was_written(web, installation, ledger):
    headers = {"content-disposition": "attachment; filename*=UTF-8''K%C3%A4ufer%20%22%E5%8D%8E%22.csv"}
    upload = send(web("olga"), **headers).json()
    assert upload["file_name"] == 'Käufer "华".csv'
    installation.run("default", upload=upload["upload_id"])
    assert ledger()[0]["file_name"] == 'Käufer "华".csv'


def test_a_name_typed_as_utf_8_into_the_header_arrives_as_it_was_typed(web):
    upload = send(web("olga"), **{"content-disposition": 'attachment; filename="Käufer.csv"'.encode()}).json()
    assert upload["file_name"] == "Käufer.csv"


def test_the_result_of_a_sample_reads_as_sentences(web, installation):
    admin = web("admin")
    upload = send(admin, (SAMPLES / "partner_feed.csv").read_bytes(), feed="acme", name="partner_feed.csv").json()
    installation.run("acme", upload=upload["upload_id"])
    result = admin.get(f"{ROOT}/api/uploads/{upload['upload_id']}").json()
    assert result["sentence"] == "2 clients imported: 2 created. 1 row repeated another row."
    assert result["failed"] == "5 rows failed"


def test_an_upload_that_waits_says_what_comes_before_it_and_can_be_cancelled_by_its_sender(web, installation, ledger):
    olga = web("olga")
    first, second = (send(olga, TEXT.replace("Ann", name)).json() for name in ("Ann", "Eva"))
    assert first["sentence"] == "Received, waiting for the run to start…" and first["can_be_cancelled"]
    assert second["sentence"] == "Received. 1 file of the feed comes before it…"
    cancelled = olga.post(f"{ROOT}/api/uploads/{first['upload_id']}/cancel").json()
    assert (cancelled["sentence"], cancelled["done"]) == ("Cancelled by olga. Nothing was imported.", True)
    assert not cancelled["can_be_cancelled"] and installation.files("inbox") == [f".uploads/{second['upload_id']}.csv"]
    installation.run("default", upload=second["upload_id"])
    late = olga.post(f"{ROOT}/api/uploads/{second['upload_id']}/cancel", headers={"accept": "*/*"})
    assert (late.status_code, late.json()["detail"]) == (409, "It was imported already.")
    assert [row["state"] for row in ledger()] == ["merged"]


def test_an_upload_that_a_run_takes_during_the_look_is_not_called_lost(web, monkeypatch):
    from client_imports_page.routes import api

    olga = web("olga")
    upload = send(olga).json()

    def taken_meanwhile(context, upload):
        receive(context, RunRequest(dag_id="import_clients__default", run_id="manual"), Only(upload=upload.id))
        return False

    monkeypatch.setattr(api, "is_there", taken_meanwhile)
    monkeypatch.setattr(api.runs, "has_ended", lambda entry: False)
    followed = olga.get(f"{ROOT}/api/uploads/{upload['upload_id']}").json()
    assert (followed["sentence"], followed["done"]) == ("Validating…", False)
