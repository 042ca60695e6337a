"""### Forget imports that are past their retention period, and one client on demand

**In**: the ledger in `clients_db`, the files below the storage root, `retention_days` of every feed. Imports of a
feed that no longer exists are kept for the `retention_days` of the default feed.
**Out**: imports without rows, archived or refused file and report. Counts, codes, states and times stay. The table of
a week whose imports are all forgotten is dropped, and the weeks to come have tables.

`forget` runs every day, for all feeds. `forget_client` runs when the DAG is triggered with the ID of a client: it
removes that client from everything that imports have kept, in the database and in files. The client in `clients`
stays, and mails that were sent cannot be recalled.

**When it is red**: open the log of the red task.
* `forget_client` is red and the log names imports: these imports are not finished, and they hold the client. Decide
  about them (approve, discard, or let them finish), then clear the task.
* `forget_client` is red and the log says that a file cannot be searched: look into the files of these imports
  yourself.
* Anything else is a system error (database, storage, bug). Fix the cause and clear the red task: finished work is
  not repeated.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from airflow.sdk import Param, dag, get_current_context, task
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException

from include.airflow_support.connections import open_engine, open_storage
from include.airflow_support.runs import RETRIES
from include.schemas.feed_folder import read_feeds
from include.settings import read_settings

PARAMS = {
    "client_id": Param(
        None,
        type=["null", "string"],
        pattern="^[0-9a-fA-F]{24}$",
        title="Client to forget",
        description="ID of one client to remove from everything that imports have kept. Only the ID: an e-mail address "
        "would stay in Airflow's own database. By address: `python -m include.cli forget --email ADDRESS`.",
    ),
}


@task
def forget() -> None:
    """Remove the personal data of all imports that are past their retention period."""
    from include.steps.forget import forget

    forgotten = forget(open_engine(), open_storage(), read_feeds(read_settings().feeds), datetime.now(UTC))
    print(*forgotten.sentences(), sep="\n")


@task
def forget_client() -> None:
    """Remove the client that the trigger form names, if it names one."""
    from include.steps.erase import erase_person

    client_id = get_current_context()["params"]["client_id"]
    if not client_id:
        raise AirflowSkipException("The trigger form names no client.")
    feeds = read_feeds(read_settings().feeds)
    forgotten = erase_person(open_engine(), open_storage(), feeds, client_id=client_id)
    print(*forgotten.sentences(), sep="\n")
    if forgotten.left or forgotten.unread:
        raise AirflowFailException("The client is not forgotten everywhere; see above.")


@dag(
    dag_display_name="Forget imports",
    description="Retention of all feeds, daily; and one client on demand",
    doc_md=__doc__,
    schedule="@daily",
    start_date=datetime(2024, 1, 1),
    catchup=False,
    max_active_runs=1,
    is_paused_upon_creation=False,
    dagrun_timeout=timedelta(hours=6),
    default_args={"owner": "data-engineering", "execution_timeout": timedelta(hours=2), **RETRIES},
    tags=["client imports"],
    params=PARAMS,
)
def forget_imports() -> None:
    forget()
    forget_client()


forget_imports()
