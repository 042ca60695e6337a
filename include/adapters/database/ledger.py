"""The ledger: the rows of `imports`. It says which import has claimed which file, and how far each import is."""

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
from sqlalchemy.orm import Session

from include.errors import ImportNotFound, TransitionNotAllowed
from include.models import FINAL_STATES, TRANSITIONS, Problem, RunRequest, State
from include.schemas.client_tables import Import

ON_THE_WAY = (State.RECEIVED, State.VALIDATED, State.PREPARED)


@contextmanager
def only_one(engine: sa.Engine, task: str) -> Iterator[sa.Connection]:
    """Make sure that one process at a time does `task`, such as `receive acme`.

    The lock lives as long as the connection that is given: a killed process releases it, and what is written through
    this connection is written under the lock.
    """
    key = sa.func.hashtextextended(f"client imports: {task}", 0)
    with engine.connect() as connection:
        connection.execute(sa.select(sa.func.pg_advisory_lock(key)))
        connection.commit()
        try:
            yield connection
        finally:
            connection.execute(sa.select(sa.func.pg_advisory_unlock(key)))
            connection.commit()


def open_import(
    connection: sa.Connection, feed: str, file_name: str, request: RunRequest, now: datetime, **values: Any
) -> Import:
    """Insert an import in state `received`. With `inbox_name` it claims that file of the feed's inbox."""
    return _insert(connection, State.RECEIVED, feed, file_name, request, now, **values)


def open_revert(connection: sa.Connection, entry: Import, request: RunRequest, now: datetime) -> Import:
    """Insert the undo of `entry`, an import of the same feed and file name. It starts as `prepared`: it has no file."""
    return _insert(
        connection, State.PREPARED, entry.feed, entry.file_name, request, now, reverts_import_id=entry.id
    )  # fmt: skip


def _insert(
    connection: sa.Connection, state: State, feed: str, file_name: str, request: RunRequest, now: datetime,
    **values: Any,
) -> Import:  # fmt: skip
    statement = sa.insert(Import).values(
        id=str(uuid4()), feed=feed, file_name=file_name, state=state, dag_id=request.dag_id, run_id=request.run_id,
        requested_by=request.by, note=request.note, forced=request.force, dry_run=request.dry_run, received_at=now,
        state_times={state: now.isoformat()}, **values,
    )  # fmt: skip
    (opened,) = load(connection, statement.returning(Import))
    return opened


def find(source: sa.Engine | sa.Connection, import_id: str) -> Import:
    """Read one import. Raises ImportNotFound."""
    return _one(source, import_id, sa.select(Import))


def lock(connection: sa.Connection, import_id: str) -> Import:
    """Read one import and keep others from changing it until this transaction ends. Raises ImportNotFound."""
    return _one(connection, import_id, sa.select(Import).with_for_update())


def _one(source: sa.Engine | sa.Connection, import_id: str, query: sa.Select[Import]) -> Import:
    try:
        UUID(import_id)
    except ValueError:
        raise ImportNotFound(f"{import_id!r} is not the id of an import.") from None
    imports = load(source, query.where(Import.id == import_id))
    if not imports:
        raise ImportNotFound(f"The ledger has no import {import_id}.")
    return imports[0]


def load(source: sa.Engine | sa.Connection, query: sa.Executable) -> list[Import]:
    """Run a query for imports. They are detached: they stay readable after the connection has gone."""
    with Session(source, join_transaction_mode="rollback_only") as session:
        return list(session.scalars(query))


def change(connection: sa.Connection | sa.Engine, import_id: str, **values: Any) -> None:
    """Write columns of one import, never its state."""
    if isinstance(connection, sa.Engine):
        with connection.begin() as own:
            return change(own, import_id, **values)
    connection.execute(sa.update(Import).where(Import.id == import_id).values(values))


def enter_state(connection: sa.Connection, import_id: str, state: State, now: datetime, **values: Any) -> None:
    """Go to `state` and note when; `values` are other columns of the same row. Raises TransitionNotAllowed."""
    sources = [source for source, targets in TRANSITIONS.items() if state in targets]
    times = Import.state_times.op("||")(sa.cast({state: now.isoformat()}, JSONB))
    allowed = sa.update(Import).where(Import.id == import_id, Import.state.in_(sources))
    if connection.execute(allowed.values(state=state, state_times=times, **values)).rowcount == 0:
        entry = find(connection, import_id)
        raise TransitionNotAllowed(f"Import {import_id} is {entry.state} and cannot become {state}.")


