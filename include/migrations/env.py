"""Alembic runs this file to reach the database, through the engine it was given."""

from alembic import context

from include.migrations import is_described
from include.schemas.client_tables import metadata

with context.config.attributes["engine"].connect() as connection:
    context.configure(connection=connection, target_metadata=metadata, include_name=is_described)
    with context.begin_transaction():
        context.run_migrations()
    connection.commit()
