"""What the page needs: uploads, the kinds of failure of each import, and ways to find a row by one of its cells."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"

_KINDS = """
    UPDATE imports SET failure_kinds = found.kinds FROM (
        SELECT import_id, jsonb_object_agg(kind, rows) AS kinds FROM (
            SELECT r.import_id, concat_ws(' ', p->>'code', nullif(p->>'field', '')) AS kind,
                   count(DISTINCT r.row) AS rows
            FROM import_rows r CROSS JOIN LATERAL jsonb_array_elements(r.problems) p
            WHERE r.outcome = 'failed' AND r.problems IS NOT NULL AND p->>'severity' = 'error'
            GROUP BY 1, 2) counted
        GROUP BY import_id) found
    WHERE id = found.import_id
"""


def upgrade() -> None:
    op.create_table(
        "uploads",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("feed", sa.Text(), nullable=False),
        sa.Column("file_name", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.Column("requested_by", sa.Text(), nullable=False),
        sa.Column("idempotency_key", sa.Text(), nullable=True),
        sa.Column("note", sa.Text(), server_default="", nullable=False),
        sa.Column("forced", sa.Boolean(), nullable=False),
        sa.Column("dry_run", sa.Boolean(), nullable=False),
        sa.Column("uploaded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("import_id", sa.Uuid(), nullable=True),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_uploads"),
        sa.UniqueConstraint("requested_by", "idempotency_key", name="uq_uploads_key"),
        sa.ForeignKeyConstraint(["import_id"], ["imports.id"], name="fk_uploads_import_id", ondelete="CASCADE"),
    )
    op.create_index("ix_uploads_open", "uploads", ["feed"], postgresql_where=sa.text("import_id IS NULL"))
    op.create_index("ix_uploads_unseen", "uploads", ["requested_by"], postgresql_where=sa.text("seen_at IS NULL"))
    op.create_index("ix_uploads_import_id", "uploads", ["import_id"])
    op.add_column(
        "imports", sa.Column("failure_kinds", postgresql.JSONB(), server_default=sa.text("'{}'"), nullable=False)
    )
    op.execute(_KINDS)
    op.create_index("ix_imports_feed_arrival", "imports", ["feed", "arrival"])
    op.create_index(
        "ix_import_rows_cells", "import_rows", ["cells"], postgresql_using="gin",
        postgresql_ops={"cells": "jsonb_path_ops"}, postgresql_where=sa.text("cells IS NOT NULL"),
    )  # fmt: skip


def downgrade() -> None:
    op.drop_index("ix_import_rows_cells", "import_rows")
    op.drop_index("ix_imports_feed_arrival", "imports")
    op.drop_column("imports", "failure_kinds")
    op.drop_table("uploads")