def advance(engine: sa.Engine, import_id: str, state: State, now: datetime, **values: Any) -> bool:
    """Go to `state` once. Does nothing and returns False when the import has been there, or has ended.

    A process that was halted may arrive here long after another one has done its work.
    """
    with engine.begin() as connection:
        entry = lock(connection, import_id)
        if entry.state in FINAL_STATES or entry.has_been(state):
            return False
        enter_state(connection, import_id, state, now, **values)
        return True


def remembered(engine: sa.Engine) -> list[Import]:
    """Find the imports whose data is not deleted yet."""
    return _where(engine, Import.forgotten_at.is_(None))


def claims(engine: sa.Engine, feed: str) -> list[Import]:
    """Find the imports that own a file of the feed's inbox, which may still be there."""
    return _where(engine, Import.feed == feed, Import.inbox_name.is_not(None))


def of_run(engine: sa.Engine, dag_id: str, run_id: str) -> list[Import]:
    """Find the imports of one DAG run, in order of arrival."""
    return _where(engine, Import.dag_id == dag_id, Import.run_id == run_id)


def stalled(engine: sa.Engine, dag_id: str, run_id: str, started: datetime | None = None) -> list[Import]:
    """Find the imports that earlier runs of this DAG left unfinished, because a worker died.

    An import is finished when its file is filed and people were notified, or did not want to be. `failed` waits for
    a person. A feed's DAG has one active run at a time, so what another run left has no owner. Only what came after
    this run `started` belongs to a later run: then this process was halted for a while.
    """
    earlier = Import.received_at < started if started else sa.true()
    ended = Import.state.in_([State.MERGED, State.REFUSED, State.PREVIEWED, State.DISCARDED])
    not_done = sa.and_(ended, sa.or_(~Import.filed, Import.notified_state.is_(None)))
    unfinished = sa.or_(Import.state.in_(ON_THE_WAY), not_done)
    return _where(engine, Import.dag_id == dag_id, Import.run_id != run_id, earlier, unfinished)


def merged_before(connection: sa.Connection, feed: str, sha256: str) -> Import | None:
    """Find the newest merged import of the same bytes."""
    same_file = sa.select(Import).where(Import.feed == feed, Import.sha256 == sha256, Import.state == State.MERGED)
    return next(iter(load(connection, same_file.order_by(Import.arrival.desc()).limit(1))), None)


def revert_of(connection: sa.Connection, import_id: str) -> Import | None:
    """Find the import that undid this one; None when it is not undone."""
    merged = sa.select(Import).where(Import.reverts_import_id == import_id, Import.state == State.MERGED)
    return next(iter(load(connection, merged)), None)


def exists(engine: sa.Engine, feed: str, import_id: str) -> bool:
    """Return True when the feed has an import with this id."""
    return bool(_where(engine, Import.feed == feed, Import.id == import_id))


def newest_of_name(engine: sa.Engine, feed: str, file_name: str) -> Import | None:
    """Find the newest import of a file with this name."""
    same_name = sa.select(Import).where(Import.feed == feed, Import.file_name == file_name)
    return next(iter(load(engine, same_name.order_by(Import.arrival.desc()).limit(1))), None)


def held(engine: sa.Engine, feed: str) -> list[Import]:
    """Find a feed's imports that wait for a decision, in order of arrival."""
    return _where(engine, Import.feed == feed, Import.state == State.HELD)


def merged_after(engine: sa.Engine, entry: Import) -> list[Import]:
    """Find the files of the same feed that arrived later and are merged already."""
    newer = (Import.feed == entry.feed, Import.reverts_import_id.is_(None), Import.arrival > entry.arrival)
    return _where(engine, *newer, Import.state == State.MERGED)


def children(engine: sa.Engine, import_id: str) -> list[Import]:
    """Find the corrected files sent for this import, and its undo, in order of arrival."""
    return _where(engine, sa.or_(Import.parent_import_id == import_id, Import.reverts_import_id == import_id))


def _where(engine: sa.Engine, *conditions: sa.ColumnElement[bool]) -> list[Import]:
    return load(engine, sa.select(Import).where(*conditions).order_by(Import.arrival))


def as_json(problems: Sequence[Problem]) -> list[dict[str, Any]]:
    """Write problems as the ledger keeps them."""
    return json.loads(json.dumps([asdict(problem) for problem in problems]))  # type: ignore[no-any-return]
