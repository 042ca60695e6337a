"""### Client imports, one DAG per feed

**In**: CSV files in `inbox/FEED` of the storage root. **Out**: clients in `clients_db`, files in `archive/` or
`refused/`, a ledger entry for each file and each record, a mail.

`sense_inbox` > `receive` > for each file `validate` > `prepare` > then `merge` one file after another, in order
of arrival > `email_summary`, `announce` (asset event `clients`, metrics) and `outcome`. A file above the feed's
`hold` limits is not merged: `held_imports` > `ask_a_person` starts a run of `review_held_import` for it, and the other
files go on.

**When it is red**: open the log of the red task.
* `validate` is red and the log says `FILE_...`: there is an error in the file, and it was refused. The mail and the
  ledger say why; no log quotes the file. The file is in `refused/`. The sender corrects it and sends it again.
  Retrying does not help.
* Anything else is a system error (database, storage, bug). Fix the cause and clear the red task: finished work is
  not repeated, and no file is lost.
* `outcome` is red whenever a file of the run was refused or is not merged yet.
* `email_summary` alone is red: everything is imported, but no mail was sent. Clear it, or let the next run send it.
* `announce` alone is red: everything is imported, but other DAGs and dashboards do not know it yet. Clear it.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from zlib import crc32

from airflow.providers.standard.operators.trigger_dagrun import TriggerDagRunOperator
from airflow.sdk import (
    DAG,
    Asset,
    AssetOrTimeSchedule,
    AssetWatcher,
    CronTriggerTimetable,
    Param,
    get_parsing_context,
    task,
    task_group,
)
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException

from include.airflow_support import events
from include.airflow_support.connections import open_context, open_engine
from include.airflow_support.notifications import send_mail
from include.airflow_support.runs import (
    RETRIES,
    current_files,
    current_request,
    current_run_url,
    dag_id_of,
    has_run_for,
    is_last_try,
    label_task,
)
from include.errors import FeedInvalid, FileRefused
from include.schemas.feed import Feed, feed_files, load_feed
from include.settings import read_settings

PARAMS = {
    "file": Param(None, type=["null", "string"], title="File", description="Only this file of the inbox; empty: all."),
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
    "upload": Param(
        None, type=["null", "string"], title="Upload", description="Only this upload; the page fills it in."
    ),
    "requested_by": Param(
        None, type=["null", "string"], title="Requested by", description="Empty: the person who starts the run."
    ),
}
File = dict[str, str]  # `import_id` and `file_name`, as `receive` returns them


@task.sensor(poke_interval=30)
def sense_inbox(feed_name: str) -> bool:
    """Wait until the inbox has a stable file. The run is skipped when there is none within `wait_minutes`."""
    from include.errors import ClaimedByAnotherRun, FileNotInInbox, UploadNotFound
    from include.steps.receive import something_to_do

    context = open_context(feed_name)
    try:
        if something_to_do(context, current_request(), current_files()):
            return True
    except ClaimedByAnotherRun as error:
        raise AirflowSkipException(str(error)) from None
    except (FileNotInInbox, UploadNotFound) as error:
        raise AirflowFailException(str(error)) from None
    if has_run_for(waiting_time(context.feed)):
        raise AirflowSkipException(f"No stable file in {inbox_path(context.feed)}.")
    return False


@task
def receive(feed_name: str) -> list[File]:
    """Claim the files of the inbox for this run, in order of arrival."""
    from include.steps.receive import receive

    received = receive(open_context(feed_name), current_request(), current_files())
    if not received:
        raise AirflowSkipException("Another run has claimed the files.")
    return [{"import_id": entry.id, "file_name": entry.file_name} for entry in received]


@task(map_index_template="{{ file_name }}")
def validate(feed_name: str, file: File) -> None:
    """Judge the file and every row of it. An error in the file refuses it, and is not retried."""
    from include.codes import for_the_log
    from include.steps.archive import archive
    from include.steps.validate import validate

    label_task(file_name=file["file_name"])
    context = open_context(feed_name)
    try:
        validate(context, file["import_id"])
    except FileRefused as refused:
        archive(context, file["import_id"])
        reason = for_the_log(refused.code, refused.line)
        raise AirflowFailException(f"{file['file_name']}: {reason} (import {file['import_id']})") from None


@task(map_index_template="{{ file_name }}")
def prepare(feed_name: str, file: File) -> None:
    """Decide which client each row means and what would change."""
    from include.steps.prepare import prepare

    label_task(file_name=file["file_name"])
    prepare(open_context(feed_name), file["import_id"])


@task_group
def each_file(feed_name: str, file: File) -> None:
    """Mapped as a group, so that a refused file does not stop another file."""
    validate(feed_name, file) >> prepare(feed_name, file)


@task(trigger_rule="none_skipped")
def merge(feed_name: str) -> None:
    """Write the changes of all prepared files, one file after another in order of arrival."""
    from include.steps.merge import merge_all

    merge_all(open_context(feed_name), current_request(), last_try=is_last_try())


@task(trigger_rule="none_skipped")
def email_summary(feed_name: str) -> None:
    """Mail the feed's people what became of the files."""
    from include.steps.email_summary import email_summary

    context = open_context(feed_name)
    print(email_summary(context, current_request(), current_run_url(), partial(send_mail, context.feed)))


