"""What still moves in the demo: files that wait, runs that are queued or running, and the imports in them."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from demo.airflow_api import AirflowApi
from include.adapters.files.storage import Storage
from include.models import State
from include.schemas.client_tables import Import
from include.schemas.feed import Feed

# A task in such a state waits for a person or for a file, and may do so for days.
_WAITS = {"deferred", "awaiting_input", "up_for_reschedule"}


def what_moves(api: AirflowApi, engine: sa.Engine, storage: Storage, feeds: Iterable[Feed], dropped: list[Path]) -> str:
    """Say what is on its way; '' when nothing moves any more, or only what waits for a person or a file.

    Files first: one that is claimed meanwhile is then found in its run.
    """
    files = waiting_files(storage, feeds, dropped)
    runs = api.unfinished_runs()
    if runs is None:
        return "the API server's answer"
    names = files_of_runs(engine)
    return "; ".join([*files, *moving_runs([(run, api.unfinished_tasks(run)) for run in runs], names)])


def waiting_files(storage: Storage, feeds: Iterable[Feed], dropped: list[Path]) -> list[str]:
    """Name the inboxes with samples of this start, or with files that a watching feed will claim by itself."""
    inboxes = {path.parent.name: 1 for path in dropped if path.exists()}
    for feed in feeds:
        if feed.schedule == "watch" and "://" not in feed.inbox:
            files = storage.stable_files(feed.inbox, feed.file_pattern, feed.stable_seconds, feed.side_files)
            inboxes[feed.inbox] = max(len(files), inboxes.get(feed.inbox, 0))
    return [f"files in inbox/{inbox}" for inbox, files in sorted(inboxes.items()) if files]


def files_of_runs(engine: sa.Engine) -> dict[str, list[str]]:
    """Give the files on their way, by the run that has them."""
    query = (
        sa.select(Import.run_id, Import.file_name)
        .where(~Import.filed, Import.state != State.HELD, Import.run_id.is_not(None))
        .order_by(Import.run_id, Import.arrival)
    )
    with engine.connect() as connection:
        rows = connection.execute(query).all()
    return {str(run): [str(name) for _, name in names] for run, names in groupby(rows, key=lambda row: row[0])}


def moving_runs(runs: list[tuple[dict[str, Any], list[tuple[str, str]]]], files: dict[str, list[str]]) -> list[str]:
    """Describe each run that moves, with its tasks and files.

    A run in which every task waits does not move, nor does one that is queued behind it.
    """
    waits = {run["dag_id"] for run, tasks in runs if tasks and {state for _, state in tasks} <= _WAITS}
    return [
        _describe(run, tasks, files.get(run["dag_run_id"], []))
        for run, tasks in runs
        if not (run["dag_id"] in waits and {state for _, state in tasks} <= _WAITS)
    ]


def _describe(run: dict[str, Any], tasks: list[tuple[str, str]], files: list[str]) -> str:
    doing = sorted({f"{task.rpartition('.')[2]} {state.replace('_', ' ')}" for task, state in tasks})
    names = f" with {', '.join(files)}" if files else ""
    return f"{run['dag_id']} ({', '.join(doing) or run['state']}){names}"
