"""A person looks at a held import and approves or discards it (SPEC.md section 11)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from include.adapters import import_ledger, import_reasons
from include.emails.review import APPROVE, Question
from include.results import Import
from include.steps.corridor import Corridor
from include.steps.file_away import file_away
from include.steps.merge import Approval, merge
from include.steps.prepare import prepare_again
from include.steps.validate import stage

REVIEW_DAG = "review_held_import"


def review_run_id(entry: Import) -> str:
    """One question for each plan: asking twice finds the same run."""
    return f"held__{entry.id}__{(entry.plan_hash or '')[:12]}"


def questions_to_ask(corridor: Corridor) -> list[dict[str, Any]]:
    """What starts the review of every held import of the feed: `trigger_run_id` and `conf`."""
    return [_to_ask(entry) for entry in import_ledger.held(corridor.engine, corridor.feed.name)]


def _to_ask(entry: Import) -> dict[str, Any]:
    return {"trigger_run_id": review_run_id(entry), "conf": {"import_id": entry.id, "feed": entry.feed}}


def question(corridor: Corridor, import_id: str) -> Question:
    """What the person is shown. Names no cell: Airflow keeps it in its own database."""
    entry = import_ledger.find(corridor.engine, import_id)
    causes = import_reasons.causes(corridor.engine, import_id)
    return Question(corridor.feed, entry, causes, import_ledger.merged_after(corridor.engine, entry))


def carry_out(corridor: Corridor, import_id: str, plan_hash: str, answer: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Do what a person answered (Airflow's `chosen_options`, `params_input`, `responded_by_user`).

    Gives the question to ask next: there is one when the plan had become another. No answer in time discards.
    """
    user = answer.get("responded_by_user")
    by = user["name"] if user else "nobody (no answer in time)"
    if answer["chosen_options"] == [APPROVE]:
        entry = approve(corridor, import_id, plan_hash, by)
    else:
        entry = discard(corridor, import_id, by, (answer.get("params_input") or {}).get("reason") or "")
    return [_to_ask(entry)] if entry.state == "held" else []


def approve(corridor: Corridor, import_id: str, plan_hash: str, by: str) -> Import:
    """Merge a held import if its plan is still the approved one; else it is held again, with the new plan.

    The import as it is afterwards. Repeating it does nothing.
    """
    entry = import_ledger.find(corridor.engine, import_id)
    if _waits(entry):
        try:
            prepare_again(corridor, entry)
        except FileNotFoundError:  # held by the command line, which stages nothing for others
            stage(corridor, entry)
            prepare_again(corridor, entry)
        merge(corridor, import_id, Approval(plan_hash, by))
        file_away(corridor, import_id)
    return import_ledger.find(corridor.engine, import_id)


def discard(corridor: Corridor, import_id: str, by: str, reason: str) -> Import:
    """A person said no: nothing is imported, the file goes to `refused/`, the ledger keeps the reason."""
    with corridor.engine.begin() as connection:
        if _waits(import_ledger.lock(connection, import_id)):
            message = f"Discarded by {by}" + (f": {reason}" if reason else ".")
            import_ledger.enter_state(connection, import_id, "discarded", corridor.clock(), message=message)
    file_away(corridor, import_id)
    return import_ledger.find(corridor.engine, import_id)


def _waits(entry: Import) -> bool:
    """Held, or held once and then hit by a fault of ours while it was merged."""
    return entry.state == "held" or (entry.state == "failed" and entry.has_been("held"))
