"""GraphQL over HTTP to the letter (graphql.github.io/graphql-over-http): `POST /graphql`, and `GET` for queries.

With `application/graphql-response+json` a request of which nothing could be executed has status 400; with
`application/json`, for older clients, it has 200. Either way it has no `data`. Whoever shows a wrong key gets 401.

Subscriptions come to the same address: over WebSocket (transport_ws.py), and by `Accept: text/event-stream` (event_stream.py).
"""

import contextlib
from collections.abc import AsyncGenerator, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import msgspec
import structlog
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket

from hub.graph.access import Keyring
from hub.graph.answer import ALL, QUERIES, Answer, NotAllowedHere, Question, answer
from hub.graph.compiled.executor import Executor
from hub.graph.schema import HubSchema
from hub.graph.stream import EVERYTHING, READING, answers
from hub.intake.room import RETRY_AFTER, NoRoom, Room
from hub.web.event_stream import EventStream
from hub.web.graphql_request import GRAPHQL, JSON, Refused, media_type, question_in, read_question, wants_events
from hub.web.open_connections import Openings
from hub.web.transport_ws import TransportWS
from schema.context import Caller, Context
from schema.graph_errors import INTERNAL, UNAUTHENTICATED, UNAVAILABLE, GraphError

BODY_LIMIT = 1_000_000
"""Bytes that a request's body may have unless the settings say otherwise."""


class Reply(NamedTuple):
    """What is sent back, as ASGI has it."""

    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes

    async def send(self, send: Send) -> None:
        """Send it."""
        await send({"type": "http.response.start", "status": self.status, "headers": self.headers})
        await send({"type": "http.response.body", "body": self.body})


@dataclass(frozen=True)
class GraphQLEndpoint:
    """The ASGI application at /graphql; mount it with `Route("/graphql", endpoint)`."""

    schema: HubSchema
    keyring: Keyring
    context_for: Callable[[Caller, str], Context]
    """Makes the context of one request from the caller and the correlation id."""
    new_id: Callable[[], str]
    """Makes correlation ids."""
    body_limit: int = BODY_LIMIT
    executor: Executor | None = None
    """Answers what it can before graphql-core is asked."""
    room: Room = field(default_factory=lambda: Room(100))
    """How many requests may be under way; one more is refused with 503."""
    openings: Openings = field(default_factory=Openings)
    """What stays open: WebSockets and event streams."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one HTTP request, or all that comes over one WebSocket."""
        if scope["type"] == "websocket":
            return await self._converse(WebSocket(scope, receive, send))
        correlation_id = self.new_id()
        structlog.contextvars.bind_contextvars(correlation_id=correlation_id)  # for log and audit; each request has its context
        request = Request(scope, receive)
        if wants_events(request.headers):
            return await self._stream(request, send, correlation_id)
        return await (await self._respond(request, correlation_id)).send(send)

    async def _converse(self, socket: WebSocket) -> None:
        if self.openings.left.is_set() or not self.openings.connections.take():
            full = _too_many(JSON, self.new_id())
            return await socket.send_denial_response(Response(full.body, full.status, media_type=JSON))
        try:
            await TransportWS(socket, self.openings, self._caller, question_in, self._answers, self.body_limit).serve()
        finally:
            self.openings.gone()

    async def _answers(self, question: Question, caller: Caller) -> AsyncGenerator[Answer, None]:
        """Yield the answers to one operation of a WebSocket, under a correlation id of its own."""
        correlation_id = self.new_id()
        structlog.contextvars.bind_contextvars(correlation_id=correlation_id)  # in the task of this operation only
        async with contextlib.aclosing(answers(self.schema, question, self.context_for(caller, correlation_id))) as given:
            async for each in given:
                yield each

    async def _stream(self, request: Request, send: Send, correlation_id: str) -> None:
        """Answer with an event stream; what is refused before anything is asked of the graph is refused as JSON."""
        if self.openings.left.is_set() or not self.openings.connections.take():
            return await _too_many(JSON, correlation_id).send(send)
        try:
            try:
                caller = await self._let_in(request)
                question = await read_question(request, self.body_limit)
            except Refused as refused:
                body = {"errors": [{"message": str(refused), "extensions": {"code": refused.code}}]}
                return await _response(refused.status, body, JSON, correlation_id, refused.headers).send(send)
            allowed = READING if request.method == "GET" else EVERYTHING
            given = answers(self.schema, question, self.context_for(caller, correlation_id), allowed)
            stream = EventStream(self.openings, lambda: self._caller(request.headers), caller, given)
            return await stream.serve(request.scope, request.receive, send, correlation_id)
        finally:
            self.openings.gone()

    async def _caller(self, headers: Mapping[str, str]) -> Caller:
        """Return who shows the key in these headers; raise GraphError for one that does not hold."""
        return self.keyring.caller(headers)

    async def _let_in(self, request: Request) -> Caller:
        try:
            return await self._caller(request.headers)
        except GraphError as wrong_key:
            raise Refused(401, UNAUTHENTICATED, wrong_key.message, **{"WWW-Authenticate": "Bearer"}) from None

    async def _respond(self, request: Request, correlation_id: str) -> Reply:
        accepted = JSON
        try:
            accepted = media_type(request.headers)
            with self.room.inside():
                given = await self._answer(request, correlation_id)
        except NoRoom:
            return _too_many(accepted, correlation_id)
        except Refused as refused:
            body = {"errors": [{"message": str(refused), "extensions": {"code": refused.code}}]}
            return _response(refused.status, body, accepted, correlation_id, refused.headers)
        return _response(_status(given, accepted), given.as_json(), accepted, correlation_id)

    async def _answer(self, request: Request, correlation_id: str) -> Answer:
        caller = await self._let_in(request)
        question = await read_question(request, self.body_limit)
        allowed = QUERIES if request.method == "GET" else ALL
        try:
            return await answer(self.schema, question, self.context_for(caller, correlation_id), allowed, self.executor)
        except NotAllowedHere as refused:
            raise Refused(405, "METHOD_NOT_ALLOWED", f"{refused}; use POST", Allow="POST") from None


def _status(given: Answer, accepted: str) -> int:
    codes = {(error.extensions or {}).get("code") for error in given.errors}
    if given.executed:
        return 200
    if INTERNAL in codes:
        return 500
    if UNAVAILABLE in codes:
        return 503
    return 400 if accepted == GRAPHQL else 200


def _too_many(accepted: str, correlation_id: str) -> Reply:
    body = {"errors": [{"message": "too many requests are under way; ask again", "extensions": {"code": UNAVAILABLE}}]}
    return _response(503, body, accepted, correlation_id, {"retry-after": str(RETRY_AFTER)})


def _response(
    status: int, body: Mapping[str, Any], accepted: str, correlation_id: str, headers: Mapping[str, str] | None = None
) -> Reply:
    """Return the answer as JSON in UTF-8; nobody may keep it, for it depends on who asked."""
    text = msgspec.json.encode(body)
    told = {
        "content-type": f"{accepted}; charset=utf-8",
        "cache-control": "no-store",
        "x-correlation-id": correlation_id,
        "content-length": str(len(text)),
        **(headers or {}),
    }
    return Reply(status, [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in told.items()], text)
