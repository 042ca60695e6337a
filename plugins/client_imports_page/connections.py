"""What the page opens: the client database, the storage, and Airflow's own database of runs."""

from __future__ import annotations

from functools import cache
from typing import Any

import sqlalchemy as sa
from airflow.models.connection import Connection
from airflow.models.dag import DagModel
from airflow.models.dagrun import DagRun
from airflow.models.xcom import XComModel
from airflow.utils.session import create_session
from airflow.utils.types import DagRunTriggeredByType

from include.adapters.database.engine import engine_from_url, url_of_connection
from include.adapters.files.storage import Storage
from include.adapters.files.storage_root import open_storage
from include.errors import FeedInvalid
from include.schemas.feed import Feed, load_feed, read_feeds
from include.settings import Login, read_settings
from include.steps.context import ImportContext

DAG_OF_A_FEED = "import_clients__"
# A page that takes longer is broken, and must not keep the database busy.
_PATIENCE_MS = 15_000


@cache
def engine() -> sa.Engine:
    return engine_from_url(url_of_connection(Connection.get_connection_from_secrets("clients_db")), _PATIENCE_MS)


@cache
def storage() -> Storage:
    return open_storage(read_settings().storage, _login_of)


def _login_of(connection_id: str) -> Login:
    return Login.of_connection(Connection.get_connection_from_secrets(connection_id))


def context_of(feed: Feed) -> ImportContext:
    return ImportContext.of(feed, engine(), storage())


def feeds() -> dict[str, Feed]:
    """The feeds that have a DAG, by name."""
    return {name: feed for name, feed in read_feeds(read_settings().feeds).items() if feed is not None}


def feed_named(name: str) -> Feed:
    """Also for a feed whose file is gone or broken: its imports are still there."""
    try:
        return load_feed(read_settings().feeds / f"{name}.yaml")
    except (FeedInvalid, OSError):
        return Feed(name=name, title=name)


def dag_of(feed: str) -> str:
    return f"{DAG_OF_A_FEED}{feed}"


def feed_of(dag_id: str) -> str | None:
    return dag_id.removeprefix(DAG_OF_A_FEED) if dag_id.startswith(DAG_OF_A_FEED) else None


def trigger(dag_id: str, run_id: str, conf: dict[str, Any], by: str) -> None:
    """Start a run; one that exists already is as good. Raises DagNotFound."""
    from airflow.api.common.trigger_dag import trigger_dag
    from airflow.exceptions import DagRunAlreadyExists

    try:
        trigger_dag(
            dag_id=dag_id, run_id=run_id, conf=conf, triggering_user_name=by,
            triggered_by=DagRunTriggeredByType.REST_API,
        )  # fmt: skip
    except DagRunAlreadyExists:
        return


def run_state(dag_id: str, run_id: str) -> str | None:
    """`queued`, `running`, `success` or `failed`; None for no such run."""
    with create_session() as session:
        query = sa.select(DagRun.state).where(DagRun.dag_id == dag_id, DagRun.run_id == run_id)
        state = session.scalar(query)
        return str(getattr(state, "value", state)) if state else None


def is_paused(dag_id: str) -> bool:
    with create_session() as session:
        return bool(session.scalar(sa.select(DagModel.is_paused).where(DagModel.dag_id == dag_id)))


def import_of_task(dag_id: str, run_id: str, map_index: int) -> str | None:
    """The id of the import that a mapped task works on: what `receive` handed it."""
    query = XComModel.get_many(run_id=run_id, key="return_value", task_ids="receive", dag_ids=dag_id, limit=1)
    with create_session() as session:
        found = session.scalars(query).first()
        files = XComModel.deserialize_value(found) if found else []
    return str(files[map_index]["import_id"]) if 0 <= map_index < len(files) else None
