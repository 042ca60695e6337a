"""### Client imports, one DAG per feed

**In**: CSV files in `inbox/FEED` of the storage root. **Out**: clients in `clients_db`, files in `archive/` or
`refused/`, a line per file and per record in the ledger, a mail.

`sense_inbox` > `receive` > for each file `validate` > `prepare` > then `merge` one file after another, in order
of arrival > `email_summary`, `announce` (asset event `clients`, metrics) and `outcome`. A file above the feed's
`hold` limits is not merged: `held_imports` > `ask_a_person` starts a run of `review_held_import` for it, and the other
files go on.

**When it is red**: open the red task's log.
* `validate` red, log says `FILE_...`: the sender's file was refused; mail and ledger say why, no log quotes the file.
  It lies in `refused/`; a corrected file is simply sent again. Retrying does not help.
* Anything else is our fault (database, storage, bug). Mend the cause, clear the red task: what is already done is
  not done again, and no file is lost.
* `outcome` is red whenever a file of the run was refused or is not merged yet.
* `email_summary` red alone: everything is imported, and nobody was told. Clear it, or let the next run tell.
* `announce` red alone: everything is imported, and other DAGs and dashboards were not told. Clear it.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from zlib import crc32

from airflow.providers.standard.operators.trigger_dagrun import TriggerDagRunOperator
from airflow.sdk import (
    Asset,
    AssetOrTimeSchedule,
    AssetWatcher,
    CronTriggerTimetable,
    Param,
    dag,
    get_current_context,
    get_parsing_context,
    task,
    task_group,
)
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException

from include.airflow_support.connections import (
    RETRIES,
    context_of,
    open_resources,
    requested_by,
    send_with_smtp_connection,
)
from include.airflow_support.events import CLIENTS, tell
from include.errors import FeedInvalid, FileRefused
from include.models import RunRequest
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
        description="Look first: everything but the write; archives the file.",
    ),
    "note": Param(None, type=["null", "string"], title="Note", description="Why; kept in the ledger."),
    "upload": Param(
        None, type=["null", "string"], title="Upload", description="Only this upload; the page fills it in."
    ),
    "requested_by": Param(None, type=["null", "string"], title="RunRequest by"),
}


def asked() -> RunRequest:
    context = get_current_context()
    run, params = context["dag_run"], context["params"]
    by = params["requested_by"] or requested_by(run)
    return RunRequest(
        by, params["note"] or "", run.dag_id, run.run_id,
        force=bool(params["force"]), dry_run=bool(params["dry_run"]), started=run.start_date,
    )  # fmt: skip


def where(feed: Feed) -> str:
    return feed.inbox if "://" in feed.inbox else f"inbox/{feed.inbox}"


def schedule_of(feed: Feed) -> Any:
    if feed.schedule != "watch":
        return feed.schedule
    from inbox_trigger import InboxTrigger

    doorbell = InboxTrigger(
        root=(root := read_settings().storage), inbox=feed.inbox, pattern=feed.file_pattern,
        stable_seconds=feed.stable_seconds, require_done_file=feed.require_done_file,
        # Each look is a listing that S3 counts, or a connection to somebody's server.
        poll_seconds=30 if "://" in feed.inbox else 10 if "://" in root else 1,
    )  # fmt: skip
    inbox = Asset(
        f"inbox_{feed.name}", uri=f"clients-inbox://{feed.name}", watchers=[AssetWatcher("doorbell", trigger=doorbell)]
    )
    # The sweep takes what a dead triggerer did not ring for; not all feeds in the same minute.
    minutes = f"{crc32(feed.name.encode()) % 15}-59/15"
    return AssetOrTimeSchedule(timetable=CronTriggerTimetable(f"{minutes} * * * *", timezone="UTC"), assets=[inbox])


def build(feed: Feed) -> None:
    wait = timedelta(minutes=feed.wait_minutes)

    @dag(
        dag_id=f"import_clients__{feed.name}",
        dag_display_name=f"Client imports: {feed.title}",
        description=f"{feed.title}: CSV files of {where(feed)} into the client table",
        doc_md=__doc__,
        schedule=schedule_of(feed),
        start_date=datetime(2024, 1, 1),
        catchup=False,
        max_active_runs=1,
        is_paused_upon_creation=False,
        dagrun_timeout=wait + timedelta(hours=6),
        default_args={"owner": feed.owner, "execution_timeout": timedelta(hours=1), **RETRIES},
        tags=["client imports", feed.name],
        params=PARAMS,
    )
    def import_clients() -> None:
        @task.sensor(
            poke_interval=30,
            mode="reschedule" if wait else "poke",
            timeout=(wait + timedelta(minutes=10)).total_seconds(),
        )
        def sense_inbox(params: dict[str, Any]) -> bool:
            from include.errors import ClaimedByAnotherRun, FileNotInInbox, UploadNotFound
            from include.steps.receive import Only, something_to_do

            try:
                if something_to_do(context_of(feed), asked(), Only(params["file"], params["upload"])):
                    return True
            except ClaimedByAnotherRun as error:
                raise AirflowSkipException(str(error)) from None
            except (FileNotInInbox, UploadNotFound) as error:
                raise AirflowFailException(str(error)) from None
            if datetime.now(UTC) >= get_current_context()["dag_run"].start_date + wait:
                raise AirflowSkipException(f"No stable_files file in {where(feed)}.")
            return False

        @task
        def receive(params: dict[str, Any]) -> list[dict[str, str]]:
            from include.steps.receive import Only, receive

            taken = receive(context_of(feed), asked(), Only(params["file"], params["upload"]))
            if not taken:
                raise AirflowSkipException("Somebody else took the files first.")
            return [{"import_id": entry.id, "file_name": entry.file_name} for entry in taken]

        @task(map_index_template="{{ file_name }}")
        def validate(file: dict[str, str]) -> None:
            from include.codes import for_the_log
            from include.steps.archive import archive
            from include.steps.validate import validate

            get_current_context()["file_name"] = file["file_name"]  # type: ignore[typeddict-unknown-key]
            context = context_of(feed)
            try:
                validate(context, file["import_id"])
            except FileRefused as refused:
                archive(context, file["import_id"])
                said = for_the_log(refused.code, refused.line)
                raise AirflowFailException(f"{file['file_name']}: {said} (import {file['import_id']})") from None

        @task(map_index_template="{{ file_name }}")
        def prepare(file: dict[str, str]) -> None:
            from include.steps.prepare import prepare

            get_current_context()["file_name"] = file["file_name"]  # type: ignore[typeddict-unknown-key]
            prepare(context_of(feed), file["import_id"])

        @task_group
        def each_file(file: dict[str, str]) -> None:
            """Mapped as a group, so that one file's refusal does not stop another file."""
            validate(file) >> prepare(file)

        @task(trigger_rule="none_skipped")
        def merge() -> None:
            from include.steps.merge import merge_all

            ti = get_current_context()["ti"]
            merge_all(context_of(feed), asked(), last_try=ti.try_number > ti.max_tries)

        @task(trigger_rule="none_skipped")
        def email_summary() -> None:
            from include.steps.email_summary import email_summary

            link = get_current_context()["ti"].log_url.split("/tasks/")[0]
            print(email_summary(context_of(feed), asked(), link, partial(send_with_smtp_connection, feed)))

        @task(trigger_rule="none_skipped", retries=0)
        def outcome() -> None:
            from include.steps.outcome import not_done

            if sentences := not_done(context_of(feed), asked()):
                raise AirflowFailException("\n".join(sentences))

        @task(trigger_rule="none_skipped", outlets=[CLIENTS])
        def announce(*, outlet_events: Any = None) -> None:
            from include.steps.announce import announce_run

            tell(announce_run(open_resources()[0], asked()), outlet_events)

        @task(trigger_rule="none_skipped")
        def held_imports() -> list[dict[str, Any]]:
            from include.steps.review import questions_to_ask

            return questions_to_ask(context_of(feed))

        taken = receive()
        done = merge()
        sense_inbox() >> taken
        each_file.expand(file=taken) >> done
        # Leaves: the run is red when a file is not done, when nobody could be told, and when nobody could be asked.
        taken >> done >> [email_summary(), announce(), outcome()]
        held = held_imports()
        done >> held
        # A question that was asked before is not asked again.
        TriggerDagRunOperator.partial(
            task_id="ask_a_person",
            trigger_dag_id="review_held_import",
            logical_date=None,
            skip_when_already_exists=True,
        ).expand_kwargs(held)

    import_clients()


# A task's process reads this file too, for one DAG: it need not build those of all other feeds.
wanted = get_parsing_context().dag_id
for path in feed_files(read_settings().feeds):
    if wanted not in (None, f"import_clients__{path.stem}"):
        continue
    # A broken feed file has no DAG; dags/feed_errors.py says why, as an import error of its own.
    with suppress(FeedInvalid):
        build(load_feed(path))
