"""### Forget what is over its days, and one client on demand

**In**: the ledger in `clients_db`, the files below the storage root, `retention_days` of every feed. An import of a
feed that no longer exists is forgotten after the default feed's days.
**Out**: imports without original cells, problem texts, before/after images, archived or refused file and report.
Counts, codes, states and times stay.

`forget` runs every day, for all feeds. `forget_client` runs when the DAG is triggered with a client's id: it takes that
client out of everything imports have kept, in the database and in files. The client in `clients` stays, and mails that
were sent are out of reach.

**When it is red**: open the red task's log.
* `forget_client` red and the log names imports: these are held or on their way and hold the client. Decide about them
  (approve, discard, or let them finish), then clear the task.
* `forget_client` red and the log says that a file cannot be searched: look into the files of these imports yourself.
* Anything else is our fault (database, storage, bug). Mend the cause, clear the red task: what is already done is
  not done again.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from airflow.sdk import Param, dag, task
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException

from include.airflow_support.connections import RETRIES, open_resources
from include.settings import read_settings

PARAMS = {
    "client_id": Param(
        None,
        type=["null", "string"],
        pattern="^[0-9a-fA-F]{24}$",
        title="Client to forget",
        description="ID of one client to take out of everything that imports have kept. Only the ID: an e-mail address "
        "would stay in Airflow's own database. By address: `python -m include.cli forget --email ADDRESS`.",
    ),
}


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
    @task
    def forget() -> None:
        from include.schemas.feed import read_feeds
        from include.steps.forget import forget

        print(*forget(*open_resources(), read_feeds(read_settings().feeds), datetime.now(UTC)).sentences(), sep="\n")

    @task
    def forget_client(params: dict[str, Any]) -> None:
        from include.schemas.feed import read_feeds
        from include.steps.erase import erase_person

        if not params["client_id"]:
            raise AirflowSkipException("No client was named.")
        done = erase_person(*open_resources(), read_feeds(read_settings().feeds), client_id=params["client_id"])
        print(*done.sentences(), sep="\n")
        if done.left or done.unread:
            raise AirflowFailException("The client is not forgotten everywhere; see above.")

    forget()
    forget_client()


forget_imports()
