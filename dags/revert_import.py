"""### Undo one import

**In**: the id of a merged import (from the mail or the page). **Out**: the clients it created are deleted, those it
changed get their old values back; a client that something else has changed since is kept as it is. All or nothing, in
one transaction. The ledger has an entry for the undo with its counts, and one for each client. Undoing the same
import again does nothing. *Dry run* only reports what would happen. A feed that answers its senders tells them.

**When it is red**: the log gives the reason in one sentence. Either the import does not exist or is not merged, and
there is nothing to do, or it is a system error: fix the cause and clear the task.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from airflow.sdk import Param, dag, get_current_context, task
from airflow.sdk.exceptions import AirflowFailException

from include.airflow_support import events
from include.airflow_support.connections import open_engine
from include.airflow_support.notifications import answer_sender_of, post_receipt_of
from include.airflow_support.runs import RETRIES, REVERT_DAG, current_request
from include.errors import ImportNotFound, NothingToRevert

PARAMS = {
    "import_id": Param(type="string", title="Import", pattern="^[0-9a-fA-F-]{36}$"),
    "dry_run": Param(False, type="boolean", title="Dry run", description="Only report what would happen."),
    "note": Param(None, type=["null", "string"], title="Note", description="Why; kept in the ledger."),
}


@task
def revert() -> str:
    """Undo the import that the trigger form names."""
    from include.steps.revert import revert

    import_id = get_current_context()["params"]["import_id"]
    try:
        return str(revert(open_engine(), import_id, current_request()))
    except (ImportNotFound, NothingToRevert) as error:
        raise AirflowFailException(str(error)) from None


@task(outlets=[events.CLIENTS])
def announce(*, outlet_events: Any = None) -> None:
    """Emit the asset event `clients` and the metrics of the undo."""
    from include.steps.announce import announce_run

    events.announce(announce_run(open_engine(), current_request()), outlet_events)


@task
def answer_sender() -> None:
    """Tell the sender of the file that its import was undone, where the feed does so."""
    answer_sender_of(get_current_context()["params"]["import_id"])


@task
def post_receipt() -> None:
    """Post that its import was undone to the feed's webhook, where it has one."""
    post_receipt_of(get_current_context()["params"]["import_id"])


@dag(
    dag_id=REVERT_DAG,
    dag_display_name="Client imports: undo an import",
    description="Undo what one import did to the clients",
    doc_md=__doc__,
    schedule=None,
    start_date=datetime(2024, 1, 1),
    catchup=False,
    max_active_runs=8,
    is_paused_upon_creation=False,
    dagrun_timeout=timedelta(hours=2),
    default_args={"owner": "data-engineering", "execution_timeout": timedelta(hours=1), **RETRIES},
    tags=["client imports"],
    params=PARAMS,
)
def revert_import() -> None:
    revert() >> [announce(), answer_sender(), post_receipt()]


revert_import()
