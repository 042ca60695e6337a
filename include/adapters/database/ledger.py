"""The ledger of imports: who claimed which file, and how far it is. The state in here decides, nothing else does."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from include.errors import ImportNotFound, TransitionNotAllowed
from include.models import FINAL_STATES, OUTCOMES, TRANSITIONS, Counts, Import, Problem, RunRequest, State
from include.schemas.client_tables import imports

_COUNTS = ("read", *OUTCOMES, "warnings")


@contextmanager
def only_one(engine: sa.Engine, task: str) -> Iterator[sa.Connection]:
    """While this is open nobody else does `task`, say `receive acme`; a killed process lets go by itself.

    The lock is as alive as the connection that is given: what is written through it was written under the lock.
    """
    with engine.connect() as connection:
        key = sa.func.hashtextextended(f"client imports: {task}", 0)
        connection.execute(sa.select(sa.func.pg_advisory_lock(key)))
        connection.commit()
        try:
            yield connection
        finally:
            connection.execute(sa.select(sa.func.pg_advisory_unlock(key)))
            connection.commit()


def open_import(
    connection: sa.Connection | sa.Engine,
    feed: str,
    file_name: str,
    inbox_name: str | None,
    request: RunRequest,
    now: datetime,
) -> Import:
    """A new line in state `received`, committed. With `inbox_name` it claims that file of the feed's inbox."""
    if isinstance(connection, sa.Engine):
        with connection.connect() as own:
            return open_import(own, feed, file_name, inbox_name, request, now)
    opened = open_line(connection, feed, file_name, request, now, inbox_name=inbox_name)
    connection.commit()
    return opened


def open_revert(connection: sa.Connection, entry: Import, request: RunRequest, now: datetime) -> Import:
    """A new line for the revert of `entry`: of the same feed and named like its file."""
    return open_line(
        connection, entry.feed, entry.file_name, request, now, state=State.PREPARED, reverts_import_id=UUID(entry.id)
    )


def open_line(
    connection: sa.Connection,
    feed: str,
    file_name: str,
    request: RunRequest,
    now: datetime,
    state: State = State.RECEIVED,
    **values: Any,
) -> Import:
    """A new line in state `received`, in the transaction of whoever calls."""
    line = {
        "id": uuid4(), "feed": feed, "file_name": file_name, "state": state, "dag_id": request.dag_id,
        "run_id": request.run_id, "requested_by": request.by, "note": request.note, "forced": request.force,
        "dry_run": request.dry_run, "received_at": now, "state_times": {state: now.isoformat()}, **values,
    }  # fmt: skip
    return import_of(connection.execute(imports.insert().values(line).returning(imports)).one())


def revert_of(connection: sa.Connection, import_id: str) -> Import | None:
    """The line of the revert that took this import back, None when it is not reverted."""
    query = sa.select(imports).where(imports.c.reverts_import_id == UUID(import_id), imports.c.state == State.MERGED)
    row = connection.execute(query).one_or_none()
    return import_of(row) if row else None


def find(engine: sa.Engine, import_id: str) -> Import:
    with engine.connect() as connection:
        return lock(connection, import_id, update=False)


def lock(connection: sa.Connection, import_id: str, update: bool = True) -> Import:
    """The import's line; with `update` nobody else changes it before this transaction ends. Raises ImportNotFound."""
    try:
        query = sa.select(imports).where(imports.c.id == UUID(import_id))
    except ValueError:
        raise ImportNotFound(f"{import_id!r} is not the id of an import.") from None
    row = connection.execute(query.with_for_update() if update else query).one_or_none()
    if row is None:
        raise ImportNotFound(f"The ledger has no import {import_id}.")
    return import_of(row)


def change(connection: sa.Connection | sa.Engine, import_id: str, **values: Any) -> None:
    if isinstance(connection, sa.Engine):
        with connection.begin() as own:
            return change(own, import_id, **values)
    connection.execute(imports.update().where(imports.c.id == UUID(import_id)).values(values))


def enter_state(
    connection: sa.Connection | sa.Engine, import_id: str, state: State, now: datetime, **values: Any
) -> None:
    """Go to `state` and note when; `values` are other columns of the same row. Raises TransitionNotAllowed."""
    if isinstance(connection, sa.Engine):
        with connection.begin() as own:
            return enter_state(own, import_id, state, now, **values)
    times = imports.c.state_times.op("||")(sa.cast({state: now.isoformat()}, JSONB))
    sources = [source for source, targets in TRANSITIONS.items() if state in targets]
    statement = imports.update().where(imports.c.id == UUID(import_id), imports.c.state.in_(sources))
    if connection.execute(statement.values(state=state, state_times=times, **values)).rowcount == 0:
        entry = lock(connection, import_id, update=False)
        raise TransitionNotAllowed(f"Import {import_id} is {entry.state} and cannot become {state}.")


