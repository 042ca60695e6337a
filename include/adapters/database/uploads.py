"""Uploads: files that came through the page or its API, and what their senders asked for."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from include.adapters.database import ledger
from include.errors import UploadNotFound
from include.models import State
from include.schemas.client_tables import Import, Upload

MOST_UNSEEN = 20
_NO_WORDS: dict[str, Any] = {"file_name": "", "note": "", "mapping": {}, "email": None}
_WAITS = (Upload.import_id.is_(None), Upload.cancelled_at.is_(None))


def open_upload(engine: sa.Engine, upload: Upload) -> Upload:
    """Insert an upload; return the earlier one when the same person used the same key before."""
    values = {column.key: getattr(upload, column.key) for column in sa.inspect(Upload).columns}
    statement = insert(Upload).values(values).on_conflict_do_nothing(constraint="uq_uploads_key")
    # SQL compares with =, so that no key is the same as no other.
    key = sa.literal(upload.idempotency_key, sa.Text)
    same_key = sa.and_(Upload.requested_by == upload.requested_by, Upload.idempotency_key == key)
    with Session(engine, expire_on_commit=False) as session, session.begin():
        session.execute(statement)
        return session.scalars(sa.select(Upload).where(sa.or_(Upload.id == upload.id, same_key))).one()


def find(engine: sa.Engine, upload_id: str) -> Upload:
    """Read one upload. Raises UploadNotFound."""
    try:
        uploads = _where(engine, Upload.id == str(UUID(upload_id)))
    except ValueError:
        uploads = []
    if not uploads:
        raise UploadNotFound(f"There is no upload {upload_id!r}.")
    return uploads[0]


def waiting(engine: sa.Engine, feed: str) -> list[Upload]:
    """Find a feed's uploads that no run has claimed, the oldest first."""
    return _where(engine, Upload.feed == feed, *_WAITS)


def corrections_of(engine: sa.Engine, feed: str, import_id: str) -> list[Upload]:
    """Find corrections of an import that no run has claimed."""
    return [upload for upload in waiting(engine, feed) if upload.corrects == import_id]


def unclaimed_of(engine: sa.Engine, person: str) -> list[Upload]:
    """Find a person's uploads that no run has claimed, of any feed."""
    return _where(engine, Upload.requested_by == person, *_WAITS)


def has_key(engine: sa.Engine, person: str, key: str) -> bool:
    """Say whether a request of this person came with this key before."""
    mine = sa.select(Upload.id).where(Upload.requested_by == person, Upload.idempotency_key == key)
    with engine.connect() as connection:
        return connection.scalar(mine) is not None


def owned(engine: sa.Engine) -> set[str]:
    """Find the ids of uploads whose file a run still needs.

    No run has claimed it yet, or an import has claimed it and has not moved it out of the inbox.
    """
    claimed = sa.select(Import.id).where(Import.inbox_name.is_not(None))
    query = sa.select(Upload.id).where(sa.or_(sa.and_(*_WAITS), Upload.import_id.in_(claimed)))
    with engine.connect() as connection:
        return set(connection.scalars(query))


def unseen_by(engine: sa.Engine, person: str, since: datetime) -> list[Upload]:
    """Find a person's newest uploads since then whose end they have not seen, in order of upload.

    A program never says that it has seen the end, so there may be very many; it reads each by its id.
    """
    mine = (Upload.requested_by == person, Upload.seen_at.is_(None), Upload.uploaded_at >= since)
    newest = sa.select(Upload).where(*mine).order_by(Upload.uploaded_at.desc(), Upload.id.desc()).limit(MOST_UNSEEN)
    return _load(engine, newest)[::-1]


def note_seen(engine: sa.Engine, upload_id: str, person: str, now: datetime) -> None:
    """Note that the person has seen what became of their upload."""
    with engine.begin() as connection:
        mine = sa.update(Upload).where(Upload.id == upload_id, Upload.requested_by == person)
        connection.execute(mine.values(seen_at=now))


def note_claimed(connection: sa.Connection, upload_id: str, import_id: str) -> None:
    """Note the import that has claimed the upload. From now on only the import keeps the sender's file name."""
    connection.execute(
        sa.update(Upload).where(Upload.id == upload_id).values(import_id=import_id, file_name="")
    )  # fmt: skip


