"""Of a changed client, `import_rows.after` keeps the fields that changed; `client_changes` shows all of them.

Rows from before keep every field, and the view reads both. Going down makes the new ones whole.
"""

from alembic import op

revision = "0008"
down_revision = "0007"

_VIEW = """
    CREATE OR REPLACE VIEW client_changes AS
    SELECT import_id, client_id, row, line, outcome, problems, before, {after} AS after
    FROM import_rows WHERE outcome IN ('created', 'updated', 'reverted')"""


def upgrade() -> None:
    op.execute(_VIEW.format(after="coalesce(before, '{}') || after"))


def downgrade() -> None:
    op.execute(_VIEW.format(after="after"))
    op.execute("UPDATE import_rows SET after = before || after WHERE before IS NOT NULL AND after IS NOT NULL")
