"""### A person decides about one held import

**In**: an import above its feed's `hold` limits; its feed's run starts this DAG, one run per held import, any number
at once. **Out**: the import is merged exactly as it was shown, or discarded and filed under `refused/`; a mail.

`show` > `decide` (Required Actions; waits without a worker slot, and blocks no feed) > `carry_out` >
`ask_again` when the clients have changed meanwhile, else `email_decision`; `announce` tells other DAGs when clients
changed.

Who may answer: `hold.reviewers` of the feed, else everyone who may edit this DAG's runs. Without an answer within
`hold.answer_days` the import is discarded.

**When it is red**: open the log of the red task, fix the cause, clear the task. The import stays held until it is
decided, and is never merged twice.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from airflow.providers.standard.operators.hitl import HITLOperator
from airflow.providers.standard.operators.trigger_dagrun import TriggerDagRunOperator
from airflow.sdk import Param, dag, get_current_context, task

from include.airflow_support import events
from include.airflow_support.connections import open_context, open_engine
from include.airflow_support.notifications import answer_sender_of, post_receipt_of, send_mail
from include.airflow_support.runs import RETRIES, current_run_url
from include.models import APPROVE, DISCARD

PARAMS = {
    "import_id": Param(type="string", title="Import", pattern="^[0-9a-f-]{36}$"),
    "feed": Param(type="string", title="Feed"),
}


class DecideOperator(HITLOperator):
    """Asks the question that `show` returned, with the reviewers and the time limit of the feed."""

    def execute(self, context: Any) -> Any:
        question = context["ti"].xcom_pull(task_ids="show")
        self.subject, self.body = question["subject"], question["body"]
        self.assigned_users = [{"id": name, "name": name} for name in question["reviewers"]] or None
        self.response_timeout = timedelta(days=question["answer_days"])
        return super().execute(context)


@task(execution_timeout=timedelta(minutes=10))
def show() -> dict[str, Any]:
    """Describe the held import for the person who decides."""
    from include.steps.review import question

    params = get_current_context()["params"]
    return question(open_context(params["feed"]), params["import_id"], current_run_url()).as_shown()


@task(execution_timeout=timedelta(hours=1))
def carry_out() -> list[dict[str, Any]]:
    """Merge or discard the import. Return the next question when the clients have changed since it was shown."""
    from include.steps.review import carry_out

    params, ti = get_current_context()["params"], get_current_context()["ti"]
    shown, answer = ti.xcom_pull(task_ids="show"), ti.xcom_pull(task_ids="decide")
    return carry_out(open_context(params["feed"]), params["import_id"], shown["plan_hash"], answer)


@task(execution_timeout=timedelta(minutes=10))
def email_decision() -> None:
    """Mail the feed's people what became of the import."""
    from include.steps.email_summary import email_decision

    params = get_current_context()["params"]
    context = open_context(params["feed"])
    print(email_decision(context, params["import_id"], current_run_url(), send_mail))


@task(execution_timeout=timedelta(minutes=10))
def answer_sender() -> None:
    """Tell the sender of the file what became of it, where the feed does so."""
    answer_sender_of(get_current_context()["params"]["import_id"])


@task(execution_timeout=timedelta(minutes=10))
def post_receipt() -> None:
    """Post what became of the import to the feed's webhook, where it has one."""
    post_receipt_of(get_current_context()["params"]["import_id"])


@task(execution_timeout=timedelta(minutes=10), outlets=[events.CLIENTS])
def announce(*, outlet_events: Any = None) -> None:
    """Emit the asset event `clients` and the metrics of the decision."""
    from include.steps.announce import announce_decision

    context = get_current_context()
    decision = announce_decision(open_engine(), context["params"]["import_id"], context["dag_run"].run_id)
    events.announce(decision, outlet_events)


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
    params=PARAMS,
)
def review_held_import() -> None:
    decide = DecideOperator(
        task_id="decide",
        subject="",
        options=[APPROVE, DISCARD],
        defaults=DISCARD,
        params={"reason": Param(None, type=["null", "string"], title="Reason", description="Kept in the ledger.")},
    )
    carried_out = carry_out()
    show() >> decide >> carried_out >> [email_decision(), answer_sender(), post_receipt(), announce()]
    TriggerDagRunOperator.partial(
        task_id="ask_again", trigger_dag_id="review_held_import", logical_date=None, skip_when_already_exists=True
    ).expand_kwargs(carried_out)


review_held_import()
