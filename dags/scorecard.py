"""### Weekly scorecard

**In**: the ledger in `clients_db`. **Out**: one mail a week to `notify.to` of each feed: files, rows, the share that
failed and how it changed, the most frequent causes with how many rows were corrected, and for how long a file was due.

The week is the last one from Monday to Sunday in the feed's time zone. There is no mail where there is nothing to say:
no file came and none was due; with `when: problems` nothing failed, was refused or late; with `when: never` none at
all. Repeating the task mails nobody twice.

**When it is red**: a mail was not sent, or the database did not answer. Clear the task: those who have their mail get
no second one.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from airflow.sdk import dag, task

from include.airflow_support.connections import open_engine
from include.airflow_support.notifications import send_mail
from include.airflow_support.runs import RETRIES, current_run_url
from include.schemas.feed_folder import read_feeds
from include.settings import read_settings


@task
def mail() -> None:
    """Mail each feed's scorecard of the last week."""
    from include.steps.scorecard import mail_scorecards

    feeds = read_feeds(read_settings().feeds)
    mailed = mail_scorecards(open_engine(), feeds, datetime.now(UTC), send_mail, current_run_url())
    print(f"Mailed: {', '.join(mailed.feeds) or 'none'}")
    if mailed.errors:
        raise ExceptionGroup(f"{len(mailed.errors)} scorecard(s) were not mailed", mailed.errors)


@dag(
    dag_display_name="Client imports: weekly scorecard",
    description="Mails the people of each feed how its files of the last week were",
    doc_md=__doc__,
    schedule="0 12 * * 1",  # it is Monday in every time zone
    start_date=datetime(2024, 1, 1),
    catchup=False,
    max_active_runs=1,
    is_paused_upon_creation=False,
    dagrun_timeout=timedelta(hours=6),
    default_args={"owner": "data-engineering", "execution_timeout": timedelta(minutes=30), **RETRIES},
    tags=["client imports"],
)
def scorecard() -> None:
    mail()


scorecard()
