"""The same bytes may be imported again once another file of the feed came between; else the import is skipped."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

_STATES = (
    "received", "validated", "prepared", "merged", "refused", "held", "discarded", "failed", "reverted", "previewed",
)  # fmt: skip


def upgrade() -> None:
    op.drop_index("uq_imports_merged_once", "imports")
    op.drop_index("ix_imports_feed_sha256", "imports")
    _allow((*_STATES, "skipped"))


def downgrade() -> None:
    op.execute("UPDATE imports SET state = 'refused' WHERE state = 'skipped'")
    _allow(_STATES)
    op.create_index("ix_imports_feed_sha256", "imports", ["feed", "sha256"])
    # Files that were imported again make the old rule untrue, so they count as forced.
    op.execute("""
        UPDATE imports later SET forced = true FROM imports earlier
        WHERE later.state = 'merged' AND earlier.state = 'merged' AND NOT earlier.forced
          AND later.feed = earlier.feed AND later.sha256 = earlier.sha256 AND later.arrival > earlier.arrival""")
    op.create_index(
        "uq_imports_merged_once",
        "imports",
        ["feed", "sha256"],
        unique=True,
        postgresql_where=sa.text("state = 'merged' AND NOT forced"),
    )


def _allow(states: tuple[str, ...]) -> None:
    op.drop_constraint("ck_imports_state", "imports")
    allowed = ", ".join(f"'{state}'" for state in states)
    op.create_check_constraint(op.f("ck_imports_state"), "imports", f"state IN ({allowed})")
