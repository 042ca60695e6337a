"""The tables of `clients_db` (SPEC.md section 8). Alembic's migrations make them; a test compares the two."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    ForeignKeyConstraint,
    Identity,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from include.models import OUTCOMES, Outcome, State

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    }
)

# Text that is looked up and never sorted for people: compared byte by byte, whatever the database's locale.
_Key = Text(collation="C")
_HEX_ID = "~ '^[0-9a-f]{24}$'"


def _one_of(column: str, words: Iterable[str]) -> str:
    return f"{column} IN ({', '.join(repr(str(word)) for word in words)})"


STATES = tuple(State)

projects = Table(
    "projects",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("is_default", Boolean, nullable=False, server_default=text("false")),
    CheckConstraint(f"id {_HEX_ID}", name="id_hex"),
    Index("uq_projects_default", "is_default", unique=True, postgresql_where=text("is_default")),
)

desks = Table(
    "desks",
    metadata,
    Column("id", Text, primary_key=True),
    Column("project_id", Text, ForeignKey("projects.id"), nullable=False),
    Column("name", Text, nullable=False),
    Column("is_default", Boolean, nullable=False, server_default=text("false")),
    CheckConstraint(f"id {_HEX_ID}", name="id_hex"),
    UniqueConstraint("id", "project_id", name="uq_desks_id_project_id"),
    Index("uq_desks_default", "project_id", unique=True, postgresql_where=text("is_default")),
)

# The unique constraints are deferrable so that one UPDATE can swap addresses: they are checked
# when the statement ends, not row by row (docs/decisions/0003-moves-in-one-statement.md).
clients = Table(
    "clients",
    metadata,
    Column("id", _Key, primary_key=True),
    Column("first_name", Text, nullable=False),
    Column("middle_name", Text, nullable=False, server_default=""),
    Column("last_name", Text, nullable=False, server_default=""),
    Column("email", Text, nullable=False),
    Column("email_key", _Key, nullable=False),
    Column("username", _Key, nullable=False),
    Column("project", Text, ForeignKey("projects.id"), nullable=False),
    Column("desk", Text, nullable=False),
    Column("active", Boolean, nullable=False, server_default=text("true")),
    Column("type", Text, nullable=False, server_default="personal"),
    Column("created", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("updated_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("last_import_id", Uuid),
    UniqueConstraint("email_key", name="uq_clients_email_key", deferrable=True, initially="IMMEDIATE"),
    UniqueConstraint("username", name="uq_clients_username", deferrable=True, initially="IMMEDIATE"),
    ForeignKeyConstraint(["desk", "project"], ["desks.id", "desks.project_id"], name="fk_clients_desk_of_project"),
    CheckConstraint(f"id {_HEX_ID}", name="id_hex"),
    CheckConstraint("char_length(first_name) BETWEEN 1 AND 100", name="first_name_length"),
    CheckConstraint("char_length(middle_name) <= 100", name="middle_name_length"),
    CheckConstraint("char_length(last_name) <= 100", name="last_name_length"),
    CheckConstraint("char_length(email) BETWEEN 3 AND 254", name="email_length"),
    CheckConstraint("char_length(username) BETWEEN 3 AND 64", name="username_length"),
    CheckConstraint(_one_of("type", ("personal", "business")), name="type"),
    # Room for a client's next version: an update need not touch the indexes then, as `last_import_id` has none.
    postgresql_with={"fillfactor": 90},
)

imports = Table(
    "imports",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("arrival", BigInteger, Identity(always=True), nullable=False, unique=True),
    Column("feed", Text, nullable=False),
    Column("file_name", Text, nullable=False),
    Column("sha256", Text),
    Column("bytes", BigInteger),
    Column("state", Text, nullable=False),
    Column("code", Text),
    Column("message", Text),
    Column("line", Integer),
    *(Column(name, Integer, nullable=False, server_default=text("0")) for name in ("read", *OUTCOMES, "warnings")),
    Column("header", JSONB, nullable=False, server_default=text("'[]'")),
    Column("file_problems", JSONB, nullable=False, server_default=text("'[]'")),
    Column("dag_id", Text),
    Column("run_id", Text),
    Column("requested_by", Text, nullable=False, server_default=""),
    Column("note", Text, nullable=False, server_default=""),
    Column("forced", Boolean, nullable=False, server_default=text("false")),
    Column("dry_run", Boolean, nullable=False, server_default=text("false")),
    Column("parent_import_id", Uuid, ForeignKey("imports.id")),
    Column("inbox_name", Text),
    Column("announced", Integer),
    Column("delimiter", Text),
    # What a person is shown before deciding (held, previewed), identified: the same plan has the same hash.
    Column("plan_hash", Text),
    # A revert is an import of its own; `reverted` and `kept` count clients.
    Column("reverts_import_id", Uuid, ForeignKey("imports.id")),
    Column("reverted", Integer, nullable=False, server_default=text("0")),
    Column("kept", Integer, nullable=False, server_default=text("0")),
    Column("file_path", Text),
    Column("report_path", Text),
    Column("planned_path", Text),
    Column("filed", Boolean, nullable=False, server_default=text("false")),
    Column("notified_state", Text),
    # The last state the outside heard of, and from which run.
    Column("announced_state", Text),
    Column("received_at", DateTime(timezone=True), nullable=False),
    Column("state_times", JSONB, nullable=False, server_default=text("'{}'")),
    Column("forgotten_at", DateTime(timezone=True)),
    # Failed rows by code and field, `{"CELL_FORMAT email": 3}`: what is new beside the feed's last file is news.
    Column("failure_kinds", JSONB, nullable=False, server_default=text("'{}'")),
    CheckConstraint(_one_of("state", STATES), name="state"),
    CheckConstraint(
        "state NOT IN ('merged', 'reverted', 'held', 'previewed')"
        " OR read = created + updated + unchanged + duplicate + failed + reverted + kept",
        name="outcomes_add_up",
    ),
    # One file in an inbox belongs to one import until it has been taken out of the inbox.
    Index("uq_imports_claim", "feed", "inbox_name", unique=True, postgresql_where=text("inbox_name IS NOT NULL")),
    # The same bytes are merged once per feed, unless somebody forces it. Also finds earlier imports of a file.
    Index(
        "uq_imports_merged_once",
        "feed",
        "sha256",
        unique=True,
        postgresql_where=text("state = 'merged' AND NOT forced"),
    ),
    Index("ix_imports_feed_sha256", "feed", "sha256"),
    Index("ix_imports_feed_arrival", "feed", "arrival"),
    Index("ix_imports_feed_received_at", "feed", text("received_at DESC")),
    Index("ix_imports_received_at", text("received_at DESC")),
    Index("ix_imports_run", "dag_id", "run_id"),
    Index("ix_imports_unfinished", "feed", postgresql_where=text("NOT filed")),
    Index("ix_imports_parent", "parent_import_id"),
    # The daily look for what is to be forgotten never reads what is forgotten already.
    Index("ix_imports_to_forget", "feed", "received_at", postgresql_where=text("forgotten_at IS NULL")),
    Index("ix_imports_reverts", "reverts_import_id", postgresql_where=text("reverts_import_id IS NOT NULL")),
)

import_rows = Table(
    "import_rows",
    metadata,
    Column("import_id", Uuid, ForeignKey("imports.id", ondelete="CASCADE"), primary_key=True),
    Column("row", Integer, primary_key=True),
    Column("line", Integer, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("client_id", _Key),
    Column("problems", JSONB),
    Column("cells", JSONB),
    # Of a client that the row changed: all before, and what changed (all, if new). `client_changes` has both whole.
    Column("before", JSONB),
    Column("after", JSONB),
    CheckConstraint(_one_of("outcome", Outcome), name="outcome"),
    # What was done to this client? Also: an import changes a client once.
    Index(
        "uq_import_rows_changed",
        "client_id",
        "import_id",
        unique=True,
        postgresql_where=text("outcome IN ('created', 'updated', 'reverted')"),
    ),
    # Rows that were imported are many and asked for by client; the others are few and asked for by import.
    Index(
        "ix_import_rows_not_imported",
        "import_id",
        "outcome",
        postgresql_where=text("outcome IN ('failed', 'duplicate')"),
    ),
    # Where did this address go? Only rows with problems keep their cells, so the index is small.
    Index(
        "ix_import_rows_cells",
        "cells",
        postgresql_using="gin",
        postgresql_ops={"cells": "jsonb_path_ops"},
        postgresql_where=text("cells IS NOT NULL"),
    ),
)

# A file that came through the page or its API. It travels with what its sender asked for (`dry_run` above all):
# whichever run takes it does that, and no other. `file_name` is '' once the import has it.
uploads = Table(
    "uploads",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("feed", Text, nullable=False),
    Column("file_name", Text, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("bytes", BigInteger, nullable=False),
    Column("requested_by", Text, nullable=False),
    Column("idempotency_key", Text),
    Column("note", Text, nullable=False, server_default=""),
    Column("forced", Boolean, nullable=False),
    Column("dry_run", Boolean, nullable=False),
    Column("uploaded_at", DateTime(timezone=True), nullable=False),
    Column("import_id", Uuid, ForeignKey("imports.id", ondelete="CASCADE")),
    Column("seen_at", DateTime(timezone=True)),
    UniqueConstraint("requested_by", "idempotency_key", name="uq_uploads_key"),
    Index("ix_uploads_open", "feed", postgresql_where=text("import_id IS NULL")),
    Index("ix_uploads_unseen", "requested_by", postgresql_where=text("seen_at IS NULL")),
    Index("ix_uploads_import_id", "import_id"),
)

# Feeds of which a file is expected now and then. `told_for`: the file (or `since`) after which people know it is late.
expected_feeds = Table(
    "expected_feeds",
    metadata,
    Column("feed", Text, primary_key=True),
    Column("since", DateTime(timezone=True), nullable=False),
    Column("told_for", DateTime(timezone=True)),
)
