"""The tables of `clients_db` (SPEC.md section 8). Alembic's migrations create them; a test compares the two.

Where a statement works on whole tables, use the Core table: `Import.__table__`.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    DateTime,
    Enum,
    ForeignKey,
    ForeignKeyConstraint,
    Identity,
    Index,
    MetaData,
    Text,
    UniqueConstraint,
    Uuid,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from include.codes import Code
from include.models import CHANGING, Counts, Outcome, State


def _words(words: type[StrEnum]) -> Enum:
    """Store an enum as text. A CHECK constraint allows its words, where the database has to insist on them."""
    return Enum(words, native_enum=False, length=40, values_callable=lambda members: [str(word) for word in members])


def _one_of(column: str, words: Iterable[str]) -> str:
    return f"{column} IN ({', '.join(repr(str(word)) for word in words)})"


class Base(DeclarativeBase):
    """What all tables have in common: the names of their constraints, and the column type of each Python type."""

    metadata = MetaData(
        naming_convention={
            "pk": "pk_%(table_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s",
            "uq": "uq_%(table_name)s_%(column_0_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        }
    )
    type_annotation_map = {  # noqa: RUF012 - SQLAlchemy's own way
        str: Text, datetime: DateTime(timezone=True),
        State: _words(State), Outcome: _words(Outcome), Code: _words(Code),
    }  # fmt: skip


metadata = Base.metadata

# Text that is looked up and never sorted for people: compared byte by byte, whatever the database's locale.
Key = Annotated[str, mapped_column(Text(collation="C"))]
Id = Annotated[str, mapped_column(Uuid(as_uuid=False))]
Flag = Annotated[bool, mapped_column(server_default=text("false"))]
Count = Annotated[int, mapped_column(server_default=text("0"))]
Words = Annotated[str, mapped_column(server_default="")]
_HEX_ID = "~ '^[0-9a-f]{24}$'"


class Project(Base):
    """A project of the CRM; reference data."""

    __tablename__ = "projects"
    __table_args__ = (
        CheckConstraint(f"id {_HEX_ID}", name="id_hex"),
        Index("uq_projects_default", "is_default", unique=True, postgresql_where=text("is_default")),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    is_default: Mapped[Flag]


class Desk(Base):
    """A desk of one project; reference data."""

    __tablename__ = "desks"
    __table_args__ = (
        CheckConstraint(f"id {_HEX_ID}", name="id_hex"),
        UniqueConstraint("id", "project_id", name="uq_desks_id_project_id"),
        Index("uq_desks_default", "project_id", unique=True, postgresql_where=text("is_default")),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    project_id: Mapped[str] = mapped_column(ForeignKey("projects.id"))
    name: Mapped[str]
    is_default: Mapped[Flag]


# The words of a client, for the search: those of its names, its e-mail and its username, in lower case.
WORD_SEPARATORS = """ @.,;:/_+-'"()&"""
WORDS_OF = "first_name || ' ' || middle_name || ' ' || last_name || ' ' || email || ' ' || username"
_FROM, _TO = WORD_SEPARATORS.replace("'", "''"), " " * len(WORD_SEPARATORS)
_PLAIN = f"translate(lower({WORDS_OF}), '{_FROM}', '{_TO}')"
WORDS = f"array_to_tsvector(array_remove(string_to_array({_PLAIN}, ' '), ''))"


