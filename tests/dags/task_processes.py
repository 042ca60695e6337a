"""Run a DAG as workers do: each task in a process of its own, which reads the DAG's file anew."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.airflow_installation import Installation


def read_dags(installation: Installation) -> None:
    """Do what the DAG processor does: read all DAG files, and write what they define into Airflow's database."""
    from airflow.dag_processing.bundles.manager import DagBundlesManager
    from airflow.dag_processing.dagbag import DagBag, sync_bag_to_db

    DagBundlesManager().sync_bundles_to_db()
    sync_bag_to_db(DagBag(dag_folder=installation.bag.dag_folder), "dags-folder", None)


def trigger(dag_id: str, run_id: str, user: str, logs: Path, **conf: Any) -> Run:
    """Trigger a run in the name of a person, as Airflow's page and API do."""
    from airflow.api.common.trigger_dag import trigger_dag
    from airflow.utils.types import DagRunTriggeredByType

    trigger_dag(
        dag_id=dag_id, run_id=run_id, conf=conf, triggering_user_name=user,
        triggered_by=DagRunTriggeredByType.REST_API,
    )  # fmt: skip
    return Run(dag_id, run_id, logs)


@dataclass
class Run:
    """A run whose tasks are started by `start_tasks`; each writes its log into the folder `logs`."""

    dag_id: str
    run_id: str
    logs: Path

    def start_tasks(self) -> list[str]:
        """Start what can be started now, wait for it, and give the names of the tasks."""
        from airflow.sdk.execution_time.supervisor import InProcessTestSupervisor, supervise_task

        workloads = self._queue()
        client = InProcessTestSupervisor._api_client()
        for each in workloads:
            supervise_task(
                ti=each.ti, bundle_info=each.bundle_info, dag_rel_path=each.dag_rel_path, token="", client=client,
                log_path=str(self.logs / each.ti.task_id),
            )  # fmt: skip
        return [each.ti.task_id for each in workloads]

    def _queue(self) -> list[Any]:
        from airflow.executors.workloads.task import ExecuteTask
        from airflow.models.dagbag import DBDagBag
        from airflow.utils.session import create_session

        with create_session() as session:
            run = self._row(session)
            if run.state in ("success", "failed"):
                return []
            run.dag, run.state = DBDagBag().get_dag_for_run(run, session=session), "running"
            ready, _ = run.update_state(session=session)
            run.schedule_tis(ready, session=session)
            for ti in ready:
                session.refresh(ti)
                ti.state = "queued"
            session.flush()
            return [ExecuteTask.make(ti) for ti in ready]

    def finish(self) -> None:
        """Start tasks until the run has ended. A run that waits for something is left as it is."""
        for _ in range(20):
            self.start_tasks()

    def ended(self) -> tuple[str, dict[str, str]]:
        """Give the state of the run, and of each task."""
        from airflow.utils.session import create_session

        with create_session() as session:
            run = self._row(session)
            return str(run.state), {ti.task_id: str(ti.state) for ti in run.get_task_instances(session=session)}

    def _row(self, session: Any) -> Any:
        from airflow.models.dagrun import DagRun

        return session.query(DagRun).where(DagRun.dag_id == self.dag_id, DagRun.run_id == self.run_id).one()

    def errors(self, task: str) -> list[str]:
        """Give the errors that a task has logged, each with its exceptions' texts."""
        lines = [json.loads(line) for line in (self.logs / task).read_text().splitlines()]
        errors = [line for line in lines if line["level"] == "error"]
        return [" ".join([e["event"], *(x["exc_value"] for x in e.get("error_detail", ()))]) for e in errors]