def lock_waiting(connection: sa.Connection, upload_id: str) -> bool:
    """Keep others from claiming or cancelling an upload until this transaction ends. False: one has done so."""
    waits = sa.select(Upload.id).where(Upload.id == upload_id, *_WAITS).with_for_update()
    return connection.scalar(waits) is not None


def cancel(engine: sa.Engine, upload_id: str, by: str, now: datetime) -> bool:
    """Note that nobody imports an upload. False: a run has claimed it, or somebody has cancelled it before."""
    with engine.begin() as connection:
        waits = sa.update(Upload).where(Upload.id == upload_id, *_WAITS)
        return connection.execute(waits.values(cancelled_at=now, cancelled_by=by)).rowcount == 1


def forget_cancelled(engine: sa.Engine, before: datetime) -> None:
    """Empty what a sender wrote about uploads that were cancelled before then; who cancelled them, and when, stays."""
    with engine.begin() as connection:
        old = sa.update(Upload).where(Upload.cancelled_at < before, Upload.file_name != "")
        connection.execute(old.values(_NO_WORDS))


def to_be_mailed(engine: sa.Engine, entries: Sequence[Import]) -> list[Upload]:
    """Find the uploads of these imports whose senders have an address and do not know the import's state yet."""
    states = {entry.id: entry.state for entry in entries}
    sent = _where(engine, Upload.import_id.in_(states), Upload.email.is_not(None))
    return [upload for upload in sent if upload.mailed_state != states[upload.import_id or ""]]


def of_imports(engine: sa.Engine, import_ids: Sequence[str]) -> set[str]:
    """Give those of these imports whose files came through the page or its API."""
    return {upload.import_id or "" for upload in _where(engine, Upload.import_id.in_(import_ids))}


def note_mailed(engine: sa.Engine, upload_id: str, state: State) -> None:
    """Note that the sender of an upload was mailed that its import is in this state."""
    with engine.begin() as connection:
        connection.execute(sa.update(Upload).where(Upload.id == upload_id).values(mailed_state=state))


def addresses(engine: sa.Engine) -> list[str]:
    """List the addresses of all senders that are kept."""
    kept = sa.select(Upload.email).where(Upload.email.is_not(None)).distinct()
    with engine.connect() as connection:
        return [address for address in connection.scalars(kept) if address is not None]


def forget_address(engine: sa.Engine, address: str) -> None:
    """Empty one sender's address."""
    with engine.begin() as connection:
        connection.execute(sa.update(Upload).where(Upload.email == address).values(email=None))


def cancelled(engine: sa.Engine) -> list[Upload]:
    """Find the cancelled uploads of which something that a sender wrote is kept."""
    return _where(engine, Upload.cancelled_at.is_not(None), Upload.file_name != "")


def forget_words(engine: sa.Engine, upload: Upload) -> None:
    """Empty what a sender wrote about one upload."""
    with engine.begin() as connection:
        connection.execute(sa.update(Upload).where(Upload.id == upload.id).values(_NO_WORDS))


def older_waiting(engine: sa.Engine, upload: Upload) -> list[Upload]:
    """Find the uploads of the same feed that wait longer than this one."""
    own = sa.tuple_(upload.uploaded_at, sa.cast(upload.id, Upload.id.type))
    return _where(engine, Upload.feed == upload.feed, *_WAITS, sa.tuple_(Upload.uploaded_at, Upload.id) < own)


def on_the_way(engine: sa.Engine, feed: str) -> int:
    """Count a feed's files that runs have claimed and not finished."""
    of_runs = (Import.feed == feed, Import.state.in_(ledger.ON_THE_WAY), Import.dag_id.is_not(None))
    with engine.connect() as connection:
        return connection.scalar(sa.select(sa.func.count()).select_from(Import).where(*of_runs)) or 0


def _where(engine: sa.Engine, *conditions: sa.ColumnElement[bool]) -> list[Upload]:
    return _load(engine, sa.select(Upload).where(*conditions).order_by(Upload.uploaded_at, Upload.id))


def _load(engine: sa.Engine, query: sa.Select[Upload]) -> list[Upload]:
    with Session(engine) as session:
        return list(session.scalars(query))
