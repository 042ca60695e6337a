"""Empty the ledger: of whole imports that are older than their feed's days, and of one person in all imports."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from include.adapters.database import ledger
from include.models import State
from include.schemas.client_tables import Client, Import, ImportRow, Upload

# What stays of a row's problems: nothing of it is personal data.
_STRIPPED = """(
    SELECT jsonb_agg(jsonb_build_object('code', p->'code', 'field', p->'field', 'severity', p->'severity') ORDER BY n)
    FROM jsonb_array_elements({0}) WITH ORDINALITY each(p, n))"""
_HAS_IMAGE = "(before IS NOT NULL OR after IS NOT NULL)"


def feeds_remembered(engine: sa.Engine) -> list[str]:
    """List the feeds that have imports which are not forgotten yet."""
    # Steps through the index from feed to feed. DISTINCT would read all of it.
    query = sa.text("""
        WITH RECURSIVE remembered(feed) AS (
            SELECT min(feed) FROM imports WHERE forgotten_at IS NULL
            UNION ALL
            SELECT (SELECT min(feed) FROM imports WHERE forgotten_at IS NULL AND feed > remembered.feed)
            FROM remembered WHERE remembered.feed IS NOT NULL)
        SELECT feed FROM remembered WHERE feed IS NOT NULL""")
    with engine.connect() as connection:
        return list(connection.scalars(query))


def received_before(engine: sa.Engine, feed: str, time: datetime) -> list[tuple[str, State]]:
    """List (id, state) of a feed's imports that are not forgotten and came before `time`, the oldest first."""
    old = sa.select(Import.id, Import.state).where(
        Import.forgotten_at.is_(None), Import.feed == feed, Import.received_at < time
    )
    with engine.connect() as connection:
        return [(row.id, row.state) for row in connection.execute(old.order_by(Import.received_at))]


def forget_import(
    connection: sa.Connection, import_id: str, message: str | None, now: datetime, *, rows_go_with_their_week: bool
) -> None:
    """Delete what an import keeps of its file. Its rows may stay for the moment, and go with their week."""
    if not rows_go_with_their_week:
        connection.execute(sa.delete(ImportRow).where(ImportRow.import_id == import_id))
    ledger.change(
        connection, import_id, header=[], fields=[], file_problems=[], mapping={}, message=message, file_path=None,
        report_path=None, planned_path=None, answer_path=None, filed=True, forgotten_at=now,
    )  # fmt: skip
    forget_of_uploads(connection, import_id, mapping={}, email=None)


# The image of a plan that was not carried out does not show an address that the client had.
_CARRIED_OUT = f"JOIN imports i ON i.id = c.import_id AND i.state IN ('{State.MERGED}', '{State.REVERTED}')"


def clients_with(engine: sa.Engine, key: str) -> list[str]:
    """Find the client that has this address (normal form) now; if none has, the one that had it last."""
    last = sa.text(f"""
        SELECT client_id FROM client_changes c {_CARRIED_OUT}
        WHERE c.before->>'email_key' = :key OR c.after->>'email_key' = :key ORDER BY i.arrival DESC LIMIT 1""")
    with engine.connect() as connection:
        owners = list(connection.scalars(sa.select(Client.id).where(Client.email_key == key)))
        return owners or list(connection.scalars(last, {"key": key}))


def addresses_of(engine: sa.Engine, ids: Iterable[str]) -> list[str]:
    """List every address that these clients have, or had by their before/after images."""
    query = sa.text(f"""
        SELECT email FROM clients WHERE id = ANY(:ids)
        UNION SELECT before->>'email' FROM client_changes c {_CARRIED_OUT} WHERE client_id = ANY(:ids)
        UNION SELECT after->>'email' FROM client_changes c {_CARRIED_OUT} WHERE client_id = ANY(:ids)""")
    with engine.connect() as connection:
        return [email for email in connection.scalars(query, {"ids": list(ids)}) if email]


