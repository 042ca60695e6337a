"""The migrations make exactly the tables that `client_tables.py` describes, and can be taken back."""

from __future__ import annotations

import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from include import migrations
from include.adapters.database import engine_from_url
from include.schemas.client_tables import metadata


def test_migrations_and_tables_say_the_same_and_going_down_leaves_nothing(postgres):
    engine = engine_from_url(postgres.url("migrations"))
    migrations.upgrade(engine)
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
    migrations.downgrade(engine, "base")
    assert sa.inspect(engine).get_table_names() == ["alembic_version"]
    migrations.upgrade(engine)
    engine.dispose()