def remembered(engine: sa.Engine) -> list[Import]:
    """Imports that are not forgotten yet."""
    return _all(engine, imports.c.forgotten_at.is_(None))


def advance(engine: sa.Engine, import_id: str, state: State, now: datetime, **values: Any) -> bool:
    """Like `enter_state`, but never back: False when the import has been there, or has ended.

    A process that stood still and was taken for dead may come here long after others did its work.
    """
    with engine.begin() as connection:
        entry = lock(connection, import_id)
        if entry.state in FINAL_STATES or entry.has_been(state):
            return False
        enter_state(connection, import_id, state, now, **values)
        return True


def claims(engine: sa.Engine, feed: str) -> list[Import]:
    """Imports that own a file of the feed's inbox, which may not have been taken out yet."""
    return _all(engine, imports.c.feed == feed, imports.c.inbox_name.is_not(None))


def of_run(engine: sa.Engine, dag_id: str, run_id: str) -> list[Import]:
    return _all(engine, imports.c.dag_id == dag_id, imports.c.run_id == run_id)


def stalled(engine: sa.Engine, dag_id: str, run_id: str, started: datetime | None = None) -> list[Import]:
    """Imports that earlier runs of this DAG left on their way, because a worker died; `failed` waits for a person.

    An import is on its way until its file is filed and somebody was told, or nobody wanted to be.

    A feed's DAG has one active run at a time, so whatever another run left is nobody's any more; but what came after
    this one `started` is a later run's, and this is a process that stood still.
    """
    earlier = imports.c.received_at < started if started else sa.true()
    on_the_way = imports.c.state.in_([State.RECEIVED, State.VALIDATED, State.PREPARED])
    ended = imports.c.state.in_([State.MERGED, State.REFUSED, State.PREVIEWED, State.DISCARDED])
    not_done = sa.and_(ended, sa.or_(~imports.c.filed, imports.c.notified_state.is_(None)))
    return _all(engine, imports.c.dag_id == dag_id, imports.c.run_id != run_id, earlier, sa.or_(on_the_way, not_done))


def merged_before(connection: sa.Connection, feed: str, sha256: str) -> Import | None:
    same = (imports.c.feed == feed, imports.c.sha256 == sha256, imports.c.state == State.MERGED)
    row = connection.execute(sa.select(imports).where(*same).order_by(imports.c.arrival.desc()).limit(1)).one_or_none()
    return import_of(row) if row else None


def exists(engine: sa.Engine, feed: str, import_id: str) -> bool:
    return bool(_all(engine, imports.c.feed == feed, imports.c.id == UUID(import_id)))


def by_inbox_file(engine: sa.Engine, feed: str, name: str) -> Import | None:
    found = _all(engine, imports.c.feed == feed, imports.c.file_name == name)
    return found[-1] if found else None


def held(engine: sa.Engine, feed: str) -> list[Import]:
    """Imports of a feed that wait for a person, in order of arrival."""
    return _all(engine, imports.c.feed == feed, imports.c.state == State.HELD)


def merged_after(engine: sa.Engine, entry: Import) -> list[Import]:
    """Files of the same feed that arrived later and are merged already."""
    same_feed = sa.and_(imports.c.feed == entry.feed, imports.c.reverts_import_id.is_(None))
    return _all(engine, same_feed, imports.c.state == State.MERGED, imports.c.arrival > entry.arrival)


def as_json(problems: Sequence[Problem]) -> list[dict[str, Any]]:
    return json.loads(json.dumps([asdict(problem) for problem in problems]))  # type: ignore[no-any-return]


def _all(engine: sa.Engine, *conditions: sa.ColumnElement[bool]) -> list[Import]:
    with engine.connect() as connection:
        query = sa.select(imports).where(*conditions).order_by(imports.c.arrival)
        return [import_of(row) for row in connection.execute(query)]


def import_of(row: sa.Row[Any]) -> Import:
    values = row._mapping
    own = {name: values[name] for name in Import.__dataclass_fields__ if name in values and name != "id"}
    for link in ("parent_import_id", "reverts_import_id"):
        own[link] = str(values[link]) if values[link] else None
    own["state"] = State(values["state"])
    return Import(id=str(values["id"]), counts=Counts(**{name: values[name] for name in _COUNTS}), **own)
