"""The migrations create exactly the tables that `client_tables.py` describes, and can be taken back."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from uuid import uuid4

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from include import migrations
from include.adapters.database import row_weeks
from include.adapters.database.engine import engine_from_url
from include.errors import ServerTooOld
from include.schemas.client_tables import metadata
from include.settings import ROOT
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


def definitions(connection: sa.Connection) -> dict[str, str]:
    """Read the indexes that are no constraints, as the server writes them."""
    query = """SELECT c.relname, pg_get_indexdef(c.oid) FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
               WHERE c.relnamespace = 'public'::regnamespace
                 AND NOT c.relispartition AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = c.oid)"""
    return {name: definition for name, definition in connection.execute(sa.text(query))}


def test_migrations_and_tables_are_the_same_and_going_down_leaves_nothing(empty_database):
    migrations.upgrade(empty_database)
    with empty_database.connect() as connection:
        # Alembic compares expressions letter by letter with what the server has made of them.
        options = {
            "include_object": lambda _object, _name, kind, *_: kind != "index",
            "include_name": migrations.is_described,
        }
        assert compare_metadata(MigrationContext.configure(connection, opts=options), metadata) == []
        made, indexes = definitions(connection), [index for table in metadata.sorted_tables for index in table.indexes]
        assert set(made) == {index.name for index in indexes}
        for index in indexes:
            index.drop(connection)
            index.create(connection)
        assert definitions(connection) == made
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


def test_the_migration_to_whole_lists_fills_in_who_created_a_client_and_going_down_keeps_the_history(empty_database):
    migrations.upgrade(empty_database, "0008")
    project, desk = "a" * 24, "b" * 24
    with empty_database.begin() as connection:
        for statement in (
            f"INSERT INTO projects VALUES ('{project}', 'P', true)",
            f"INSERT INTO desks VALUES ('{desk}', '{project}', 'D', true)",
            f"""INSERT INTO clients (id, first_name, email, email_key, username, project, desk)
            SELECT lpad(n::text, 24, '0'), 'Ann', n || '@example.com', n || '@example.com', 'ann' || n, '{project}',
            '{desk}' FROM generate_series(1, 4) n""",
            """INSERT INTO imports (id, feed, file_name, state, received_at)
            SELECT gen_random_uuid(), state, '', state, now()
            FROM (VALUES ('merged'), ('reverted'), ('previewed')) v (state)""",
            """INSERT INTO import_rows (import_id, row, line, outcome, client_id)
            SELECT id, 1, 1, 'created', CASE feed WHEN 'merged' THEN lpad('1', 24, '0')
            WHEN 'reverted' THEN lpad('2', 24, '0') ELSE lpad('3', 24, '0') END FROM imports""",
        ):
            connection.execute(sa.text(statement))
    migrations.upgrade(empty_database)
    with empty_database.begin() as connection:
        feeds = connection.scalars(sa.text("SELECT created_by_feed FROM clients ORDER BY id")).all()
        assert feeds == ["merged", "reverted", None, None]
        connection.execute(sa.text("UPDATE import_rows SET outcome = 'deactivated'"))
    migrations.downgrade(empty_database, "0008")
    with empty_database.begin() as connection:
        assert connection.scalar(sa.text("SELECT count(*) FROM client_changes WHERE outcome = 'updated'")) == 3


def test_rows_from_before_they_had_weeks_stay_and_going_down_keeps_those_of_all_weeks(empty_database):
    def add(import_id: str) -> None:
        with empty_database.begin() as connection:
            connection.execute(
                sa.text("INSERT INTO imports (id, feed, file_name, state, received_at) VALUES (:id, 'f', 'f', 'failed', now())"),
                {"id": import_id},
            )  # fmt: skip
            connection.execute(
                sa.text("INSERT INTO import_rows (import_id, row, line, outcome, client_id, after)"
                        " VALUES (:id, 1, 2, 'created', 'c', '{}')"),
                {"id": import_id},
            )  # fmt: skip

    def tables() -> dict[str, str]:
        with empty_database.connect() as connection:
            rows = connection.execute(sa.text("SELECT import_id::text, tableoid::regclass::text FROM import_rows"))
            return {import_id: table for import_id, table in rows}

    before, now = str(uuid4()), datetime.now(UTC)
    migrations.upgrade(empty_database, "0013")
    add(before)
    migrations.upgrade(empty_database)
    after = row_weeks.new_import_id(now)
    add(after)
    assert tables() == {before: "import_rows_other", after: f"import_rows_{now:%Gw%V}"}
    migrations.downgrade(empty_database, "0013")
    assert tables() == {before: "import_rows", after: "import_rows"}
    with empty_database.connect() as connection:
        assert connection.scalar(sa.text("SELECT count(*) FROM client_changes")) == 2
    migrations.upgrade(empty_database)
    assert set(tables()) == {before, after}


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


@pytest.mark.parametrize(
    ("beforehand", "role", "sentence"),
    [("CREATE TABLE clients (id int)", [], "the database has a table of this name that is not the importer's (DuplicateTable, 42P07)"),
     ("SELECT 1", ["nobody_of_that_name"], "the database has no such role (UndefinedObject, 42704)")],
)  # fmt: skip
def test_the_command_says_why_it_failed_in_one_sentence(empty_database, beforehand, role, sentence):
    with empty_database.begin() as connection:
        connection.execute(sa.text(beforehand))
    url = empty_database.url.set(drivername="postgresql").render_as_string(hide_password=False)
    done = subprocess.run(
        [sys.executable, "-m", "include.migrations", *role],
        env=os.environ | {"AIRFLOW_CONN_CLIENTS_DB": url}, cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (1, "")
    advice = "Nothing is half done; repair the cause, then run them again."
    assert done.stderr == f"The migrations failed: {sentence}. {advice}\n"
    with empty_database.begin() as connection:
        if not role:
            connection.execute(sa.text("DROP TABLE clients"))
    migrations.upgrade(empty_database)


def test_the_version_of_the_server_is_its_major_version(empty_database):
    migrations.upgrade(empty_database)
    assert migrations.server_version(empty_database) in range(migrations.OLDEST_SERVER, 30)
