"""Merge a prepared file into the client table: one transaction, all of it or nothing (SPEC.md section 7)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import pandas as pd
import sqlalchemy as sa

from include.adapters.database import clients, import_rows, ledger, plan, transactions
from include.codes import Code, message_for
from include.errors import ClientsChanged, FileRefused, OutcomesDoNotAddUp, StagedWithOtherFields
from include.models import FINAL_STATES, Counts, Outcome, RunRequest, State
from include.schemas.client_tables import Import
from include.steps.archive import archive
from include.steps.changed_files import read_again_if_changed
from include.steps.context import ImportContext, already_refused, step
from include.steps.planned import (
    add_missing,
    keep_missing,
    last_files,
    notes_of_new_columns,
    report_findings,
    why_held,
    with_notes,
)
from include.steps.prepare import prepare_again
from include.transforms.csv_reading.records import count_mismatch
from include.transforms.holding import EarlierFile


@dataclass(frozen=True)
class Approval:
    """A person's yes to one plan, known by its hash."""

    plan_hash: str
    by: str
    reason: str = ""


def merge(context: ImportContext, import_id: str, approval: Approval | None = None) -> None:
    """Bring a prepared import to `merged`, `skipped`, `held` or `previewed`; raises FileRefused again.

    Repeating it does nothing. A held import goes on only with an `approval`, and only if its plan is still the one that
    was approved.
    """
    entry = ledger.find(context.engine, import_id)
    if entry.state == State.REFUSED:
        raise already_refused(entry)
    if _stays_as_it_is(entry, approval) or not entry.has_been(State.PREPARED):
        return
    with step(context, "merge", import_id):
        read_again_if_changed(context, entry)
        refused = transactions.repeat_on_conflict(
            lambda: _merge_once(context, import_id, approval), lambda: _merge_again(context, entry, approval)
        )
    if refused is not None:
        raise refused


def _stays_as_it_is(entry: Import, approval: Approval | None) -> bool:
    return entry.state in FINAL_STATES or (entry.state == State.HELD and approval is None)


def _merge_again(context: ImportContext, entry: Import, approval: Approval | None) -> FileRefused | None:
    """Try once more, from fresh data. Clients are locked before they are read, so that no busy CRM is always faster."""
    prepare_again(context, entry)
    return _merge_once(context, entry.id, approval, lock_first=True)


def _merge_once(
    context: ImportContext, import_id: str, approval: Approval | None, lock_first: bool = False
) -> FileRefused | None:
    """Try once, in one transaction; gives the refusal that it has written, if any.

    Raises ClientsChanged when what was prepared or planned is older than the last write to its clients.
    """
    with context.engine.begin() as connection:
        transactions.limit_waits(connection)
        entry = ledger.lock(connection, import_id)
        if _stays_as_it_is(entry, approval):
            return already_refused(entry) if entry.state == State.REFUSED else None
        if _skip_if_merged_last(context, connection, entry):
            return None
        if entry.announced_records not in (None, entry.counts.read):
            detail = count_mismatch(entry.announced_records or 0, entry.counts.read)
            raise FileRefused(Code.FILE_COUNT_MISMATCH, detail)
        warnings = _load(context, connection, import_id)
        add_missing(connection, context.feed, entry, entry.counts.read)
        if lock_first:
            clients.lock_clients(connection)
        findings = plan.plan(connection, entry.counts.read, context.feed.write)
        if findings.otherwise:
            raise ClientsChanged("The clients that this file means have changed since it was prepared.")
        report_findings(context, connection, import_id, findings)
        if refused := _refuse_with_failed_rows(context, connection, entry):
            return refused
        plan.keep_what_stands(connection)
        _carry_out(context, connection, entry, approval, warnings)
    return None


def _skip_if_merged_last(context: ImportContext, connection: sa.Connection, entry: Import) -> bool:
    """End the import when the feed's newest merged file has the same bytes, and none of its rows failed.

    Bytes that are older than that are imported: other files have changed the clients since.
    """
    message = "" if entry.forced else merged_last(connection, entry.feed, entry.sha256)
    if message:
        values = {"code": Code.FILE_ALREADY_IMPORTED, "message": message}
        ledger.enter_state(connection, entry.id, State.SKIPPED, context.clock(), **values)
    return bool(message)


def merged_last(connection: sa.Connection, feed: str, sha256: str | None) -> str:
    """Say when the feed's newest merged file, all of whose rows were good, had these bytes; '' where it had others."""
    last = ledger.newest_merged(connection, feed)
    if last is None or last.sha256 != sha256 or last.failed or not last.read:
        return ""
    when = last.state_times[State.MERGED][:16].replace("T", " ")
    detail = f"The same bytes were imported on {when} UTC as {last.file_name} (import {last.id})."
    return message_for(Code.FILE_ALREADY_IMPORTED, detail=detail)


