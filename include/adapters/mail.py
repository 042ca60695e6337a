"""One mail with a plain-text and an HTML part, handed to an SMTP client that the caller has opened."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from smtplib import SMTP
from types import MappingProxyType


def send(
    client: SMTP,
    *,
    sender: str,
    to: Sequence[str],
    subject: str,
    text: str,
    html: str,
    reports: Mapping[str, bytes] = MappingProxyType({}),
    pictures: Mapping[str, bytes] = MappingProxyType({}),
) -> None:
    """`reports` are CSV files to attach, name to content; `pictures` are PNG pictures in the HTML.

    Raises smtplib.SMTPException or OSError when the server does not take the mail."""
    message = EmailMessage()
    message["From"] = sender
    message["To"] = ", ".join(to)
    message["Subject"] = "".join(c if c.isprintable() else " " for c in subject)
    message["Date"] = formatdate()
    message["Message-ID"] = make_msgid(domain=sender.rpartition("@")[2] or "localhost")
    message.set_content(text)
    message.add_alternative(html, subtype="html")
    page = message.get_body(("html",))
    for name, content in pictures.items():
        assert page is not None  # noqa: S101 - it was added just now
        page.add_related(content, "image", "png", cid=f"<{name}>", disposition="inline")
    for name, content in reports.items():
        message.add_attachment(content, maintype="text", subtype="csv", filename=name)
    client.send_message(message)
