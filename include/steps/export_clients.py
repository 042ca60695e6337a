"""Export clients as CSV, a piece at a time, so that a million of them need no memory."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from datetime import date

import sqlalchemy as sa

from include.adapters.database import client_list
from include.adapters.database.client_query import ClientQuery, Desk
from include.transforms import client_export

_PIECE = 1_000  # clients


def export_clients(engine: sa.Engine, query: ClientQuery, known: Sequence[Desk], day: date) -> Iterator[bytes]:
    """Yield the file: all clients of the query, in its order, as they were when it began."""
    yield client_export.header()
    clients = client_list.all_clients(engine, query, known)
    while piece := list(itertools.islice(clients, _PIECE)):
        yield client_export.lines(piece, day)
