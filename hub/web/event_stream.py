"""GraphQL over Server-Sent Events, distinct connections mode (github.com/enisdenjo/graphql-sse, PROTOCOL.md): one operation, one
stream of `next` events, then `complete`. Errors travel in `next`, for a browser gives up a stream of another status.
"""

import contextlib
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Any

import msgspec
from graphql import GraphQLError
from starlette.types import Receive, Scope, Send

from hub.graph.answer import Answer
from hub.web.graphql_request import EVENTS
from hub.web.open_connections import End, OpenConnection, Openings
from schema.context import Caller

COMPLETE = b"event: complete\ndata:\n\n"
ALIVE = b":\n\n"


class EventStream(OpenConnection):
    """The answer to one HTTP request."""

    def __init__(
        self, openings: Openings, authenticate: Callable[[], Awaitable[Caller]], caller: Caller, given: AsyncGenerator[Answer, None]
    ) -> None:
        """`caller` is who `authenticate` proved before."""
        super().__init__(openings, authenticate)
        self.caller = caller
        self._given = given
        self._send: Send

    async def serve(self, _scope: Scope, receive: Receive, send: Send, correlation_id: str) -> None:
        """Answer until one side ends it."""
        self._send = send
        headers = {"content-type": f"{EVENTS}; charset=utf-8", "cache-control": "no-store", "x-accel-buffering": "no"}
        headers["x-correlation-id"] = correlation_id
        listed = [(name.encode(), value.encode()) for name, value in headers.items()]
        await send({"type": "http.response.start", "status": 200, "headers": listed})
        await self.stand(self._answer(), self._hear(receive))
        with contextlib.suppress(OSError):
            await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def transmit(self, message: bytes) -> None:
        """Send bytes of the stream."""
        await self._send({"type": "http.response.body", "body": message, "more_body": True})

    async def beat(self) -> None:
        """Send a comment, which clients pass over."""
        await self.send(ALIVE)

    async def tell_end(self, end: End) -> None:
        """Send the error, and that nothing follows."""
        await self.transmit(_failed(end.error) + COMPLETE)

    async def _hear(self, receive: Receive) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        self.end(None)

    async def _answer(self) -> None:
        await self.send(ALIVE)
        async with contextlib.aclosing(self._given) as given:
            async for each in given:
                await self.send(_next(each.as_json()))
        await self.send(COMPLETE)
        self.end(None)


def _next(result: dict[str, Any]) -> bytes:
    return b"event: next\ndata: " + msgspec.json.encode(result) + b"\n\n"


def _failed(error: GraphQLError) -> bytes:
    return _next({"errors": [error.formatted]})
