"""The ledger: the rows of `imports`. It says which import has claimed which file, and how far each import is."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Session

from include.adapters.database.row_weeks import new_import_id
from include.errors import ImportNotFound, TransitionNotAllowed
from include.models import FINAL_STATES, TRANSITIONS, Problem, RunRequest, State
from include.schemas.client_tables import Import

# The clocks of two workers are at most so far apart; what was received later than that was received before a clock was
# set back.
CLOCKS_DIFFER = timedelta(minutes=1)
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
        id=new_import_id(now), feed=feed, file_name=file_name, state=state, dag_id=request.dag_id,
        run_id=request.run_id, requested_by=request.by, note=request.note, forced=request.force,
        dry_run=request.dry_run, received_at=now, state_times={state: now.isoformat()}, **values,
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


def of_request(engine: sa.Engine, request: RunRequest) -> list[Import]:
    """Find the imports of the DAG run that asks, in order of arrival."""
    return of_run(engine, request.dag_id or "", request.run_id or "")


def stalled(
    engine: sa.Engine, dag_id: str, run_id: str, started: datetime | None = None, now: datetime | None = None
) -> list[Import]:
    """Find the imports that earlier runs of this DAG left unfinished, because a worker died.

    An import is finished when its file is filed and people were notified, or did not want to be. `failed` waits for
    a person. A feed's DAG has one active run at a time, so what another run left has no owner. Only what came after
    this run `started` belongs to a later run: then this process was halted for a while. What came after `now` came
    before the clock was set back.
    """
    earlier = ~_after(started, now) if started else sa.true()
    ended = Import.state.in_([State.MERGED, State.REFUSED, State.PREVIEWED, State.SKIPPED, State.DISCARDED])
    not_done = sa.and_(ended, sa.or_(~Import.filed, Import.notified_state.is_(None)))
    unfinished = sa.or_(Import.state.in_(ON_THE_WAY), not_done)
    return _where(engine, Import.dag_id == dag_id, Import.run_id != run_id, earlier, unfinished)


def on_the_way_in_later_runs(
    engine: sa.Engine, dag_id: str, run_id: str, started: datetime | None, now: datetime | None = None
) -> list[Import]:
    """Find the unfinished imports of other runs of this DAG that were received after this run `started`."""
    if started is None:
        return []
    later = (_after(started, now), Import.state.in_(ON_THE_WAY))
    return _where(engine, Import.dag_id == dag_id, Import.run_id != run_id, *later)


def _after(started: datetime, now: datetime | None) -> sa.ColumnElement[bool]:
    """Say that an import was received after a run `started`; not in a time that is still to come."""
    has_come = Import.received_at <= now + CLOCKS_DIFFER if now else sa.true()
    return sa.and_(Import.received_at >= started, has_come)


def archived_since(engine: sa.Engine, feed: str, since: datetime) -> list[tuple[str, str, int]]:
    """Give id, path and size of the files of a feed that were received since then and are in their last place."""
    columns = sa.select(Import.id, Import.file_path, Import.bytes)
    has_file = (Import.filed.is_(True), Import.file_path.is_not(None))
    with engine.connect() as connection:
        rows = connection.execute(columns.where(Import.feed == feed, Import.received_at > since, *has_file))
        return [(row.id, row.file_path or "", row.bytes or 0) for row in rows]


def newest_merged(connection: sa.Connection, feed: str) -> Import | None:
    """Find the feed's newest import that is merged and not undone."""
    merged = sa.select(Import).where(
        Import.feed == feed, Import.state == State.MERGED, Import.reverts_import_id.is_(None)
    )
    return next(iter(load(connection, merged.order_by(Import.arrival.desc()).limit(1))), None)


def last_files(connection: sa.Connection, feed: str, most: int) -> list[tuple[int, list[str]]]:
    """Give records and header of the feed's newest merged files; no corrections of failed rows, and no undos."""
    files = sa.select(Import.read, Import.header).where(
        Import.feed == feed, Import.state == State.MERGED, Import.reverts_import_id.is_(None),
        Import.parent_import_id.is_(None),
    )  # fmt: skip
    rows = connection.execute(files.order_by(Import.arrival.desc()).limit(most))
    return [(read, header) for read, header in rows]


def revert_of(connection: sa.Connection, import_id: str) -> Import | None:
    """Find the import that undid this one; None when it is not undone."""
    merged = sa.select(Import).where(Import.reverts_import_id == import_id, Import.state == State.MERGED)
    return next(iter(load(connection, merged)), None)


def note_answer(connection: sa.Connection, entry: Import, path: str | None) -> None:
    """Note where an import's failed rows lie for their sender; an earlier import's lie there no more."""
    if path is not None:
        taken = sa.update(Import).where(Import.feed == entry.feed, Import.answer_path == path, Import.id != entry.id)
        connection.execute(taken.values(answer_path=None))
    change(connection, entry.id, answer_path=path)


def exists(engine: sa.Engine, feed: str, import_id: str) -> bool:
    """Return True when the feed has an import with this id."""
    return bool(_where(engine, Import.feed == feed, Import.id == import_id))


def newest_of_name(engine: sa.Engine, feed: str, file_name: str) -> Import | None:
    """Find the newest import of a file with this name. An undo has the name, and no file."""
    same_name = sa.select(Import).where(
        Import.feed == feed, Import.file_name == file_name, Import.reverts_import_id.is_(None)
    )
    return next(iter(load(engine, same_name.order_by(Import.arrival.desc()).limit(1))), None)


def newest_of_names(engine: sa.Engine, feed: str, names: Sequence[str], since: datetime) -> dict[str, Import]:
    """Find the newest import of each of these file names, if it was received since then."""
    named = (Import.feed == feed, Import.received_at >= since, Import.file_name == sa.any_(sa.literal(list(names))))
    return {entry.file_name: entry for entry in _where(engine, *named, Import.reverts_import_id.is_(None))}


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
