"""Indexes by which the page finds and sorts clients. Each million of clients takes some seconds."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

_WORDS = """(array_to_tsvector(array_remove(string_to_array(translate(lower(
    first_name || ' ' || middle_name || ' ' || last_name || ' ' || email || ' ' || username),
    ' @.,;:/_+-''"()&', '               '), ' '), '')))"""


def upgrade() -> None:
    op.create_index("ix_clients_first_name", "clients", [sa.text('lower(first_name) COLLATE "C"'), "id"])
    op.create_index("ix_clients_last_name", "clients", [sa.text('lower(last_name) COLLATE "C"'), "id"])
    op.create_index("ix_clients_created", "clients", ["created", "id"])
    op.create_index("ix_clients_group", "clients", ["project", "desk", "active", "type", sa.text('id COLLATE "POSIX"')])
    op.create_index("ix_clients_words", "clients", [sa.text(_WORDS)], postgresql_using="gin")


def downgrade() -> None:
    for name in ("words", "group", "created", "last_name", "first_name"):
        op.drop_index(f"ix_clients_{name}", "clients")
