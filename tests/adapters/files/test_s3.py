"""An object store has no rename: a move that is cut short is finished, and a later file is never lost."""

from __future__ import annotations

from contextlib import suppress
from types import SimpleNamespace

import boto3
import pytest
from botocore.awsrequest import AWSResponse
from botocore.config import Config
from botocore.exceptions import ResponseStreamingError

from include.adapters.files.s3 import S3Path
from include.errors import StorageFailed

pytestmark = pytest.mark.parametrize("place", ["s3"], indirect=True)
OLD, NEW = "First Name,Email\nAnn,ann@example.com\n", "First Name,Email\nBen,ben@example.com\n"


@pytest.fixture
def meanwhile(monkeypatch):
    """Do something just before the next call of a method."""

    def _meanwhile(owner: type, name: str, action) -> None:
        original = getattr(owner, name)

        def after_action(*args, **keys):
            monkeypatch.setattr(owner, name, original)
            action()
            return original(*args, **keys)

        monkeypatch.setattr(owner, name, after_action)

    return _meanwhile


@pytest.mark.parametrize("sent_meanwhile", [None, OLD, NEW])
def test_a_claim_cut_short_between_copy_and_delete_is_finished_and_a_later_file_stays(place, killed_at, sent_meanwhile):
    place.put("x.csv", OLD)
    with killed_at(S3Path, "_delete_version"):
        place.claim()
    if sent_meanwhile:
        place.put("x.csv", sent_meanwhile)
    assert place.claim() and place.staged() == OLD
    # The same bytes are the same version to S3; nothing of them is lost.
    assert place.names() == (["x.csv"] if sent_meanwhile == NEW else [])
    assert place.claim() and place.staged() == OLD


def test_a_file_replaced_before_the_copy_is_claimed_as_it_then_is_and_never_mixed(place, meanwhile):
    place.put("x.csv", OLD)
    meanwhile(S3Path, "_copy", lambda: place.put("x.csv", NEW))
    assert place.claim() and place.staged() == NEW and place.names() == []


@pytest.mark.parametrize("replaced_before", ["last look", "delete"])
def test_a_file_replaced_after_the_copy_stays_in_the_inbox(place, meanwhile, replaced_before):
    place.put("x.csv", OLD)
    client = type(place.storage.root.client)
    owner, name = (S3Path, "_delete_version") if replaced_before == "last look" else (client, "delete_object")
    meanwhile(owner, name, lambda: place.put("x.csv", NEW))
    assert place.claim() and place.staged() == OLD and place.names() == ["x.csv"]
    assert place.claim(import_id="2") and place.staged("2") == NEW


def test_a_process_that_is_late_stages_nothing_and_claims_no_later_file(place, meanwhile):
    place.put("x.csv", OLD)
    place.claim()
    folder = place.storage.staged_source("1").parent
    place.storage.staged_source("1").unlink()
    place.put("x.csv", NEW)
    meanwhile(S3Path, "_copy", lambda: place.storage.empty_staging("1"))
    assert not place.claim()
    assert place.names() == ["x.csv"] and place.files("staging") == []
    with pytest.raises(FileNotFoundError):
        (folder / "rows.arrow").write_bytes(b"late")
    assert place.files("staging") == []


def test_a_folder_is_what_lies_directly_below_and_is_deleted_only_when_empty(place):
    folder = place.storage.root / "reports"
    folder.mkdir()
    (folder / "a.csv").write_bytes(b"1")
    (folder / "2026").mkdir()
    assert sorted((entry.name, entry.is_dir()) for entry in folder.scandir()) == [("2026", True), ("a.csv", False)]
    with pytest.raises(OSError, match="is not empty"):
        folder.rmdir()


