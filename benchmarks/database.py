"""An embedded PostgreSQL server with the real tables, and the same clients in them before every run."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa

from benchmarks.client_files import client
from demo import embedded_postgres, reference_data
from include import migrations
from include.adapters.database.engine import engine_from_url

_OWN = "id, first_name, last_name, email, project, desk, active, type, created"


@contextmanager
def server() -> Iterator[tuple[embedded_postgres.EmbeddedPostgres, Path]]:
    """Start a server with its default settings; gives it and a folder for files. Both are removed afterwards."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)  # the server gives up root, and must still reach its folder
        running = embedded_postgres.start(folder / "postgres")
        try:
            yield running, folder
        finally:
            running.stop()


def build(url: str) -> sa.Engine:
    """Make the real tables, with the CRM's projects and desks and no clients."""
    engine = engine_from_url(url)
    migrations.upgrade(engine)
    reference_data.load(engine)
    return engine


def fill(engine: sa.Engine, numbers: range) -> None:
    """Add these clients without the importer."""
    with engine.begin() as connection:
        connection.execute(sa.text("SET LOCAL session_replication_role = replica"))  # the data is known to be good
        connection.execute(sa.text(f"CREATE TEMPORARY TABLE sent ON COMMIT DROP AS SELECT {_OWN} FROM clients LIMIT 0"))
        with connection.connection.cursor().copy(f"COPY sent ({_OWN}) FROM STDIN") as copy:
            for number in numbers:
                copy.write_row(client(number))
        connection.execute(
            sa.text(f"""
            INSERT INTO clients ({_OWN}, email_key, username)
            SELECT {_OWN}, lower(email), split_part(lower(email), '@', 1) FROM sent""")
        )
    tidy(engine)


def empty(engine: sa.Engine) -> None:
    """Delete all clients and imports."""
    with engine.begin() as connection:
        connection.execute(sa.text("TRUNCATE clients, import_rows, uploads, imports"))


def remember(engine: sa.Engine) -> None:
    """Keep the clients as they are now for `reset`."""
    with engine.begin() as connection:
        connection.execute(sa.text("CREATE UNLOGGED TABLE clients_before AS SELECT * FROM clients"))


def reset(engine: sa.Engine) -> None:
    """Bring back the remembered clients, without history, with fresh statistics and nothing left to write to disk."""
    with engine.begin() as connection:
        connection.execute(sa.text("SET LOCAL session_replication_role = replica"))
        connection.execute(sa.text("TRUNCATE clients, import_rows, uploads, imports"))
        connection.execute(sa.text("INSERT INTO clients SELECT * FROM clients_before"))
    tidy(engine)


def tidy(engine: sa.Engine) -> None:
    """Let the server do now what it would otherwise do during the next measurement."""
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(sa.text("VACUUM (ANALYZE) clients"))
        connection.execute(sa.text("CHECKPOINT"))
