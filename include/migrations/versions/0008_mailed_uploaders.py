"""The sender of an upload can be mailed what became of it: the address, and the state that was mailed last."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.add_column("uploads", sa.Column("email", sa.Text))
    op.add_column("uploads", sa.Column("mailed_state", sa.String(40)))


def downgrade() -> None:
    op.drop_column("uploads", "mailed_state")
    op.drop_column("uploads", "email")
