"""What the ledger forgets, in SQL: whole imports whose days are over, and one person in all of them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

# A problem keeps what says nothing about anybody.
_STRIPPED = """(
    SELECT jsonb_agg(jsonb_build_object('code', p->'code', 'field', p->'field', 'severity', p->'severity') ORDER BY n)
    FROM jsonb_array_elements({0}) WITH ORDINALITY each(p, n))"""
_HAS_IMAGE = "(before IS NOT NULL OR after IS NOT NULL)"


def feeds_remembered(engine: sa.Engine) -> list[str]:
    """Feeds that have imports not forgotten yet; jumps through the index from feed to feed."""
    query = sa.text("""
        WITH RECURSIVE found(feed) AS (
            SELECT min(feed) FROM imports WHERE forgotten_at IS NULL
            UNION ALL
            SELECT (SELECT min(feed) FROM imports WHERE forgotten_at IS NULL AND feed > found.feed)
            FROM found WHERE found.feed IS NOT NULL)
        SELECT feed FROM found WHERE feed IS NOT NULL""")
    with engine.connect() as connection:
        return list(connection.scalars(query))


def received_before(engine: sa.Engine, feed: str, time: datetime) -> list[tuple[str, str]]:
    """(id, state) of a feed's imports that are not forgotten and were received before `time`, the oldest first."""
    query = sa.text("""
        SELECT id, state FROM imports WHERE forgotten_at IS NULL AND feed = :feed AND received_at < :time
        ORDER BY received_at""")
    with engine.connect() as connection:
        return [(str(row.id), row.state) for row in connection.execute(query, {"feed": feed, "time": time})]


def forget_import(connection: sa.Connection, import_id: str, message: str | None, now: datetime) -> tuple[int, ...]:
    """Empty everything an import keeps of its file; gives how many rows lost cells and problems, and the images."""
    facts = {"id": UUID(import_id), "message": message, "now": now}
    counts = f"SELECT count(cells), count(problems), count(*) FILTER (WHERE {_HAS_IMAGE}) FROM import_rows"
    found = connection.execute(sa.text(f"{counts} WHERE import_id = :id"), facts).one()
    connection.execute(
        sa.text(f"""
        UPDATE import_rows SET cells = NULL, problems = {_STRIPPED.format("problems")}, before = NULL, after = NULL
        WHERE import_id = :id AND (cells IS NOT NULL OR problems IS NOT NULL OR {_HAS_IMAGE})"""),
        facts,
    )
    connection.execute(
        sa.text("""
        UPDATE imports SET header = '[]', file_problems = '[]', message = :message, file_path = NULL,
               report_path = NULL, planned_path = NULL, filed = true, forgotten_at = :now WHERE id = :id"""),
        facts,
    )
    return tuple(found)


# Images of plans that never were carried out say nothing about the addresses that a client had.
_DONE = "JOIN imports i ON i.id = c.import_id AND i.state IN ('merged', 'reverted')"


def clients_with(engine: sa.Engine, key: str) -> list[str]:
    """The client that has this address (normal form) now; if none has, the one that had it last."""
    now = sa.text("SELECT id FROM clients WHERE email_key = :key")
    last = sa.text(f"""
        SELECT client_id FROM client_changes c {_DONE}
        WHERE c.before->>'email_key' = :key OR c.after->>'email_key' = :key ORDER BY i.arrival DESC LIMIT 1""")
    with engine.connect() as connection:
        owners = list(connection.scalars(now, {"key": key}))
        return owners or list(connection.scalars(last, {"key": key}))


def addresses_of(engine: sa.Engine, ids: Iterable[str]) -> list[str]:
    """Every address these clients have, or had by their images."""
    query = sa.text(f"""
        SELECT email FROM clients WHERE id = ANY(:ids)
        UNION SELECT before->>'email' FROM client_changes c {_DONE} WHERE client_id = ANY(:ids)
        UNION SELECT after->>'email' FROM client_changes c {_DONE} WHERE client_id = ANY(:ids)""")
    with engine.connect() as connection:
        return [email for email in connection.scalars(query, {"ids": list(ids)}) if email]


