"""### A person decides about one held import

**In**: an import above its feed's `hold` limits; its feed's run starts this DAG, one run per held import, any number
at once. **Out**: the import merged exactly as it was shown, or discarded and filed under `refused/`; a mail.

`show` > `decide` (Required Actions; waits without a worker slot, and blocks no feed) > `carry_out` >
`ask_again` when the clients changed meanwhile, else `email_decision`; `announce` tells other DAGs when clients changed.

Who may answer: `hold.reviewers` of the feed, else everyone who may edit this DAG's runs. Without an answer within
`hold.answer_days` the import is discarded.

**When it is red**: open the red task's log, mend the cause, clear the task. The import stays held until it is decided,
and is never merged twice.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial
from typing import Any

from airflow.providers.standard.operators.hitl import HITLOperator
from airflow.providers.standard.operators.trigger_dagrun import TriggerDagRunOperator
from airflow.sdk import Param, dag, get_current_context, task

from include.airflow_support.connections import (
    RETRIES,
    context_of,
    feed_named,
    open_resources,
    send_with_smtp_connection,
)
from include.airflow_support.events import CLIENTS, tell
from include.emails.review import APPROVE, DISCARD


class DecideOperator(HITLOperator):
    """Asks what `show` says, the people and for the time that the feed says."""

    def execute(self, context: Any) -> Any:
        shown = context["ti"].xcom_pull(task_ids="show")
        self.subject, self.body = shown["subject"], shown["body"]
        self.assigned_users = [{"id": name, "name": name} for name in shown["reviewers"]] or None
        self.response_timeout = timedelta(days=shown["answer_days"])
        return super().execute(context)


@dag(
    dag_display_name="Client imports: review a held import",
    description="Approve or discard an import that looks dangerous",
    doc_md=__doc__,
    schedule=None,
    start_date=datetime(2024, 1, 1),
    catchup=False,
    max_active_runs=1000,
    max_active_tasks=1000,
    is_paused_upon_creation=False,
    dagrun_timeout=timedelta(days=100),
    default_args={"owner": "data-engineering", **RETRIES},
    tags=["client imports"],
    params={
        "import_id": Param(type="string", title="Import", pattern="^[0-9a-f-]{36}$"),
        "feed": Param(type="string", title="Feed"),
    },
)
def review_held_import() -> None:
    @task(execution_timeout=timedelta(minutes=10))
    def show(params: dict[str, Any]) -> dict[str, Any]:
        from include.steps.review import question

        return question(context_of(feed_named(params["feed"])), params["import_id"]).as_shown()

    decide = DecideOperator(
        task_id="decide",
        subject="",
        options=[APPROVE, DISCARD],
        defaults=DISCARD,
        params={"reason": Param(None, type=["null", "string"], title="Reason", description="Kept in the ledger.")},
    )

    @task(execution_timeout=timedelta(hours=1))
    def carry_out(params: dict[str, Any], answer: dict[str, Any]) -> list[dict[str, Any]]:
        """The next question, if the clients have changed so that the plan is another one."""
        from include.steps.review import carry_out

        shown = get_current_context()["ti"].xcom_pull(task_ids="show")
        return carry_out(context_of(feed_named(params["feed"])), params["import_id"], shown["plan_hash"], answer)

    @task(execution_timeout=timedelta(minutes=10))
    def email_decision(params: dict[str, Any]) -> None:
        from include.steps.email_summary import email_decision

        feed = feed_named(params["feed"])
        link = get_current_context()["ti"].log_url.split("/tasks/")[0]
        send = partial(send_with_smtp_connection, feed)
        print(email_decision(context_of(feed), params["import_id"], link, send))

    @task(execution_timeout=timedelta(minutes=10), outlets=[CLIENTS])
    def announce(params: dict[str, Any], *, outlet_events: Any = None) -> None:
        from include.steps.announce import announce_decision

        run_id = get_current_context()["dag_run"].run_id
        tell(announce_decision(open_resources()[0], params["import_id"], run_id), outlet_events)

    done = carry_out(answer=decide.output)
    show() >> decide
    done >> [email_decision(), announce()]
    TriggerDagRunOperator.partial(
        task_id="ask_again", trigger_dag_id="review_held_import", logical_date=None, skip_when_already_exists=True
    ).expand_kwargs(done)


review_held_import()
