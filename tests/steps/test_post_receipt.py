"""Receipts go to a webhook once for each state, and a webhook that is down changes no import and tells no secret."""

from __future__ import annotations

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from types import SimpleNamespace

import pytest

from demo.environment import free_port
from include.adapters.database import ledger
from include.adapters.webhook import Webhook
from include.errors import SettingInvalid, WebhookFailed
from include.models import RunRequest, State
from include.schemas.feed import Feed
from include.steps.archive import archive
from include.steps.context import ImportContext
from include.steps.merge import merge
from include.steps.post_receipt import post_run
from include.steps.prepare import prepare
from include.steps.receive import receive
from include.steps.validate import validate

RUN = RunRequest("test", dag_id="import_clients__x", run_id="run-1")


class Receiver(HTTPServer):
    """A real server on this machine. It notes what is posted, and gives the answers that it is told, then 200."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.posted: list[tuple[str, dict, dict]] = []
        self.answers: list[int] = []


class _Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        status = self.server.answers.pop(0) if self.server.answers else 200
        if status == 200:
            self.server.posted.append((self.path, dict(self.headers), body))
        self.send_response(status)
        self.send_header("Location", "/elsewhere")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None: ...


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    server = Receiver()
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def webhook(port: int | None, **keys) -> Webhook:
    values = {"host": "127.0.0.1", "schema": "http", "port": port, "login": None, "password": "T00/s3cret"}
    return Webhook.of_connection(SimpleNamespace(**{**values, "extra_dejson": {}, **keys}))


@pytest.fixture
def imported(engine, storage) -> ImportContext:
    """A run with a file that has a failed row, and one whose name would call a whole channel."""
    context = ImportContext.of(Feed(name="x", title="X", stable_seconds=0), engine, storage)
    storage.inbox("x").mkdir(parents=True)
    (storage.inbox("x") / "a.csv").write_text("First Name,Email\nAnn,ann@example.com\n,private@example.com\n")
    (storage.inbox("x") / "b <!channel>.csv").write_text("First Name,Email\nBen,ben@example.com\n")
    for entry in receive(context, RUN):
        for step in (validate, prepare, merge, archive):
            step(context, entry.id)
    return context


def test_a_receipt_is_posted_once_as_text_for_a_chat_and_keys_for_programs(imported, receiver, engine):
    hook = webhook(receiver.server_port, extra_dejson={"X-Team": "crm"})
    assert [post_run(imported, RUN, hook) for _ in range(2)] == ["Posted 2 receipt(s).", "Posted 0 receipt(s)."]
    (path, headers, first), (_, _, second) = receiver.posted
    assert (path, headers["X-Team"], headers["Content-Type"]) == ("/T00/s3cret", "crm", "application/json")
    assert first["text"] == "X: “a.csv” – Imported with failed rows. 2 rows: 1 created, 1 failed."
    assert (first["state"], first["counts"]["failed"], first["failed_rows_file"]) == ("merged", 1, None)
    assert "private" not in json.dumps(first) and "<" not in second["text"] and second["file"] == "b <!channel>.csv"


def test_teams_gets_a_card_and_a_login_is_sent_as_one(imported, receiver):
    post_run(imported, RUN, webhook(receiver.server_port, login="us", extra_dejson={"form": "teams"}))
    path, headers, body = receiver.posted[0]
    assert (path, headers["Authorization"]) == ("/", "Basic dXM6VDAwL3MzY3JldA==")
    (block,) = body["attachments"][0]["content"]["body"]
    assert block["text"].startswith("X: “a.csv” – Imported") and list(body) == ["type", "attachments"]


@pytest.mark.parametrize("answer", [500, 302])
def test_what_was_not_taken_is_posted_again_and_what_was_is_not(imported, receiver, engine, answer):
    receiver.answers = [answer]
    hook = webhook(receiver.server_port)
    with pytest.raises(WebhookFailed) as raised:
        post_run(imported, RUN, hook)
    assert str(raised.value) == f"1 receipt(s) were not posted. The webhook at 127.0.0.1 says {answer}."
    assert post_run(imported, RUN, hook) == "Posted 1 receipt(s)."
    assert sorted(body["file"] for _, _, body in receiver.posted) == ["a.csv", "b <!channel>.csv"]
    assert {entry.state for entry in ledger.of_run(engine, "import_clients__x", "run-1")} == {State.MERGED}


def test_a_webhook_that_is_down_is_named_by_its_host_alone(imported):
    hook = webhook(free_port())
    with pytest.raises(WebhookFailed) as raised:
        post_run(imported, RUN, hook)
    assert "127.0.0.1 does not answer: Connection refused" in str(raised.value)
    for text in (str(raised.value), repr(hook)):
        assert "s3cret" not in text
    with pytest.raises(WebhookFailed, match="does not answer") as raised:
        webhook(free_port(), password="s3cret\n").post({})
    assert "s3cret" not in str(raised.value) and raised.value.__suppress_context__


@pytest.mark.parametrize(
    "keys, url",
    [
        ({"host": "https://hooks.slack.com/services"}, "https://hooks.slack.com/services/T00/s3cret"),
        ({"host": "example.com/in", "schema": "", "port": 8443, "password": ""}, "https://example.com:8443/in"),
        ({"host": "example.com", "login": "us"}, "http://example.com"),
    ],
)
def test_the_address_is_put_together_from_the_connection(keys, url):
    assert webhook(**{"port": None, **keys}).url == url


@pytest.mark.parametrize(
    "keys",
    [
        {"host": "file:///etc/passwd"}, {"host": ""}, {"extra_dejson": {"form": "irc"}}, {"host": "http://[x"},
        {"host": "https://u:geheim", "port": 8443}, {"host": "https://u:geheim@example.com"}, {"password": "a#geheim"},
    ],
)  # fmt: skip
def test_a_connection_that_is_no_webhook_is_refused_and_not_quoted(keys):
    with pytest.raises(SettingInvalid, match="^A webhook's connection needs a host, http or https, and `form` teams"):
        webhook(**{"port": 80, **keys})
