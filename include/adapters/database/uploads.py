"""Uploads: files that came through the page or its API, and who wants what done with them."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from include.errors import UploadNotFound
from include.models import Upload
from include.schemas.client_tables import imports, uploads

MOST_UNSEEN = 20


def open_upload(engine: sa.Engine, upload: Upload) -> Upload:
    """Note an upload; gives the earlier one when the same person used the same key before."""
    values = {**asdict(upload), "id": UUID(upload.id)}
    with engine.begin() as connection:
        connection.execute(insert(uploads).values(values).on_conflict_do_nothing(constraint="uq_uploads_key"))
        # SQL compares with =, so that no key is the same as no other.
        key = sa.literal(upload.idempotency_key, sa.Text)
        same_key = sa.and_(uploads.c.requested_by == upload.requested_by, uploads.c.idempotency_key == key)
        query = sa.select(uploads).where(sa.or_(uploads.c.id == UUID(upload.id), same_key))
        return _upload(connection.execute(query).one())


def find(engine: sa.Engine, upload_id: str) -> Upload:
    """Raises UploadNotFound."""
    try:
        found = _all(engine, uploads.c.id == UUID(upload_id))
    except ValueError:
        found = []
    if not found:
        raise UploadNotFound(f"There is no upload {upload_id!r}.")
    return found[0]


def waiting(engine: sa.Engine, feed: str) -> list[Upload]:
    """Uploads of a feed that no run has taken, the oldest first."""
    return _all(engine, uploads.c.feed == feed, uploads.c.import_id.is_(None))


def owned(engine: sa.Engine) -> set[str]:
    """Ids of uploads whose file somebody will take: no run has it yet, or one has claimed it and not taken it out."""
    claimed = sa.select(imports.c.id).where(imports.c.inbox_name.is_not(None))
    query = sa.select(uploads.c.id).where(sa.or_(uploads.c.import_id.is_(None), uploads.c.import_id.in_(claimed)))
    with engine.connect() as connection:
        return {str(upload_id) for upload_id in connection.scalars(query)}


def unseen_by(engine: sa.Engine, person: str, since: datetime) -> list[Upload]:
    """What a person uploaded since then and has not been told the end of: the newest, in order.

    Never all: a program that uploads looks at each by its id, and never says that it has seen the end.
    """
    mine = (uploads.c.requested_by == person, uploads.c.seen_at.is_(None), uploads.c.uploaded_at >= since)
    query = (
        sa.select(uploads).where(*mine).order_by(uploads.c.uploaded_at.desc(), uploads.c.id.desc()).limit(MOST_UNSEEN)
    )
    with engine.connect() as connection:
        return [_upload(row) for row in connection.execute(query)][::-1]


def note_seen(engine: sa.Engine, upload_id: str, person: str, now: datetime) -> None:
    mine = sa.and_(uploads.c.id == UUID(upload_id), uploads.c.requested_by == person)
    with engine.begin() as connection:
        connection.execute(uploads.update().where(mine).values(seen_at=now))


def note_taken(connection: sa.Connection, upload_id: str, import_id: str) -> None:
    """The import has the sender's file name now; here it is forgotten."""
    one = uploads.c.id == UUID(upload_id)
    connection.execute(uploads.update().where(one).values(import_id=UUID(import_id), file_name=""))


def _all(engine: sa.Engine, *conditions: sa.ColumnElement[bool]) -> list[Upload]:
    with engine.connect() as connection:
        query = sa.select(uploads).where(*conditions).order_by(uploads.c.uploaded_at, uploads.c.id)
        return [_upload(row) for row in connection.execute(query)]


def _upload(row: sa.Row[Any]) -> Upload:
    values = {name: getattr(row, name) for name in Upload.__dataclass_fields__}
    return Upload(**{**values, "id": str(row.id), "import_id": str(row.import_id) if row.import_id else None})
