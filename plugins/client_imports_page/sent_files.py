"""The file in the body of a request: its name, and its bytes while they come in."""

from __future__ import annotations

from contextlib import suppress
from email.message import EmailMessage
from math import inf

from fastapi import HTTPException, Request
from fastapi.concurrency import run_in_threadpool
from pydantic import ValidationError

from include.schemas.feed_sentences import sentences_about
from include.schemas.mapping import Mapping
from include.steps.upload import Writing

_BLOCK = 1 << 20  # bytes handed to the disk at once
# How long the body may take: a minute, and what the feed's largest file needs at one megabit a second.
_SECONDS, _BYTES_A_SECOND = 60, 1 << 17


def name_of(content_type: str, content_disposition: str) -> str:
    """Read the file name from the header; '' when there is none, or when the header cannot be parsed. Raises 415."""
    if content_type.partition(";")[0].strip().lower() != "text/csv":
        raise HTTPException(415, "Send the file as the body, with Content-Type: text/csv.")
    message = EmailMessage()
    with suppress(ValueError):  # plain UTF-8, which the web server reads as Latin-1
        content_disposition = content_disposition.encode("latin-1").decode("utf-8")
    with suppress(ValueError, LookupError, RecursionError):
        message["Content-Disposition"] = content_disposition or "attachment"
        return message.get_filename() or ""
    return ""


def mapping_of(text: str) -> Mapping:
    """Read the mapping that travels with a file. Raises 422: a person's words must not be lost in silence."""
    try:
        return Mapping.of_json(text) if text else Mapping()
    except ValidationError as error:
        sentences = " ".join(sentences_about(error, Mapping))
        raise HTTPException(422, f"The mapping cannot be used: {sentences}") from None
    except ValueError as error:
        raise HTTPException(422, f"The mapping cannot be used: {error}.") from None


async def receive(request: Request, writing: Writing) -> None:
    """Write the body while it comes in: at most the feed's `max_bytes`, and never all of it in memory."""
    request.state.body.allow(inf, _SECONDS + writing.context.feed.max_bytes / _BYTES_A_SECOND)
    block = bytearray()
    async for chunk in request.stream():
        block += chunk
        if len(block) >= _BLOCK:
            await run_in_threadpool(writing.write, bytes(block))
            block.clear()
    await run_in_threadpool(writing.write, bytes(block))
