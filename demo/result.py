"""What this start of the demo has imported, as text for people."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import sqlalchemy as sa
from rich.console import Console
from rich.table import Table
from rich.text import Text
from sqlalchemy.orm import Session

from include.codes import Code, printable
from include.models import OUTCOMES, Outcome, State
from include.schemas.client_tables import Import


def earlier_imports(engine: sa.Engine) -> set[str]:
    """Give the imports that had ended before: they are none of this start's."""
    with engine.connect() as connection:
        return set(connection.scalars(sa.select(Import.id).where(Import.filed | (Import.state == State.HELD))))


def imports_since(engine: sa.Engine, earlier: Collection[str]) -> list[Import]:
    with Session(engine) as session:
        entries = session.scalars(sa.select(Import).order_by(Import.arrival)).all()
        session.expunge_all()
    return [entry for entry in entries if entry.id not in earlier]


def table_of(entries: list[Import]) -> Table:
    """List each file with its state and the number of its rows by outcome. Long texts go on in the next line."""
    table = Table("feed", "file", "state", "rows")
    for column in table.columns:
        column.overflow = "fold"
    for entry in entries:
        table.add_row(entry.feed, Text(printable(entry.file_name)), state_of(entry), rows_of(entry))
    return table


def state_of(entry: Import) -> str:
    """Name the state in a few words. An undo is an import of its own, which is no file that was imported."""
    if entry.reverts_import_id:
        return "Undo" if entry.state == State.MERGED else f"Undo: {entry.state.label}"
    if entry.state == State.REFUSED and entry.code:
        return f"{entry.state.label}: {Code(entry.code).title}"
    if entry.state == State.MERGED and entry.failed:
        return "Imported with failed rows"
    return entry.state.label


def rows_of(entry: Import) -> str:
    """Say `8 read: 2 created, 1 duplicate, 5 failed`, or what became of the clients of an undo."""
    names: tuple[Any, ...] = (
        ("reverted", "kept", "failed") if entry.reverts_import_id else (*OUTCOMES, Outcome.DEACTIVATED)
    )
    parts = [f"{number:,} {name}" for name in names if (number := getattr(entry, name))]
    if entry.reverts_import_id:
        return f"clients: {', '.join(parts) or 'none'}"
    return f"{entry.read:,} read: {', '.join(parts)}" if parts else f"{entry.read:,} read"


def print_table(console: Console, entries: list[Import]) -> None:
    """Print without cutting anything: to a file or a pipe each import is one line, however long."""
    width = console.width if console.is_terminal else 10_000
    Console(file=console.file, width=width, force_terminal=console.is_terminal).print(table_of(entries))
