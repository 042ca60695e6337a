"""A webhook is told once of each state of an import."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    op.add_column("imports", sa.Column("posted_state", sa.String(40)))


def downgrade() -> None:
    op.drop_column("imports", "posted_state")
