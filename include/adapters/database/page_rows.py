"""Read the rows of one import for its page: a screenful of one kind, or of one cause."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from include.models import Cause, Outcome

SCREENFUL = 50

_IMPORTED = f"r.outcome IN ('{Outcome.CREATED}', '{Outcome.UPDATED}', '{Outcome.UNCHANGED}')"
KINDS = {
    **{str(outcome): f"r.outcome = '{outcome}'" for outcome in Outcome},
    "warnings": f"{_IMPORTED} AND r.problems IS NOT NULL",
    "not_failed": f"r.outcome <> '{Outcome.FAILED}' AND r.problems IS NOT NULL",
}
_OF_CAUSE = """ AND EXISTS (
            SELECT FROM jsonb_array_elements(r.problems) p
            WHERE p->>'code' = :code AND p->>'field' = :field AND p->>'severity' = :severity
              AND (CAST(:word AS text) IS NULL OR p->>'value' = :word))"""


def rows_statement(kind: str, of_cause: bool = False) -> sa.TextClause:
    """Write the SQL that reads rows of one kind; of one cause, it binds `code`, `field`, `severity` and `word`."""
    return sa.text(f"""
        SELECT r.row, r.line, r.outcome, r.client_id, r.cells, r.problems, r.before,
               coalesce(r.before, '{{}}') || r.after AS after  -- as the view client_changes has it
        FROM import_rows r
        WHERE r.import_id = :import_id AND {KINDS[kind]}{_OF_CAUSE if of_cause else ""} AND r.row > :after
        ORDER BY r.row LIMIT :size""")


@dataclass(frozen=True)
class Row:
    """One record, or one client of an undo.

    cells          as sent; None when they were not kept, or are deleted
    before, after  the client's values, where the row changed it: `before` is None for a created client, `after` for a
                   deleted one
    """

    row: int
    line: int
    outcome: str
    client_id: str | None
    cells: Sequence[str] | None
    problems: Sequence[dict[str, Any]]
    before: dict[str, Any] | None
    after: dict[str, Any] | None


def rows(
    engine: sa.Engine, import_id: str, kind: str, after: int = 0, size: int = SCREENFUL, cause: Cause | None = None
) -> list[Row]:
    """Read an import's rows of one of KINDS after a row number; with a cause, those that have it."""
    values = {"import_id": UUID(import_id), "after": after, "size": size}
    if cause is not None:
        values |= {"code": cause.code, "field": cause.field, "severity": cause.severity, "word": cause.word}
    with engine.connect() as connection:
        records = connection.execute(rows_statement(kind, cause is not None), values).mappings()
        return [Row(**{**record, "problems": record["problems"] or ()}) for record in records]
