"""An upload can say which import it corrects."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.add_column("uploads", sa.Column("corrects", sa.Uuid(as_uuid=False)))
    op.create_foreign_key(
        op.f("fk_uploads_corrects"), "uploads", "imports", ["corrects"], ["id"], ondelete="SET NULL"
    )  # fmt: skip


def downgrade() -> None:
    op.drop_column("uploads", "corrects")
