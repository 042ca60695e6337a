"""### Late feeds, waiting files, held imports

**In**: every feed's inbox, the ledger in `clients_db`. **Out**: metrics by feed (age of the oldest waiting file, held
imports, lateness); a mail to `notify.to` of a feed of which no file has come for its `expected_every`.

A lateness is told once, by one mail and by one red run; runs after it are green, and their log goes on naming the feed
as LATE. After a file has come, the next lateness is told again. A file that waits in the inbox has come.

**When it is red**: open the log of `look`.
* It says LATE: the sender has not sent anything; ask them. There is nothing to clear.
* Anything else is our fault (database, storage, mail server). The next run looks and tells again by itself.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from airflow.sdk import dag, get_current_context, task
from airflow.sdk.exceptions import AirflowFailException

from include.airflow_support.connections import RETRIES, open_resources, send_with_smtp_connection
from include.airflow_support.events import emit
from include.settings import read_settings

if TYPE_CHECKING:
    from include.emails.late import LateFeed
    from include.schemas.feed import Feed


@dag(
    dag_display_name="Client imports: late feeds and waiting files",
    description="Looks at all feeds: who is late, what waits",
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
    @task
    def look() -> None:
        from include.schemas.feed import read_feeds
        from include.steps.watch_feeds import watch_feeds

        link = get_current_context()["ti"].log_url.split("/tasks/")[0]
        watched = watch_feeds(*open_resources(), read_feeds(read_settings().feeds), datetime.now(UTC), send, link)
        emit(watched.measures)
        print(*watched.standings, sep="\n")
        # Neither is tried again: the next run looks anyway.
        faults = ExceptionGroup("Not looked at, or not told", watched.faults) if watched.faults else None
        if watched.late or faults:
            said = [*map(str, watched.late), *([str(faults)] if faults else [])]
            raise AirflowFailException("\n".join(said)) from faults

    def send(feed: Feed, letter: LateFeed) -> None:
        send_with_smtp_connection(feed, letter, {})

    look()


watch_feeds()
