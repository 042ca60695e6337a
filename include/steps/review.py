"""Let a person look at a held import, and approve or discard it (SPEC.md section 11)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from include.adapters.database import import_rows, ledger
from include.emails.review import Question
from include.models import APPROVE, State
from include.schemas.client_tables import Import
from include.steps.archive import archive
from include.steps.context import ImportContext
from include.steps.discard import discard
from include.steps.merge import Approval, merge
from include.steps.prepare import prepare_again

REVIEW_DAG = "review_held_import"
# The task of it that asks: dags/review_held_import.py.
ASKING_TASK = "decide"
# The plugin's route in Airflow's page, and the path of its own pages: plugins/client_imports_plugin.py.
_PLUGIN = "client-imports"


def review_run_id(entry: Import) -> str:
    """Name the run that asks about this plan: asking about the same plan again finds the same run."""
    return f"held__{entry.id}__{(entry.plan_hash or '')[:12]}"


def page_of(entry: Import, airflow: str) -> str:
    """Give the address of an import's page inside Airflow's own page; `airflow` is the address of that.

    Airflow shows a plugin's page at `/plugin/NAME`, and puts the path of what it shows in there behind that, from the
    root of the server. Where Airflow itself lives below a path, such as `/airflow`, that path is there twice.
    """
    return f"{airflow}/plugin/{_PLUGIN}{urlsplit(airflow).path}/{_PLUGIN}/imports/{entry.id}"


def questions_to_ask(context: ImportContext) -> list[dict[str, Any]]:
    """List what starts the review of every held import of the feed: `trigger_run_id` and `conf`."""
    return [_question_to_ask(entry) for entry in ledger.held(context.engine, context.feed.name)]


def _question_to_ask(entry: Import) -> dict[str, Any]:
    return {"trigger_run_id": review_run_id(entry), "conf": {"import_id": entry.id, "feed": entry.feed}}


def question(context: ImportContext, import_id: str, run_url: str = "") -> Question:
    """Write what the person is shown. It holds no cell: Airflow keeps it in its own database."""
    entry = ledger.find(context.engine, import_id)
    causes = import_rows.causes(context.engine, import_id)
    page = page_of(entry, run_url.split("/dags/")[0]) if run_url else ""
    return Question(context.feed, entry, causes, ledger.merged_after(context.engine, entry), page)


def carry_out(
    context: ImportContext, import_id: str, plan_hash: str, answer: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """Do what a person answered (Airflow's `chosen_options`, `params_input`, `responded_by_user`).

    Returns the question to ask next: there is one when the clients, and so the plan, have changed meanwhile.
    No answer in time discards the import.
    """
    user = answer.get("responded_by_user")
    by = user["name"] if user else "nobody (no answer in time)"
    reason = (answer.get("params_input") or {}).get("reason") or ""
    if answer["chosen_options"] == [APPROVE]:
        entry = approve(context, import_id, plan_hash, by, reason)
    else:
        entry = _discard(context, import_id, by, reason)
    return [_question_to_ask(entry)] if entry.state == State.HELD else []


def approve(context: ImportContext, import_id: str, plan_hash: str, by: str, reason: str = "") -> Import:
    """Merge a held import if its plan is still the approved one; otherwise hold it again with the new plan.

    Returns the import as it is afterwards. Repeating it does nothing.
    """
    entry = ledger.find(context.engine, import_id)
    if _waits_for_a_decision(entry):
        prepare_again(context, entry)
        merge(context, import_id, Approval(plan_hash, by, reason))
        archive(context, import_id)
    return ledger.find(context.engine, import_id)


def _discard(context: ImportContext, import_id: str, by: str, reason: str) -> Import:
    entry = ledger.find(context.engine, import_id)
    return discard(context, import_id, by, reason) if _waits_for_a_decision(entry) else entry


def _waits_for_a_decision(entry: Import) -> bool:
    """Return True for a held import, also when a system error ended its merge after an approval."""
    return entry.state == State.HELD or (entry.state == State.FAILED and entry.has_been(State.HELD))
