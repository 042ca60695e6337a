"""Why rows ended as they did: problems, causes, failed rows and changes, as the ledger keeps them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from include.adapters.database.ledger import find
from include.codes import Code
from include.models import Cause, Outcome, Problem
from include.schemas.client_tables import Import, ImportRow

_AT_ONCE = 2_000  # rows that are in memory at once

_KINDS = f"""
    SELECT coalesce(jsonb_object_agg(kind, rows), '{{}}') FROM (
        SELECT concat_ws(' ', p->>'code', nullif(p->>'field', '')) AS kind, count(DISTINCT r.row) AS rows
        FROM import_rows r CROSS JOIN LATERAL jsonb_array_elements(r.problems) p
        WHERE r.import_id = :of_import AND r.outcome = '{Outcome.FAILED}' AND r.problems IS NOT NULL
          AND p->>'severity' = 'error'
        GROUP BY 1) counted
"""


def failure_kinds(import_id: str) -> sa.TextClause:
    """Count the import's failed rows by code and field, as SQL for a value: `{"CELL_FORMAT email": 3}`."""
    return sa.text(f"({_KINDS})").bindparams(of_import=UUID(import_id))


def _causes_of(rows: str) -> sa.TextClause:
    """Write the SQL that groups the problems of rows by cause. `rows`: the rest of `FROM`, with rows as `r`."""
    return sa.text(f"""
    SELECT code, field, severity, CASE WHEN count(DISTINCT value) = 1 THEN min(value) ELSE '' END AS value,
           word, count(DISTINCT row) AS rows, min(message) AS message, count(DISTINCT message) = 1 AS alike,
           CASE WHEN count(DISTINCT meant) = 1 THEN min(meant) ELSE '' END AS meant
    FROM (
        SELECT r.row, p->>'code' AS code, p->>'field' AS field, p->>'severity' AS severity, p->>'value' AS value,
               p->>'message' AS message, coalesce(p->>'meant', '') AS meant,
               CASE WHEN p->>'code' = ANY(:by_value) OR p->>'field' = 'active' THEN p->>'value' END AS word
        FROM {rows}
          AND ((r.outcome IS NOT DISTINCT FROM '{Outcome.FAILED}') = (p->>'severity' = 'error'))) problem
    GROUP BY code, field, severity, word
    ORDER BY severity, rows DESC, code, field, word LIMIT :most
""")


_PROBLEMS = "CROSS JOIN LATERAL jsonb_array_elements(r.problems) p WHERE r.problems IS NOT NULL"
CAUSES_STATEMENT = _causes_of(f"import_rows r {_PROBLEMS} AND r.import_id = :import_id")
_CAUSES_OF_INCOMING = _causes_of(f"incoming r {_PROBLEMS}")
# The same wrong word in many rows is one cause; wrong addresses are a cause each.
_BY_VALUE = [Code.CELL_NOT_ALLOWED, Code.CELL_REFERENCE_NOT_FOUND]


def causes(engine: sa.Engine, import_id: str, most: int = 20) -> list[Cause]:
    """Group failed rows by cause, the most frequent first; then the warnings about rows that did not fail."""
    values = {"import_id": UUID(import_id), "by_value": _BY_VALUE, "most": most}
    with engine.connect() as connection:
        return [_cause(row) for row in connection.execute(CAUSES_STATEMENT, values).mappings()]


def causes_of(engine: sa.Engine, entry: Import, most: int = 20) -> list[Cause]:
    """Group failed rows by cause, as `causes` does; after retention by code and field alone."""
    if entry.forgotten_at is None:
        return causes(engine, entry.id, most)
    kinds = sorted(entry.failure_kinds.items(), key=lambda kind: (-kind[1], kind[0]))
    return [
        Cause(code, field, "", "error", rows, Code(code).title, alike=True, meant="")
        for (code, _, field), rows in ((kind.partition(" "), rows) for kind, rows in kinds[:most])
    ]


def causes_of_incoming(connection: sa.Connection, most: int = 20) -> list[Cause]:
    """Group the failed rows of the temporary table `incoming` by cause, as `causes` does."""
    values = {"by_value": _BY_VALUE, "most": most}
    return [_cause(row) for row in connection.execute(_CAUSES_OF_INCOMING, values).mappings()]


def _cause(row: sa.RowMapping) -> Cause:
    return Cause(**{**row, "message": row["message"] or Code(row["code"]).title})


def problems_of(engine: sa.Engine, import_id: str) -> list[Problem]:
    """Read every problem of the file and of its rows, in the order of rows."""
    of_file = [problem_of(problem) for problem in find(engine, import_id).file_problems]
    query = sa.select(ImportRow.row, ImportRow.line, ImportRow.problems).order_by(ImportRow.row)
    with engine.connect() as connection:
        rows = connection.execute(
            query.where(ImportRow.import_id == import_id, ImportRow.problems.is_not(None))
        )  # fmt: skip
        return of_file + [
            replace(problem_of(problem), row=row, line=line) for row, line, problems in rows for problem in problems
        ]


def every_row(
    engine: sa.Engine, import_id: str
) -> Iterator[tuple[int, int, str, str | None, list[str] | None, list[dict[str, Any]]]]:
    """Read (row, line, outcome, client, cells as sent where they are kept, problems) of all rows, some at a time."""
    query = sa.select(
        ImportRow.row, ImportRow.line, ImportRow.outcome, ImportRow.client_id, ImportRow.cells, ImportRow.problems
    )
    ordered = query.where(ImportRow.import_id == import_id).order_by(ImportRow.row)
    with engine.connect() as connection:
        for *row, problems in connection.execution_options(yield_per=_AT_ONCE).execute(ordered):
            yield *row, problems or []


def failed_rows(
    connection: sa.Connection | sa.Engine, import_id: str
) -> list[tuple[int, int, list[str] | None, list[dict[str, Any]]]]:
    """Read (row, line, cells as sent, problems) of the rows that were not imported. Erased cells are None."""
    if isinstance(connection, sa.Engine):
        with connection.connect() as own:
            return failed_rows(own, import_id)
    query = sa.select(ImportRow.row, ImportRow.line, ImportRow.cells, ImportRow.problems).order_by(ImportRow.row)
    failed = query.where(ImportRow.import_id == import_id, ImportRow.outcome == Outcome.FAILED)
    return [(row, line, cells, problems or []) for row, line, cells, problems in connection.execute(failed)]


def planned_changes(engine: sa.Engine, import_id: str) -> list[dict[str, Any]]:
    """Read row, line, outcome, client_id, before and after of each client that the import changes or would change."""
    query = sa.text("""
        SELECT row, line, outcome, client_id, before, after FROM client_changes
        WHERE import_id = :id ORDER BY row""")
    with engine.connect() as connection:
        return [dict(row) for row in connection.execute(query, {"id": UUID(import_id)}).mappings()]


def problem_of(kept: dict[str, Any]) -> Problem:
    """Read a problem as the ledger keeps it. Once its person is erased, it has neither its sentence nor its value."""
    return Problem(**{"message": Code(kept["code"]).title, "value": "", **kept})
