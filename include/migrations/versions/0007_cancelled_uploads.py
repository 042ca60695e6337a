"""An upload can be cancelled while no run has claimed it: by whom, and when."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.add_column("uploads", sa.Column("cancelled_at", sa.DateTime(timezone=True)))
    op.add_column("uploads", sa.Column("cancelled_by", sa.Text))
    _index("import_id IS NULL AND cancelled_at IS NULL")


def downgrade() -> None:
    # What was cancelled would wait again, without its file.
    op.execute("DELETE FROM uploads WHERE cancelled_at IS NOT NULL")
    _index("import_id IS NULL")
    op.drop_column("uploads", "cancelled_at")
    op.drop_column("uploads", "cancelled_by")


def _index(waits: str) -> None:
    op.drop_index("ix_uploads_open", "uploads")
    op.create_index("ix_uploads_open", "uploads", ["feed"], postgresql_where=sa.text(waits))
