"""Tell people and programs: by mail (Airflow's connection `smtp_default`), in answers to senders, to webhooks."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, cast

from include.system_errors import cause_of

if TYPE_CHECKING:
    from smtplib import SMTP

    from include.emails.letter import Letter
    from include.emails.summary import Summary
    from include.steps.context import ImportContext

log = logging.getLogger(__name__)


def send_mail(to: Sequence[str], letter: Summary | Letter, reports: Mapping[str, bytes] = MappingProxyType({})) -> None:
    """Send a mail to these addresses, with reports attached, name to content.

    Raises smtplib.SMTPException, OSError or AirflowException when the server does not take it.
    """
    from airflow.providers.smtp.hooks.smtp import SmtpHook

    from include.adapters import mail

    with SmtpHook() as hook:
        mail.send(
            # The hook has no public way to its client, and its own `send_email_smtp` writes no plain-text part.
            cast("SMTP", hook._smtp_client), sender=hook.from_email or "client-imports@localhost",
            to=to, subject=letter.subject, text=letter.text(), html=letter.html(), reports=reports,
            pictures=getattr(letter, "pictures", {}),
        )  # fmt: skip


def answer_sender_of(import_id: str) -> None:
    """Answer the sender of one import, whose state a person has changed."""
    from include.steps.answer import answer_decision

    if context := _context_of(import_id):
        log.info(answer_decision(context, import_id, send_mail))


def post_receipt_of(import_id: str) -> None:
    """Post the receipt of one import, whose state a person has changed, where its feed has a webhook."""
    from include.airflow_support.connections import find_webhook
    from include.steps.post_receipt import post_decision

    context = _context_of(import_id)
    if context and context.feed.notify.webhook:
        log.info(post_decision(context, import_id, find_webhook(context.feed.notify.webhook)))


def _context_of(import_id: str) -> ImportContext | None:
    """Open the feed of an import; None where it is gone or broken, so that nobody knows whom to tell."""
    from include.adapters.database import ledger
    from include.airflow_support.connections import open_context, open_engine
    from include.errors import FeedInvalid

    try:
        return open_context(ledger.find(open_engine(), import_id).feed)
    except FeedInvalid as error:
        log.warning("Nobody was told: %s", error)
        return None


def mail_system_error(context: Any) -> None:
    """Mail that a run has no summary; the callback of a task whose last try failed.

    It asks no database of ours, which may be what is away. A mail server that is down gets no mail about itself. While
    runs go on failing, only the first one is mailed.
    """
    from sqlalchemy.exc import SQLAlchemyError

    from include.airflow_support.runs import feed_of, run_url_of
    from include.emails.unfinished import UnfinishedRun
    from include.errors import ClientImportError, FeedInvalid
    from include.schemas.feed_folder import find_feed
    from include.settings import read_settings

    ti, error = context["ti"], context["exception"]
    if not isinstance(error, SQLAlchemyError | ClientImportError):
        return
    try:
        feed = find_feed(read_settings().feeds, feed_of(ti.dag_id) or "")
    except FeedInvalid:
        return  # the red tasks name the feed's file, and nobody knows whom to mail
    before = ti.get_previous_dagrun()
    if not feed.notify.to or feed.notify.when == "never" or (before and before.state == "failed"):
        return
    try:
        send_mail(feed.notify.to, UnfinishedRun(feed.name, feed.title, cause_of(error), run_url_of(ti)))
    except Exception as failed:  # noqa: BLE001 - it is the mail server that fails; the task is red already
        log.warning("The mail about the system error was not sent: %s", cause_of(failed))
