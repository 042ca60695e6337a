"""Post the receipts of imports to the feed's webhook. What is posted changes no import (SPEC.md section 14)."""

from __future__ import annotations

from collections.abc import Sequence

from include.adapters.database import ledger
from include.adapters.webhook import Webhook
from include.emails.receipt import adaptive_card, line_of, receipt
from include.errors import WebhookFailed
from include.models import RunRequest
from include.schemas.client_tables import Import
from include.steps.answer import has_receipt
from include.steps.context import ImportContext


def post_run(context: ImportContext, request: RunRequest, webhook: Webhook) -> str:
    """Post the receipts of one run; gives a sentence for the log. Repeating it posts only what is new."""
    return _post(context, ledger.of_request(context.engine, request), webhook)


def post_decision(context: ImportContext, import_id: str, webhook: Webhook) -> str:
    """Post what became of an import once a person has decided about it, discarded or undone it."""
    return _post(context, [ledger.find(context.engine, import_id)], webhook)


def _post(context: ImportContext, entries: Sequence[Import], webhook: Webhook) -> str:
    errors, posted = list[WebhookFailed](), 0
    for entry in entries:
        if not has_receipt(entry) or entry.posted_state == entry.state:
            continue
        content = receipt(entry)
        text = line_of(context.feed.title, content)
        try:
            webhook.post(adaptive_card(text) if webhook.form == "teams" else {"text": text, **content})
        except WebhookFailed as error:
            errors.append(error)
            continue
        ledger.change(context.engine, entry.id, posted_state=entry.state)
        posted += 1
    if errors:
        raise WebhookFailed(f"{len(errors)} receipt(s) were not posted. {errors[0]}")
    return f"Posted {posted} receipt(s)."