def test_a_server_that_does_not_answer_is_named_and_no_file_is(place, tmp_path):
    root = place.storage.root
    nowhere = boto3.client(
        "s3", endpoint_url="http://127.0.0.1:1", region_name="us-east-1", aws_access_key_id="k",
        aws_secret_access_key="geheim", config=Config(retries={"max_attempts": 0}),
    )  # fmt: skip
    path = S3Path(nowhere, root.bucket, root.key) / "Zoe Mark.csv"
    (tmp_path / "source.csv").write_text(OLD)
    for call in (path.read_bytes, lambda: path.upload(tmp_path / "source.csv")):
        with pytest.raises(StorageFailed) as error:
            call()
        assert str(error.value) == (
            f"The bucket {root.bucket} cannot be reached at 127.0.0.1:1 (EndpointConnectionError)."
        )


def test_a_bucket_that_is_gone_is_named_when_a_large_file_is_written(place, tmp_path):
    (tmp_path / "source.csv").write_text(OLD)
    path = S3Path(place.storage.root.client, "no-such-bucket", place.storage.root.key) / "Zoe Mark.csv"
    with pytest.raises(StorageFailed, match=r"^The bucket no-such-bucket does not exist"):
        path.upload(tmp_path / "source.csv")


def test_a_name_like_a_pattern_is_one_file(place):
    for name in ("*.csv", "a.csv"):
        place.put(name, OLD)
    (place.storage.inbox("default") / "*.csv").unlink()
    assert place.names() == ["a.csv"]


def test_an_object_that_is_not_there_is_a_missing_file_and_may_be_deleted(place):
    path = place.storage.root / "reports" / "x.csv"
    for call in (path.read_bytes, path.lstat):
        with pytest.raises(FileNotFoundError):
            call()
    path.unlink()


@pytest.fixture
def unavailable(place, monkeypatch):
    """Let S3 answer 503 to the next requests; gives the list of answers that are left, and the pauses of the client."""
    answers, pauses = [], []

    def answer(request, **_):
        if not answers:
            return None
        body = b"<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>"
        return AWSResponse(request.url, answers.pop(), {}, SimpleNamespace(stream=lambda **_: iter([body])))

    monkeypatch.setattr("botocore.endpoint.time.sleep", pauses.append)
    place.storage.root.client.meta.events.register("before-send.s3", answer)
    return answers, pauses


def test_a_server_that_is_unavailable_for_a_moment_is_asked_again(place, unavailable):
    place.put("x.csv", OLD)
    answers, pauses = unavailable
    answers += [503, 503]
    assert place.claim() and place.staged() == OLD and len(pauses) == 2


def test_a_server_that_stays_unavailable_is_a_system_error_and_a_repetition_finishes_the_claim(place, unavailable):
    for number in range(1, 40):
        place.put("x.csv", OLD)
        answers, _ = unavailable
        requests, client = [], place.storage.root.client
        # The server is well for so many requests, and then says 503 for a minute.
        client.meta.events.register("before-call.s3", fail := _after(number, requests, answers))
        with suppress(StorageFailed):
            place.claim(import_id=str(number))
        client.meta.events.unregister("before-call.s3", fail)
        answers.clear()
        assert place.claim(import_id=str(number)) and place.staged(str(number)) == OLD and place.names() == []
        if len(requests) < number:
            return
    raise AssertionError("a claim needs fewer requests")


def _after(number: int, requests: list, answers: list):
    def fail(**_):
        requests.append(1)
        if len(requests) >= number:
            answers[:] = [503] * 100

    return fail


def test_an_object_that_breaks_off_while_it_is_read_is_a_system_error(place, monkeypatch):
    place.put("x.csv", OLD)

    def cut(*_, **__):
        raise ResponseStreamingError(error="Zoe Mark")

    monkeypatch.setattr("botocore.response.StreamingBody.read", cut)
    with pytest.raises(StorageFailed, match=r"cannot be reached at 127\.0\.0\.1:\d+ \(ResponseStreamingError\)"):
        (place.storage.inbox("default") / "x.csv").read_bytes()
