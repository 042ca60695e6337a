"""Why rows ended as they did: problems, causes, failed rows and changes, as the ledger keeps them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from include.adapters.database.ledger import find
from include.codes import Code
from include.models import Cause, Problem
from include.schemas.client_tables import import_rows

_KINDS = """
    SELECT coalesce(jsonb_object_agg(kind, rows), '{}') FROM (
        SELECT concat_ws(' ', p->>'code', nullif(p->>'field', '')) AS kind, count(DISTINCT r.row) AS rows
        FROM import_rows r CROSS JOIN LATERAL jsonb_array_elements(r.problems) p
        WHERE r.import_id = :of_import AND r.outcome = 'failed' AND r.problems IS NOT NULL
          AND p->>'severity' = 'error'
        GROUP BY 1) counted
"""


def failure_kinds(import_id: str) -> sa.TextClause:
    """The import's failed rows by code and field, as a value to be written: `{"CELL_FORMAT email": 3}`."""
    return sa.text(f"({_KINDS})").bindparams(of_import=UUID(import_id))


CAUSES_STATEMENT = sa.text("""
    SELECT code, field, severity, CASE WHEN count(DISTINCT value) = 1 THEN min(value) ELSE '' END AS value,
           count(DISTINCT row) AS rows, min(message) AS message, count(DISTINCT message) = 1 AS alike,
           CASE WHEN count(DISTINCT meant) = 1 THEN min(meant) ELSE '' END AS meant
    FROM (
        SELECT r.row, p->>'code' AS code, p->>'field' AS field, p->>'severity' AS severity, p->>'value' AS value,
               p->>'message' AS message, coalesce(p->>'meant', '') AS meant,
               CASE WHEN p->>'code' = ANY(:by_value) OR p->>'field' = 'active' THEN p->>'value' END AS word
        FROM import_rows r CROSS JOIN LATERAL jsonb_array_elements(r.problems) p
        WHERE r.import_id = :import_id AND r.problems IS NOT NULL
          AND ((r.outcome = 'failed') = (p->>'severity' = 'error'))) found
    GROUP BY code, field, severity, word
    ORDER BY severity, rows DESC, code, field, word LIMIT :most
""")
# The same wrong word in many rows is one cause; wrong addresses are each their own.
_BY_VALUE = ["CELL_NOT_ALLOWED", "CELL_REFERENCE_NOT_FOUND"]


def causes(engine: sa.Engine, import_id: str, most: int = 20) -> list[Cause]:
    """Failed rows by cause, the most frequent first; then warnings about rows that did not fail."""
    with engine.connect() as connection:
        facts = {"import_id": UUID(import_id), "by_value": _BY_VALUE, "most": most}
        found = [dict(row._mapping) for row in connection.execute(CAUSES_STATEMENT, facts)]
    return [Cause(**{**cause, "message": cause["message"] or Code(cause["code"]).title}) for cause in found]


def problems_of(engine: sa.Engine, import_id: str) -> list[Problem]:
    """Every problem of the file and of its rows, in the order of rows."""
    entry = find(engine, import_id)
    query = sa.select(import_rows.c.row, import_rows.c.line, import_rows.c.problems)
    query = query.where(import_rows.c.import_id == UUID(import_id), import_rows.c.problems.is_not(None))
    with engine.connect() as connection:
        rows = connection.execute(query.order_by(import_rows.c.row)).all()
    found = [_problem(problem) for problem in entry.file_problems]
    return found + [replace(_problem(problem), row=row.row, line=row.line) for row in rows for problem in row.problems]


def failed_rows(engine: sa.Engine, import_id: str) -> list[tuple[int, int, list[str], list[dict[str, Any]]]]:
    """(row, line, cells as sent, problems) of the rows that were not imported."""
    columns = (import_rows.c.row, import_rows.c.line, import_rows.c.cells, import_rows.c.problems)
    query = sa.select(*columns).where(import_rows.c.import_id == UUID(import_id), import_rows.c.outcome == "failed")
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(query.order_by(import_rows.c.row))]


def planned_changes(engine: sa.Engine, import_id: str) -> list[dict[str, Any]]:
    """row, line, outcome, client_id, before, after of each client that the import changed or would change."""
    query = sa.text("""
        SELECT row, line, outcome, client_id, before, after FROM client_changes
        WHERE import_id = :id ORDER BY row""")
    with engine.connect() as connection:
        return [dict(row._mapping) for row in connection.execute(query, {"id": UUID(import_id)})]


def _problem(kept: dict[str, Any]) -> Problem:
    """A problem as the ledger keeps it; a forgotten one has lost its sentence and its value."""
    return Problem(**{"message": Code(kept["code"]).title, "value": "", **kept})
