"""The API that takes files: what it accepts, refuses, starts and remembers."""

from __future__ import annotations

import asyncio

import pytest

from demo.reference_data import SAMPLES
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
    ("keys", "status", "word"),
    [
        ({"name": "clients.xlsx"}, 400, "does not end in .csv"),
        ({"name": "..\\\\a.csv"}, 400, "parts of a path"),
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


def test_an_upload_over_the_limit_is_cut_off_while_it_comes_in(web, web_app, installation):
    """Spoken without a client library: those read the whole body before they send it."""
    read, answered = [], []
    cookie = f"_token={web('olga').cookies['_token']}"
    headers = {"host": "airflow.example", "cookie": cookie, "content-type": "text/csv", "accept": "*/*"}
    headers["content-disposition"] = 'attachment; filename="a.csv"'
    scope = {
        "type": "http", "http_version": "1.1", "method": "POST", "scheme": "http", "path": f"{ROOT}/api/imports",
        "raw_path": f"{ROOT}/api/imports".encode(), "query_string": b"feed=default", "root_path": "",
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        "client": ("127.0.0.1", 1), "server": ("airflow.example", 80), "state": {},
    }  # fmt: skip

    async def receive():
        read.append(1)
        return {"type": "http.request", "body": b"x" * (1 << 20), "more_body": len(read) < 200}

    async def answer(message):
        answered.append(message)

    asyncio.run(web_app(scope, receive, answer))
    assert answered[0]["status"] == 413 and b"at most 20,971,520" in answered[1]["body"]
    assert len(read) < 30 and installation.files("inbox") == []


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
    assert answer.status_code == 400 and answer.json()["code"] == "FILE_NAME"
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


def test_a_person_with_many_unseen_uploads_is_shown_the_newest(web, engine):
    import sqlalchemy as sa

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
