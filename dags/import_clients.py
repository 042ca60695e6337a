"""### Client imports, one DAG per feed

**In**: CSV files in `inbox/FEED` of the storage root. **Out**: clients in `clients_db`, files in `archive/` or
`refused/`, a ledger entry for each file and each record, a mail.

`sense_inbox` (waits for files and claims them) > for each file `validate_and_prepare` > then `merge` one file after
another, in order of arrival > `email_summary`, `announce` (asset event `clients`, metrics) and `outcome`. Where more
than eight files wait, a mapped task takes several. A file above the feed's `hold` limits is not merged:
`held_imports` > `ask_a_person` starts a run of `review_held_import` for it, and the other files go on.

**When it is red**: open the log of the red task.
* `validate_and_prepare` is red and the log says `FILE_...`: there is an error in the file, and it was refused. The mail
  and the ledger say why; no log quotes the file. The file is in `refused/`. The sender corrects it and sends it again.
  Retrying does not help.
* A task is red and the log names a feed file: correct that file, or put it back, and clear the red tasks. Files that
  were claimed are safe.
* `sense_inbox` is red and the log says that there is no such file or upload: clearing does not help. Start a run
  with the right name.
* Anything else is a system error (database, storage, bug), and the log names the cause. Fix it and clear the red task:
  finished work is not repeated, and no file is lost.
* `outcome` is red whenever a file of the run was refused or is not merged yet.
* `email_summary` alone is red: everything is imported, but no mail was sent. Clear it, or let the next run send it.
* `answer_sender` alone is red: everything is imported, but a sender has no answer yet. Clear it.
* `post_receipt` alone is red: everything is imported, but the webhook did not take the receipt. Clear it.
* `announce` alone is red: everything is imported, but other DAGs and dashboards do not know it yet. Clear it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from zlib import crc32

from airflow.providers.standard.operators.trigger_dagrun import TriggerDagRunOperator
from airflow.sdk import (
    DAG,
    Asset,
    AssetOrTimeSchedule,
    AssetWatcher,
    CronTriggerTimetable,
    Param,
    PokeReturnValue,
    get_parsing_context,
    task,
)
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException

from include.airflow_support import events
from include.airflow_support.connections import find_webhook, open_context, open_engine
from include.airflow_support.notifications import mail_system_error, send_mail
from include.airflow_support.runs import (
    RETRIES,
    current_files,
    current_request,
    current_run_url,
    dag_id_of,
    feed_of,
    has_run_for,
    is_last_try,
    label_task,
)
from include.errors import FeedInvalid
from include.schemas.feed import Feed
from include.schemas.feed_folder import check_inbox, feed_files, find_feed, load_feed
from include.settings import read_settings

if TYPE_CHECKING:
    from include.steps.batches import File
    from include.steps.context import ImportContext

PARAMS = {
    # Airflow reads a form's choices from this file, so they cannot be the files that lie in the inbox just now.
    "file": Param(
        None,
        type=["null", "string"],
        title="File",
        description="The name of one file in the inbox, such as clients.csv. Empty: every file that waits there.",
    ),
    "force": Param(
        False, type="boolean", title="Force", description="Import even if the same bytes were imported before."
    ),
    "dry_run": Param(
        False,
        type="boolean",
        title="Dry run",
        description="Check only: do everything except writing clients; the file is archived.",
    ),
    "note": Param(None, type=["null", "string"], title="Note", description="Why; kept in the ledger."),
}


def open_feed(feed_name: str) -> ImportContext:
    """Open what the steps of a feed need. A wrong feed file fails the task at once: a retry does not mend it."""
    try:
        return open_context(feed_name)
    except FeedInvalid as error:
        raise AirflowFailException(str(error)) from None


@task.sensor(poke_interval=30)
def sense_inbox(feed_name: str) -> PokeReturnValue:
    """Wait until the inbox has a stable file, and claim what is there for this run, in order of arrival.

    The run is skipped when there is no stable file within `wait_minutes`.
    """
    from include.errors import ClaimedByAnotherRun, FileNotInInbox, UploadCancelled, UploadNotFound
    from include.steps.batches import in_batches
    from include.steps.receive import receive, something_to_do

    context, request, only = open_feed(feed_name), current_request(), current_files()
    try:
        if something_to_do(context, request, only):
            if only.upload is None:
                check_inbox(read_settings().feeds, context.feed)
            received = receive(context, request, only)
            if not received:
                raise AirflowSkipException("Another run has claimed the files, or they were cancelled.")
            return PokeReturnValue(True, in_batches(received))
    except (ClaimedByAnotherRun, UploadCancelled) as error:
        raise AirflowSkipException(str(error)) from None
    except (FileNotInInbox, UploadNotFound, FeedInvalid) as error:
        raise AirflowFailException(str(error)) from None
    if has_run_for(waiting_time(context.feed)):
        raise AirflowSkipException(f"No stable file in {inbox_path(context.feed)}.")
    return PokeReturnValue(False)


@task(map_index_template="{{ files }}")
def validate_and_prepare(feed_name: str, files: list[File]) -> None:
    """Judge each file and every row of it, and decide which client each row means and what would change.

    An error in a file refuses it, and is not retried. It makes the task red once its other files are done.
    """
    from include.steps.batches import label_of, validate_and_prepare

    label_task(files=label_of(files))
    if refused := validate_and_prepare(open_feed(feed_name), files):
        raise AirflowFailException("\n".join(refused))


@task(trigger_rule="none_skipped")
def merge(feed_name: str) -> None:
    """Write the changes of all prepared files, one file after another in order of arrival."""
    from include.steps.merge import merge_all

    merge_all(open_feed(feed_name), current_request(), last_try=is_last_try())


@task(trigger_rule="none_skipped", on_failure_callback=mail_system_error)
def email_summary(feed_name: str) -> None:
    """Mail the feed's people what became of the files."""
    from include.steps.email_summary import email_summary

    context = open_feed(feed_name)
    print(email_summary(context, current_request(), current_run_url(), send_mail))


