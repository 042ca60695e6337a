"""What the outside was told: which end of an import was announced by which run, and which feeds are late."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.add_column("imports", sa.Column("announced_state", sa.Text()))
    op.create_table(
        "expected_feeds",
        sa.Column("feed", sa.Text(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("told_for", sa.DateTime(timezone=True)),
        sa.PrimaryKeyConstraint("feed", name="pk_expected_feeds"),
    )


def downgrade() -> None:
    op.drop_table("expected_feeds")
    op.drop_column("imports", "announced_state")
