"""Answer the sender of a file: a receipt and the failed rows, into the folder `answers/` of the inbox, and by mail.

An answer never changes what was imported (SPEC.md section 14).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from include.adapters.database import ledger, transactions, uploads
from include.emails.receipt import ANSWERED, ReceiptLetter, as_json, receipt
from include.errors import ClientImportError, StepFailed
from include.models import RunRequest, State
from include.schemas.client_tables import Import
from include.steps.context import ImportContext

Send = Callable[[Sequence[str], ReceiptLetter], None]
_RECEIPT, _FAILED = "receipt.json", "failed.csv"
_LONGEST_NAME = 180  # bytes, which leaves room for an ID and an ending
_NOT_IN_NAMES = set('/\\:*?"<>|')


def answer_run(context: ImportContext, request: RunRequest, send: Send) -> str:
    """Answer the files of one run; gives a sentence for the log. Repeating it sends no mail twice."""
    return _answer(context, ledger.of_request(context.engine, request), send)


def answer_decision(context: ImportContext, import_id: str, send: Send) -> str:
    """Answer a file once a person has decided about it, discarded it or undone its import."""
    return _answer(context, [ledger.find(context.engine, import_id)], send)


def has_receipt(entry: Import) -> bool:
    """Say whether an import has come to where its sender is told, and its files lie where they stay."""
    return entry.state in ANSWERED and not entry.dry_run and (entry.filed or entry.state == State.HELD)


def _answer(context: ImportContext, entries: Sequence[Import], send: Send) -> str:
    """Answer each file. An error with one stops no other; they are raised together."""
    if not (context.feed.answer or context.feed.notify.sender):
        return "The feed answers no sender."
    # Who has sent a file on the page, or on the command line, sees it there. The inbox is the partner's.
    uploaded = uploads.of_imports(context.engine, [entry.id for entry in entries])
    errors, answered = list[ClientImportError](), 0
    for entry in entries:
        is_of_inbox = entry.dag_id is not None and entry.id not in uploaded
        if not has_receipt(entry) or entry.answered_state == entry.state or not is_of_inbox:
            continue
        try:
            _answer_one(context, entry, send)
            answered += 1
        except Exception as error:  # noqa: BLE001 - raised without its text, which may have the sender's file name
            errors.append(error if isinstance(error, ClientImportError) else StepFailed("answer", error))
    if errors:
        raise ExceptionGroup(f"{len(errors)} file(s) could not be answered", errors)
    return f"Answered {answered} file(s)."


def _answer_one(context: ImportContext, entry: Import, send: Send) -> None:
    name = _put_answer(context, entry) if context.feed.answer else None
    if context.feed.notify.sender:
        send(context.feed.notify.sender, ReceiptLetter(context.feed.title, receipt(entry, name)))
    ledger.change(context.engine, entry.id, answered_state=entry.state)


def _put_answer(context: ImportContext, entry: Import) -> str | None:
    """Write the answer's files; gives the name of the one with the failed rows, None where no row failed.

    The import's row is locked meanwhile: an erasure waits, so that no failed row comes back.
    """
    inbox, stem = context.feed.inbox, _stem(context, entry)
    with context.engine.begin() as connection:
        transactions.limit_waits(connection)
        report = ledger.lock(connection, entry.id).report_path
        name = f"{stem}.{_FAILED}" if report else None
        if report and name:
            path = context.storage.put_answer(inbox, name, context.storage.read(report))
            ledger.note_answer(connection, entry, path)
        else:
            context.storage.delete_answer(inbox, f"{stem}.{_FAILED}")
        context.storage.put_answer(inbox, f"{stem}.{_RECEIPT}", as_json(receipt(entry, name)))
    return name


def _stem(context: ImportContext, entry: Import) -> str:
    """Name the answer after the file. An earlier file of that name, and a name that is no plain one, get the ID."""
    name = entry.file_name
    is_plain = name.isprintable() and not _NOT_IN_NAMES & set(name) and not name.startswith(".")
    if not is_plain or len(name.encode()) > _LONGEST_NAME:
        return entry.id
    newest = ledger.newest_of_name(context.engine, entry.feed, name)
    return name if newest is None or newest.id == entry.id else f"{name}.{entry.id}"