@task(trigger_rule="none_skipped")
def answer_sender(feed_name: str) -> None:
    """Put a receipt and the failed rows beside the inbox, and mail the receipt to the partner."""
    from include.steps.answer import answer_run

    print(answer_run(open_feed(feed_name), current_request(), send_mail))


@task(trigger_rule="none_skipped")
def post_receipt(feed_name: str, connection_id: str) -> None:
    """Post the receipts of the files to the feed's webhook."""
    from include.steps.post_receipt import post_run

    print(post_run(open_feed(feed_name), current_request(), find_webhook(connection_id)))


@task(trigger_rule="none_skipped", outlets=[events.CLIENTS])
def announce(*, outlet_events: Any = None) -> None:
    """Emit the asset event `clients` and the metrics of the run."""
    from include.steps.announce import announce_run

    events.announce(announce_run(open_engine(), current_request()), outlet_events)


@task(trigger_rule="none_skipped", retries=0)
def outcome(feed_name: str) -> None:
    """Fail when a file of the run was refused or is not merged yet, so that the run is red."""
    from include.steps.outcome import not_done

    if sentences := not_done(open_feed(feed_name), current_request()):
        raise AirflowFailException("\n".join(sentences))


@task(trigger_rule="none_skipped")
def held_imports(feed_name: str) -> list[dict[str, Any]]:
    """List the reviews to start, one for each held import of the feed."""
    from include.steps.review import questions_to_ask

    return questions_to_ask(open_feed(feed_name))


def waiting_time(feed: Feed) -> timedelta:
    return timedelta(minutes=feed.wait_minutes)


def inbox_path(feed: Feed) -> str:
    return feed.inbox if "://" in feed.inbox else f"inbox/{feed.inbox}"


