"""The migrations create exactly the tables that `client_tables.py` describes, and can be taken back."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from include import migrations
from include.adapters.database.engine import engine_from_url
from include.errors import ServerTooOld
from include.schemas.client_tables import metadata
from tests import local_server


@pytest.fixture(params=["embedded", *local_server.if_it_listens()])
def empty_database(request: pytest.FixtureRequest) -> Iterator[sa.Engine]:
    if request.param == "embedded":
        engine = engine_from_url(request.getfixturevalue("postgres").url("migrations"))
        yield engine
        migrations.downgrade(engine, "base")
        engine.dispose()
        return
    with local_server.own_database() as url:
        engine = engine_from_url(url)
        yield engine
        engine.dispose()


def test_migrations_and_tables_are_the_same_and_going_down_leaves_nothing(empty_database):
    migrations.upgrade(empty_database)
    with empty_database.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
    migrations.downgrade(empty_database, "base")
    assert sa.inspect(empty_database).get_table_names() == ["alembic_version"]
    migrations.upgrade(empty_database)


def test_the_view_of_changed_clients_shows_them_whole(empty_database):
    """A row keeps all fields before, and after an update only those that changed."""
    migrations.upgrade(empty_database)
    with empty_database.begin() as connection:
        for statement in (
            "INSERT INTO imports (id, feed, file_name, state, received_at)"
            " SELECT gen_random_uuid(), 'f', 'f', 'failed', now()",
            """INSERT INTO import_rows (import_id, row, line, outcome, client_id, before, after)
            SELECT id, row, row, outcome, row, before::jsonb, after::jsonb FROM imports, (VALUES
                (1, 'created', NULL, '{"type": "personal"}'),
                (2, 'updated', '{"type": "personal", "active": true}', '{"type": "business"}'),
                (3, 'updated', '{"type": "personal", "active": true}', '{"type": "business", "active": true}'),
                (4, 'reverted', '{"type": "personal"}', NULL),
                (5, 'updated', NULL, NULL),
                (6, 'unchanged', NULL, NULL)) AS r(row, outcome, before, after)""",
        ):
            connection.execute(sa.text(statement))
        whole = connection.scalars(sa.text("SELECT after FROM client_changes ORDER BY row")).all()
    business = {"type": "business", "active": True}
    assert whole == [{"type": "personal"}, business, business, None, None]


def test_a_state_and_an_outcome_that_do_not_exist_are_refused_by_the_database(empty_database):
    migrations.upgrade(empty_database)
    for statement in (
        "INSERT INTO imports (id, feed, file_name, state, received_at) VALUES (gen_random_uuid(), '', '', 'x', now())",
        "INSERT INTO import_rows (import_id, row, line, outcome) VALUES (gen_random_uuid(), 1, 1, 'x')",
    ):
        with empty_database.connect() as connection, pytest.raises(sa.exc.IntegrityError, match="check constraint"):
            connection.execute(sa.text(statement))


def test_a_server_that_is_too_old_is_refused_before_anything_is_changed(empty_database, monkeypatch):
    monkeypatch.setattr(migrations, "server_version", lambda engine: 13)
    with pytest.raises(ServerTooOld, match="is PostgreSQL 13; this importer needs 14 or newer"):
        migrations.upgrade(empty_database)
    assert "imports" not in sa.inspect(empty_database).get_table_names()
    monkeypatch.undo()
    migrations.upgrade(empty_database)


def test_the_version_of_the_server_is_its_major_version(empty_database):
    migrations.upgrade(empty_database)
    assert migrations.server_version(empty_database) in range(migrations.OLDEST_SERVER, 30)
