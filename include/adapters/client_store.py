"""The client table: finding clients, and loading a prepared file beside them in the merge's transaction.

The SQL is made from `FIELDS`, so that a new column needs no change here. What a file would do: `client_plan`.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence

import pandas as pd
import pyarrow as arrow
import pyarrow.csv as arrow_csv
import sqlalchemy as sa

from include.schemas.client_rows import FIELDS

# Order and types of the temporary table `incoming`: one line per record of the file.
INCOMING = {
    "row": "integer PRIMARY KEY", "line": "integer NOT NULL", "outcome": "text", "problems": "jsonb", "cells": "jsonb",
    "judged": "boolean NOT NULL", "client_id": "text", "is_new": "boolean", "email_holder": "text",
    "seen_project": "text", "generated": "boolean NOT NULL", "email_key": "text",
    **{name: {"boolean": "boolean", "timestamp": "timestamptz"}.get(field.kind, "text")
       for name, field in FIELDS.items() if name != "id"},
}  # fmt: skip

STORED = [name for name in FIELDS if name != "id"]
CHANGEABLE = [name for name, field in FIELDS.items() if field.changeable]


def listed(template: str, names: Iterable[str] = CHANGEABLE) -> str:
    return ", ".join(template.format(name) for name in names)


def image(alias: str) -> str:
    """The client's fields as JSON, and its e-mail's normal form: what `client_changes` keeps."""
    return "jsonb_build_object(" + ", ".join(f"'{name}', {alias}.{name}" for name in (*STORED, "email_key")) + ")"


def find_clients(engine: sa.Engine, ids: Sequence[str], email_keys: Sequence[str]) -> pd.DataFrame:
    """Clients with one of these ids or e-mails: index `id`; `email_key`, `project`, `created` (UTC)."""
    query = sa.text("""
        SELECT id, email_key, project, created FROM clients WHERE id = ANY(:ids)
        UNION SELECT id, email_key, project, created FROM clients WHERE email_key = ANY(:keys)""")
    with engine.connect() as connection:
        rows = connection.execute(query, {"ids": list(ids), "keys": list(email_keys)}).all()
    found = pd.DataFrame([tuple(row) for row in rows], columns=["id", "email_key", "project", "created"])
    return found.assign(created=pd.to_datetime(found["created"], utc=True)).set_index("id")


def find_usernames(engine: sa.Engine, candidates: Sequence[str]) -> set[str]:
    with engine.connect() as connection:
        query = sa.text("SELECT username FROM clients WHERE username = ANY(:candidates)")
        return set(connection.scalars(query, {"candidates": list(candidates)}))


def read_reference_data(engine: sa.Engine) -> tuple[list[sa.Row], list[sa.Row]]:
    """(projects as id, name, is_default; desks as id, project_id, name, is_default)."""
    with engine.connect() as connection:
        return (
            list(connection.execute(sa.text("SELECT id, name, is_default FROM projects ORDER BY id"))),
            list(connection.execute(sa.text("SELECT id, project_id, name, is_default FROM desks ORDER BY id"))),
        )


def lock_clients(connection: sa.Connection) -> None:
    """From here to the end of the transaction nobody else writes clients; reading goes on.

    The advisory lock lets merges queue for each other before they make writers of the CRM wait.
    """
    connection.execute(sa.text("SELECT pg_advisory_xact_lock(hashtextextended('client imports: merge', 0))"))
    # Waiting for ever behind a forgotten transaction helps nobody; the task is retried.
    connection.execute(sa.text("SET LOCAL lock_timeout = '60s'"))
    # Instants in before and after images read the same whoever wrote them.
    connection.execute(sa.text("SET LOCAL timezone = 'UTC'"))
    connection.execute(sa.text("LOCK TABLE clients IN SHARE ROW EXCLUSIVE MODE"))


def load_incoming(connection: sa.Connection, prepared: pd.DataFrame) -> None:
    """COPY the prepared rows (columns of INCOMING; None is NULL) into the temporary table `incoming`."""
    columns = ", ".join(f"{name} {kind}" for name, kind in INCOMING.items())
    connection.execute(sa.text(f"CREATE TEMPORARY TABLE incoming ({columns}) ON COMMIT DROP"))
    buffer = io.BytesIO()
    table = arrow.Table.from_pandas(prepared[list(INCOMING)], preserve_index=False)
    arrow_csv.write_csv(table, buffer, arrow_csv.WriteOptions(include_header=False, quoting_style="all_valid"))
    cursor = connection.connection.cursor()
    with cursor.copy(f"COPY incoming ({', '.join(INCOMING)}) FROM STDIN (FORMAT csv)") as copy:
        copy.write(buffer.getbuffer())
    connection.execute(sa.text("ANALYZE incoming"))


_CHANGED_SINCE = sa.text("""
    SELECT EXISTS (
        SELECT FROM incoming i
        LEFT JOIN clients holder ON holder.email_key = i.email_key
        LEFT JOIN clients c ON c.id = i.client_id
        WHERE i.judged AND (
            holder.id IS DISTINCT FROM i.email_holder OR (c.id IS NULL) <> i.is_new
            OR (i.seen_project IS NOT NULL AND c.project <> i.seen_project)))
    OR EXISTS (SELECT FROM incoming i JOIN clients c ON c.username = i.username WHERE i.generated)
