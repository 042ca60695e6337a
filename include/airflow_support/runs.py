"""Read and start DAG runs: what the current run was asked to do, and, for the page, the state of other runs.

The last functions work in the API server only: a task has no access to Airflow's own database.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from airflow.sdk import get_current_context

from include.models import RunRequest

if TYPE_CHECKING:
    from include.steps.receive import Only

REVERT_DAG = "revert_import"
_FEED_DAG_PREFIX = "import_clients__"

# How every task is repeated after a system error. An error in the file is never retried.
RETRIES = {"retries": 3, "retry_delay": timedelta(seconds=10), "retry_exponential_backoff": 2.0}


def dag_id_of(feed_name: str) -> str:
    """Give the id of the DAG that imports the files of a feed."""
    return f"{_FEED_DAG_PREFIX}{feed_name}"


def feed_of(dag_id: str) -> str | None:
    """Give the name of the feed that a DAG imports; None for a DAG that imports no feed."""
    return dag_id.removeprefix(_FEED_DAG_PREFIX) if dag_id.startswith(_FEED_DAG_PREFIX) else None


def current_request() -> RunRequest:
    """Describe the run of the current task: its ids, who requested it, and its parameters."""
    context = get_current_context()
    run, params = context["dag_run"], context["params"]
    return RunRequest(
        by=params.get("requested_by") or requested_by(run), note=params.get("note") or "",
        dag_id=run.dag_id, run_id=run.run_id, started=run.start_date,
        force=bool(params.get("force")), dry_run=bool(params.get("dry_run")),
    )  # fmt: skip


def requested_by(run: Any) -> str:
    """Give the user name of the person who started a run, or how it was started: `scheduled`, `asset_triggered` ..."""
    return getattr(run, "triggering_user_name", None) or str(getattr(run.run_type, "value", run.run_type))


def current_files() -> Only:
    """Give the one file or upload that the current run was started for, if it was."""
    from include.steps.receive import Only

    params = get_current_context()["params"]
    return Only(params.get("file"), params.get("upload"))


def current_run_url() -> str:
    """Give the address of the current run in Airflow's web page."""
    return get_current_context()["ti"].log_url.split("/tasks/")[0]


def is_last_try() -> bool:
    """Say whether Airflow will not retry the current task any more."""
    ti = get_current_context()["ti"]
    return ti.try_number > ti.max_tries


def has_run_for(time: timedelta) -> bool:
    """Say whether the current run started at least this long ago."""
    started = get_current_context()["dag_run"].start_date
    return started is not None and datetime.now(UTC) - started >= time


def label_task(**values: str) -> None:
    """Give values to the `map_index_template` of the current task, so that Airflow shows them instead of a number."""
    get_current_context().update(values)  # type: ignore[typeddict-item]  # Airflow documents exactly this use


# ---- for the API server only


def trigger_run(dag_id: str, run_id: str, conf: dict[str, Any], by: str) -> None:
    """Start a run in the name of a person; a run that exists already stays as it is. Raises DagNotFound."""
    from airflow.api.common.trigger_dag import trigger_dag
    from airflow.exceptions import DagRunAlreadyExists
    from airflow.utils.types import DagRunTriggeredByType

    try:
        trigger_dag(
            dag_id=dag_id, run_id=run_id, conf=conf, triggering_user_name=by,
            triggered_by=DagRunTriggeredByType.REST_API,
        )  # fmt: skip
    except DagRunAlreadyExists:
        return


def run_state(dag_id: str, run_id: str) -> str | None:
    """Give `queued`, `running`, `success` or `failed`; None when there is no such run."""
    import sqlalchemy as sa
    from airflow.models.dagrun import DagRun
    from airflow.utils.session import create_session

    with create_session() as session:
        state = session.scalar(sa.select(DagRun.state).where(DagRun.dag_id == dag_id, DagRun.run_id == run_id))
    return str(getattr(state, "value", state)) if state else None


def is_paused(dag_id: str) -> bool:
    """Say whether a DAG is switched off, so that its runs wait."""
    import sqlalchemy as sa
    from airflow.models.dag import DagModel
    from airflow.utils.session import create_session

    with create_session() as session:
        return bool(session.scalar(sa.select(DagModel.is_paused).where(DagModel.dag_id == dag_id)))


def import_of_task(dag_id: str, run_id: str, map_index: int) -> str | None:
    """Give the id of the import that a mapped task works on, from the list that `receive` returned."""
    from airflow.models.xcom import XComModel
    from airflow.utils.session import create_session

    query = XComModel.get_many(run_id=run_id, key="return_value", task_ids="receive", dag_ids=dag_id, limit=1)
    with create_session() as session:
        row = session.scalars(query).first()
        files = XComModel.deserialize_value(row) if row else []
    return str(files[map_index]["import_id"]) if 0 <= map_index < len(files) else None
