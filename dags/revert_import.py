"""### Undo one import

**In**: the id of a merged import (from the mail or the page). **Out**: the clients it created are deleted, those it
changed get their old values back; a client that something else has changed since is kept as it is. All or nothing, in
one transaction; the ledger has a line for the revert with its counts and one for each client. Doing it twice does
nothing. *Dry run* only says what would happen.

**When it is red**: the log says why in one sentence: the import does not exist or is not merged (nothing to do), or a
fault of ours (mend it and clear the task).
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from airflow.sdk import Param, dag, get_current_context, task
from airflow.sdk.exceptions import AirflowFailException

from include.airflow_support.connections import RETRIES, open_resources, requested_by
from include.airflow_support.events import CLIENTS, tell
from include.errors import ImportNotFound, NothingToRevert
from include.models import RunRequest


@dag(
    dag_display_name="Client imports: undo an import",
    description="Take back what one import did to the clients",
    doc_md=__doc__,
    schedule=None,
    start_date=datetime(2024, 1, 1),
    catchup=False,
    max_active_runs=8,
    is_paused_upon_creation=False,
    dagrun_timeout=timedelta(hours=2),
    default_args={"owner": "data-engineering", "execution_timeout": timedelta(hours=1), **RETRIES},
    tags=["client imports"],
    params={
        "import_id": Param(type="string", title="Import", pattern="^[0-9a-fA-F-]{36}$"),
        "dry_run": Param(False, type="boolean", title="Dry run", description="Only say what would happen."),
        "note": Param(None, type=["null", "string"], title="Note", description="Why; kept in the ledger."),
    },
)
def revert_import() -> None:
    @task
    def revert(params: dict[str, Any]) -> str:
        from include.steps.revert import revert

        run = get_current_context()["dag_run"]
        by = requested_by(run)
        request = RunRequest(by, params["note"] or "", run.dag_id, run.run_id, dry_run=bool(params["dry_run"]))
        try:
            return str(revert(open_resources()[0], params["import_id"], request))
        except (ImportNotFound, NothingToRevert) as error:
            raise AirflowFailException(str(error)) from None

    @task(outlets=[CLIENTS])
    def announce(*, outlet_events: Any = None) -> None:
        from include.steps.announce import announce_run

        run = get_current_context()["dag_run"]
        tell(announce_run(open_resources()[0], RunRequest(dag_id=run.dag_id, run_id=run.run_id)), outlet_events)

    revert() >> announce()


revert_import()
