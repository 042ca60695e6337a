"""Merge a prepared file into the client table: one transaction, all of it or nothing (SPEC.md section 7)."""

from __future__ import annotations

import json
from contextlib import suppress

import pandas as pd
import sqlalchemy as sa

from include.adapters import client_store, import_ledger
from include.codes import message_for
from include.errors import ClientsChanged, FileRefused, OutcomesDoNotAddUp
from include.results import FINAL_STATES, Counts, Import, Requested, State
from include.schemas.client_rows import FIELDS
from include.steps.corridor import Corridor, already_refused, step
from include.steps.file_away import file_away
from include.steps.prepare import prepare_again
from include.steps.validate import refuse_if_merged_before

_TRIES = 5


def merge(corridor: Corridor, import_id: str) -> None:
    """Bring a prepared import to `merged` (or `previewed`). Repeating it does nothing; raises FileRefused again."""
    entry = import_ledger.find(corridor.engine, import_id)
    if entry.state == "refused":
        raise already_refused(entry)
    if entry.state in FINAL_STATES or not entry.has_been("prepared"):
        return
    with step(corridor, "merge", import_id):
        _merge_as_clients_are_now(corridor, import_id)
    entry = import_ledger.find(corridor.engine, import_id)
    if entry.state == "refused":
        raise already_refused(entry)


def _merge_as_clients_are_now(corridor: Corridor, import_id: str) -> None:
    """What was prepared may be older than the last write to the clients: then it is prepared again."""
    for attempt in range(1, _TRIES + 1):
        try:
            with corridor.engine.begin() as connection:
                return _merge_once(corridor, connection, import_id)
        except (ClientsChanged, sa.exc.IntegrityError):
            if attempt == _TRIES:
                raise
            prepare_again(corridor, import_id)


def _merge_once(corridor: Corridor, connection: sa.Connection, import_id: str) -> None:
    entry = import_ledger.lock(connection, import_id)
    if entry.state in FINAL_STATES:
        return
    client_store.lock_clients(connection)
    refuse_if_merged_before(connection, entry)
    prepared = corridor.staging.load(import_id, "prepared")
    client_store.load_incoming(connection, prepared)
    if client_store.changed_since_prepared(connection):
        raise ClientsChanged("The clients this file speaks of have changed since it was prepared.")
    _fail_taken(connection, prepared)
    if corridor.feed.on_failed_rows == "refuse_file" and _refuse_with_failed_rows(corridor, connection, entry):
        return
    client_store.plan(connection)
    _apply(corridor, connection, entry)
    client_store.record_plan(connection, import_id)
    counts = _count(connection, entry, prepared)
    state: State = "previewed" if entry.dry_run else "merged"
    changed = {"code": None, "message": None, **{k: v for k, v in vars(counts).items() if k != "read"}}
    import_ledger.enter_state(connection, import_id, state, corridor.clock(), **changed)


def _refuse_with_failed_rows(corridor: Corridor, connection: sa.Connection, entry: Import) -> bool:
    """Refuse the file when a row failed, and keep the reasons; False when none did."""
    failed = client_store.record_failed_rows(connection, entry.id)
    if failed:
        message = message_for("FILE_FAILED_ROWS", failed=f"{failed:,}", read=f"{entry.counts.read:,}")
        changed = {"code": "FILE_FAILED_ROWS", "message": message, "failed": failed}
        import_ledger.enter_state(connection, entry.id, "refused", corridor.clock(), **changed)
    return failed > 0


def _fail_taken(connection: sa.Connection, prepared: pd.DataFrame) -> None:
    taken = client_store.find_taken(connection)
    if not taken:
        return
    by_row: dict[int, list[dict[str, str]]] = {}
    rows = prepared.set_index("row").to_dict("index")
    for row, code, field, holder in taken:
        value = rows[row][field]
        message = message_for(code, label=FIELDS[field].label, value=value, detail=f"client {holder}")
        problem = {"code": code, "field": field, "value": value, "message": message, "severity": "error"}
        by_row.setdefault(row, []).append(problem)
    client_store.fail_rows(
        connection, list(by_row), [json.dumps(p) for p in by_row.values()], [rows[row]["cells"] for row in by_row]
    )


def _apply(corridor: Corridor, connection: sa.Connection, entry: Import) -> None:
    """Write the clients; a dry run writes them too, so that every constraint has its say, and takes it back."""
    savepoint = connection.begin_nested()
    client_store.apply_plan(connection, entry.id, corridor.clock())
    if entry.dry_run:
        savepoint.rollback()
    else:
        savepoint.commit()


def _count(connection: sa.Connection, entry: Import, prepared: pd.DataFrame) -> Counts:
    """Count what was written, not what was meant. Raises OutcomesDoNotAddUp: nothing is committed then."""
    outcomes = import_ledger.count_outcomes(connection, entry.id)
    reasons = (json.loads(problems) for problems in prepared["problems"].dropna())
    warnings = sum(problem["severity"] == "warning" for found in reasons for problem in found)
    counts = Counts(read=entry.counts.read, warnings=warnings + len(entry.file_problems), **outcomes)
    if not counts.add_up():
        raise OutcomesDoNotAddUp(f"{counts.read} records were read, {sum(outcomes.values())} have an outcome.")
    return counts


def merge_all(corridor: Corridor, asked: Requested, *, last_try: bool = True) -> None:
    """Merge a run's files one after another in order of arrival, and put each where it stays.

    A fault of ours with one file stops the files after it, so that a repetition merges them in order; only in the
    last try the others go on without it. Raises the faults together at the end, so that the task is retried; a file
    refused at this point is in the ledger, and `outcome` says so.
    """
    faults: list[Exception] = []
    for entry in import_ledger.of_run(corridor.engine, asked.dag_id or "", asked.run_id or ""):
        try:
            with suppress(FileRefused):
                merge(corridor, entry.id)
            file_away(corridor, entry.id)
        except Exception as fault:  # noqa: BLE001 - all faults are raised together
            faults.append(fault)
            if not last_try:
                break
    if faults:
        raise ExceptionGroup(f"{len(faults)} file(s) could not be merged", faults)
