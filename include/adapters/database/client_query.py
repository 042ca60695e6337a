"""What a list of clients is to show, and the groups that its clients are in: by desk, activity and type."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import sqlalchemy as sa

from include.schemas.client_rows import FIELDS

Order = Literal["id", "first_name", "last_name", "email", "project", "desk", "active", "type", "created"]
ORDERS: tuple[Order, ...] = ("id", "first_name", "last_name", "email", "project", "desk", "active", "type", "created")


@dataclass(frozen=True)
class ClientQuery:
    """What a list of clients is to show. None filters by nothing; `text` is what a person typed to search."""

    text: str = ""
    project: str | None = None
    desk: str | None = None
    active: bool | None = None
    type: str | None = None
    order: Order = "created"
    descending: bool = True

    @property
    def has_filter(self) -> bool:
        return any(value is not None for value in (self.project, self.desk, self.active, self.type))

    @property
    def is_narrowed(self) -> bool:
        return self.has_filter or bool(self.text.strip())


@dataclass(frozen=True)
class Group:
    """The clients of one desk that are active or not, and of one type."""

    project: str
    desk: str
    active: bool
    type: str


@dataclass(frozen=True)
class Desk:
    """A desk with its names."""

    id: str
    name: str
    project: str
    project_name: str


def desks_of_all_projects(engine: sa.Engine) -> list[Desk]:
    """Read all desks in the order of their names, those of one project together."""
    with engine.connect() as connection:
        rows = connection.execute(
            sa.text("""
            SELECT d.id, d.name, p.id, p.name FROM desks d JOIN projects p ON p.id = d.project_id""")
        )
        known = [Desk(*row) for row in rows]
    return sorted(known, key=lambda desk: (_by_name(desk.project_name), desk.project, _by_name(desk.name), desk.id))


def _by_name(name: str) -> tuple[str, str]:
    return name.casefold(), name


def groups(query: ClientQuery, known: Sequence[Desk]) -> list[Group]:
    """Give the groups that pass the filters, in the query's order."""
    wanted = [
        (desk, active, kind)
        for desk in known
        if query.project in (None, desk.project) and query.desk in (None, desk.id)
        for active in (True, False)
        if query.active in (None, active)
        for kind in FIELDS["type"].allowed
        if query.type in (None, kind)
    ]
    first: dict[str, Any] = {
        "desk": lambda each: (_by_name(each[0].name), each[0].id),
        "active": lambda each: not each[1],
        "type": lambda each: each[2],
    }
    if query.order in first:
        wanted.sort(key=first[query.order])  # a stable sort: the rest is by project and desk
    if query.descending:
        wanted.reverse()
    return [Group(desk.project, desk.id, active, kind) for desk, active, kind in wanted]
