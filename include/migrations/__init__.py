"""Alembic's migrations of `clients_db`. `python -m include.migrations [ROLE]` brings the database up to date.

The account that runs it owns the tables. ROLE is the account of tasks and page, when that is another one.
"""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config

from include.errors import ServerTooOld

# The statements use nothing newer. Tested with 14 to 18.
OLDEST_SERVER = 14


def config_for(engine: sa.Engine) -> Config:
    """Build what Alembic needs to know: where the migrations are, and the engine to use."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.attributes["engine"] = engine
    return config


def is_described(name: str | None, kind: str, _parents: object) -> bool:
    """Tell Alembic whether `client_tables.py` describes a table. The tables of weeks come and go."""
    return kind != "table" or name is None or not name.startswith("import_rows_")


def upgrade(engine: sa.Engine, revision: str = "head") -> None:
    """Bring the database up to date. Raises ServerTooOld before anything is changed."""
    refuse_old_server(server_version(engine))
    command.upgrade(config_for(engine), revision)


def allow_rows(engine: sa.Engine, role: str) -> None:
    """Let a role read and write rows of the importer's tables, and read the CRM's. It needs no other right."""
    name = engine.dialect.identifier_preparer.quote(role)
    with engine.begin() as connection:
        database = engine.dialect.identifier_preparer.quote(connection.scalar(sa.text("SELECT current_database()")))
        for statement in (
            f"GRANT CONNECT, TEMPORARY ON DATABASE {database} TO {name}",
            f"GRANT USAGE ON SCHEMA public TO {name}",
            f"GRANT SELECT ON projects, desks, client_changes TO {name}",
            f"GRANT SELECT, INSERT, UPDATE, DELETE ON clients, imports, import_rows, uploads, expected_feeds, "
            f"mailed_scorecards, remembered_mappings TO {name}",
            f"GRANT EXECUTE ON FUNCTION import_rows_first_id, import_rows_make_weeks, import_rows_drop_week TO {name}",
        ):
            connection.execute(sa.text(statement))


def downgrade(engine: sa.Engine, revision: str) -> None:
    """Take migrations back, to `base` for all of them."""
    command.downgrade(config_for(engine), revision)


def server_version(engine: sa.Engine) -> int:
    """Read the server's major version, such as 16."""
    with engine.connect() as connection:
        return int(connection.scalar(sa.text("SHOW server_version_num"))) // 10_000


def refuse_old_server(version: int) -> None:
    """Raise ServerTooOld for a PostgreSQL that lacks what the statements need."""
    if version < OLDEST_SERVER:
        raise ServerTooOld(
            f"The database server is PostgreSQL {version}; this importer needs {OLDEST_SERVER} or newer."
        )
