"""Transactions that give way: what another transaction holds is waited for briefly, then everything is repeated.

Why this way: docs/decisions/0013-row-locks.md.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

import sqlalchemy as sa

from include.errors import ClientsBusy, ClientsChanged

LOCK_TIMEOUT_SECONDS = 2.0
# Shorter than PostgreSQL's deadlock_timeout (1 s): a transaction of ours that holds clients gives way before the server
# picks one to fail. Other writers of those clients wait no longer than this for a merge that itself waits.
CLIENT_LOCK_TIMEOUT_SECONDS = 0.2
RETRY_BUDGET_SECONDS = 60.0
_FIRST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS = 0.05, 5.0

_LOCKED = {"55P03", "40P01", "40001"}  # lock time-out, deadlock, serialisation failure
_CHANGED = {"23505", "23503"}  # a unique or foreign key that another transaction has made untrue
T = TypeVar("T")


def limit_waits(connection: sa.Connection) -> None:
    """Let no statement of this transaction wait for a lock without end. Call it before anything is locked."""
    # timezone: instants in before and after images read the same whichever session wrote them.
    # work_mem: the default, 4 MB, is for any number of small queries.
    # jit: compiling a statement takes longer than any of these runs.
    settings = {
        "lock_timeout": _milliseconds(LOCK_TIMEOUT_SECONDS), "timezone": "UTC", "work_mem": "64MB", "jit": "off",
    }  # fmt: skip
    _set(connection, settings)


def wait_briefly(connection: sa.Connection) -> None:
    """From here to the end of the transaction wait for locks only briefly, because it holds clients."""
    _set(connection, {"lock_timeout": _milliseconds(CLIENT_LOCK_TIMEOUT_SECONDS)})


def _set(connection: sa.Connection, settings: dict[str, str]) -> None:
    calls = ", ".join(f"set_config('{name}', '{value}', true)" for name, value in settings.items())
    connection.execute(sa.text(f"SELECT {calls}"))


def _milliseconds(seconds: float) -> str:
    return f"{seconds * 1000:.0f}ms"


def repeat_on_conflict(attempt: Callable[[], T], again: Callable[[], T] | None = None) -> T:
    """Run a transaction, and while others are in its way run it `again` and again, with growing pauses.

    Raises ClientsBusy when RETRY_BUDGET_SECONDS are over. Any other error is raised at once.
    """
    until, pause = time.monotonic() + RETRY_BUDGET_SECONDS, _FIRST_PAUSE_SECONDS
    while True:
        try:
            return attempt()
        except (ClientsChanged, sa.exc.DBAPIError) as error:
            reason = _reason_to_repeat(error)
            if reason is None:
                raise
            if time.monotonic() + pause > until:
                raise ClientsBusy(reason) from None
        time.sleep(pause)
        pause, attempt = min(2 * pause, _LONGEST_PAUSE_SECONDS), again or attempt


def _reason_to_repeat(error: Exception) -> str | None:
    """Give the end of a sentence for people; None for an error that repeating does not mend."""
    state = getattr(getattr(error, "orig", None), "sqlstate", None)
    if state in _LOCKED:
        return "another transaction holds clients that this file changes"
    if state in _CHANGED or isinstance(error, ClientsChanged):
        return "another program keeps changing clients that this file changes"
    return None
