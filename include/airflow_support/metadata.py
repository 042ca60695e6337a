"""Airflow's own database, for the API server only: a task has no access to it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from include.errors import AirflowDatabaseFailed

if TYPE_CHECKING:
    from sqlalchemy.orm import Session


@contextmanager
def metadata() -> Iterator[Session]:
    """Give a session, committed at the end. Raises AirflowDatabaseFailed, never an error like the client database's."""
    import sqlalchemy as sa
    from airflow.utils.session import create_session

    try:
        with create_session() as session:
            yield session
    except sa.exc.SQLAlchemyError as error:
        raise AirflowDatabaseFailed(type(error).__name__) from None
