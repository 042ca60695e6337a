"""What a loaded file would do to the clients: planned, weighed, recorded and applied, in the merge's transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from include.adapters.database.clients import CHANGEABLE, STORED, changed, create_incoming, image, listed
from include.schemas.client_rows import FIELDS

# Each identified row's full new values beside the client as it is now. The table `clients` is asked who has an e-mail
# or a username only where it is not this client. `claims`: the row wants its e-mail and username, because no other row
# of the client has replaced it. `otherwise`: the client is not what `prepare` saw. `place` and `version` say which
# stored version of the client was read; nothing is locked yet.
# Each client is read once, by index (OFFSET 0 keeps the planner from reading the whole table, whatever it thinks of its
# size), unless the file is a good part of the table.
_IS_GOOD_PART = sa.text("SELECT reltuples BETWEEN 0 AND 8 * :rows FROM pg_class WHERE oid = 'clients'::regclass")
_STORED = "(SELECT ctid AS place, xmin AS version, * FROM clients {0}) c"
_BY_INDEX = f"LATERAL {_STORED.format('WHERE id = i.client_id OFFSET 0')} ON true"
_AT_ONCE = f"{_STORED.format('')} ON c.id = i.client_id"


def _plan_with(clients: str, write: Mapping[str, str]) -> str:
    """`n` has the values that are to be written, NULL for those that the client keeps; `kept` names the latter."""
    kept = {name: rule for name, rule in write.items() if rule != "always"}
    new = [_unless_kept(name, kept) for name in (*CHANGEABLE, "email_key")]
    n, values = ("n", f"CROSS JOIN LATERAL (SELECT {', '.join(new)}) n") if kept else ("i", "")
    names = ", ".join(_named_if_kept(name) for name in kept)
    return f"""
    SELECT i.row, i.client_id, i.is_new, coalesce({n}.email_key, c.email_key) AS email_key,
           i.outcome IS NULL AS stands, i.outcome IS DISTINCT FROM 'duplicate' AS claims, c.place, c.version,
           {listed(f"coalesce({n}.{{0}}, c.{{0}}) AS {{0}}")}, coalesce(c.created, i.created) AS created,
           h.changed, CASE WHEN h.changed IS NOT NULL THEN {image("c")} END AS before,
           h.email_holder, h.username_holder, array_remove(ARRAY[{names}]::text[], NULL) AS kept,
           (c.id IS NULL) <> i.is_new OR c.project <> i.project_now OR (i.line = 0 AND NOT c.active)
           OR h.email_holder IS DISTINCT FROM i.holder OR (i.generated AND h.username_holder IS NOT NULL)
               AS otherwise
    FROM incoming i
    LEFT JOIN {clients}
    {values}
    CROSS JOIN LATERAL (SELECT
        CASE WHEN c.email_key = i.email_key THEN c.id
             ELSE (SELECT id FROM clients WHERE email_key = i.email_key) END AS email_holder,
        CASE WHEN c.username = i.username THEN c.id
             ELSE (SELECT id FROM clients WHERE username = i.username) END AS username_holder,
        CASE WHEN i.outcome IS NULL AND NOT i.is_new THEN {changed(n, "c")} END AS changed
        OFFSET 0) h
    WHERE i.identified"""


_CREATE = "CREATE TEMPORARY TABLE planned ON COMMIT DROP AS"


def _unless_kept(name: str, kept: Mapping[str, str]) -> str:
    rule = kept.get("email" if name == "email_key" else name)
    if rule is None:
        return f"i.{name}"
    # Of the fields of a client only the clearable ones may be empty.
    may_be_empty = name in FIELDS and FIELDS[name].clearable
    keeps = f"c.{name} <> ''" if rule == "if_empty" and may_be_empty else "c.id IS NOT NULL"
    return f"CASE WHEN {keeps} THEN NULL ELSE i.{name} END AS {name}"


def _named_if_kept(name: str) -> str:
    differs = "lower(i.email) <> lower(c.email)" if name == "email" else f"i.{name} <> c.{name}"
    return f"CASE WHEN i.outcome IS NULL AND n.{name} IS NULL AND {differs} THEN '{name}' END"


_FINDINGS = sa.text("""
    SELECT coalesce(bool_or(otherwise), false) AS otherwise,
           coalesce(bool_or(claims AND (email_holder <> client_id OR username_holder <> client_id)), false)
               AS some_taken,
           coalesce(bool_or(kept <> '{}'), false) AS some_kept
    FROM planned
