"""Uploads and imports keep the mapping of columns and words; a feed remembers it for its next file."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    for table in ("imports", "uploads"):
        op.add_column(table, sa.Column("mapping", JSONB, server_default=sa.text("'{}'"), nullable=False))
    op.create_table(
        "remembered_mappings",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), nullable=False),
        *(
            sa.Column(name, sa.Text, nullable=False)
            for name in ("feed", "about", "word", "word_key", "meaning", "remembered_by")
        ),
        sa.Column("remembered_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_remembered_mappings")),
        sa.UniqueConstraint("feed", "about", "word_key", name="uq_remembered_mappings_word"),
    )


def downgrade() -> None:
    op.drop_table("remembered_mappings")
    for table in ("imports", "uploads"):
        op.drop_column(table, "mapping")
