"""### Discard one import

**In**: the id of an import that is not finished (from the mail or the page). **Out**: nothing of it is imported, and
its file is in `refused/`. Use it for an import that is stuck: its run is dead, or its task fails again and again. A
file that could not be claimed stays in the inbox. Discarding an import that has ended does nothing. A feed that
answers its senders tells them.

**When it is red**: the log gives the reason in one sentence. Either there is no such import, or it is a system error:
fix the cause and clear the task.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from airflow.sdk import Param, dag, get_current_context, task
from airflow.sdk.exceptions import AirflowFailException

from include.airflow_support.connections import open_context, open_engine
from include.airflow_support.notifications import answer_sender_of, post_receipt_of
from include.airflow_support.runs import RETRIES, current_request
from include.errors import FeedInvalid, ImportNotFound

PARAMS = {
    "import_id": Param(type="string", title="Import", pattern="^[0-9a-fA-F-]{36}$"),
    "note": Param(None, type=["null", "string"], title="Reason", description="Why; kept in the ledger."),
}


@task
def discard() -> str:
    """Discard the import that the trigger form names; give its state afterwards."""
    from include.adapters.database import ledger
    from include.steps.discard import discard

    request = current_request()
    try:
        entry = ledger.find(open_engine(), get_current_context()["params"]["import_id"])
        return str(discard(open_context(entry.feed), entry.id, request.by, request.note).state)
    except (FeedInvalid, ImportNotFound) as error:
        raise AirflowFailException(str(error)) from None


@task
def answer_sender() -> None:
    """Tell the sender of the file that it was discarded, where the feed does so."""
    answer_sender_of(get_current_context()["params"]["import_id"])


@task
def post_receipt() -> None:
    """Post that it was discarded to the feed's webhook, where it has one."""
    post_receipt_of(get_current_context()["params"]["import_id"])


@dag(
    dag_id="discard_import",
    dag_display_name="Client imports: discard an import",
    description="End an import that is stuck; nothing of it is imported",
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
def discard_import() -> None:
    discard() >> [answer_sender(), post_receipt()]


discard_import()