""")


def changed_since_prepared(connection: sa.Connection) -> bool:
    """True when a client the file speaks of is not what `prepare` saw."""
    return bool(connection.scalar(_CHANGED_SINCE))


# A row waits for the client that holds its e-mail. If that client has no row in the file that gives the
# e-mail up, or that row fails, the row fails too; so failing spreads against the direction of waiting.
_TAKEN = sa.text("""
    WITH RECURSIVE
    username_taken AS (
        SELECT i.row, c.id AS holder FROM incoming i JOIN clients c ON c.username = i.username AND c.id <> i.client_id
        WHERE i.outcome IS NULL),
    waits AS MATERIALIZED (
        SELECT i.row, c.id AS holder, h.row AS giver
        FROM incoming i
        JOIN clients c ON c.email_key = i.email_key AND c.id <> i.client_id
        LEFT JOIN incoming h ON h.client_id = c.id AND h.outcome IS NULL
        WHERE i.outcome IS NULL),
    stuck (row) AS (
        SELECT row FROM username_taken
        UNION SELECT row FROM waits WHERE giver IS NULL
        UNION SELECT waits.row FROM waits JOIN stuck ON waits.giver = stuck.row)
    SELECT waits.row, 'ID_EMAIL_CONFLICT' AS code, 'email' AS field, waits.holder
    FROM waits JOIN stuck USING (row) WHERE giver IS NULL OR giver IN (SELECT row FROM stuck)
    UNION ALL SELECT row, 'USERNAME_TAKEN', 'username', holder FROM username_taken
    ORDER BY row, field
""")


def find_taken(connection: sa.Connection) -> list[tuple[int, str, str, str]]:
    """(row, code, field, id of the client that has it) of rows whose e-mail or username is another client's."""
    return [tuple(row) for row in connection.execute(_TAKEN)]


def fail_rows(connection: sa.Connection, rows: Sequence[int], problems: Sequence[str], cells: Sequence[str]) -> None:
    """Mark rows of `incoming` failed, adding a JSON list of problems and the original cells to each."""
    connection.execute(
        sa.text("""
        UPDATE incoming i SET outcome = 'failed', cells = f.cells::jsonb,
               problems = coalesce(i.problems, '[]'::jsonb) || f.problems::jsonb
        FROM unnest(CAST(:rows AS int[]), CAST(:problems AS text[]), CAST(:cells AS text[])) f(row, problems, cells)
        WHERE f.row = i.row"""),
        {"rows": list(rows), "problems": list(problems), "cells": list(cells)},
    )