class Client(Base):
    """A client of the CRM: the fields of SPEC.md section 3, and `email_key`, the e-mail's normal form."""

    __tablename__ = "clients"
    __table_args__ = (
        # Deferrable, so that one UPDATE can swap addresses: they are checked when the statement ends, not row by row
        # (docs/decisions/0003-moves-in-one-statement.md).
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
        # For the page, which sorts by these, searches words, and filters by what makes the group of a client
        # (docs/decisions/0015-clients-are-found-by-words.md).
        Index("ix_clients_first_name", text('lower(first_name) COLLATE "C"'), "id"),
        Index("ix_clients_last_name", text('lower(last_name) COLLATE "C"'), "id"),
        Index("ix_clients_created", "created", "id"),
        # The ID by another name of the same order: an order by this one has no other index that the server could take.
        Index("ix_clients_group", "project", "desk", "active", "type", text('id COLLATE "POSIX"')),
        Index("ix_clients_words", text(f"({WORDS})"), postgresql_using="gin"),
        # For a feed whose files are the whole list of its clients.
        Index("ix_clients_created_by_feed", "created_by_feed", postgresql_where=text("created_by_feed IS NOT NULL")),
        # Room for a client's next version: an update need not touch the indexes then, as `last_import_id` has none.
        {"postgresql_with": {"fillfactor": 90}},
    )

    id: Mapped[Key] = mapped_column(primary_key=True)
    first_name: Mapped[str]
    middle_name: Mapped[Words]
    last_name: Mapped[Words]
    email: Mapped[str]
    email_key: Mapped[Key]
    username: Mapped[Key]
    project: Mapped[str] = mapped_column(ForeignKey("projects.id"))
    desk: Mapped[str]
    active: Mapped[bool] = mapped_column(server_default=text("true"))
    type: Mapped[str] = mapped_column(server_default="personal")
    created: Mapped[datetime] = mapped_column(server_default=func.now())
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now())
    last_import_id: Mapped[Id | None]
    # NULL for a client that no import has created.
    created_by_feed: Mapped[Key | None]