# Printable ASCII holds a word only letter by letter. Any other text may hold it in another form, and is looked at in
# Python. The quotation marks of our own sentences do not count.
_MAY_HOLD = "({0} ILIKE ANY(:words) OR translate({0}, '“”‘’…', '') ~ '[^ -~]|\\\\')"
_ROWS = f"""
    SELECT import_id, row, client_id, cells, problems, before, after FROM import_rows
    WHERE client_id = ANY(:ids)
       OR (cells IS NOT NULL OR problems IS NOT NULL) AND {_MAY_HOLD.format("concat(cells::text, problems::text)")}
       OR {_HAS_IMAGE} AND (before->>'email_key' = ANY(:keys) OR after->>'email_key' = ANY(:keys)
                            OR concat(before::text, after::text) ILIKE ANY(:addresses))"""
_IMPORTS = f"""
    SELECT id, file_name, note, message, header, file_problems, mapping FROM imports
    WHERE {_MAY_HOLD.format("concat(file_name, note, message, header::text, file_problems::text, mapping::text)")}"""


def rows_that_may_hold(
    engine: sa.Engine, ids: Iterable[str], keys: Iterable[str], addresses: Iterable[str], words: Iterable[str]
) -> Iterator[sa.Row[Any]]:
    """Read the rows of these clients, and rows with a cell, problem or image that may hold an address or a word."""
    sought = {"ids": list(ids), "keys": list(keys), "addresses": _patterns(addresses), "words": _patterns(words)}
    return _stream(engine, _ROWS, sought)


def imports_that_may_hold(engine: sa.Engine, words: Iterable[str]) -> Iterator[sa.Row[Any]]:
    """Read id, file_name, note, message, header, file_problems and mapping of imports that may hold one of `words`."""
    return _stream(engine, _IMPORTS, {"words": _patterns(words)})


@dataclass(frozen=True)
class RowHit:
    """A row that meets the person, and what it loses: cells, the texts of its problems, its before/after image."""

    import_id: UUID
    row: int
    cells: bool
    problems: bool
    image: bool


# Before and after go together: an image without `before` alone would say that the import created the client.
_FORGET_ROWS = sa.text(f"""
    UPDATE import_rows r SET
        cells = CASE WHEN NOT h.cells THEN r.cells END,
        problems = CASE WHEN h.problems THEN {_STRIPPED.format("r.problems")} ELSE r.problems END,
        before = CASE WHEN NOT h.image THEN r.before END, after = CASE WHEN NOT h.image THEN r.after END
    FROM unnest(CAST(:imports AS uuid[]), CAST(:rows AS int[]), CAST(:cells AS bool[]), CAST(:problems AS bool[]),
                CAST(:images AS bool[])) h(import_id, row, cells, problems, image)
    WHERE r.import_id = h.import_id AND r.row = h.row""")


def forget_rows(connection: sa.Connection, hits: Sequence[RowHit]) -> None:
    """Take out of these rows what the hits say."""
    columns = {
        "imports": [hit.import_id for hit in hits],
        "rows": [hit.row for hit in hits],
        "cells": [hit.cells for hit in hits],
        "problems": [hit.problems for hit in hits],
        "images": [hit.image for hit in hits],
    }
    connection.execute(_FORGET_ROWS, columns)


def forget_of_uploads(connection: sa.Connection, import_id: str, **values: Any) -> None:
    """Empty columns of the upload that the import was opened for: they hold what the import's own columns held."""
    connection.execute(sa.update(Upload).where(Upload.import_id == import_id).values(**values))


def _patterns(words: Iterable[str]) -> list[str]:
    return ["%" + re.sub(r"([%_\\])", r"\\\1", word) + "%" for word in words]


def _stream(engine: sa.Engine, query: str, parameters: dict[str, list[str]]) -> Iterator[sa.Row[Any]]:
    with engine.connect().execution_options(yield_per=2000) as connection:
        yield from connection.execute(sa.text(query), parameters)
