"""`import_rows` has a table for each week, so that retention drops a week instead of deleting its rows.

The rows that are there stay where they are: their table becomes the one for all rows of no week.
"""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"

_CHANGED = ("created", "updated", "reverted", "deactivated")
_OUTCOMES = ("created", "updated", "unchanged", "duplicate", "failed", "reverted", "kept", "deactivated")
_INDEXES = ("pk_import_rows", "ix_import_rows_cells", "ix_import_rows_not_imported", "uq_import_rows_changed")
# Called by an account that owns no table. A table that is made or dropped here has no row that anybody needs.
_FUNCTIONS = (
    """
    CREATE FUNCTION import_rows_first_id(day date) RETURNS uuid LANGUAGE sql IMMUTABLE STRICT AS $$
        -- The smallest ID of an import that was opened on this day or later: 48 bits of time in milliseconds.
        SELECT rpad(lpad(to_hex((day - date '1970-01-01') * 86400000::bigint), 12, '0'), 32, '0')::uuid
    $$""",
    """
    CREATE FUNCTION import_rows_make_weeks(day date, ahead int) RETURNS boolean LANGUAGE plpgsql
        SECURITY DEFINER SET search_path = public, pg_temp AS $$
    DECLARE
        week date;
        name text;
    BEGIN
        FOR week IN SELECT date_trunc('week', day)::date + 7 * n FROM generate_series(0, ahead) n LOOP
            name := to_char(week, '"import_rows_"IYYY"w"IW');
            -- Rows that came before their week had a table stay in the table for all others, and so does their week.
            IF to_regclass(name) IS NULL AND NOT EXISTS (SELECT FROM import_rows_other WHERE
                import_id >= import_rows_first_id(week) AND import_id < import_rows_first_id(week + 7))
            THEN
                EXECUTE format('CREATE TABLE %I (LIKE import_rows INCLUDING CONSTRAINTS)', name);
                EXECUTE format('ALTER TABLE import_rows ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)',
                    name, import_rows_first_id(week), import_rows_first_id(week + 7));
            END IF;
        END LOOP;
        RETURN true;
    END $$""",
    """
    CREATE FUNCTION import_rows_drop_week(week date) RETURNS boolean LANGUAGE plpgsql
        SECURITY DEFINER SET search_path = public, pg_temp AS $$
    DECLARE
        name text := to_char(week, '"import_rows_"IYYY"w"IW');
    BEGIN
        IF extract(isodow FROM week) <> 1 OR to_regclass(name) IS NULL OR EXISTS (SELECT FROM imports
            WHERE forgotten_at IS NULL AND id >= import_rows_first_id(week) AND id < import_rows_first_id(week + 7))
        THEN
            RETURN false;
        END IF;
        EXECUTE format('DROP TABLE %I', name);
        RETURN true;
    END $$""",
)


def upgrade() -> None:
    op.execute("DROP VIEW client_changes")
    op.rename_table("import_rows", "import_rows_other")
    for name in _INDEXES:
        op.execute(f"ALTER INDEX {name} RENAME TO {name.replace('import_rows', 'import_rows_other')}")
    op.execute("CREATE TABLE import_rows (LIKE import_rows_other INCLUDING CONSTRAINTS) PARTITION BY RANGE (import_id)")
    _add_keys()
    for function in _FUNCTIONS:
        op.execute(function)
    for signature in ("first_id(date)", "make_weeks(date, int)", "drop_week(date)"):
        op.execute(f"REVOKE EXECUTE ON FUNCTION import_rows_{signature} FROM PUBLIC")
    op.execute("ALTER TABLE import_rows ATTACH PARTITION import_rows_other DEFAULT")
    op.execute("SELECT import_rows_make_weeks((now() AT TIME ZONE 'UTC')::date, 4)")
    _add_view()


def downgrade() -> None:
    op.execute("DROP VIEW client_changes")
    op.execute("CREATE TABLE import_rows_whole (LIKE import_rows INCLUDING CONSTRAINTS)")
    op.execute("INSERT INTO import_rows_whole SELECT * FROM import_rows")
    op.execute("DROP TABLE import_rows")
    op.rename_table("import_rows_whole", "import_rows")
    _add_keys()
    for name in ("drop_week", "make_weeks", "first_id"):
        op.execute(f"DROP FUNCTION import_rows_{name}")
    _add_view()


def _add_keys() -> None:
    op.create_primary_key(op.f("pk_import_rows"), "import_rows", ["import_id", "row"])
    op.create_foreign_key(
        op.f("fk_import_rows_import_id"), "import_rows", "imports", ["import_id"], ["id"], ondelete="CASCADE"
    )
    op.create_index(
        "ix_import_rows_cells", "import_rows", ["cells"], postgresql_using="gin",
        postgresql_ops={"cells": "jsonb_path_ops"}, postgresql_where=sa.text("cells IS NOT NULL"),
    )  # fmt: skip
    op.create_index(
        "ix_import_rows_not_imported", "import_rows", ["import_id", "outcome"],
        postgresql_where=sa.text("outcome IN ('failed', 'duplicate')"),
    )  # fmt: skip
    op.create_index(
        "uq_import_rows_changed", "import_rows", ["client_id", "import_id"], unique=True,
        postgresql_where=sa.text(f"outcome IN {_CHANGED}"),
    )  # fmt: skip


def _add_view() -> None:
    op.execute(f"""
        CREATE VIEW client_changes AS
        SELECT import_id, client_id, row, line, outcome, problems, before, coalesce(before, '{{}}') || after AS after
        FROM import_rows WHERE outcome IN {_CHANGED}""")
