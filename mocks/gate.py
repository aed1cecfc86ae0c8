"""The way into a mock platform: latency, outages and random errors before the call, a true-to-clock Date and a flush after it."""

from datetime import UTC
from email.utils import format_datetime
from typing import TYPE_CHECKING

from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mocks.callbacks import Sleep

if TYPE_CHECKING:
    from mocks.platform import Platform

UNTOUCHED = ("/_control", "/_city")
"""Paths of the control interface and of the city: no fault touches them."""


class Gate:
    """ASGI middleware that every call passes except those of the control interface."""

    def __init__(self, app: ASGIApp, platform: "Platform") -> None:
        self._app = app
        self._platform = platform

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or let the call through."""
        if scope["type"] != "http" or scope["path"].startswith(UNTOUCHED):
            await self._app(scope, receive, send)
            return
        platform, faults = self._platform, self._platform.faults
        platform.count("calls")
        if faults.latency_seconds:
            await platform.sleep(faults.latency_seconds)

        async def send_dated(message: Message) -> None:
            if message["type"] == "http.response.start":
                # What is answered must be found after a kill and a new start.
                platform.store.flush()
                platform.count(f"status.{message['status']}")
                date = format_datetime(platform.now().astimezone(UTC), usegmt=True)
                message["headers"] = [*message["headers"], (b"date", date.encode())]
            await send(message)

        app = self._app
        if faults.outage or (faults.error_rate and platform.rng.random() < faults.error_rate):
            platform.count("faults.error")
            app = platform.broken()
        await app(scope, receive, send_dated)


class Unanswered(Response):
    """Holds the connection, then drops it in the middle of an answer: the caller never learns what became of the call."""

    def __init__(self, hang_seconds: float, sleep: Sleep) -> None:
        super().__init__(status_code=504)
        self._hang_seconds = hang_seconds
        self._sleep = sleep

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hang, then begin an answer that never ends."""
        await self._sleep(self._hang_seconds)
        # A length that is never filled makes the server close the connection.
        await send({"type": "http.response.start", "status": 504, "headers": [(b"content-length", b"1")]})