""")
# A row waits for the client that holds its e-mail. If no row that stands makes that client give the e-mail up, or that
# row fails, the row fails too; so failing spreads against the direction of waiting. Rows that fail anyway get a reason
# more.
_TAKEN = sa.text("""
    WITH RECURSIVE
    username_taken AS (
        SELECT row, username_holder AS holder FROM planned WHERE claims AND username_holder <> client_id),
    waits AS MATERIALIZED (
        SELECT p.row, p.email_holder AS holder, giver.row AS giver
        FROM planned p LEFT JOIN planned giver
             ON giver.client_id = p.email_holder AND giver.stands AND giver.email_key <> p.email_key
        WHERE p.claims AND p.email_holder <> p.client_id),
    stuck (row) AS (
        SELECT row FROM username_taken
        UNION SELECT row FROM waits WHERE giver IS NULL
        UNION SELECT waits.row FROM waits JOIN stuck ON waits.giver = stuck.row)
    SELECT waits.row, 'ID_EMAIL_CONFLICT' AS code, 'email' AS field, waits.holder
    FROM waits JOIN stuck USING (row) WHERE giver IS NULL OR giver IN (SELECT row FROM stuck)
    UNION ALL SELECT row, 'USERNAME_TAKEN', 'username', holder FROM username_taken
    ORDER BY row, field
""")
_NOTE = sa.text("""
    UPDATE incoming i
    SET outcome = CASE WHEN :fail THEN 'failed' ELSE outcome END, cells = f.cells::jsonb, problems = f.problems::jsonb
    FROM unnest(CAST(:rows AS int[]), CAST(:problems AS text[]), CAST(:cells AS text[])) f(row, problems, cells)
    WHERE f.row = i.row
""")
# Only the stored version that was planned is written: what another transaction has changed or deleted since then is
# another version, and is missing from the number of rows. ARRAY: the versions are fetched by their places, whatever the
# size of the table.
_UPDATE = f"""
    UPDATE clients c
    SET {listed("{0} = p.{0}")}, email_key = p.email_key, updated_at = :now, last_import_id = :import_id
    FROM planned p WHERE p.changed IS NOT NULL AND c.ctid = p.place AND c.xmin = p.version
    AND c.ctid = ANY(ARRAY(SELECT place FROM planned WHERE changed IS NOT NULL))
"""
_INSERT = f"""
    INSERT INTO clients (id, email_key, created_at, updated_at, last_import_id, created_by_feed,
                         {listed("{0}", STORED)})
    SELECT client_id, email_key, :now, :now, :import_id, (SELECT feed FROM imports WHERE id = :import_id),
           {listed("{0}", STORED)}
    FROM planned WHERE is_new
"""
_OUTCOME = """coalesce(i.outcome, CASE
    WHEN i.line = 0 THEN 'deactivated'
    WHEN p.is_new THEN 'created' WHEN p.changed IS NOT NULL THEN 'updated' ELSE 'unchanged' END)"""
_AFTER = f"CASE WHEN p.is_new THEN {image('p')} ELSE p.changed END"
_ROWS = sa.text(f"""
    WITH written AS (
        INSERT INTO import_rows (import_id, row, line, outcome, client_id, problems, cells, before, after)
        SELECT :import_id, i.row, i.line, {_OUTCOME},
               CASE WHEN i.outcome IS DISTINCT FROM 'failed' THEN i.client_id END, i.problems,
               CASE WHEN i.problems IS NOT NULL THEN i.cells END,
               p.before, {_AFTER}
        FROM incoming i LEFT JOIN planned p ON p.row = i.row
        ORDER BY i.row
        RETURNING outcome)
    SELECT outcome, count(*) FROM written GROUP BY outcome
