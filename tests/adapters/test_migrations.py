"""The migrations make exactly the tables that `client_tables.py` describes, and can be taken back."""

from __future__ import annotations

import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from include import migrations
from include.adapters.database.engine import engine_from_url
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


def test_what_was_done_to_clients_is_kept_when_it_moves_into_the_rows_and_back(postgres):
    engine = engine_from_url(postgres.url("moved"))
    migrations.upgrade(engine, "0006")
    facts = {"import": "00000000-0000-4000-8000-000000000001", "client": "66829b2e43c91e3ce480b6c5"}
    changes = sa.text("SELECT client_id, row, before, after FROM client_changes")
    with engine.begin() as connection:
        for statement in (
            "INSERT INTO imports (id, feed, file_name, state, received_at) VALUES (:import, 'f', 'f', 'failed', now())",
            "INSERT INTO import_rows (import_id, row, line, outcome, client_id) VALUES (:import, 1, 2, 'failed', NULL),"
            " (:import, 2, 3, 'updated', :client)",
            "INSERT INTO client_changes VALUES (:import, :client, 2, '{}', jsonb_build_object('type', 'personal'))",
        ):
            connection.execute(sa.text(statement), facts)
        before = connection.execute(changes).all()
    for move in (migrations.upgrade, lambda engine: migrations.downgrade(engine, "0006"), migrations.upgrade):
        move(engine)
        with engine.connect() as connection:
            assert connection.execute(changes).all() == before
            assert connection.scalar(sa.text("SELECT count(*) FROM import_rows")) == 2
    engine.dispose()


def test_clients_are_whole_in_their_history_whether_a_row_keeps_all_fields_or_those_that_changed(postgres):
    engine = engine_from_url(postgres.url("whole"))
    migrations.upgrade(engine)
    with engine.begin() as connection:
        for statement in (
            "INSERT INTO imports (id, feed, file_name, state, received_at)"
            " SELECT gen_random_uuid(), 'f', 'f', 'failed', now()",
            """INSERT INTO import_rows (import_id, row, line, outcome, client_id, before, after)
            SELECT id, row, row, outcome, row, before::jsonb, after::jsonb FROM imports, (VALUES
                (1, 'created', NULL, '{"type": "personal"}'),
                (2, 'updated', '{"type": "personal", "active": true}', '{"type": "business"}'),
                (3, 'updated', '{"type": "personal", "active": true}', '{"type": "business", "active": true}'),
                (4, 'reverted', '{"type": "personal"}', NULL),
                (5, 'updated', NULL, NULL)) AS r(row, outcome, before, after)""",
        ):
            connection.execute(sa.text(statement))
    business = {"type": "business", "active": True}
    for move in (migrations.upgrade, lambda engine: migrations.downgrade(engine, "0007"), migrations.upgrade):
        move(engine)
        with engine.connect() as connection:
            whole = connection.scalars(sa.text("SELECT after FROM client_changes ORDER BY row")).all()
            assert whole == [{"type": "personal"}, business, business, None, None]
    engine.dispose()
