"""Imports beside other writers of the client table, on real connections.

The CRM is a second connection with a transaction of its own. No sleep decides a test: it waits until PostgreSQL says
that one connection waits for another.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from threading import Event
from typing import TypeVar

import pytest
import sqlalchemy as sa

from include.adapters.database import ledger, plan, transactions
from include.adapters.files.storage import Storage
from include.models import RunRequest
from include.schemas.feed import Feed
from include.steps.context import ImportContext
from include.steps.merge import merge
from include.steps.prepare import prepare
from include.steps.receive import receive_copy
from include.steps.validate import validate
from tests.conftest import DESK, PROJECT

ANN, BEA, CAT, DAN, EVE = (f"{number:024x}" for number in range(1, 6))
NAMES = {ANN: "Ann", BEA: "Bea", CAT: "Cat", DAN: "Dan", EVE: "Eve"}
RUN = RunRequest("test", dag_id="import_clients__north", run_id="run-1")
PATIENCE = 20  # seconds until a test gives up on what it waits for
T = TypeVar("T")


@dataclass(frozen=True)
class Prepared:
    """A file that is ready to be merged."""

    context: ImportContext
    id: str

    def merge(self) -> None:
        merge(self.context, self.id)

    @property
    def entry(self):
        return ledger.find(self.context.engine, self.id)

    @property
    def outcomes(self) -> list[tuple[str, str | None]]:
        """Outcome and first code of each row."""
        query = sa.text("SELECT outcome, problems->0->>'code' FROM import_rows WHERE import_id = :id ORDER BY row")
        with self.context.engine.connect() as connection:
            return [(row[0], row[1]) for row in connection.execute(query, {"id": self.id})]


@pytest.fixture(scope="session")
def shared_engine(engine_on_every_server: sa.Engine) -> sa.Engine:
    return engine_on_every_server


@pytest.fixture(autouse=True)
def generous_budget(monkeypatch) -> None:
    monkeypatch.setattr(transactions, "RETRY_BUDGET_SECONDS", 2.0 * PATIENCE)


@pytest.fixture
def small_budget(monkeypatch, generous_budget) -> None:
    monkeypatch.setattr(transactions, "LOCK_TIMEOUT_SECONDS", 0.2)
    monkeypatch.setattr(transactions, "RETRY_BUDGET_SECONDS", 0.5)


@pytest.fixture
def four_clients(engine) -> None:
    """Ann, Bea, Cat and Dan."""
    with engine.begin() as connection:
        for id in (ANN, BEA, CAT, DAN):
            add_client(connection, id)


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(4) as pool:
        yield pool


@pytest.fixture
def crm(engine: sa.Engine, pool: ThreadPoolExecutor) -> Iterator[sa.Connection]:
    """A connection of the CRM. Its open transaction is rolled back before the pool waits for its threads."""
    with engine.connect() as connection:
        yield connection


@pytest.fixture
def prepared(engine: sa.Engine, storage: Storage, tmp_path) -> Callable[..., Prepared]:
    """Prepare a file with these rows for a feed."""
    numbers = iter(range(100))

    def _prepared(*rows: str, feed: str = "north", header: str = "ID,First Name,Email") -> Prepared:
        context = ImportContext.of(Feed(name=feed, title=feed), engine, storage)
        path = tmp_path / f"file{next(numbers)}.csv"
        path.write_text("\n".join([header, *rows, ""]))
        entry = receive_copy(context, path, RUN)
        validate(context, entry.id)
        prepare(context, entry.id)
        return Prepared(context, entry.id)

    return _prepared


@pytest.fixture
def before_writing(monkeypatch) -> Callable[[Callable[[sa.Connection], object]], list[sa.Connection]]:
    """Do something in the first merge between its plan and its writes; gives the connections of all tries."""

    def _before_writing(action: Callable[[sa.Connection], object]) -> list[sa.Connection]:
        original, tries = plan.apply_plan, []

        def apply_plan(connection, *args):
            tries.append(connection)
            if len(tries) == 1:
                action(connection)
            return original(connection, *args)

        monkeypatch.setattr(plan, "apply_plan", apply_plan)
        return tries

    return _before_writing


@pytest.fixture
def paused(before_writing) -> Iterator[tuple[Event, Event]]:
    """The first merge stops between plan and writes. Gives two events: it has stopped; let it go on."""
    stopped, go_on = Event(), Event()

    def stop(_: sa.Connection) -> None:
        stopped.set()
        assert go_on.wait(PATIENCE)

    before_writing(stop)
    yield stopped, go_on
    go_on.set()


def rows_of(*ids: str, first_name: str = "New") -> list[str]:
    """A row for each client, with another first name."""
    return [f"{id},{first_name},{NAMES[id].lower()}@example.com" for id in ids]


def add_client(connection: sa.Connection, id: str, **values: str) -> None:
    name = NAMES[id].lower()
    client = {"id": id, "email": f"{name}@example.com", "username": name, "first_name": NAMES[id], **values}
    columns = {**client, "email_key": client["email"], "project": PROJECT, "desk": DESK}
    parameters = ", ".join(f":{column}" for column in columns)
    connection.execute(sa.text(f"INSERT INTO clients ({', '.join(columns)}) VALUES ({parameters})"), columns)


def change(connection: sa.Connection, id: str, column: str, value: str) -> None:
    connection.execute(sa.text(f"UPDATE clients SET {column} = :value WHERE id = :id"), {"value": value, "id": id})


def select_for_update(connection: sa.Connection, id: str) -> None:
    connection.execute(sa.text("SELECT 1 FROM clients WHERE id = :id FOR UPDATE"), {"id": id})


def change_at_once(engine: sa.Engine, id: str, column: str, value: str) -> None:
    """Change a client in a transaction of its own, which fails where it has to wait."""
    with engine.begin() as another_user:
        another_user.execute(sa.text("SET LOCAL lock_timeout = '1s'"))
        change(another_user, id, column, value)


def first_names(clients: Callable[[], dict[str, dict[str, object]]]) -> dict[str, object]:
    return {str(client["id"]): client["first_name"] for client in clients().values()}


def wait_until(condition: Callable[[], object], description: str) -> None:
    ends = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < ends, f"did not happen: {description}"
        time.sleep(0.005)


def wait_for_blocked(engine: sa.Engine, blocker: sa.Connection) -> None:
    """Wait until another connection waits for a lock that this one holds."""
    query = sa.text("SELECT count(*) FROM pg_stat_activity WHERE :pid = ANY(pg_blocking_pids(pid))")
    pid = blocker.connection.dbapi_connection.info.backend_pid  # type: ignore[union-attr]

    def is_blocking() -> bool:
        with engine.connect() as connection:
            return bool(connection.scalar(query, {"pid": pid}))

    wait_until(is_blocking, "a connection waits for the other transaction")


def result_of(future: Future[T]) -> T:
    return future.result(timeout=PATIENCE)
