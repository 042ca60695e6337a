"""What the real web server reads of a body: no more than is wanted, and not for ever."""

from __future__ import annotations

import asyncio

import pytest
import sqlalchemy as sa

from tests.plugins.connection import MIB
from tests.plugins.page import ROOT, TEXT

SENT, ON_THE_WAY = 200 * MIB, 16 * MIB  # a connection's buffers hold some MiB that nobody has read
NO_IMPORT = "/imports/00000000-0000-0000-0000-000000000000"
UPLOAD, FORM = "/api/imports?feed=default", {"Content-Type": "application/x-www-form-urlencoded"}


@pytest.mark.parametrize("chunked", [False, True], ids=["announced", "chunked"])
@pytest.mark.parametrize(
    ("person", "method", "path", "headers", "status"),
    [
        (None, "POST", UPLOAD, {}, 401),
        (None, "POST", "/client", FORM, 413),  # a form is read before its sender is known
        (None, "POST", "/imports", FORM, 413),
        (None, "GET", "/", {}, 401),
        (None, "POST", "/nowhere", {}, 404),
        ("vera", "POST", UPLOAD, {}, 403),
        ("olga", "POST", "/api/imports?feed=acme", {}, 404),
        ("olga", "POST", UPLOAD, {"Content-Type": "text/plain"}, 415),
        ("olga", "POST", UPLOAD, {"Content-Disposition": "attachment; filename=a.exe"}, 422),
        ("olga", "POST", UPLOAD, {"Sec-Fetch-Site": "cross-site"}, 403),
        ("olga", "POST", f"/api{NO_IMPORT}/revert", {}, 404),
        ("olga", "POST", "/client", FORM, 413),
    ],
)
def test_a_body_that_is_not_wanted_ends_the_connection_after_the_answer(
    connect, person, method, path, headers, status, chunked
):
    connection = connect(person)
    size = {"Transfer-Encoding": "chunked"} if chunked else {"Content-Length": str(SENT)}
    connection.begin(method, path, **headers, **size)
    connection.push(SENT, chunked=chunked)
    assert connection.sent < ON_THE_WAY and connection.has_ended()
    assert connection.read()["status"] == status


@pytest.mark.parametrize("chunked", [False, True], ids=["announced", "chunked"])
def test_a_file_over_the_limit_is_read_up_to_the_limit_or_not_at_all(connect, installation, chunked):
    connection = connect("olga")
    size = {"Transfer-Encoding": "chunked"} if chunked else {"Content-Length": str(SENT)}
    connection.begin("POST", UPLOAD, **size)
    connection.push(SENT, chunked=chunked)
    assert connection.sent < ON_THE_WAY + (21 * MIB if chunked else 0) and connection.has_ended()
    answer = connection.read()
    assert answer["status"] == 413 and answer["code"] == "FILE_TOO_LARGE" and "at most 20,971,520" in answer["detail"]
    assert installation.files("inbox") == []


def test_a_sender_who_waits_for_permission_to_send_gets_it_only_when_the_file_is_wanted(connect):
    headers = {"Content-Length": str(len(TEXT)), "Expect": "100-continue"}
    refused = connect("vera")
    refused.begin("POST", UPLOAD, **headers)
    assert refused.read()["status"] == 403
    wanted = connect("olga")
    wanted.begin("POST", UPLOAD, **headers)
    assert wanted.socket.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
    wanted.socket.sendall(TEXT.encode())
    assert wanted.read()["status"] == 202


def test_a_body_that_comes_too_slowly_ends_the_connection(connect, installation, monkeypatch):
    from client_imports_page import bodies, sent_files

    monkeypatch.setattr(bodies, "FORM_SECONDS", 0.5)
    monkeypatch.setattr(sent_files, "_SECONDS", 0.5)
    monkeypatch.setattr(sent_files, "_BYTES_A_SECOND", 1e12)
    for path, headers in ((UPLOAD, {}), ("/client", FORM)):
        connection = connect("olga")
        connection.begin("POST", path, **headers, **{"Content-Length": "1000"})
        connection.socket.sendall(b"First Name,Email\n")
        assert connection.has_ended(within=10)
        answer = connection.read()
        assert answer["status"] == 408 and "did not arrive in time" in answer["detail"]
    assert installation.files("inbox") == []


def test_a_sender_who_breaks_off_leaves_nothing_and_is_no_system_error(web, web_app, installation, engine):
    """Spoken without a web server, which would only log an error."""
    headers = {
        "host": "airflow.example",
        "cookie": f"_token={web('olga').cookies['_token']}",
        "content-type": "text/csv",
    }
    headers |= {"content-disposition": 'attachment; filename="a.csv"', "content-length": "1000"}
    scope = {
        "type": "http", "http_version": "1.1", "method": "POST", "scheme": "http", "path": f"{ROOT}/api/imports",
        "raw_path": f"{ROOT}/api/imports".encode(), "query_string": b"feed=default", "root_path": "",
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        "client": ("127.0.0.1", 1), "server": ("airflow.example", 80), "state": {},
    }  # fmt: skip
    coming = [{"type": "http.request", "body": TEXT.encode(), "more_body": True}, {"type": "http.disconnect"}]

    async def receive():
        return coming.pop(0) if len(coming) > 1 else coming[0]

    async def answer(message):
        assert message.get("status") != 500

    asyncio.run(web_app(scope, receive, answer))
    assert len(coming) == 1 and installation.files("inbox") == []
    with engine.connect() as look:
        assert look.scalar(sa.text("SELECT count(*) FROM uploads")) == 0


def test_a_connection_serves_one_request_after_the_other_where_bodies_are_read(connect):
    connection = connect("olga")
    for n in range(3):
        text = f"First Name,Email\nAnn,ann{n}@example.com\n".encode()
        assert connection.ask("POST", UPLOAD, text)["status"] == 202
    assert connection.ask("GET", "/api/uploads/none")["status"] == 404