def _carry_out(
    context: ImportContext, connection: sa.Connection, entry: Import, approval: Approval | None, warnings: int
) -> None:
    """Write the clients and the history, or only show what would be written; the import's row says which."""
    # Corrections of failed rows are no file as the feed usually has it.
    earlier = last_files(connection, context.feed) if entry.parent_import_id is None else []
    notes = keep_missing(connection, context.feed, EarlierFile(entry.counts.read, entry.header), earlier)
    if context.feed.hold.missing_columns and entry.parent_import_id is None:
        notes += notes_of_new_columns(entry, earlier)
    state, message = _decide(context, connection, entry, approval, earlier)
    changed_now, created_now = _apply(context, connection, entry, state)
    if entry.has_been(State.HELD):
        plan.drop_recorded_plan(connection, entry.id)
    outcomes = plan.record_plan(connection, entry.id)
    counts = _counted(entry, warnings, outcomes)
    planned = outcomes.get(Outcome.UPDATED, 0) + outcomes.get(Outcome.DEACTIVATED, 0)
    if (planned, outcomes.get(Outcome.CREATED, 0)) != (changed_now, created_now):
        raise ClientsChanged("Another transaction has changed a client between plan and write.")
    kinds = import_rows.failure_kinds(entry.id)
    changed: dict[str, Any] = {"code": None, "message": message, "failure_kinds": kinds, **counts}
    changed["file_problems"] = with_notes(entry, notes)
    if state != State.MERGED:
        # Another plan is mailed, answered and posted again.
        told = dict.fromkeys(("notified_state", "answered_state", "posted_state"))
        changed |= {"plan_hash": plan.hash_plan(connection), **told}
    ledger.enter_state(connection, entry.id, state, context.clock(), **changed)


def _decide(
    context: ImportContext, connection: sa.Connection, entry: Import, approval: Approval | None,
    earlier: Sequence[EarlierFile],
) -> tuple[State, str | None]:  # fmt: skip
    """Decide what becomes of the plan; gives the state and the sentence for the ledger."""
    if entry.dry_run:
        return State.PREVIEWED, None
    if approval is not None:
        if plan.hash_plan(connection) == approval.plan_hash:
            return State.MERGED, f"Approved by {approval.by}" + (f": {approval.reason}" if approval.reason else ".")
        rows = plan.rows_planned_otherwise(connection, entry.id)
        return State.HELD, _what_is_different(rows, entry.counts.read)
    file = EarlierFile(entry.counts.read, entry.header)
    reasons = why_held(connection, context.feed.hold, file, earlier)
    return (State.HELD, " ".join(reasons)) if reasons else (State.MERGED, None)


def _what_is_different(all_rows: Sequence[int], read: int) -> str:
    rows = [row for row in all_rows if row <= read]
    shown = ", ".join(map(str, rows[:10])) + (f" and {len(rows) - 10:,} more" if len(rows) > 10 else "")
    what = f"row{'s' if len(rows) > 1 else ''} {shown} would now do something else" if rows else "the plan is another"
    if not rows and all_rows:
        what = "other clients are missing in the file now"
    return f"The clients have changed since this was shown: {what}. It was planned again; look and decide again."


def _refuse_with_failed_rows(context: ImportContext, connection: sa.Connection, entry: Import) -> FileRefused | None:
    """Refuse the file and keep the reasons, when a row failed and the feed takes a file whole or not at all."""
    if context.feed.on_failed_rows != "refuse_file":
        return None
    failed = plan.record_failed_rows(connection, entry.id)
    if not failed:
        return None
    message = message_for(Code.FILE_FAILED_ROWS, failed=f"{failed:,}", read=f"{entry.counts.read:,}")
    kinds = import_rows.failure_kinds(entry.id)
    changed = {"code": Code.FILE_FAILED_ROWS, "message": message, "failed": failed, "failure_kinds": kinds}
    ledger.enter_state(connection, entry.id, State.REFUSED, context.clock(), **changed)
    return FileRefused(Code.FILE_FAILED_ROWS, message)


def _load(context: ImportContext, connection: sa.Connection, import_id: str) -> int:
    """Load what was prepared; gives the number of warnings."""
    warnings = 0

    def pieces() -> Iterator[pd.DataFrame]:
        nonlocal warnings
        for (prepared,) in context.staging.load(import_id, "prepared"):
            if list(prepared) != [*clients.INCOMING, "warnings"]:
                raise StagedWithOtherFields
            warnings += int(prepared["warnings"].sum())
            yield prepared

    clients.load_incoming(connection, pieces())
    return warnings


def _apply(context: ImportContext, connection: sa.Connection, entry: Import, state: State) -> tuple[int, int]:
    """Write the clients; gives the number of those that were changed, and created.

    What is only shown is written too, so that every constraint is checked, and then taken back.
    """
    transactions.wait_briefly(connection)
    savepoint = connection.begin_nested()
    written = plan.apply_plan(connection, entry.id, context.clock())
    if state == State.MERGED:
        savepoint.commit()
    else:
        savepoint.rollback()
    return written


def _counted(entry: Import, warnings: int, outcomes: dict[str, int]) -> dict[str, int]:
    """`outcomes` counts what was written, not what was meant. Raises OutcomesDoNotAddUp: nothing is committed then."""
    warnings += sum(problem["severity"] == "warning" for problem in entry.file_problems)
    counts = Counts(read=entry.counts.read, warnings=warnings, **outcomes)
    if not counts.add_up():
        raise OutcomesDoNotAddUp(f"{counts.read} records were read, {sum(outcomes.values())} have an outcome.")
    return {name: number for name, number in vars(counts).items() if name != "read"}


def merge_all(context: ImportContext, request: RunRequest, *, last_try: bool = True) -> None:
    """Merge a run's files one after another in order of arrival, and put each where it stays.

    A system error with one file stops the files after it, so that a repetition merges them in order; only in the
    last try the others go on without it. Raises the errors together at the end, so that the task is retried; a file
    refused at this point is in the ledger, and `outcome` says so.
    """
    errors: list[Exception] = []
    for entry in ledger.of_request(context.engine, request):
        try:
            with suppress(FileRefused):
                merge(context, entry.id)
            archive(context, entry.id)
        except Exception as error:  # noqa: BLE001 - all errors are raised together
            errors.append(error)
            if not last_try:
                break
    if errors:
        raise ExceptionGroup(f"{len(errors)} file(s) could not be merged", errors)
