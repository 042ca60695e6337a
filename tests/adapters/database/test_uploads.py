"""An upload is one request: it is noted once, claimed once, and shown to its sender until they have seen its end."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from include.adapters.database import ledger, uploads
from include.errors import UploadNotFound
from include.models import RunRequest
from include.schemas.client_tables import Upload

NOW = datetime(2026, 11, 2, 6, tzinfo=UTC)


def upload(**values) -> Upload:
    return Upload(**{
        "id": str(uuid4()), "feed": "acme", "file_name": "a.csv", "sha256": "0" * 64, "bytes": 3, "note": "",
        "requested_by": "olga", "idempotency_key": None, "forced": False, "dry_run": False, "uploaded_at": NOW, **values,
    })  # fmt: skip


def test_the_same_key_of_the_same_person_gives_the_first_upload(engine):
    first = uploads.open_upload(engine, upload(idempotency_key="k"))
    again = uploads.open_upload(engine, upload(idempotency_key="k"))
    assert again.id == first.id and again.is_same_request(first)
    assert uploads.open_upload(engine, upload(idempotency_key="k", requested_by="otto")).id != first.id
    assert not again.is_same_request(upload(idempotency_key="k", dry_run=True))


def test_uploads_without_a_key_are_never_the_same(engine):
    assert uploads.open_upload(engine, upload()).id != uploads.open_upload(engine, upload()).id


def test_an_upload_waits_until_an_import_claims_it_which_then_keeps_its_name(engine):
    late = uploads.open_upload(engine, upload(uploaded_at=NOW + timedelta(hours=1)))
    early = uploads.open_upload(engine, upload())
    assert [each.id for each in uploads.waiting(engine, "acme")] == [early.id, late.id]
    with engine.begin() as connection:
        entry = ledger.open_import(connection, "acme", "a.csv", RunRequest(), NOW, inbox_name="00")
        uploads.note_claimed(connection, early.id, entry.id)
    claimed = uploads.find(engine, early.id)
    assert (claimed.import_id, claimed.file_name) == (entry.id, "")
    assert [each.id for each in uploads.waiting(engine, "acme")] == [late.id]
    assert uploads.owned(engine) == {early.id, late.id}
    ledger.change(engine, entry.id, inbox_name=None)
    assert uploads.owned(engine) == {late.id}


def test_the_newest_unseen_uploads_of_a_person_are_shown_in_order(engine, monkeypatch):
    monkeypatch.setattr(uploads, "MOST_UNSEEN", 2)
    mine = [uploads.open_upload(engine, upload(uploaded_at=NOW + timedelta(hours=hour))) for hour in range(4)]
    uploads.open_upload(engine, upload(requested_by="otto"))
    uploads.note_seen(engine, mine[3].id, "otto", NOW)
    uploads.note_seen(engine, mine[2].id, "olga", NOW)
    assert [each.id for each in uploads.unseen_by(engine, "olga", NOW)] == [mine[1].id, mine[3].id]
    assert uploads.unseen_by(engine, "olga", NOW + timedelta(hours=4)) == []


@pytest.mark.parametrize("upload_id", ["00000000-0000-0000-0000-000000000000", "no id", ""])
def test_an_unknown_upload_is_an_error_of_its_own(engine, upload_id):
    with pytest.raises(UploadNotFound):
        uploads.find(engine, upload_id)