""")


def record_failed_rows(connection: sa.Connection, import_id: str) -> int:
    """Write `import_rows` for the failed rows of `incoming` alone; gives their number."""
    failed = sa.text("""
        INSERT INTO import_rows (import_id, row, line, outcome, problems, cells)
        SELECT :import_id, row, line, outcome, problems, cells FROM incoming WHERE outcome = 'failed' ORDER BY row""")
    return connection.execute(failed, {"import_id": UUID(import_id)}).rowcount


@dataclass(frozen=True)
class Findings:
    """`otherwise`: a client the file speaks of is not what `prepare` saw. `some_taken`: a row's e-mail or username is
    another client's now; `find_taken` says whether it stays so. `some_kept`: a client keeps what a row would change.
    """

    otherwise: bool
    some_taken: bool
    some_kept: bool


def plan(connection: sa.Connection, rows: int, write: Mapping[str, str]) -> Findings:
    """Make the temporary table `planned` from `incoming` and the clients as they are now.

    `rows`: of the file; `write`: the feed's rules for the fields of existing clients.
    """
    return _fill_planned(connection, rows, write, _CREATE)


def create_tables(connection: sa.Connection) -> None:
    """Create `incoming` and `planned` without rows, for a transaction that reads only from then on."""
    create_incoming(connection)
    connection.execute(sa.text(f"{_CREATE} {_plan_with(_BY_INDEX, {})} WITH NO DATA"))


def plan_into_table(connection: sa.Connection, rows: int, write: Mapping[str, str]) -> Findings:
    """Fill the table `planned` that `create_tables` has made."""
    return _fill_planned(connection, rows, write, "INSERT INTO planned")


def _fill_planned(connection: sa.Connection, rows: int, write: Mapping[str, str], into: str) -> Findings:
    at_once = connection.scalar(_IS_GOOD_PART, {"rows": rows})
    connection.execute(sa.text(f"{into} {_plan_with(_AT_ONCE if at_once else _BY_INDEX, write)}"))
    return Findings(**connection.execute(_FINDINGS).one()._mapping)


def find_taken(connection: sa.Connection) -> list[tuple[int, str, str, str]]:
    """Give (row, code, field, id of the client that has it) of rows whose e-mail or username is another client's."""
    connection.execute(sa.text("ANALYZE planned (client_id, stands, email_holder, username_holder)"))
    return [tuple(row) for row in connection.execute(_TAKEN)]


def find_kept(connection: sa.Connection) -> list[tuple[int, str]]:
    """Give (row, field) of what a client keeps although a row that stands has another value."""
    query = sa.text("""
        SELECT p.row, unnest(p.kept) FROM planned p JOIN incoming i USING (row)
        WHERE p.kept <> '{}' AND i.outcome IS NULL ORDER BY p.row""")
    return [(row, field) for row, field in connection.execute(query)]


def note_rows(
    connection: sa.Connection, rows: Sequence[int], problems: Sequence[str], cells: Sequence[str], *, fail: bool
) -> None:
    """Give rows of `incoming` all their problems and their original cells (JSON lists), and mark them failed or not."""
    connection.execute(_NOTE, {"rows": list(rows), "problems": list(problems), "cells": list(cells), "fail": fail})


def keep_what_stands(connection: sa.Connection) -> None:
    """From here on `planned` holds what will be done, and nothing else."""
    connection.execute(sa.text("DELETE FROM planned p USING incoming i WHERE i.row = p.row AND i.outcome IS NOT NULL"))


