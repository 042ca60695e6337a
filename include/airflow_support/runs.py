"""Read and start DAG runs: what the current run was asked to do, and, for the page, the state of other runs.

The last functions work in the API server only: a task has no access to Airflow's own database.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from airflow.sdk import get_current_context

from include.airflow_support.metadata import metadata
from include.errors import AirflowDatabaseFailed
from include.models import RunRequest

if TYPE_CHECKING:
    from include.schemas.client_tables import Import
    from include.steps.receive import Only

REVERT_DAG = "revert_import"
_FEED_DAG_PREFIX = "import_clients__"

# What started a run that no person started, by Airflow's type of the run. It ends the sentence "imported by ...".
_STARTED_BY = {
    "scheduled": "the schedule", "asset_triggered": "a new file", "operator_triggered": "another DAG",
    "backfill": "a backfill", "manual": "an unknown person",
}  # fmt: skip

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
        by=requested_by(run), note=params.get("note") or "",
        dag_id=run.dag_id, run_id=run.run_id, started=run.start_date,
        force=bool(params.get("force")), dry_run=bool(params.get("dry_run")),
    )  # fmt: skip


def requested_by(run: Any) -> str:
    """Give the user name of the person who started a run, or how it was started: `the schedule`, `a new file` ...

    Airflow notes the name itself. What a person writes into a run's parameters is no evidence.
    """
    kind = str(getattr(run.run_type, "value", run.run_type))
    return getattr(run, "triggering_user_name", None) or _STARTED_BY.get(kind, kind)


def current_files() -> Only:
    """Give the one file or upload that the current run was started for, if it was.

    The page names the upload by a key that is no Param of the DAG, so that the trigger form does not ask for it.
    """
    from include.steps.receive import Only

    params = get_current_context()["params"]
    upload = params.get("upload")
    return Only(params.get("file"), None if upload is None else str(upload))


def current_run_url() -> str:
    """Give the address of the current run in Airflow's web page."""
    return run_url_of(get_current_context()["ti"])


def run_url_of(ti: Any) -> str:
    """Give the address of the run that a task belongs to."""
    return str(ti.log_url).split("/tasks/")[0]


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


def undo_run_id(import_id: str) -> str:
    """Name the run that undoes an import: an import has one."""
    return f"undo__{import_id}"


# ---- for the API server only


def trigger_run(dag_id: str, run_id: str, conf: dict[str, Any], by: str) -> None:
    """Start a run in the name of a person; a run that exists already stays as it is. Raises DagNotFound."""
    import sqlalchemy as sa
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
    except sa.exc.SQLAlchemyError as error:
        # Airflow looks for the run before it adds it: another request may add it in between.
        if not isinstance(error, sa.exc.IntegrityError) or run_state(dag_id, run_id) is None:
            raise AirflowDatabaseFailed(type(error).__name__) from None


def run_state(dag_id: str, run_id: str) -> str | None:
    """Give `queued`, `running`, `success` or `failed`; None when there is no such run."""
    import sqlalchemy as sa
    from airflow.models.dagrun import DagRun

    with metadata() as session:
        state = session.scalar(sa.select(DagRun.state).where(DagRun.dag_id == dag_id, DagRun.run_id == run_id))
    return str(getattr(state, "value", state)) if state else None


def has_ended(entry: Import) -> bool:
    """Say whether no run works on an import any more. A command line's import has none; it has an hour."""
    if entry.dag_id is None:
        return datetime.now(UTC) - entry.received_at > timedelta(hours=1)
    return run_state(entry.dag_id, entry.run_id or "") in (None, "success", "failed")


def is_paused(dag_id: str) -> bool:
    """Say whether a DAG is switched off, so that its runs wait."""
    import sqlalchemy as sa
    from airflow.models.dag import DagModel

    with metadata() as session:
        return bool(session.scalar(sa.select(DagModel.is_paused).where(DagModel.dag_id == dag_id)))


@dataclass(frozen=True)
class DagStatus:
    """What Airflow plans for a DAG. `next_run`: when its schedule starts the next run."""

    is_paused: bool
    next_run: datetime | None


def dag_statuses(dag_ids: Collection[str]) -> dict[str, DagStatus]:
    """Give the status of each of these DAGs that Airflow knows."""
    import sqlalchemy as sa
    from airflow.models.dag import DagModel

    columns = sa.select(DagModel.dag_id, DagModel.is_paused, DagModel.next_dagrun_create_after)
    with metadata() as session:
        rows = session.execute(columns.where(DagModel.dag_id.in_(dag_ids), DagModel.is_stale.is_(False)))
        return {dag_id: DagStatus(bool(is_paused), next_run) for dag_id, is_paused, next_run in rows}


def imports_of_task(dag_id: str, run_id: str, map_index: int) -> list[str]:
    """Give the ids of the imports that a mapped task works on, from the list that `sense_inbox` returned."""
    from airflow.models.xcom import XComModel

    query = XComModel.get_many(run_id=run_id, key="return_value", task_ids="sense_inbox", dag_ids=dag_id, limit=1)
    with metadata() as session:
        row = session.scalars(query).first()
        batches = XComModel.deserialize_value(row) if row else []
    return [str(file["import_id"]) for file in batches[map_index]] if 0 <= map_index < len(batches) else []
