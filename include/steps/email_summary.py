"""Tell the people of a feed what became of a run's files. Mail never changes what was imported."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from include.adapters import import_ledger, import_reasons
from include.emails.summary import FileSummary, Summary
from include.results import Import, Requested
from include.steps.corridor import Corridor
from include.steps.review import REVIEW_DAG, review_run_id

Send = Callable[[Summary, dict[str, bytes]], None]


def email_summary(corridor: Corridor, asked: Requested, link: str, send: Send) -> str:
    """Send the run's summary when the feed wants it; gives a sentence for the log.

    The ledger remembers what people have been told, so repeating the task mails only news.
    """
    return _mail(corridor, summary_of(corridor, asked, link), send)


def email_decision(corridor: Corridor, import_id: str, link: str, send: Send) -> str:
    """Tell the same people what became of an import that was held."""
    entry = import_ledger.find(corridor.engine, import_id)
    return _mail(corridor, _summary(corridor, [entry], link), send)


def _mail(corridor: Corridor, summary: Summary, send: Send) -> str:
    notify = corridor.feed.notify
    if not notify.to or notify.when == "never" or (notify.when == "problems" and not summary.has_problems):
        _note_told(corridor, summary)
        return f"Nobody asked for this mail (notify.when: {notify.when})."
    if summary.files and all(file.entry.notified_state == file.entry.state for file in summary.files):
        return "This was mailed before."
    send(summary, _reports(corridor, summary))
    _note_told(corridor, summary)
    return f"Mailed to {len(notify.to)} recipient(s)."


def _note_told(corridor: Corridor, summary: Summary) -> None:
    """Nobody needs to hear of these states again. Until this is noted, the next run takes the mail over."""
    for file in summary.files:
        import_ledger.change(corridor.engine, file.entry.id, notified_state=file.entry.state)


def summary_of(corridor: Corridor, asked: Requested, link: str) -> Summary:
    return _summary(corridor, import_ledger.of_run(corridor.engine, asked.dag_id or "", asked.run_id or ""), link)


def _summary(corridor: Corridor, entries: Sequence[Import], link: str) -> Summary:
    airflow = link.split("/dags/")[0]
    files = [
        FileSummary(
            entry,
            import_reasons.causes(corridor.engine, entry.id),
            import_ledger.find(corridor.engine, entry.parent_import_id) if entry.parent_import_id else None,
            f"{airflow}/dags/{REVIEW_DAG}/runs/{review_run_id(entry)}/tasks/decide/required_actions",
            f"{airflow}/plugin/client-imports/client-imports/imports/{entry.id}",
        )
        for entry in entries
    ]
    return Summary(corridor.feed.name, corridor.feed.title, files, link)


def _reports(corridor: Corridor, summary: Summary) -> dict[str, bytes]:
    """Name and content of the failed-row reports, when the feed wants them attached."""
    if not corridor.feed.notify.attach_failed_rows:
        return {}
    paths = [path for file in summary.files if (path := file.entry.report_path)]
    return {path.rpartition("/")[2]: corridor.storage.read(path) for path in paths}