_WEIGHT = sa.text("""
    SELECT f.read, f.failed, f.missing,
           count(*) FILTER (WHERE changed IS NOT NULL) - f.missing AS updated,
           count(*) FILTER (WHERE changed->'active' = 'false') AS deactivated
    FROM (SELECT count(*) FILTER (WHERE line > 0) AS read, count(*) FILTER (WHERE outcome = 'failed') AS failed,
                 count(*) FILTER (WHERE line = 0) AS missing FROM incoming) f
    LEFT JOIN planned ON true GROUP BY 1, 2, 3
""")
_AS_TEXT = f"concat_ws('|', i.row, {_OUTCOME}, p.client_id, p.before, {_AFTER})"
_HASH = sa.text(f"""
    SELECT encode(sha256(convert_to(coalesce(string_agg({_AS_TEXT}, E'\\n' ORDER BY i.row), ''), 'UTF8')), 'hex')
    FROM incoming i LEFT JOIN planned p ON p.row = i.row
""")
_OTHERWISE = sa.text(f"""
    SELECT coalesce(i.row, shown.row) FROM incoming i
    LEFT JOIN planned p ON p.row = i.row
    FULL JOIN (SELECT * FROM import_rows WHERE import_id = :import_id) shown ON shown.row = i.row
    WHERE ({_OUTCOME}, p.before, {_AFTER})
          IS DISTINCT FROM (shown.outcome, shown.before, shown.after)
    ORDER BY 1
""")


def weigh(connection: sa.Connection) -> dict[str, int]:
    """`read`, `failed`, `updated` and `deactivated` rows of what is planned; `missing` clients, also deactivated."""
    return dict(connection.execute(_WEIGHT).one()._mapping)


def hash_plan(connection: sa.Connection) -> str:
    """SHA-256 over every row's outcome, client, old and new values: the same plan, the same hash."""
    return str(connection.scalar(_HASH))


def rows_planned_otherwise(connection: sa.Connection, import_id: str) -> list[int]:
    """Rows whose outcome or values are not those recorded for this import before."""
    return list(connection.scalars(_OTHERWISE, {"import_id": UUID(import_id)}))


def drop_recorded_plan(connection: sa.Connection, import_id: str) -> None:
    connection.execute(sa.text("DELETE FROM import_rows WHERE import_id = :id"), {"id": UUID(import_id)})


_OUTCOMES = sa.text(f"""
    SELECT {_OUTCOME} AS outcome, count(*) FROM incoming i LEFT JOIN planned p ON p.row = i.row GROUP BY 1
""")


def outcomes(connection: sa.Connection) -> dict[str, int]:
    """Count the records of the file by the outcome that is planned."""
    return {outcome: number for outcome, number in connection.execute(_OUTCOMES)}


_PLANNED_ROWS = sa.text(f"""
    SELECT i.row, {_OUTCOME} AS outcome, coalesce(i.problems, '[]') AS problems
    FROM incoming i LEFT JOIN planned p ON p.row = i.row ORDER BY i.row
""")


def planned_rows(connection: sa.Connection) -> list[tuple[int, str, list[dict[str, Any]]]]:
    """Give (row, outcome, problems) of every record as it is planned."""
    return [tuple(row) for row in connection.execute(_PLANNED_ROWS)]


def apply_plan(connection: sa.Connection, import_id: str, now: datetime) -> tuple[int, int]:
    """Write clients: all updates in one statement (so that e-mails can swap), then the new ones.

    Gives the number of clients that were changed, and created. A client whose stored version is not the planned one is
    not written.
    """
    values = {"import_id": UUID(import_id), "now": now}
    changed = connection.execute(sa.text(_UPDATE), values).rowcount
    return changed, connection.execute(sa.text(_INSERT), values).rowcount


def record_plan(connection: sa.Connection, import_id: str) -> dict[str, int]:
    """Write `import_rows`; gives the number of each outcome that was written."""
    return {outcome: number for outcome, number in connection.execute(_ROWS, {"import_id": UUID(import_id)})}