# Text of printable ASCII holds a word if it holds it letter by letter; any other text may hold it in another
# form, and is judged outside. The quotes that every sentence has do not count.
_MAY_HOLD = "({0} ILIKE ANY(:words) OR translate({0}, '“”‘’…', '') ~ '[^ -~]|\\\\')"
_ROWS = f"""
    SELECT import_id, row, client_id, cells, problems, before, after FROM import_rows
    WHERE client_id = ANY(:ids)
       OR (cells IS NOT NULL OR problems IS NOT NULL) AND {_MAY_HOLD.format("concat(cells::text, problems::text)")}
       OR {_HAS_IMAGE} AND (before->>'email_key' = ANY(:keys) OR after->>'email_key' = ANY(:keys)
                            OR concat(before::text, after::text) ILIKE ANY(:addresses))"""
_IMPORTS = f"""
    SELECT id, file_name, note, message, header, file_problems FROM imports
    WHERE {_MAY_HOLD.format("concat(file_name, note, message, header::text, file_problems::text)")}"""


def rows_that_may_hold(
    engine: sa.Engine, ids: Iterable[str], keys: Iterable[str], addresses: Iterable[str], words: Iterable[str]
) -> Iterator[sa.Row[Any]]:
    """Rows of these clients; rows with a cell, problem or image that may hold a word, or holds an address or key."""
    sought = {"ids": list(ids), "keys": list(keys), "addresses": _patterns(addresses), "words": _patterns(words)}
    return _stream(engine, _ROWS, sought)


def imports_that_may_hold(engine: sa.Engine, words: Iterable[str]) -> Iterator[sa.Row[Any]]:
    """id, file_name, note, message, header, file_problems of imports where one of these may hold one of `words`."""
    return _stream(engine, _IMPORTS, {"words": _patterns(words)})


@dataclass(frozen=True)
class RowHit:
    """A row that meets the person, and what it loses: cells, the texts of its problems, its before/after image."""

    import_id: UUID
    row: int
    cells: bool
    problems: bool
    image: bool


def forget_rows(connection: sa.Connection, hits: Sequence[RowHit]) -> None:
    """Before and after go together: an image without `before` alone would say that the client was created."""
    connection.execute(
        sa.text(f"""
        UPDATE import_rows r SET
            cells = CASE WHEN NOT h.cells THEN r.cells END,
            problems = CASE WHEN h.problems THEN {_STRIPPED.format("r.problems")} ELSE r.problems END,
            before = CASE WHEN NOT h.image THEN r.before END, after = CASE WHEN NOT h.image THEN r.after END
        FROM unnest(CAST(:imports AS uuid[]), CAST(:rows AS int[]), CAST(:cells AS bool[]), CAST(:problems AS bool[]),
                    CAST(:images AS bool[])) h(import_id, row, cells, problems, image)
        WHERE r.import_id = h.import_id AND r.row = h.row"""),
        {
            "imports": [hit.import_id for hit in hits], "rows": [hit.row for hit in hits],
            "cells": [hit.cells for hit in hits], "problems": [hit.problems for hit in hits],
            "images": [hit.image for hit in hits],
        },
    )  # fmt: skip


def forget_upload_note(connection: sa.Connection, import_id: str) -> None:
    """The import was opened with the note of its upload."""
    statement = sa.text("UPDATE uploads SET note = '' WHERE import_id = :import_id")
    connection.execute(statement, {"import_id": UUID(import_id)})


def _patterns(words: Iterable[str]) -> list[str]:
    return ["%" + re.sub(r"([%_\\])", r"\\\1", word) + "%" for word in words]


def _stream(engine: sa.Engine, query: str, parameters: dict[str, list[str]]) -> Iterator[sa.Row[Any]]:
    with engine.connect().execution_options(yield_per=2000) as connection:
        yield from connection.execute(sa.text(query), parameters)
