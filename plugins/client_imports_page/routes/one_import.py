"""The page of one import: what became of it, why rows failed, its rows, and what can be done about it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse, JSONResponse, Response

from client_imports_page import connections, editing, feeds, wording
from client_imports_page.decision import Decision, decision_about
from client_imports_page.permissions import Person, PersonDep, visible_import
from client_imports_page.rendering import show
from client_imports_page.row_table import client_table, file_table, is_ragged, shows_changes, shows_clients
from include.adapters.database import import_rows, ledger, page_rows
from include.airflow_support import runs
from include.models import CHANGING, Cause, Outcome, State
from include.schemas.client_tables import Import
from include.steps.result_file import has_result

router = APIRouter(default_response_class=HTMLResponse)

Kind = Literal["failed", "created", "updated", "unchanged", "duplicate", "deactivated", "warnings", "reverted", "kept"]
RowNumber = Annotated[int, Query(ge=0, le=2**31 - 1)]
CauseNumber = Annotated[int, Query(ge=1, le=100)]
# What a person may only look at yet.
PLANNED = (State.HELD, State.PREVIEWED, State.DISCARDED)
_LABELS = {"duplicate": "Duplicates", "warnings": "With warnings", "reverted": "Undone"}


@dataclass(frozen=True)
class Tab:
    """A kind of rows that the page can show. `count` is None where counting would take long."""

    kind: str
    label: str
    count: int | None


def tabs_of(entry: Import) -> list[Tab]:
    """Give the kinds of rows of an import, failed ones first."""
    counts = {name: getattr(entry, name) for name in ("failed", "created", "updated", "unchanged", "duplicate")}
    if entry.deactivated:
        counts["deactivated"] = entry.deactivated
    if entry.reverts_import_id:
        counts = {"reverted": entry.reverted, "kept": entry.kept, "failed": entry.failed}
    tabs = [Tab(kind, _label(kind, entry), count) for kind, count in counts.items()]
    return (
        tabs if entry.reverts_import_id or not entry.warnings else [*tabs, Tab("warnings", _LABELS["warnings"], None)]
    )


def _label(kind: str, entry: Import) -> str:
    if entry.state in PLANNED and kind in CHANGING:
        return f"Would be {'undone' if kind == Outcome.REVERTED else kind}"
    return _LABELS.get(kind, kind.capitalize())


def first_kind(tabs: Sequence[Tab]) -> str:
    """Choose what is shown first: the failed rows, or whatever there is."""
    return next((tab.kind for tab in tabs if tab.count), tabs[0].kind)


def can_be_imported_again(entry: Import) -> bool:
    """Say whether an import was only checked, or skipped as already imported, and its file is still kept."""
    was_checked = entry.state == State.PREVIEWED and not entry.reverts_import_id
    return (was_checked or entry.state == State.SKIPPED) and entry.file_path is not None and entry.forgotten_at is None


def can_be_discarded(entry: Import) -> bool:
    """Say whether an import waits for a person, or for a run that may never come."""
    waits = entry.state in (State.HELD, State.FAILED)
    return waits or (entry.state in wording.DOING and connections.has_stopped(entry))


def can_be_undone(entry: Import) -> bool:
    """Say whether there is something to undo, and the old values are still kept."""
    changed = entry.counts.created + entry.counts.updated + entry.deactivated
    return entry.state == State.MERGED and not entry.reverts_import_id and changed > 0 and entry.forgotten_at is None


@router.get("/imports/{import_id}")
def one_import(
    request: Request, import_id: str, person: PersonDep, kind: Kind | None = None, after_row: RowNumber = 0,
    cause: CauseNumber | None = None,
) -> Response:  # fmt: skip
    """Show what became of one import, with one screenful of its rows. `cause` counts its causes from 1."""
    entry, engine = visible_import(import_id, person), connections.engine()
    if entry.state not in wording.DOING:  # until then it shows no row, and is asked for every second
        person.note("import_viewed", entry)
    causes = import_rows.causes_of(engine, entry)
    chosen = causes[cause - 1] if cause and cause <= len(causes) else None
    children, actions = ledger.children(engine, entry.id), _what_can_be_done(entry, person)
    return show(
        request, "import.html", person, entry=entry, causes=causes, feed=feeds.named(entry.feed),
        parent=ledger.find(engine, entry.parent_import_id) if entry.parent_import_id else None,
        reverted=ledger.find(engine, entry.reverts_import_id) if entry.reverts_import_id else None,
        children=children, **_rows(entry, kind, after_row, chosen), cause_number=cause, **actions,
        newer=ledger.merged_after(engine, entry) if actions["decision"] else [],
        doing=entry.state in wording.DOING and not actions["stopped"],
        soon=_changes_soon(children, actions), version=_version(entry, children, actions),
        **_what_can_be_corrected(entry, causes, children, person),
    )  # fmt: skip


def _what_can_be_corrected(
    entry: Import, causes: Sequence[Cause], children: Sequence[Import], person: Person
) -> dict[str, Any]:  # fmt: skip
    if not editing.may_correct(entry, person):
        return {"editable": False, "choices": {}, "emptied": (), "replaceable": [], "corrections": 0}
    return {
        "editable": True,
        "choices": editing.choices(),
        "emptied": editing.EMPTIED,
        "replaceable": [cause for cause in causes if editing.can_be_replaced(cause, entry)],
        "corrections": editing.corrections_of(entry, children),
    }


@router.get("/api/imports/{import_id}/version", response_class=JSONResponse)
def version(import_id: str, person: PersonDep) -> dict[str, str]:
    """Give a word that changes when the page of an import does. It says nothing about clients, so it is not noted."""
    entry = visible_import(import_id, person)
    children = ledger.children(connections.engine(), entry.id)
    return {"version": _version(entry, children, _what_can_be_done(entry, person))}


def _version(entry: Import, children: Sequence[Import], actions: Mapping[str, Any]) -> str:
    decision: Decision | None = actions["decision"]
    facts = (
        sorted(entry.state_times.items()), entry.message, entry.plan_hash, entry.filed, str(entry.forgotten_at),
        [(child.id, sorted(child.state_times.items())) for child in children], actions["undo"],
        decision and repr(decision.question),
    )  # fmt: skip
    return hashlib.sha256(repr(facts).encode()).hexdigest()[:16]


def _changes_soon(children: Sequence[Import], actions: Mapping[str, Any]) -> bool:
    """Say whether a run works on the import's undo, on a decision about it, or on a correction of it."""
    decision: Decision | None = actions["decision"]
    undoing = actions["undo"] in ("queued", "running")
    deciding = decision is not None and not decision.is_open
    return undoing or deciding or any(child.state in wording.DOING for child in children)