@task(trigger_rule="none_skipped", outlets=[events.CLIENTS])
def announce(*, outlet_events: Any = None) -> None:
    """Emit the asset event `clients` and the metrics of the run."""
    from include.steps.announce import announce_run

    events.announce(announce_run(open_engine(), current_request()), outlet_events)


@task(trigger_rule="none_skipped", retries=0)
def outcome(feed_name: str) -> None:
    """Fail when a file of the run was refused or is not merged yet, so that the run is red."""
    from include.steps.outcome import not_done

    if sentences := not_done(open_context(feed_name), current_request()):
        raise AirflowFailException("\n".join(sentences))


@task(trigger_rule="none_skipped")
def held_imports(feed_name: str) -> list[dict[str, Any]]:
    """List the reviews to start, one for each held import of the feed."""
    from include.steps.review import questions_to_ask

    return questions_to_ask(open_context(feed_name))


def waiting_time(feed: Feed) -> timedelta:
    return timedelta(minutes=feed.wait_minutes)


def inbox_path(feed: Feed) -> str:
    return feed.inbox if "://" in feed.inbox else f"inbox/{feed.inbox}"


def schedule_of(feed: Feed) -> Any:
    """Give the feed's own schedule or, for a watched feed, the inbox trigger and a periodic scan."""
    if feed.schedule != "watch":
        return feed.schedule
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
        stable_seconds=feed.stable_seconds, require_done_file=feed.require_done_file,
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
        params=PARAMS,
    ):
        connect_tasks(feed)


def connect_tasks(feed: Feed) -> None:
    """Put the tasks of one feed in order."""
    wait = waiting_time(feed)
    sensed = sense_inbox.override(
        # A feed that waits long gives its worker slot back between two looks.
        mode="reschedule" if wait else "poke",
        timeout=(wait + timedelta(minutes=10)).total_seconds(),
    )(feed.name)
    received, merged, held = receive(feed.name), merge(feed.name), held_imports(feed.name)
    sensed >> received
    each_file.partial(feed_name=feed.name).expand(file=received) >> merged
    # The leaves make the run red when a file is not done, a mail is not sent, or a review could not be started.
    received >> merged >> [email_summary(feed.name), announce(), outcome(feed.name)]
    merged >> held
    TriggerDagRunOperator.partial(
        task_id="ask_a_person",
        trigger_dag_id="review_held_import",
        logical_date=None,
        skip_when_already_exists=True,  # no question is asked twice
    ).expand_kwargs(held)


# A task's process reads this file too, but needs only its own DAG and not those of all other feeds.
only_dag_id = get_parsing_context().dag_id
for path in feed_files(read_settings().feeds):
    if only_dag_id not in (None, dag_id_of(path.stem)):
        continue
    # A broken feed file has no DAG. dags/feed_errors.py reports it as an import error.
    with suppress(FeedInvalid):
        build_dag(load_feed(path))