class Import(Base):
    """One file on its way through the steps, or one undo. The rows of this table are called the ledger."""

    __tablename__ = "imports"
    __table_args__ = (
        CheckConstraint(_one_of("state", State), name="state"),
        CheckConstraint(
            f"NOT {_one_of('state', (State.MERGED, State.REVERTED, State.HELD, State.PREVIEWED))}"
            " OR read = created + updated + unchanged + duplicate + failed + reverted + kept",
            name="outcomes_add_up",
        ),
        # One file in an inbox belongs to one import until it has been moved out of the inbox.
        Index("uq_imports_claim", "feed", "inbox_name", unique=True, postgresql_where=text("inbox_name IS NOT NULL")),
        Index("ix_imports_feed_arrival", "feed", "arrival"),
        Index("ix_imports_feed_received_at", "feed", text("received_at DESC")),
        Index("ix_imports_received_at", text("received_at DESC")),
        Index("ix_imports_run", "dag_id", "run_id"),
        Index("ix_imports_unfinished", "feed", postgresql_where=text("NOT filed")),
        Index("ix_imports_parent", "parent_import_id"),
        # The daily search for expired imports never reads those whose data is deleted already.
        Index("ix_imports_to_forget", "feed", "received_at", postgresql_where=text("forgotten_at IS NULL")),
        Index("ix_imports_reverts", "reverts_import_id", postgresql_where=text("reverts_import_id IS NOT NULL")),
    )  # fmt: skip

    id: Mapped[Id] = mapped_column(primary_key=True)
    arrival: Mapped[int] = mapped_column(BigInteger, Identity(always=True), unique=True)
    feed: Mapped[str]
    file_name: Mapped[str]
    sha256: Mapped[str | None]
    bytes: Mapped[int | None] = mapped_column(BigInteger)
    state: Mapped[State]
    # Why it was refused (`code`, `message`, `line`), or what else there is to say (`message`).
    code: Mapped[Code | None]
    message: Mapped[str | None]
    line: Mapped[int | None]
    # Records of a file that is read at present: `read` says how many there are once all of them are checked.
    checked: Mapped[Count]
    read: Mapped[Count]
    created: Mapped[Count]
    updated: Mapped[Count]
    unchanged: Mapped[Count]
    duplicate: Mapped[Count]
    failed: Mapped[Count]
    # Clients that the file lacks; they are no records of it.
    deactivated: Mapped[Count]
    warnings: Mapped[Count]
    header: Mapped[list[str]] = mapped_column(JSONB, server_default=text("'[]'"))
    # The field that each column of the header was read as; null for a column that was not used.
    fields: Mapped[list[str | None]] = mapped_column(JSONB, server_default=text("'[]'"))
    file_problems: Mapped[list[dict[str, Any]]] = mapped_column(JSONB, server_default=text("'[]'"))
    dag_id: Mapped[str | None]
    run_id: Mapped[str | None]
    requested_by: Mapped[Words]
    note: Mapped[Words]
    forced: Mapped[Flag]
    dry_run: Mapped[Flag]
    # What was said of the file's columns and words beside the feed, in the form of the feed's keys `columns`, `values`.
    mapping: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default=text("'{}'"))
    # The import whose failed-row report this file is, corrected.
    parent_import_id: Mapped[Id | None] = mapped_column(ForeignKey("imports.id"))
    # The claimed file of the inbox, as hex; NULL once the file has been moved out of it.
    inbox_name: Mapped[str | None]
    # The number of records that the side file `NAME.csv.count` announced.
    announced_records: Mapped[int | None]
    delimiter: Mapped[str | None]
    # Identifies what a person is shown before deciding (held, previewed): the same plan has the same hash.
    plan_hash: Mapped[str | None]
    # An undo is an import of its own; `reverted` and `kept` count clients.
    reverts_import_id: Mapped[Id | None] = mapped_column(ForeignKey("imports.id"))
    reverted: Mapped[Count]
    kept: Mapped[Count]
    file_path: Mapped[str | None]
    report_path: Mapped[str | None]
    planned_path: Mapped[str | None]
    # The failed rows in `answers/` of an inbox of the storage, while no later answer has taken their name.
    answer_path: Mapped[str | None]
    # True once the file and its reports are where they stay.
    filed: Mapped[Flag]
    # The last state that was mailed, that its sender and the webhook were told, and that was announced, with the run
    # that did it.
    notified_state: Mapped[State | None]
    answered_state: Mapped[State | None]
    posted_state: Mapped[State | None]
    announced_state: Mapped[str | None]
    received_at: Mapped[datetime]
    state_times: Mapped[dict[str, str]] = mapped_column(JSONB, server_default=text("'{}'"))
    forgotten_at: Mapped[datetime | None]
    # Failed rows by code and field, `{"CELL_FORMAT email": 3}`: compared with the feed's file before.
    failure_kinds: Mapped[dict[str, int]] = mapped_column(JSONB, server_default=text("'{}'"))

    @property
    def counts(self) -> Counts:
        """How the records of the file ended."""
        return Counts(
            self.read, self.created, self.updated, self.unchanged, self.duplicate, self.failed, self.warnings,
            self.deactivated,
        )  # fmt: skip

    @property
    def has_error(self) -> bool:
        """Whether its code is an error: why it was refused, or what went wrong after it had ended."""
        return self.code is not None and Code(self.code).severity == "error"

    def has_been(self, state: State) -> bool:
        """Return True once the import has reached `state`, whatever happened to it later."""
        return state in self.state_times


class ImportRow(Base):
    """One record of an imported file, one client that the file lacks (`line` is 0), or one client of an undo.

    The view `client_changes` shows the changed clients. The rows of a week are in a table of their own: `row_weeks.py`.
    """

    __tablename__ = "import_rows"
    __table_args__ = (
        CheckConstraint(_one_of("outcome", Outcome), name="outcome"),
        # Finds what was done to a client. It also makes sure that an import changes a client once.
        Index(
            "uq_import_rows_changed", "client_id", "import_id", unique=True,
            postgresql_where=text(_one_of("outcome", CHANGING)),
        ),
        # Rows that were imported are many and looked up by client; the others are few and looked up by import.
        Index(
            "ix_import_rows_not_imported", "import_id", "outcome",
            postgresql_where=text(_one_of("outcome", (Outcome.FAILED, Outcome.DUPLICATE))),
        ),
        # Finds an address among the rows that were not imported. Only rows with problems keep their cells.
        Index(
            "ix_import_rows_cells", "cells", postgresql_using="gin",
            postgresql_ops={"cells": "jsonb_path_ops"}, postgresql_where=text("cells IS NOT NULL"),
        ),
        {"postgresql_partition_by": "RANGE (import_id)"},
    )  # fmt: skip

    import_id: Mapped[Id] = mapped_column(ForeignKey("imports.id", ondelete="CASCADE"), primary_key=True)
    row: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    line: Mapped[int]
    outcome: Mapped[Outcome]
    client_id: Mapped[Key | None]
    problems: Mapped[list[dict[str, Any]] | None] = mapped_column(JSONB(none_as_null=True))
    cells: Mapped[list[str] | None] = mapped_column(JSONB(none_as_null=True))
    # Of a client that the row changed: all fields before, and those that changed (all of them, if it was created).
    before: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    after: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))


