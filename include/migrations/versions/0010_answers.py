"""Senders get an answer: the state that was answered last, and where the failed rows lie for the sender."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    op.add_column("imports", sa.Column("answered_state", sa.String(40)))
    op.add_column("imports", sa.Column("answer_path", sa.Text))


def downgrade() -> None:
    op.drop_column("imports", "answer_path")
    op.drop_column("imports", "answered_state")
