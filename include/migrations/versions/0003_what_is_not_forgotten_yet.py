"""What is not forgotten yet: the daily look for imports whose days are over reads only those."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_index(
        "ix_imports_to_forget", "imports", ["feed", "received_at"], postgresql_where=sa.text("forgotten_at IS NULL")
    )


def downgrade() -> None:
    op.drop_index("ix_imports_to_forget", "imports")
