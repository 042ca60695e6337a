"""Plans that wait for a person, reverts, and forgetting."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

_OUTCOMES = "'created', 'updated', 'unchanged', 'duplicate', 'failed'"


def upgrade() -> None:
    op.add_column("imports", sa.Column("delimiter", sa.Text()))
    for name in ("plan_hash", "planned_path"):
        op.add_column("imports", sa.Column(name, sa.Text()))
    op.add_column("imports", sa.Column("reverts_import_id", sa.Uuid(), sa.ForeignKey("imports.id")))
    for name in ("reverted", "kept"):
        op.add_column("imports", sa.Column(name, sa.Integer(), nullable=False, server_default=sa.text("0")))
    op.add_column("imports", sa.Column("forgotten_at", sa.DateTime(timezone=True)))
    op.create_index(
        "ix_imports_reverts", "imports", ["reverts_import_id"], postgresql_where=sa.text("reverts_import_id IS NOT NULL")
    )
    op.drop_constraint("ck_imports_outcomes_add_up", "imports")
    op.create_check_constraint(
        op.f("ck_imports_outcomes_add_up"),
        "imports",
        "state NOT IN ('merged', 'reverted', 'held', 'previewed')"
        " OR read = created + updated + unchanged + duplicate + failed + reverted + kept",
    )
    op.drop_constraint("ck_import_rows_outcome", "import_rows")
    op.create_check_constraint(
        op.f("ck_import_rows_outcome"), "import_rows", f"outcome IN ({_OUTCOMES}, 'reverted', 'kept')"
    )


def downgrade() -> None:
    op.drop_constraint("ck_import_rows_outcome", "import_rows")
    op.create_check_constraint(op.f("ck_import_rows_outcome"), "import_rows", f"outcome IN ({_OUTCOMES})")
    op.drop_constraint("ck_imports_outcomes_add_up", "imports")
    op.create_check_constraint(
        op.f("ck_imports_outcomes_add_up"),
        "imports",
        "state NOT IN ('merged', 'reverted') OR read = created + updated + unchanged + duplicate + failed",
    )
    op.drop_index("ix_imports_reverts", "imports")
    for name in ("forgotten_at", "kept", "reverted", "reverts_import_id", "planned_path", "plan_hash", "delimiter"):
        op.drop_column("imports", name)
