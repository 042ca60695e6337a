"""Clients, imports and their history."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None

_TABLES = ("clients", "uploads", "import_rows", "desks", "projects", "imports", "expected_feeds")


def upgrade() -> None:
    op.create_table(
        "expected_feeds",
        sa.Column("feed", sa.Text(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("late_notified_after", sa.DateTime(timezone=True)),
        sa.PrimaryKeyConstraint("feed", name=op.f("pk_expected_feeds")),
    )
    op.create_table(
        "imports",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("arrival", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("feed", sa.Text(), nullable=False),
        sa.Column("file_name", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text()),
        sa.Column("bytes", sa.BigInteger()),
        sa.Column("state", sa.String(40), nullable=False),
        sa.Column("code", sa.String(40)),
        sa.Column("message", sa.Text()),
        sa.Column("line", sa.Integer()),
        sa.Column("read", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("created", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("updated", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("unchanged", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("duplicate", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("failed", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("warnings", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("header", postgresql.JSONB(), server_default=sa.text("'[]'"), nullable=False),
        sa.Column("file_problems", postgresql.JSONB(), server_default=sa.text("'[]'"), nullable=False),
        sa.Column("dag_id", sa.Text()),
        sa.Column("run_id", sa.Text()),
        sa.Column("requested_by", sa.Text(), server_default="", nullable=False),
        sa.Column("note", sa.Text(), server_default="", nullable=False),
        sa.Column("forced", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("dry_run", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("parent_import_id", sa.Uuid()),
        sa.Column("inbox_name", sa.Text()),
        sa.Column("announced_records", sa.Integer()),
        sa.Column("delimiter", sa.Text()),
        sa.Column("plan_hash", sa.Text()),
        sa.Column("reverts_import_id", sa.Uuid()),
        sa.Column("reverted", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("kept", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("file_path", sa.Text()),
        sa.Column("report_path", sa.Text()),
        sa.Column("planned_path", sa.Text()),
        sa.Column("filed", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("notified_state", sa.String(40)),
        sa.Column("announced_state", sa.Text()),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state_times", postgresql.JSONB(), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("forgotten_at", sa.DateTime(timezone=True)),
        sa.Column("failure_kinds", postgresql.JSONB(), server_default=sa.text("'{}'"), nullable=False),
        sa.CheckConstraint(
            "NOT state IN ('merged', 'reverted', 'held', 'previewed') OR read = created + updated + unchanged + duplicate + failed + reverted + kept",
            name=op.f("ck_imports_outcomes_add_up"),
        ),
        sa.CheckConstraint(
            "state IN ('received', 'validated', 'prepared', 'merged', 'refused', 'held', 'discarded', 'failed', 'reverted', 'previewed')",
            name=op.f("ck_imports_state"),
        ),
        sa.ForeignKeyConstraint(["parent_import_id"], ["imports.id"], name=op.f("fk_imports_parent_import_id")),
        sa.ForeignKeyConstraint(["reverts_import_id"], ["imports.id"], name=op.f("fk_imports_reverts_import_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_imports")),
        sa.UniqueConstraint("arrival", name=op.f("uq_imports_arrival")),
    )
    op.create_index("ix_imports_feed_arrival", "imports", ["feed", "arrival"])
    op.create_index("ix_imports_feed_received_at", "imports", ["feed", sa.literal_column("received_at DESC")])
    op.create_index("ix_imports_feed_sha256", "imports", ["feed", "sha256"])
    op.create_index("ix_imports_parent", "imports", ["parent_import_id"])
    op.create_index("ix_imports_received_at", "imports", [sa.literal_column("received_at DESC")])
    op.create_index(
        "ix_imports_reverts",
        "imports",
        ["reverts_import_id"],
        postgresql_where=sa.text("reverts_import_id IS NOT NULL"),
    )
    op.create_index("ix_imports_run", "imports", ["dag_id", "run_id"])
    op.create_index(
        "ix_imports_to_forget", "imports", ["feed", "received_at"], postgresql_where=sa.text("forgotten_at IS NULL")
    )
    op.create_index("ix_imports_unfinished", "imports", ["feed"], postgresql_where=sa.text("NOT filed"))
    op.create_index(
        "uq_imports_claim",
        "imports",
        ["feed", "inbox_name"],
        unique=True,
        postgresql_where=sa.text("inbox_name IS NOT NULL"),
    )
    op.create_index(
        "uq_imports_merged_once",
        "imports",
        ["feed", "sha256"],
        unique=True,
        postgresql_where=sa.text("state = 'merged' AND NOT forced"),
    )
    op.create_table(
        "projects",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("is_default", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.CheckConstraint("id ~ '^[0-9a-f]{24}$'", name=op.f("ck_projects_id_hex")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_projects")),
    )
    op.create_index(
        "uq_projects_default", "projects", ["is_default"], unique=True, postgresql_where=sa.text("is_default")
    )
    op.create_table(
        "desks",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("project_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("is_default", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.CheckConstraint("id ~ '^[0-9a-f]{24}$'", name=op.f("ck_desks_id_hex")),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name=op.f("fk_desks_project_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_desks")),
        sa.UniqueConstraint("id", "project_id", name="uq_desks_id_project_id"),
    )
    op.create_index("uq_desks_default", "desks", ["project_id"], unique=True, postgresql_where=sa.text("is_default"))
    op.create_table(
        "import_rows",
        sa.Column("import_id", sa.Uuid(), nullable=False),
        sa.Column("row", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("line", sa.Integer(), nullable=False),
        sa.Column("outcome", sa.String(40), nullable=False),
        sa.Column("client_id", sa.Text(collation="C")),
        sa.Column("problems", postgresql.JSONB()),
        sa.Column("cells", postgresql.JSONB()),
        sa.Column("before", postgresql.JSONB()),
        sa.Column("after", postgresql.JSONB()),
        sa.CheckConstraint(
            "outcome IN ('created', 'updated', 'unchanged', 'duplicate', 'failed', 'reverted', 'kept')",
            name=op.f("ck_import_rows_outcome"),
        ),
        sa.ForeignKeyConstraint(
            ["import_id"], ["imports.id"], name=op.f("fk_import_rows_import_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("import_id", "row", name=op.f("pk_import_rows")),
    )
    op.create_index(
        "ix_import_rows_cells",
        "import_rows",
        ["cells"],
        postgresql_using="gin",
        postgresql_ops={"cells": "jsonb_path_ops"},
        postgresql_where=sa.text("cells IS NOT NULL"),
    )
    op.create_index(
        "ix_import_rows_not_imported",
        "import_rows",
        ["import_id", "outcome"],
        postgresql_where=sa.text("outcome IN ('failed', 'duplicate')"),
    )
    op.create_index(
        "uq_import_rows_changed",
        "import_rows",
        ["client_id", "import_id"],
        unique=True,
        postgresql_where=sa.text("outcome IN ('created', 'updated', 'reverted')"),
    )
    op.create_table(
        "uploads",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("feed", sa.Text(), nullable=False),
        sa.Column("file_name", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.Column("requested_by", sa.Text(), nullable=False),
        sa.Column("idempotency_key", sa.Text()),
        sa.Column("note", sa.Text(), server_default="", nullable=False),
        sa.Column("forced", sa.Boolean(), nullable=False),
        sa.Column("dry_run", sa.Boolean(), nullable=False),
        sa.Column("uploaded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("import_id", sa.Uuid()),
        sa.Column("seen_at", sa.DateTime(timezone=True)),
        sa.ForeignKeyConstraint(["import_id"], ["imports.id"], name=op.f("fk_uploads_import_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_uploads")),
        sa.UniqueConstraint("requested_by", "idempotency_key", name="uq_uploads_key"),
    )
    op.create_index("ix_uploads_import_id", "uploads", ["import_id"])
    op.create_index("ix_uploads_open", "uploads", ["feed"], postgresql_where=sa.text("import_id IS NULL"))
    op.create_index("ix_uploads_unseen", "uploads", ["requested_by"], postgresql_where=sa.text("seen_at IS NULL"))
    op.create_table(
        "clients",
        sa.Column("id", sa.Text(collation="C"), nullable=False),
        sa.Column("first_name", sa.Text(), nullable=False),
        sa.Column("middle_name", sa.Text(), server_default="", nullable=False),
        sa.Column("last_name", sa.Text(), server_default="", nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("email_key", sa.Text(collation="C"), nullable=False),
        sa.Column("username", sa.Text(collation="C"), nullable=False),
        sa.Column("project", sa.Text(), nullable=False),
        sa.Column("desk", sa.Text(), nullable=False),
        sa.Column("active", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("type", sa.Text(), server_default="personal", nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("last_import_id", sa.Uuid()),
        sa.CheckConstraint("id ~ '^[0-9a-f]{24}$'", name=op.f("ck_clients_id_hex")),
        sa.CheckConstraint("type IN ('personal', 'business')", name=op.f("ck_clients_type")),
        sa.CheckConstraint("char_length(email) BETWEEN 3 AND 254", name=op.f("ck_clients_email_length")),
        sa.CheckConstraint("char_length(first_name) BETWEEN 1 AND 100", name=op.f("ck_clients_first_name_length")),
        sa.CheckConstraint("char_length(last_name) <= 100", name=op.f("ck_clients_last_name_length")),
        sa.CheckConstraint("char_length(middle_name) <= 100", name=op.f("ck_clients_middle_name_length")),
        sa.CheckConstraint("char_length(username) BETWEEN 3 AND 64", name=op.f("ck_clients_username_length")),
        sa.ForeignKeyConstraint(
            ["desk", "project"], ["desks.id", "desks.project_id"], name="fk_clients_desk_of_project"
        ),
        sa.ForeignKeyConstraint(["project"], ["projects.id"], name=op.f("fk_clients_project")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_clients")),
        sa.UniqueConstraint("email_key", deferrable=True, initially="IMMEDIATE", name="uq_clients_email_key"),
        sa.UniqueConstraint("username", deferrable=True, initially="IMMEDIATE", name="uq_clients_username"),
        postgresql_with={"fillfactor": 90},
    )
    # Of a changed client, a row keeps all fields before and those that changed; the view shows both versions whole.
    op.execute("""
        CREATE VIEW client_changes AS
        SELECT import_id, client_id, row, line, outcome, problems, before, coalesce(before, '{}') || after AS after
        FROM import_rows WHERE outcome IN ('created', 'updated', 'reverted')""")


def downgrade() -> None:
    op.execute("DROP VIEW client_changes")
    for table in _TABLES:
        op.drop_table(table)
