"""GraphQL over WebSocket: the protocol graphql-transport-ws, server side
(github.com/enisdenjo/graphql-ws, PROTOCOL.md).

Beside its own close codes: 4403 for a key that does not hold (any more), 4413 for who is too slow, 4429 also for who connects more
often than its rate allows, 1001 when the hub stops. Each operation counts too: one too many gets an `error`, the others go on.
"""

import asyncio
import contextlib
import math
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from typing import Any

import msgspec
from graphql import GraphQLError
from starlette.websockets import WebSocket

from hub.access.rates import RATE_LIMIT
from hub.graph.answer import Answer, Question
from hub.web.graphql_request import INVALID, Refused
from hub.web.open_connections import SLOW, SUBSCRIPTION_LIMIT, End, OpenConnection, Openings
from schema.changes import TOO_SLOW
from schema.context import Caller
from schema.graph_errors import BAD_USER_INPUT, UNAUTHENTICATED, GraphError

PROTOCOL = "graphql-transport-ws"
LONGEST_REASON = 123
"""Bytes of a close frame's reason (RFC 6455, 5.5)."""
BAD_REQUEST, UNAUTHORIZED, NO_SUBPROTOCOL, NO_FIRST_WORD, TWICE, TOO_MANY = 4400, 4401, 4406, 4408, 4409, 4429


class _Message(msgspec.Struct):
    type: str
    id: str | None = None
    payload: msgspec.Raw = msgspec.Raw()