def _rows(entry: Import, kind: str | None, after: int, cause: Cause | None) -> dict[str, Any]:
    """Read a screenful of rows, and give it with what the template needs to name it."""
    tabs = tabs_of(entry)
    kind = kind or first_kind(tabs)
    if cause is not None:
        kind = str(Outcome.FAILED) if cause.severity == "error" else "not_failed"
    rows = page_rows.rows(connections.engine(), entry.id, kind, after, page_rows.SCREENFUL + 1, cause)
    rows, more = rows[: page_rows.SCREENFUL], len(rows) > page_rows.SCREENFUL
    return {
        "tabs": tabs, "is_planned": entry.state in PLANNED, "kind": kind, "cause": cause, "after_row": after,
        "more_rows": more, "rows": rows,
        "table": None if shows_clients(kind) or shows_changes(kind) else file_table(entry, rows),
        "is_ragged": is_ragged,
        "clients": client_table(rows) if shows_clients(kind) else None,
        "names": connections.reference_names() if shows_clients(kind) or shows_changes(kind) or entry.mapping else {},
    }  # fmt: skip


def _what_can_be_done(entry: Import, person: Person) -> dict[str, Any]:
    may_import, decision = person.may_import(entry.feed), decision_about(entry, person)
    undo = runs.run_state(runs.REVERT_DAG, runs.undo_run_id(entry.id)) if can_be_undone(entry) else None
    return {
        "has_result": has_result(entry),
        "stopped": entry.state in wording.DOING and connections.has_stopped(entry),
        "decision": decision,
        # While Airflow asks, its question is how a held import is discarded: it would stay open else.
        "may_discard": can_be_discarded(entry) and may_import and not (decision and decision.question),
        "again": can_be_imported_again(entry) and may_import,
        "undo": undo,
        "may_undo": undo is None and can_be_undone(entry) and person.may_undo(entry.feed),
        "undo_run": f"/dags/{runs.REVERT_DAG}/runs/{runs.undo_run_id(entry.id)}",
    }
