"""The week of each feed whose scorecard was mailed last: a task that is repeated mails nobody twice."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    op.create_table(
        "mailed_scorecards",
        sa.Column("feed", sa.Text, nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("feed", name="pk_mailed_scorecards"),
    )


def downgrade() -> None:
    op.drop_table("mailed_scorecards")
