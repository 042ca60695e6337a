"""Undo what one import did to the clients, in the revert's transaction (SPEC.md section 11)."""

from __future__ import annotations

import json
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa

from include.adapters.database import transactions
from include.adapters.database.clients import STORED, changed, image, listed
from include.codes import Code
from include.models import Outcome
from include.schemas.client_rows import FIELDS

# The problem that `import_rows` keeps of a client that is not reverted, by its code.
_PROBLEMS = json.dumps({
    code: {"code": code, "field": "", "value": "", "message": code.template, "severity": code.severity}
    for code in (
        Code.OLD_VALUES_FORGOTTEN, Code.REFERENCE_GONE, Code.REFERRED_TO,
        Code.CLIENT_GONE, Code.CLIENT_CHANGED_SINCE, Code.OLD_VALUES_TAKEN,
    )
})  # fmt: skip

# What a client got in a field that is newer than the history which is undone.
_NEW_FIELDS = json.dumps({name: field.on_create for name, field in FIELDS.items()})
# In the order of ids, so that two undos cannot wait for each other. FOR UPDATE, because some of them are deleted.
_LOCK = sa.text("""
    SELECT count(*) FROM (
        SELECT 1 FROM clients WHERE id IN (SELECT client_id FROM client_changes WHERE import_id = :import_id)
        ORDER BY id FOR UPDATE) locked
""")
# One row per client that the import created or changed. Values are compared as what they are, not as text.
_LOAD = sa.text(f"""
    CREATE TEMPORARY TABLE undo ON COMMIT DROP AS
    SELECT ch.client_id, ch.row, ch.line, ch.before IS NULL AS was_created,
           {listed("b.{0} AS {0}", STORED)}, b.email_key, {image("c")} AS now, {changed("b", "c")} AS changed,
           CASE
               WHEN ch.after IS NULL THEN '{Code.OLD_VALUES_FORGOTTEN}'
               WHEN c.id IS NULL THEN '{Code.CLIENT_GONE}'
               WHEN ({listed("c.{0}")}) IS DISTINCT FROM ({listed("a.{0}")}) THEN '{Code.CLIENT_CHANGED_SINCE}'
               WHEN ch.before IS NOT NULL AND d.id IS NULL THEN '{Code.REFERENCE_GONE}'
           END AS reason
    FROM client_changes ch
    LEFT JOIN clients c ON c.id = ch.client_id
    CROSS JOIN jsonb_populate_record(NULL::clients, :new_fields) n
    LEFT JOIN LATERAL jsonb_populate_record(n, ch.before) b ON true
    LEFT JOIN LATERAL jsonb_populate_record(n, ch.after) a ON true
    LEFT JOIN desks d ON d.id = b.desk AND d.project_id = b.project
    WHERE ch.import_id = :import_id
""")
# A client whose old e-mail or username another client has now is kept, unless that one gives it back here.
# One that is kept gives nothing back, so keeping spreads.
_KEEP_TAKEN = sa.text(f"""
    WITH RECURSIVE
    waits AS MATERIALIZED (
        SELECT u.client_id, giver.client_id AS giver FROM undo u
        JOIN clients c ON c.id <> u.client_id AND (c.email_key = u.email_key OR c.username = u.username)
        LEFT JOIN undo giver ON giver.client_id = c.id AND giver.reason IS NULL AND (
            giver.was_created OR (
                (c.email_key <> u.email_key OR giver.email_key <> u.email_key)
                AND (c.username <> u.username OR giver.username <> u.username)))
        WHERE u.reason IS NULL AND NOT u.was_created),
    stuck (client_id) AS (
        SELECT client_id FROM waits WHERE giver IS NULL
        UNION SELECT waits.client_id FROM waits JOIN stuck ON waits.giver = stuck.client_id)
    UPDATE undo SET reason = '{Code.OLD_VALUES_TAKEN}' FROM stuck WHERE undo.client_id = stuck.client_id
""")
_DELETE = sa.text("DELETE FROM clients c USING undo u WHERE c.id = u.client_id AND u.was_created AND u.reason IS NULL")
_RESTORE = sa.text(f"""
    UPDATE clients c
    SET {listed("{0} = u.{0}")}, email_key = u.email_key, updated_at = :now, last_import_id = :revert_id
    FROM undo u WHERE c.id = u.client_id AND NOT u.was_created AND u.reason IS NULL
""")
_ROWS = sa.text(f"""
    INSERT INTO import_rows (import_id, row, line, outcome, client_id, problems, before, after)
    SELECT :revert_id, u.row, u.line,
           CASE WHEN u.reason IS NULL THEN '{Outcome.REVERTED}'
                WHEN problem->>'severity' = 'error' THEN '{Outcome.FAILED}' ELSE '{Outcome.KEPT}' END,
           u.client_id,
           CASE WHEN u.reason IS NOT NULL THEN jsonb_build_array(problem) END,
           CASE WHEN u.reason IS NULL THEN u.now END,
           CASE WHEN u.reason IS NULL AND NOT u.was_created THEN coalesce(u.changed, '{{}}') END
    FROM undo u CROSS JOIN LATERAL (SELECT CAST(:problems AS jsonb)->u.reason) p (problem)
""")
_COUNT = sa.text("SELECT outcome, count(*) FROM import_rows WHERE import_id = :revert_id GROUP BY outcome")


def lock_clients(connection: sa.Connection, import_id: str) -> None:
    """Lock the clients of the import to the end of the transaction. Raises OperationalError where one stays locked."""
    transactions.wait_briefly(connection)
    connection.execute(_LOCK, {"import_id": UUID(import_id)})


def load_undo(connection: sa.Connection, import_id: str) -> None:
    """Create the temporary table `undo`: every client of the import, and the reason why one is not reverted."""
    connection.execute(_LOAD, {"import_id": UUID(import_id), "new_fields": _NEW_FIELDS})
    connection.execute(sa.text("CREATE INDEX ON undo (client_id); ANALYZE undo"))
    connection.execute(_KEEP_TAKEN)


def apply_undo(connection: sa.Connection, revert_id: str, now: datetime) -> None:
    """Delete the clients that were created, and give the others their old values back."""
    values = {"revert_id": UUID(revert_id), "now": now}
    try:
        with connection.begin_nested():
            connection.execute(_DELETE)
    except sa.exc.IntegrityError:
        _delete_one_by_one(connection)
        connection.execute(_KEEP_TAKEN)  # a client that could not be deleted gives nothing back
    connection.execute(_RESTORE, values)


def _delete_one_by_one(connection: sa.Connection) -> None:
    """Delete each created client by itself. Those that other tables of the CRM refer to stay."""
    created = sa.text("SELECT client_id FROM undo WHERE was_created AND reason IS NULL")
    for client in connection.scalars(created).all():
        try:
            with connection.begin_nested():
                connection.execute(sa.text("DELETE FROM clients WHERE id = :client"), {"client": client})
        except sa.exc.IntegrityError:
            stays = sa.text(f"UPDATE undo SET reason = '{Code.REFERRED_TO}' WHERE client_id = :client")
            connection.execute(stays, {"client": client})


def record_undo(connection: sa.Connection, revert_id: str) -> dict[str, int]:
    """Write the revert's `import_rows`, one per client, and return the number of clients by outcome."""
    connection.execute(_ROWS, {"revert_id": UUID(revert_id), "problems": _PROBLEMS})
    return {outcome: number for outcome, number in connection.execute(_COUNT, {"revert_id": UUID(revert_id)})}
