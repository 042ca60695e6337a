"""Make an inbox for every feed, put the sample files into theirs, and wait until they are imported."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import sqlalchemy as sa

from demo.activity import what_moves
from demo.airflow_api import AirflowApi
from demo.installation import Demo
from demo.reference_data import SAMPLES
from demo.waiting import Waiting
from include.adapters.files.storage import Storage
from include.errors import StorageMissing
from include.models import State
from include.schemas.client_tables import Import
from include.schemas.feed import Feed

# (sample, feed): the default feed has no schedule and is triggered; acme's inbox is watched.
DROPS = (("clients_export.csv", "default"), ("onboarding.csv", "default"), ("partner_feed.csv", "acme"))


def make_inboxes(storage: Storage, feeds: Mapping[str, Feed | None]) -> list[str]:
    """Make the folders that senders copy files to. Gives a sentence for each that cannot be one."""
    (storage.root / "inbox").mkdir(parents=True, exist_ok=True)
    sentences = []
    for feed in feeds.values():
        try:
            if feed is not None and "://" not in feed.inbox:
                storage.make_inbox(feed.inbox)
        except StorageMissing as error:
            sentences.append(str(error))
    return sentences


def drop(engine: sa.Engine, storage: Storage, feeds: Mapping[str, Feed | None]) -> list[Path]:
    """Put each sample into its inbox that has not been imported yet, and give the paths."""
    with engine.connect() as connection:
        known = set(connection.execute(sa.select(Import.file_name, Import.feed)).tuples())
    dropped = []
    for name, feed_name in DROPS:
        feed = feeds.get(feed_name)
        folder = Path(str(storage.inbox(feed.inbox))) if feed else None
        if (name, feed_name) not in known and folder and folder.is_dir():
            shutil.copyfile(SAMPLES / name, folder / f"{name}.part")
            os.replace(folder / f"{name}.part", folder / name)
            dropped.append(folder / name)
    return dropped


def bring_in(demo: Demo, engine: sa.Engine, feeds: Mapping[str, Feed | None], waiting: Waiting) -> None:
    """Start the runs that no schedule starts, and wait until nothing moves any more. Raises GaveUp and Ended."""
    storage, api = Storage(demo.storage), demo.api
    dropped = drop(engine, storage, feeds)

    def wait_for(what: Callable[[], str]) -> None:
        waiting.until_nothing(lambda: what() if demo.all_run() else "")

    runs = {run["dag_run_id"] for run in api.unfinished_runs() or []}
    for feed in feeds_to_trigger(engine, feeds, dropped, runs):
        wait_for(partial(_trigger, api, f"import_clients__{feed}"))
    known = [feed for feed in feeds.values() if feed]
    wait_for(lambda: what_moves(api, engine, storage, known, dropped))


def _trigger(api: AirflowApi, dag_id: str) -> str:
    return "" if api.trigger(dag_id) else f"the DAG {dag_id}"


def feeds_to_trigger(
    engine: sa.Engine, feeds: Mapping[str, Feed | None], dropped: list[Path], runs: set[str]
) -> list[str]:
    """Name the feeds with samples that no schedule finds, and those with imports that are in no run any more."""
    samples = {path.parent.name for path in dropped}
    by_hand = {name for name, feed in feeds.items() if feed and not feed.schedule and feed.inbox in samples}
    query = sa.select(Import.feed, Import.run_id).where(~Import.filed, Import.state != State.HELD)
    with engine.connect() as connection:
        stalled = {feed for feed, run in connection.execute(query).tuples() if run and run not in runs}
    return sorted(by_hand | stalled & {name for name, feed in feeds.items() if feed})
