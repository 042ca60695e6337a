"""The floor: the least work that puts a CSV file into the client table. It checks nothing and keeps no history.

COPY of the file as it is into a temporary table, one INSERT ON CONFLICT of the bare columns, commit.
"""

from __future__ import annotations

from pathlib import Path

import psycopg

_COLUMNS = "id, first_name, last_name, email, project, desk, active, type, created"
_CHANGED = ("first_name", "last_name", "email", "email_key", "project", "desk", "active", "type")
_UPSERT = f"""
    INSERT INTO clients ({_COLUMNS}, email_key, username)
    SELECT {_COLUMNS}, lower(email), split_part(lower(email), '@', 1) FROM sent
    ON CONFLICT (id) DO UPDATE SET {", ".join(f"{name} = excluded.{name}" for name in _CHANGED)}, updated_at = now()
"""


def load(connection: psycopg.Connection, path: Path) -> None:
    with connection.transaction(), connection.cursor() as cursor:
        cursor.execute(f"CREATE TEMPORARY TABLE sent ON COMMIT DROP AS SELECT {_COLUMNS} FROM clients LIMIT 0")
        with cursor.copy(f"COPY sent ({_COLUMNS}) FROM STDIN (FORMAT csv, HEADER)") as copy:
            copy.write(path.read_bytes())
        cursor.execute(_UPSERT)
