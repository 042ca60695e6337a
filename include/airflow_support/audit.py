"""Entries in Airflow's audit log (*Browse > Audit Log*): who saw which import or client, without personal data."""

from __future__ import annotations

import json
from typing import Any

from include.airflow_support.metadata import metadata


def note(event: str, user: str, *, dag_id: str | None = None, run_id: str | None = None, **what: Any) -> None:
    """Add an entry as Airflow's API server does. `what`: ids and plain words; never an address, a name or a search.

    With `dag_id` the entry is for those who may see the audit log of that DAG, without it for all who may see any.
    Raises AirflowDatabaseFailed: what cannot be noted is not shown.
    """
    from airflow.models.log import Log

    entry = Log(
        event=f"client_imports.{event}", owner=user, owner_display_name=user, extra=json.dumps(what), dag_id=dag_id,
        run_id=run_id,
    )  # fmt: skip
    with metadata() as session:
        session.add(entry)
