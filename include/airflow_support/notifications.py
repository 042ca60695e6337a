"""Send mail through the SMTP connection that Airflow knows as `smtp_default`."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from smtplib import SMTP

    from include.emails.late import LateFeed
    from include.emails.summary import Summary
    from include.schemas.feed import Feed


def send_mail(feed: Feed, letter: Summary | LateFeed, reports: Mapping[str, bytes] = MappingProxyType({})) -> None:
    """Send a mail to the people of a feed, with reports attached, name to content.

    Raises smtplib.SMTPException, OSError or AirflowException when the server does not take it.
    """
    from airflow.providers.smtp.hooks.smtp import SmtpHook

    from include.adapters import mail

    with SmtpHook() as hook:
        mail.send(
            # The hook has no public way to its client, and its own `send_email_smtp` writes no plain-text part.
            cast("SMTP", hook._smtp_client), sender=hook.from_email or "client-imports@localhost",
            to=feed.notify.to, subject=letter.subject, text=letter.text(), html=letter.html(), reports=reports,
        )  # fmt: skip