def schedule_of(feed: Feed) -> Any:
    """Give the feed's own schedule or, for a watched feed, the inbox trigger and a periodic scan."""
    if feed.schedule != "watch":
        return CronTriggerTimetable(feed.schedule, timezone=feed.timezone) if feed.schedule else None
    watcher = AssetWatcher("inbox_trigger", trigger=inbox_trigger(feed))
    inbox = Asset(f"inbox_{feed.name}", uri=f"clients-inbox://{feed.name}", watchers=[watcher])
    # The periodic scan finds what a dead triggerer missed. Each feed has its own minute, to spread the load.
    minutes = f"{crc32(feed.name.encode()) % 15}-59/15"
    return AssetOrTimeSchedule(timetable=CronTriggerTimetable(f"{minutes} * * * *", timezone="UTC"), assets=[inbox])


def inbox_trigger(feed: Feed) -> Any:
    from inbox_trigger import InboxTrigger

    root = read_settings().storage
    return InboxTrigger(
        root=root, inbox=feed.inbox, pattern=feed.file_pattern,
        stable_seconds=feed.stable_seconds, side_files=feed.side_files,
        # Each look is a listing that S3 charges for, or a connection to a partner's server.
        poll_seconds=30 if "://" in feed.inbox else 10 if "://" in root else 1,
    )  # fmt: skip


def build_dag(feed: Feed) -> None:
    """Define the DAG of one feed. Airflow finds it by itself."""
    with DAG(
        dag_id=dag_id_of(feed.name),
        dag_display_name=f"Client imports: {feed.title}",
        description=f"{feed.title}: CSV files of {inbox_path(feed)} into the client table",
        doc_md=__doc__,
        schedule=schedule_of(feed),
        start_date=datetime(2024, 1, 1),
        catchup=False,
        max_active_runs=1,
        is_paused_upon_creation=False,
        dagrun_timeout=waiting_time(feed) + timedelta(hours=6),
        default_args={"owner": feed.owner, "execution_timeout": timedelta(hours=1), **RETRIES},
        tags=["client imports", feed.name],
    ) as dag:
        connect_tasks(feed)
    # Given to the DAG last: each task would keep a copy, and Airflow checks each copy whenever it reads this file.
    dag.params.update(PARAMS)


def connect_tasks(feed: Feed) -> None:
    """Put the tasks of one feed in order."""
    wait = waiting_time(feed)
    sensed = sense_inbox.override(
        # A feed that waits long gives its worker slot back between two looks.
        mode="reschedule" if wait else "poke",
        timeout=(wait + timedelta(minutes=10)).total_seconds(),
    )(feed.name)
    merged, held = merge(feed.name), held_imports(feed.name)
    validate_and_prepare.partial(feed_name=feed.name).expand(files=sensed) >> merged
    # The leaves make the run red when a file is not done, a mail is not sent, or a review could not be started.
    sensed >> merged >> [email_summary(feed.name), announce(), outcome(feed.name)]
    merged >> held
    if feed.answer or feed.notify.sender:
        merged >> answer_sender(feed.name)
    if feed.notify.webhook:
        merged >> post_receipt(feed.name, feed.notify.webhook)
    TriggerDagRunOperator.partial(
        task_id="ask_a_person",
        trigger_dag_id="review_held_import",
        logical_date=None,
        skip_when_already_exists=True,  # no question is asked twice
    ).expand_kwargs(held)


def feeds() -> Iterator[Feed]:
    """Give the feeds whose DAGs this process needs: all of them or, in the process of a task, its own."""
    folder, dag_id = read_settings().feeds, get_parsing_context().dag_id
    if dag_id is None:
        for path in feed_files(folder):
            # A broken feed file has no DAG. dags/feed_errors.py reports it as an import error.
            with suppress(FeedInvalid):
                yield load_feed(path)
    elif name := feed_of(dag_id):
        try:
            yield find_feed(folder, name)
        except FeedInvalid:
            # The file broke, or was deleted, while a run is on. Each task of the run says so: without a DAG Airflow
            # would look for one again and again.
            yield Feed(name=name, title=name)


for feed in feeds():
    build_dag(feed)