class Upload(Base):
    """A file that came through the page or its API, and what its sender asked for.

    The run that claims it does what was asked for (`dry_run` above all), and no other run does. `id` names the file
    in the inbox: the sender's own name is never a path. `file_name` is '' once the import has it.
    """

    __tablename__ = "uploads"
    __table_args__ = (
        UniqueConstraint("requested_by", "idempotency_key", name="uq_uploads_key"),
        Index("ix_uploads_open", "feed", postgresql_where=text("import_id IS NULL AND cancelled_at IS NULL")),
        Index("ix_uploads_unseen", "requested_by", postgresql_where=text("seen_at IS NULL")),
        Index("ix_uploads_import_id", "import_id"),
    )

    id: Mapped[Id] = mapped_column(primary_key=True)
    feed: Mapped[str]
    file_name: Mapped[str]
    sha256: Mapped[str]
    bytes: Mapped[int] = mapped_column(BigInteger)
    requested_by: Mapped[str]
    idempotency_key: Mapped[str | None]
    note: Mapped[Words]
    forced: Mapped[bool]
    dry_run: Mapped[bool]
    mapping: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default=text("'{}'"), default=dict)
    uploaded_at: Mapped[datetime]
    # The import whose failed rows it has, corrected; also where its rows do not say so.
    corrects: Mapped[Id | None] = mapped_column(ForeignKey("imports.id", ondelete="SET NULL"))
    import_id: Mapped[Id | None] = mapped_column(ForeignKey("imports.id", ondelete="CASCADE"))
    seen_at: Mapped[datetime | None]
    # The sender's address, where the feed mails its uploaders; and the last state of the import that was mailed there.
    email: Mapped[str | None]
    mailed_state: Mapped[State | None]
    # Nobody imports it: who said so, and when, while no run had claimed it.
    cancelled_at: Mapped[datetime | None]
    cancelled_by: Mapped[str | None]

    def is_same_request(self, other: Upload) -> bool:
        """Return True for the same bytes, feed, person, key and options: one request that was sent twice."""
        names = (
            "feed", "sha256", "bytes", "requested_by", "idempotency_key", "forced", "dry_run", "corrects", "mapping",
        )  # fmt: skip
        return all(getattr(self, name) == getattr(other, name) for name in names)


class Remembered(Base):
    """What a person has said of one column or word of a feed's files, for the next file of the feed.

    `about` is `columns`, or the field in whose columns the word stands; `word_key` is what words are compared by.
    """

    __tablename__ = "remembered_mappings"
    __table_args__ = (UniqueConstraint("feed", "about", "word_key", name="uq_remembered_mappings_word"),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    feed: Mapped[str]
    about: Mapped[str]
    word: Mapped[str]
    word_key: Mapped[str]
    meaning: Mapped[str]
    remembered_by: Mapped[str]
    remembered_at: Mapped[datetime]


class MailedScorecard(Base):
    """The end of the last week of a feed whose scorecard was mailed."""

    __tablename__ = "mailed_scorecards"

    feed: Mapped[str] = mapped_column(primary_key=True)
    until: Mapped[datetime]


class ExpectedFeed(Base):
    """A feed of which a file is expected regularly.

    `late_notified_after`: the last file (or `since`) after which people were notified that the next one is late.
    """

    __tablename__ = "expected_feeds"

    feed: Mapped[str] = mapped_column(primary_key=True)
    since: Mapped[datetime]
    late_notified_after: Mapped[datetime | None]
