"""An import keeps which field each column of its file was read as."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.add_column("imports", sa.Column("fields", JSONB, server_default=sa.text("'[]'"), nullable=False))


def downgrade() -> None:
    op.drop_column("imports", "fields")
