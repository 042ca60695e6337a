"""One line for a record and for what it did to its client; keys are compared byte by byte.

A line of its own for the change cost its own check of the import and two indexes, for every record imported.
`client_changes` stays as a view.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0007"
down_revision = "0006"

_CHANGED = "outcome IN ('created', 'updated', 'reverted')"
_KEYS = (("clients", "id"), ("clients", "email_key"), ("clients", "username"), ("import_rows", "client_id"))
_MOVE = """
    UPDATE import_rows r SET before = ch.before, after = ch.after
    FROM client_changes ch WHERE ch.import_id = r.import_id AND ch.row = r.row
"""


def upgrade() -> None:
    for table, column in _KEYS:
        op.execute(f'ALTER TABLE {table} ALTER {column} TYPE text COLLATE "C"')
    for name in ("before", "after"):
        op.add_column("import_rows", sa.Column(name, postgresql.JSONB()))
    changes = op.get_bind().scalar(sa.text("SELECT count(*) FROM client_changes"))
    if (moved := op.get_bind().execute(sa.text(_MOVE)).rowcount) != changes:
        raise RuntimeError(f"{changes} client changes, and {moved} of them have a row; nothing was moved.")
    op.drop_table("client_changes")
    op.create_index(
        "uq_import_rows_changed", "import_rows", ["client_id", "import_id"],
        unique=True, postgresql_where=sa.text(_CHANGED),
    )  # fmt: skip
    op.execute(f"""
        CREATE VIEW client_changes AS
        SELECT import_id, client_id, row, line, outcome, problems, before, after FROM import_rows WHERE {_CHANGED}""")


def downgrade() -> None:
    op.execute("ALTER VIEW client_changes RENAME TO changed")
    op.create_table(
        "client_changes",
        sa.Column("import_id", sa.Uuid(), nullable=False),
        sa.Column("client_id", sa.Text(), nullable=False),
        sa.Column("row", sa.Integer(), nullable=False),
        sa.Column("before", postgresql.JSONB()),
        sa.Column("after", postgresql.JSONB()),
        sa.ForeignKeyConstraint(["import_id"], ["imports.id"], name="fk_client_changes_import_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("import_id", "client_id", name="pk_client_changes"),
    )
    op.execute("INSERT INTO client_changes SELECT import_id, client_id, row, before, after FROM changed")
    op.create_index("ix_client_changes_client_id", "client_changes", ["client_id"])
    op.execute("DROP VIEW changed")
    op.drop_index("uq_import_rows_changed", "import_rows")
    for name in ("before", "after"):
        op.drop_column("import_rows", name)
    for table, column in _KEYS:
        op.execute(f"ALTER TABLE {table} ALTER {column} TYPE text")
