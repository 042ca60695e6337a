"""Read one client for the page: who it is now, and what each import did to it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Session

from include.models import Outcome
from include.schemas.client_tables import Client, Import

MOST = 200


@dataclass(frozen=True)
class Event:
    """One row of one file that was about the client. `before` and `after` are as in `client_changes`."""

    entry: Import
    row: int
    line: int
    outcome: str
    before: dict[str, Any] | None
    after: dict[str, Any] | None
    problems: Sequence[dict[str, Any]]


def find_client(engine: sa.Engine, client_id: str = "", email_key: str = "") -> dict[str, Any] | None:
    """Read the client with this id, or with this address in its normal form, as it is now."""
    wanted = Client.id == client_id if client_id else Client.email_key == email_key
    with engine.connect() as connection:
        row = connection.execute(sa.select(Client.__table__).where(wanted)).one_or_none()
    return dict(row._mapping) if row else None


# OFFSET 0: each import is looked up by its id; without it the planner may read all of them.
HISTORY_STATEMENT = sa.text("""
    SELECT i.*, ch.row AS at_row, ch.line AS at_line, ch.outcome, ch.before, ch.after, ch.problems
    FROM client_changes ch
    CROSS JOIN LATERAL (SELECT * FROM imports WHERE id = ch.import_id OFFSET 0) i
    WHERE ch.client_id = :client_id AND i.feed = ANY(:feeds) ORDER BY i.arrival DESC LIMIT :most
""")
MENTIONED_STATEMENT = sa.text(f"""
    SELECT i.*, r.row AS at_row, r.line AS at_line, r.outcome, NULL AS before, NULL AS after, r.problems
    FROM import_rows r JOIN imports i ON i.id = r.import_id
    WHERE r.cells IS NOT NULL AND (r.cells @> jsonb_build_array(CAST(:typed AS text))
                                   OR r.cells @> jsonb_build_array(CAST(:email_key AS text)))
      AND r.outcome IN ('{Outcome.FAILED}', '{Outcome.DUPLICATE}') AND i.feed = ANY(:feeds)
    ORDER BY i.arrival DESC, r.row LIMIT :most
""")
_EVENT: Any = (
    Import, sa.column("at_row"), sa.column("at_line"), sa.column("outcome"),
    sa.column("before", JSONB), sa.column("after", JSONB), sa.column("problems", JSONB),
)  # fmt: skip


def history(engine: sa.Engine, client_id: str, feeds: Sequence[str]) -> list[Event]:
    """Find what imports of these feeds did to the client, or plan to do, the newest first."""
    return _events(engine, HISTORY_STATEMENT, client_id=client_id, feeds=list(feeds))


def mentioned(engine: sa.Engine, typed: str, email_key: str, feeds: Sequence[str]) -> list[Event]:
    """Find the rows with this address that were not imported."""
    return _events(engine, MENTIONED_STATEMENT, typed=typed, email_key=email_key or typed, feeds=list(feeds))


def _events(engine: sa.Engine, statement: sa.TextClause, **values: Any) -> list[Event]:
    with Session(engine) as session:
        rows = session.execute(sa.select(*_EVENT).from_statement(statement), {**values, "most": MOST})
        return [
            Event(entry, row, line, outcome, before, after, problems or ())
            for entry, row, line, outcome, before, after, problems in rows
        ]
