"""The client table: finding clients, and loading a prepared file beside them in the merge's transaction.

The SQL is made from `FIELDS`, so that a new column needs no change here. What a file would do: `plan`.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence

import pandas as pd
import pyarrow as arrow
import pyarrow.csv as arrow_csv
import sqlalchemy as sa

from include.adapters.database import transactions
from include.schemas.client_rows import FIELDS

# Order and types of the temporary table `incoming`: one row per record of the file. `identified`: it is known which
# client the row means; then `holder` has the client with its e-mail and `project_now` that client's project, as
# `prepare` saw them. `generated`: the username was made, not sent.
INCOMING = {
    "row": "integer NOT NULL", "line": "integer NOT NULL", "outcome": "text", "problems": "jsonb", "cells": "jsonb",
    "identified": "boolean NOT NULL", "client_id": "text", "is_new": "boolean", "holder": "text",
    "project_now": "text", "generated": "boolean NOT NULL", "email_key": "text",
    **{name: {"boolean": "boolean", "timestamp": "timestamptz"}.get(field.kind, "text")
       for name, field in FIELDS.items() if name != "id"},
}  # fmt: skip

STORED = [name for name in FIELDS if name != "id"]
CHANGEABLE = [name for name, field in FIELDS.items() if field.changeable]


def listed(template: str, names: Iterable[str] = CHANGEABLE) -> str:
    return ", ".join(template.format(name) for name in names)


def image(alias: str) -> str:
    """The client's fields and its e-mail's normal form as JSON: what the history keeps."""
    # In the order in which jsonb keeps keys, short ones first: then there is nothing left to sort.
    names = sorted((*STORED, "email_key"), key=lambda name: (len(name), name))
    return f"(SELECT to_jsonb(image) FROM (SELECT {listed(alias + '.{0}', names)}) image)"


def changed(new: str, old: str) -> str:
    """Give those fields of an image that are another value in `new` than in `old`, as JSON; NULL when none is.

    NULL in `new` is no value: the client keeps what it has.
    """
    # Put together as text, because few fields change: jsonb_build_object and jsonb_strip_nulls take twice as long.
    members = listed(f"""'"{{0}}":' || to_json(nullif({new}.{{0}}, {old}.{{0}}))""", (*CHANGEABLE, "email_key"))
    return f"('{{' || nullif(concat_ws(',', {members}), '') || '}}')::jsonb"


def find_clients(engine: sa.Engine, ids: Sequence[str], email_keys: Sequence[str]) -> pd.DataFrame:
    """Clients with one of these ids or e-mails: index `id`; `email_key`, `project`, `created` (UTC)."""
    with engine.connect() as connection:
        by_id = _clients_by(connection, "id", ids)
        known = set(by_id["email_key"].tolist())
        by_email = _clients_by(connection, "email_key", [key for key in email_keys if key not in known])
    return pd.concat([by_id, by_email]) if len(by_email) else by_id


def _clients_by(connection: sa.Connection, column: str, keys: Sequence[str]) -> pd.DataFrame:
    # The keys are one text, which the server splits: psycopg would look at each element of an array for what needs a
    # quote. The answer is an array for each column, because it becomes a column. OFFSET 0 keeps parallel workers away:
    # handing their arrays over takes longer than the query.
    query = sa.text(f"""
        SELECT array_agg(id), array_agg(email_key), array_agg(project), array_agg(created) FROM (
            SELECT id, email_key, project, (extract(epoch FROM created) * 1000000)::bigint AS created
            FROM clients WHERE {column} = ANY(string_to_array(:keys, chr(10))) OFFSET 0) known""")
    columns = connection.execute(query, {"keys": "\n".join(keys)}).one() if keys else (None,) * 4
    id, email_key, project = (pd.array(texts or [], dtype="str") for texts in columns[:3])
    created = pd.to_datetime(pd.Series(columns[3] or [], dtype="int64"), unit="us", utc=True)
    return pd.DataFrame({"id": id, "email_key": email_key, "project": project, "created": created}).set_index("id")


def find_usernames(engine: sa.Engine, candidates: Sequence[str]) -> set[str]:
    with engine.connect() as connection:
        query = sa.text("SELECT username FROM clients WHERE username = ANY(:candidates)")
        return set(connection.scalars(query, {"candidates": list(candidates)}))


def read_reference_data(engine: sa.Engine) -> tuple[list[sa.Row], list[sa.Row]]:
    """Read the projects (id, name, is_default) and the desks (id, project_id, name, is_default)."""
    with engine.connect() as connection:
        return (
            list(connection.execute(sa.text("SELECT id, name, is_default FROM projects ORDER BY id"))),
            list(connection.execute(sa.text("SELECT id, project_id, name, is_default FROM desks ORDER BY id"))),
        )


# The clients that the file means, or whose e-mail or username it wants. In the order of ids, so that two merges cannot
# wait for each other. ARRAY: each client is looked up by its id, whatever the size of the table.
_LOCK = sa.text("""
    SELECT count(*) FROM (
        SELECT 1 FROM clients WHERE id = ANY(ARRAY(
            SELECT client_id FROM incoming WHERE identified
            UNION ALL SELECT holder FROM incoming WHERE holder <> client_id
            UNION ALL SELECT (SELECT id FROM clients WHERE username = incoming.username) FROM incoming
            WHERE username IS NOT NULL AND NOT generated))
        ORDER BY id FOR NO KEY UPDATE) locked
""")


def lock_clients(connection: sa.Connection) -> None:
    """Lock the clients of `incoming` to the end of the transaction. Raises OperationalError where one stays locked."""
    transactions.wait_briefly(connection)
    connection.execute(_LOCK)


def load_incoming(connection: sa.Connection, pieces: Iterable[pd.DataFrame]) -> None:
    """Create the temporary table `incoming`, and load the prepared rows into it."""
    create_incoming(connection)
    copy_incoming(connection, pieces)


def create_incoming(connection: sa.Connection) -> None:
    columns = ", ".join(f"{name} {kind}" for name, kind in INCOMING.items())
    connection.execute(sa.text(f"CREATE TEMPORARY TABLE incoming ({columns}) ON COMMIT DROP"))


def copy_incoming(connection: sa.Connection, pieces: Iterable[pd.DataFrame]) -> None:
    """COPY the prepared rows (columns of INCOMING; what is missing is NULL) into `incoming`."""
    cursor = connection.connection.cursor()
    with cursor.copy(f"COPY incoming ({', '.join(INCOMING)}) FROM STDIN (FORMAT csv)") as copy:
        for prepared in pieces:
            buffer = io.BytesIO()
            table = arrow.Table.from_pandas(prepared[list(INCOMING)], preserve_index=False)
            # Text always gets quotes, by which '' is not NULL; for what else there is they would only be work.
            arrow_csv.write_csv(table, buffer, arrow_csv.WriteOptions(include_header=False, quoting_style="needed"))
            copy.write(buffer.getbuffer())
    # The columns whose values the planner could not guess; all of them would take longer than that saves.
    connection.execute(sa.text("ANALYZE incoming (outcome, identified)"))