class TransportWS(OpenConnection):
    """One WebSocket, and the operations on it."""

    def __init__(
        self,
        socket: WebSocket,
        openings: Openings,
        authenticate: Callable[[Mapping[str, str]], Awaitable[Caller]],
        read: Callable[[Any], Question],
        ask: Callable[[Question, Caller], AsyncGenerator[Answer, None]],
        wait: Callable[[Caller | None], float],
        longest: int,
        known: Callable[[], None],
    ) -> None:
        """`read` makes a question of a payload, or raises Refused; `wait` counts a connection or operation of a client and returns
        the seconds that it has to wait, if it is one too many; `longest`: characters of a message; `known` is called when a client
        has been let in.
        """
        super().__init__(openings, lambda: authenticate(self._shown))
        self._socket = socket
        self._read_question = read
        self._ask = ask
        self._wait = wait
        self._longest = longest
        self._known = known
        self._shown = {name.lower(): value for name, value in socket.headers.items()}
        self._greeted = asyncio.Event()
        self._operations: dict[str, asyncio.Task[None]] = {}

    async def serve(self) -> None:
        """Answer until one side ends it."""
        if PROTOCOL not in self._socket.scope["subprotocols"]:
            await self._socket.accept()
            await self._socket.close(NO_SUBPROTOCOL, "Subprotocol not acceptable")
            return
        await self._socket.accept(PROTOCOL)
        await self.stand(self._read(), self._await_greeting())

    async def transmit(self, message: Any) -> None:
        """Send JSON in a text frame."""
        await self._socket.send_text(msgspec.json.encode(message).decode())

    async def beat(self) -> None:
        """Send nothing: the server pings."""

    async def tell_end(self, end: End) -> None:
        """Close; the reason begins with the error's code where the close code is not the protocol's own."""
        reason = f"{end.error.code}: {end.error.message}"
        if end.error.code in {UNAUTHENTICATED, BAD_USER_INPUT}:
            reason = end.error.message
        await self._socket.close(end.close, reason.encode()[:LONGEST_REASON].decode(errors="ignore"))

    def _refuse(self, code: int, reason: str) -> None:
        self.end(End(code, GraphError(UNAUTHENTICATED if code == UNAUTHORIZED else BAD_USER_INPUT, reason)))

    async def _await_greeting(self) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self.patience.first_word):
                await self._greeted.wait()
        if not self._greeted.is_set():
            self._refuse(NO_FIRST_WORD, "Connection initialisation timeout")

    async def _read(self) -> None:
        while True:
            given = await self._socket.receive()
            if given["type"] == "websocket.disconnect":
                return self.end(None)
            text = given.get("text")
            if text is None:
                return self._refuse(BAD_REQUEST, "messages are text")
            if len(text) > self._longest:
                return self._refuse(BAD_REQUEST, f"the message has more than {self._longest:,} characters")
            try:
                message = msgspec.json.decode(text, type=_Message)
            except (msgspec.MsgspecError, RecursionError, UnicodeError) as wrong:
                return self._refuse(BAD_REQUEST, f"Invalid message: {wrong}")
            await self._take(message)

    async def _take(self, message: _Message) -> None:
        match message.type:
            case "connection_init":
                await self._greet(message)
            case "ping":
                await self.send({"type": "pong"})
            case "pong":
                pass
            case "subscribe":
                await self._subscribe(message)
            case "complete":
                if (task := self._operations.pop(message.id or "", None)) is not None:
                    task.cancel()
            case other:
                self._refuse(BAD_REQUEST, f"Invalid message: there is no type '{other}'")

    async def _greet(self, message: _Message) -> None:
        """Let the client in, by the key in its payload, else by that in the headers of its request."""
        if self._greeted.is_set():
            return self._refuse(TOO_MANY, "Too many initialisation requests")
        self._greeted.set()
        try:
            told = msgspec.json.decode(message.payload, type=dict[str, Any] | None) if bytes(message.payload) else None
        except (msgspec.MsgspecError, RecursionError):
            return self._refuse(BAD_REQUEST, "Invalid message: the payload of connection_init is no object")
        shown = {name.lower(): value for name, value in (told or {}).items() if isinstance(value, str)}
        self._shown |= {name: shown[name] for name in ("authorization", "x-api-key") if name in shown}
        end = await self.unproven()
        if seconds := self._wait(self.caller):  # whoever tries keys is known by the address
            return self.end(End(TOO_MANY, _too_often("connections", seconds)))
        if end:
            return self.end(end)
        self._known()
        return await self.send({"type": "connection_ack"})

    async def _subscribe(self, message: _Message) -> None:
        if self.caller is None:
            return self._refuse(UNAUTHORIZED, "Unauthorized")
        if not message.id:
            return self._refuse(BAD_REQUEST, "Invalid message: subscribe has no id")
        if message.id in self._operations:
            return self._refuse(TWICE, f"Subscriber for {message.id} already exists")
        return await self._begin(message.id, message.payload, self.caller)

    async def _begin(self, operation: str, payload: msgspec.Raw, caller: Caller) -> None:
        if seconds := self._wait(caller):
            return await self._error(operation, _too_often("operations", seconds))
        try:
            question = self._read_question(payload)
        except Refused as refused:
            if refused.code == INVALID:
                return self._refuse(BAD_REQUEST, f"Invalid message: {refused}")
            return await self._error(operation, GraphError(refused.code, str(refused)))
        limit = self.openings.of_connection
        if len(self._operations) >= limit:
            return await self._error(operation, _full(f"{limit} operations are under way on this connection; complete one", limit))
        if not self.openings.operations.take():
            return await self._error(operation, _full("too many operations are under way; come again", self.openings.most))
        task = self._operations[operation] = self.start(self._answer(operation, question, caller))
        task.add_done_callback(lambda _: self.openings.operations.give_back())
        return None

    async def _error(self, operation: str, *errors: GraphQLError) -> None:
        await self.send({"id": operation, "type": "error", "payload": [each.formatted for each in errors]})

    async def _answer(self, operation: str, question: Question, caller: Caller) -> None:
        async with contextlib.aclosing(self._ask(question, caller)) as all_given:
            async for given in all_given:
                if not given.executed:
                    return await self._fail(operation, given)
                await self.send({"id": operation, "type": "next", "payload": given.as_json()})
        self._operations.pop(operation, None)
        return await self.send({"id": operation, "type": "complete"})

    async def _fail(self, operation: str, given: Answer) -> None:
        """End the operation with its errors; who is too slow is cut off, with all operations on this connection."""
        slow = next((each for each in given.errors if isinstance(each, GraphError) and each.code == TOO_SLOW), None)
        if slow is not None:
            return self.end(End(SLOW, slow))
        self._operations.pop(operation, None)
        return await self._error(operation, *given.errors)


def _too_often(what: str, seconds: float) -> GraphError:
    told = f"more {what} than this client may begin; come again in {seconds:.1f} s"
    return GraphError(RATE_LIMIT, told, retryAfter=math.ceil(seconds))


def _full(told: str, limit: int) -> GraphError:
    return GraphError(SUBSCRIPTION_LIMIT, told, limit=limit)
