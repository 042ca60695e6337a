"""What a loaded file would do to the clients: planned, weighed, recorded and applied, in the merge's transaction."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa

from include.adapters.client_store import STORED, image, listed

_PLAN = f"""
    CREATE TEMPORARY TABLE planned ON COMMIT DROP AS
    SELECT p.*, NOT p.is_new AND ({listed("p.{0}")}) IS DISTINCT FROM ({listed("c.{0}")}) AS changes,
           CASE WHEN NOT p.is_new THEN {image("c")} END AS before
    FROM (
        SELECT i.row, i.client_id, i.is_new, i.email_key, coalesce(c.created, i.created) AS created,
               {listed("coalesce(i.{0}, c.{0}) AS {0}")}
        FROM incoming i LEFT JOIN clients c ON c.id = i.client_id
        WHERE i.outcome IS NULL) p
    LEFT JOIN clients c ON c.id = p.client_id
"""
_UPDATE = f"""
    UPDATE clients c
    SET {listed("{0} = p.{0}")}, email_key = p.email_key, updated_at = :now, last_import_id = :import_id
    FROM planned p WHERE p.changes AND c.id = p.client_id
"""
_INSERT = f"""
    INSERT INTO clients (id, email_key, created_at, updated_at, last_import_id, {listed("{0}", STORED)})
    SELECT client_id, email_key, :now, :now, :import_id, {listed("{0}", STORED)} FROM planned WHERE is_new
"""
_CHANGES = f"""
    INSERT INTO client_changes (import_id, client_id, row, before, after)
    SELECT :import_id, client_id, row, before, {image("p")} FROM planned p WHERE is_new OR changes
"""
_OUTCOME = "coalesce(i.outcome, CASE WHEN p.is_new THEN 'created' WHEN p.changes THEN 'updated' ELSE 'unchanged' END)"
_ROWS = f"""
    INSERT INTO import_rows (import_id, row, line, outcome, client_id, problems, cells)
    SELECT :import_id, i.row, i.line, {_OUTCOME},
           CASE WHEN i.outcome IS DISTINCT FROM 'failed' THEN i.client_id END, i.problems,
           CASE WHEN i.problems IS NOT NULL THEN i.cells END
    FROM incoming i LEFT JOIN planned p ON p.row = i.row
    ORDER BY i.row
"""


def record_failed_rows(connection: sa.Connection, import_id: str) -> int:
    """Write `import_rows` for the failed rows of `incoming` alone; gives their number."""
    failed = sa.text("""
        INSERT INTO import_rows (import_id, row, line, outcome, problems, cells)
        SELECT :import_id, row, line, outcome, problems, cells FROM incoming WHERE outcome = 'failed' ORDER BY row""")
    return connection.execute(failed, {"import_id": UUID(import_id)}).rowcount


def plan(connection: sa.Connection) -> None:
    """Make the temporary table `planned`: each standing row's full new values, and whether they change anything."""
    connection.execute(sa.text(_PLAN))


_WEIGHT = sa.text("""
    SELECT (SELECT count(*) FROM incoming) AS read,
           (SELECT count(*) FROM incoming WHERE outcome = 'failed') AS failed,
           count(*) FILTER (WHERE changes) AS updated,
           count(*) FILTER (WHERE changes AND NOT active AND (before->>'active')::boolean) AS deactivated
    FROM planned
""")
_AFTER = f"CASE WHEN p.is_new OR p.changes THEN {image('p')} END"
_AS_TEXT = f"concat_ws('|', i.row, {_OUTCOME}, p.client_id, p.before, {_AFTER})"
_HASH = sa.text(f"""
    SELECT encode(sha256(convert_to(coalesce(string_agg({_AS_TEXT}, E'\\n' ORDER BY i.row), ''), 'UTF8')), 'hex')
    FROM incoming i LEFT JOIN planned p ON p.row = i.row
""")
_OTHERWISE = sa.text(f"""
    SELECT coalesce(i.row, shown.row) FROM incoming i
    LEFT JOIN planned p ON p.row = i.row
    FULL JOIN (
        SELECT r.row, r.outcome, ch.before, ch.after FROM import_rows r
        LEFT JOIN client_changes ch ON ch.import_id = r.import_id AND ch.row = r.row
        WHERE r.import_id = :import_id) shown ON shown.row = i.row
    WHERE ({_OUTCOME}, CASE WHEN p.is_new OR p.changes THEN p.before END,
           {_AFTER})
          IS DISTINCT FROM (shown.outcome, shown.before, shown.after)
    ORDER BY 1
""")


def weigh(connection: sa.Connection) -> dict[str, int]:
    """`read`, `failed`, `updated` and `deactivated` rows of what is planned."""
    return dict(connection.execute(_WEIGHT).one()._mapping)


def hash_plan(connection: sa.Connection) -> str:
    """SHA-256 over every row's outcome, client, old and new values: the same plan, the same hash."""
    return str(connection.scalar(_HASH))


def rows_planned_otherwise(connection: sa.Connection, import_id: str) -> list[int]:
    """Rows whose outcome or values are not those recorded for this import before."""
    return list(connection.scalars(_OTHERWISE, {"import_id": UUID(import_id)}))


def drop_recorded_plan(connection: sa.Connection, import_id: str) -> None:
    for table in ("client_changes", "import_rows"):
        connection.execute(sa.text(f"DELETE FROM {table} WHERE import_id = :id"), {"id": UUID(import_id)})


def apply_plan(connection: sa.Connection, import_id: str, now: datetime) -> None:
    """Write clients: all updates in one statement (so that e-mails can swap), then the new ones."""
    facts = {"import_id": UUID(import_id), "now": now}
    connection.execute(sa.text(_UPDATE), facts)
    connection.execute(sa.text(_INSERT), facts)


def record_plan(connection: sa.Connection, import_id: str) -> None:
    """Write `client_changes` and `import_rows`."""
    connection.execute(sa.text(_CHANGES), {"import_id": UUID(import_id)})
    connection.execute(sa.text(_ROWS), {"import_id": UUID(import_id)})
