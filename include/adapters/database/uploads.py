"""Uploads: files that came through the page or its API, and what their senders asked for."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from include.errors import UploadNotFound
from include.schemas.client_tables import Import, Upload

MOST_UNSEEN = 20


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
    return _where(engine, Upload.feed == feed, Upload.import_id.is_(None))


def owned(engine: sa.Engine) -> set[str]:
    """Find the ids of uploads whose file a run still needs.

    No run has claimed it yet, or an import has claimed it and has not moved it out of the inbox.
    """
    claimed = sa.select(Import.id).where(Import.inbox_name.is_not(None))
    query = sa.select(Upload.id).where(sa.or_(Upload.import_id.is_(None), Upload.import_id.in_(claimed)))
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


def _where(engine: sa.Engine, *conditions: sa.ColumnElement[bool]) -> list[Upload]:
    return _load(engine, sa.select(Upload).where(*conditions).order_by(Upload.uploaded_at, Upload.id))


def _load(engine: sa.Engine, query: sa.Select[Upload]) -> list[Upload]:
    with Session(engine) as session:
        return list(session.scalars(query))
