"""A PostgreSQL server that listens on this machine beside the embedded one, often of another version."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import uuid4

import psycopg
from psycopg import sql

SERVER = "postgresql://postgres@127.0.0.1:5432"


def if_it_listens() -> list[str]:
    """Name the server when it listens and lets us in without a password; else give an empty list."""
    try:
        psycopg.connect(f"{SERVER}/postgres", connect_timeout=2).close()
    except psycopg.OperationalError:
        return []
    return ["local"]


@contextmanager
def own_database() -> Iterator[str]:
    """Create a database that no other run uses, and drop it at the end."""
    name = f"client_imports_test_{uuid4().hex}"
    _run("CREATE DATABASE {}", name)
    try:
        yield f"{SERVER}/{name}"
    finally:
        _run("DROP DATABASE {} WITH (FORCE)", name)


def _run(statement: str, database: str) -> None:
    with psycopg.connect(f"{SERVER}/postgres", autocommit=True) as connection:
        connection.execute(sql.SQL(statement).format(sql.Identifier(database)))
