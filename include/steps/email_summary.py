"""Mail the people of a feed what became of a run's files. A mail never changes what was imported."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from smtplib import SMTPException

from include.adapters.database import import_rows, ledger, uploads
from include.emails.summary import FileSummary, Summary
from include.models import RunRequest
from include.schemas.client_tables import Import
from include.schemas.feed import Notify
from include.steps.context import ImportContext
from include.steps.review import REVIEW_DAG, page_of, review_run_id
from include.system_errors import cause_of

Send = Callable[[Sequence[str], Summary, dict[str, bytes]], None]


def email_summary(context: ImportContext, request: RunRequest, link: str, send: Send) -> str:
    """Send the run's summary when the feed wants it; return a sentence for the log.

    The ledger notes which states were mailed, so repeating the task mails only what is new.
    """
    return _mail(context, summary_of(context, request, link), send)


def email_decision(context: ImportContext, import_id: str, link: str, send: Send) -> str:
    """Mail the same people what became of an import that was held."""
    entry = ledger.find(context.engine, import_id)
    return _mail(context, _summary(context, [entry], link), send)


def _mail(context: ImportContext, summary: Summary, send: Send) -> str:
    """Mail the senders of uploads, then the people of the feed. Raises SMTPException when a sender was not mailed."""
    errors = _mail_uploaders(context, summary, send)
    sentence = _mail_feed(context, summary, send)
    if errors:
        # Its own text would have the address.
        raise SMTPException(f"{len(errors)} sender(s) of uploads were not mailed: {cause_of(errors[0])}.")
    return sentence


def _mail_uploaders(context: ImportContext, summary: Summary, send: Send) -> list[OSError]:
    """Mail each sender of an upload what became of it, once for each state. Errors keep nobody else from their mail."""
    notify, errors = context.feed.notify, list[OSError]()
    if not notify.uploader:
        return errors
    files = {file.entry.id: file for file in summary.files}
    for upload in uploads.to_be_mailed(context.engine, [file.entry for file in files.values()]):
        file = files[upload.import_id or ""]
        own = replace(summary, files=[file])
        if upload.email is None or (_is_wanted(notify, summary) and upload.email in notify.to):
            continue
        try:
            send([upload.email], own, _reports(context, own))
        except OSError as error:  # SMTPException is one
            errors.append(error)
        else:
            uploads.note_mailed(context.engine, upload.id, file.entry.state)
    return errors


def _is_wanted(notify: Notify, summary: Summary) -> bool:
    """Say whether the people of the feed want this mail."""
    return bool(notify.to) and (notify.when == "always" or (notify.when == "problems" and summary.has_problems))


def _mail_feed(context: ImportContext, summary: Summary, send: Send) -> str:
    notify = context.feed.notify
    if not _is_wanted(notify, summary):
        _note_notified(context, summary)
        return f"The feed does not want this mail (notify.when: {notify.when})."
    if summary.files and all(file.entry.notified_state == file.entry.state for file in summary.files):
        return "This was mailed before."
    send(notify.to, summary, _reports(context, summary))
    _note_notified(context, summary)
    return f"Mailed to {len(notify.to)} recipient(s)."


def _note_notified(context: ImportContext, summary: Summary) -> None:
    """Note that these states need no further mail. Until then the next run sends it in place of a dead one."""
    for file in summary.files:
        ledger.change(context.engine, file.entry.id, notified_state=file.entry.state)


def summary_of(context: ImportContext, request: RunRequest, link: str) -> Summary:
    """Write the summary of all imports of one run."""
    return _summary(context, ledger.of_request(context.engine, request), link)


def _summary(context: ImportContext, entries: Sequence[Import], link: str) -> Summary:
    airflow = link.split("/dags/")[0]
    files = [
        FileSummary(
            entry,
            import_rows.causes(context.engine, entry.id),
            ledger.find(context.engine, entry.parent_import_id) if entry.parent_import_id else None,
            f"{airflow}/dags/{REVIEW_DAG}/runs/{review_run_id(entry)}/tasks/decide/required_actions",
            page_of(entry, airflow),
        )
        for entry in entries
    ]
    return Summary(context.feed.name, context.feed.title, files, link)


def _reports(context: ImportContext, summary: Summary) -> dict[str, bytes]:
    """Read the failed-row reports (name to content) when the feed wants them attached."""
    if not context.feed.notify.attach_failed_rows:
        return {}
    paths = [path for file in summary.files if (path := file.entry.report_path)]
    return {path.rpartition("/")[2]: context.storage.read(path) for path in paths}
