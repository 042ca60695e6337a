"""A client says which feed created it, and an import can make clients inactive that its file lacks.

What the history still tells is filled in: each million of clients takes about a minute.
"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"

_BEFORE = ("created", "updated", "unchanged", "duplicate", "failed", "reverted", "kept")
_CHANGED_BEFORE = ("created", "updated", "reverted")


def upgrade() -> None:
    op.add_column("clients", sa.Column("created_by_feed", sa.Text(collation="C")))
    # An import that was undone may have left a client that something else had changed.
    op.execute("""
        UPDATE clients c SET created_by_feed = created.feed
        FROM (SELECT DISTINCT ON (r.client_id) r.client_id, i.feed
              FROM import_rows r JOIN imports i ON i.id = r.import_id
              WHERE r.outcome = 'created' AND i.state IN ('merged', 'reverted')
              ORDER BY r.client_id, i.arrival DESC) created
        WHERE c.id = created.client_id""")
    op.create_index(
        "ix_clients_created_by_feed", "clients", ["created_by_feed"],
        postgresql_where=sa.text("created_by_feed IS NOT NULL"),
    )  # fmt: skip
    op.add_column("imports", sa.Column("deactivated", sa.Integer, server_default=sa.text("0"), nullable=False))
    _allow((*_BEFORE, "deactivated"), (*_CHANGED_BEFORE, "deactivated"))


def downgrade() -> None:
    op.execute("UPDATE import_rows SET outcome = 'updated' WHERE outcome = 'deactivated'")
    _allow(_BEFORE, _CHANGED_BEFORE)
    op.drop_column("imports", "deactivated")
    op.drop_index("ix_clients_created_by_feed", "clients")
    op.drop_column("clients", "created_by_feed")


def _allow(outcomes: tuple[str, ...], changed: tuple[str, ...]) -> None:
    """Let rows have these outcomes, of which `changed` are those that changed a client."""
    op.drop_constraint(op.f("ck_import_rows_outcome"), "import_rows")
    op.create_check_constraint(op.f("ck_import_rows_outcome"), "import_rows", f"outcome IN {outcomes}")
    op.drop_index("uq_import_rows_changed", "import_rows")
    op.create_index(
        "uq_import_rows_changed", "import_rows", ["client_id", "import_id"], unique=True,
        postgresql_where=sa.text(f"outcome IN {changed}"),
    )  # fmt: skip
    op.execute(f"""
        CREATE OR REPLACE VIEW client_changes AS
        SELECT import_id, client_id, row, line, outcome, problems, before, coalesce(before, '{{}}') || after AS after
        FROM import_rows WHERE outcome IN {changed}""")
