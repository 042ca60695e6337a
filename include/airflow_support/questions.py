"""Questions that Airflow asks about held imports (*Required Actions*), for the API server only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from include.airflow_support.metadata import metadata


@dataclass(frozen=True)
class Asked:
    """A question of one run. `reviewers`: ids of those who may answer, all if there are none.

    `answer` and `answered_by` are '' until somebody has answered, `answered_at` is None.
    """

    reviewers: Sequence[str]
    answer: str
    answered_by: str
    answered_at: datetime | None


def asked(dag_id: str, run_id: str, task_id: str) -> Asked | None:
    """Find the question that a task asks; None when it has not asked yet."""
    import sqlalchemy as sa
    from airflow.models.hitl import HITLDetail
    from airflow.models.taskinstance import TaskInstance

    query = (
        sa.select(HITLDetail)
        .join(TaskInstance, HITLDetail.ti_id == TaskInstance.id)
        .where(TaskInstance.dag_id == dag_id, TaskInstance.run_id == run_id, TaskInstance.task_id == task_id)
    )
    with metadata() as session:
        detail = session.scalar(query)
        if detail is None:
            return None
        return Asked(
            [user["id"] for user in detail.assigned_users],
            " ".join(detail.chosen_options or ()),
            detail.responded_by_user_name or "",
            detail.responded_at,
        )
