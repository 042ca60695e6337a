"""The body of a request: small unless it is a file, whole in time, and cut off where nothing reads it.

The web server reads an unread body to its end, to use the connection again: gigabytes, even without a login.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

from fastapi import HTTPException
from starlette.datastructures import Headers

FORM_BYTES, FORM_SECONDS = 1 << 16, 30.0
# A sender that still sends should read the answer, not a broken connection: so much more is read, and thrown away.
_REST_BYTES, _REST_SECONDS = 1 << 20, 1.0


class Body:
    """The body of one request while it comes in. `announced`: its size, where the sender says it."""

    def __init__(self, scope: Any, receive: Any) -> None:
        headers, self._receive = Headers(scope=scope), receive
        length = headers.get("content-length", "")
        self.announced = int(length) if length.isdecimal() else None
        self._is_unread = bool(self.announced) or "transfer-encoding" in headers
        self.allow(FORM_BYTES, FORM_SECONDS)

    def allow(self, most: float, seconds: float) -> None:
        """Let it have so many bytes, and so much time from now on."""
        self._room, self._deadline = most, asyncio.get_running_loop().time() + seconds

    async def receive(self) -> Any:
        """Give the next part. Raises HTTPException when the body is too large, or too slow."""
        if not self._is_unread:
            return await self._receive()
        if (self.announced or 0) > self._room:
            raise HTTPException(413, "This request is too large.")
        try:
            async with asyncio.timeout_at(self._deadline):
                message = await self._next()
        except TimeoutError:
            raise HTTPException(408, "The request did not arrive in time. Please send it again.") from None
        if self._room < 0:
            raise HTTPException(413, "This request is too large.")
        return message

    async def _next(self) -> Any:
        message = await self._receive()
        self._is_unread = message.get("more_body", False)
        self._room -= len(message.get("body", b""))
        return message

    def answers(self, send: Any) -> Any:
        """Give a `send` that ends the connection where the body was not read to its end."""
        cut = False

        async def answer(message: Any) -> None:
            nonlocal cut
            if message["type"] == "http.response.start" and self._is_unread:
                cut = True
                message["headers"] = [*message["headers"], (b"connection", b"close")]
            elif cut and message["type"] == "http.response.body" and not message.get("more_body"):
                await send({**message, "more_body": True})
                await self._throw_away()
                message = {"type": "http.response.body"}
            await send(message)

        return answer

    async def _throw_away(self) -> None:
        self._room = _REST_BYTES
        with suppress(TimeoutError):
            async with asyncio.timeout(_REST_SECONDS):
                while self._is_unread and self._room > 0:
                    await self._next()


class Bodies:
    """Hands each request its `Body`, as `request.state.body`."""

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            body = Body(scope, receive)
            scope.setdefault("state", {})["body"] = body
            receive, send = body.receive, body.answers(send)
        await self.app(scope, receive, send)
