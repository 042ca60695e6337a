"""### Late feeds, waiting files, held imports

**In**: every feed's inbox, the ledger in `clients_db`. **Out**: metrics by feed (age of the oldest waiting file, held
imports, lateness); a mail to `notify.to` of a feed that has received no file for its `expected_every`.

Each time a feed becomes late, it is reported once: by one mail and by one red run. Later runs are green, and their log
still names the feed as LATE. When a file has arrived and the next one is late, the feed is reported again. A file that
waits in the inbox has arrived.

**When it is red**: open the log of `look`.
* It says LATE: the sender has not sent anything; ask them. There is nothing to clear.
* Anything else is a system error (database, storage, mail server). The next run tries again by itself.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from airflow.sdk import dag, task
from airflow.sdk.exceptions import AirflowFailException

from include.airflow_support.connections import open_engine, open_storage
from include.airflow_support.events import emit
from include.airflow_support.notifications import send_mail
from include.airflow_support.runs import RETRIES, current_run_url
from include.errors import ClientImportError
from include.schemas.feed_folder import read_feeds
from include.settings import read_settings
from include.system_errors import cause_of


@task
def look() -> None:
    """Look at all feeds, send the metrics, and mail the people of each feed that has become late."""
    from include.steps.watch_feeds import watch_feeds

    feeds = read_feeds(read_settings().feeds)
    watched = watch_feeds(open_engine(), open_storage(), feeds, datetime.now(UTC), send_mail, current_run_url())
    emit(watched.measures)
    print(*watched.statuses, sep="\n")
    errors = ExceptionGroup("System errors", watched.errors) if watched.errors else None
    if watched.late or errors:
        # The next run looks again anyway, so this task is not retried.
        reasons = [*map(str, watched.late), *map(sentence_of, watched.errors)]
        raise AirflowFailException("\n".join(reasons)) from errors


def sentence_of(error: Exception) -> str:
    """Give the words of an error of ours, and only the cause of another: its own words may quote a file."""
    return f"System error: {error if isinstance(error, ClientImportError) else cause_of(error)}"


@dag(
    dag_display_name="Client imports: late feeds and waiting files",
    description="Looks at all feeds for late and waiting files",
    doc_md=__doc__,
    schedule="*/5 * * * *",
    start_date=datetime(2024, 1, 1),
    catchup=False,
    max_active_runs=1,
    is_paused_upon_creation=False,
    dagrun_timeout=timedelta(minutes=30),
    default_args={"owner": "data-engineering", "execution_timeout": timedelta(minutes=10), **RETRIES},
    tags=["client imports"],
)
def watch_feeds() -> None:
    look()


watch_feeds()
