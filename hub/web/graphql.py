"""GraphQL over HTTP to the letter (graphql.github.io/graphql-over-http): `POST /graphql`, and `GET` for queries.

With `application/graphql-response+json` a request of which nothing could be executed has status 400; with
`application/json`, for older clients, it has 200. Either way it has no `data`. Whoever shows a wrong key gets 401.

Subscriptions come to the same address: over WebSocket (transport_ws.py), and by `Accept: text/event-stream` (event_stream.py).
"""

import contextlib
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, NamedTuple

import msgspec
import structlog
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket
from strawberry.types.graphql import OperationType

from hub.access.door import Door
from hub.access.rates import RATE_LIMIT, Rates, client_at
from hub.access.unproven import KeysUnavailable, Unproven
from hub.graph.answer import ALL, QUERIES, Answer, NotAllowedHere, Question, answer, failed
from hub.graph.compiled.executor import Executor
from hub.graph.schema import HubSchema
from hub.graph.stream import EVERYTHING, READING, answers
from hub.graph.trusted import NOT_FOUND, Trusted
from hub.intake.room import RETRY_AFTER, NoRoom, Room
from hub.web.event_stream import EventStream
from hub.web.graphql_request import GRAPHQL, JSON, Refused, media_type, question_in, read_question, wants_events
from hub.web.open_connections import Openings
from hub.web.origins import is_foreign
from hub.web.posted import Network, headers_of, remote_of
from hub.web.transport_ws import TransportWS
from schema.context import Caller, Context
from schema.graph_errors import INTERNAL, UNAUTHENTICATED, UNAVAILABLE, GraphError

BODY_LIMIT = 1_000_000
"""Bytes that a request's body may have unless the settings say otherwise."""


READING_AT_MOST, READING_BYTES = 1_000, 64_000_000
"""Bodies that may be coming in at once, and their bytes."""


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
    door: Door
    context_for: Callable[[Caller, str], Context]
    """Makes the context of one request from the caller and the correlation id."""
    new_id: Callable[[], str]
    """Makes correlation ids."""
    body_limit: int = BODY_LIMIT
    executor: Executor | None = None
    """Answers what it can before graphql-core is asked."""
    room: Room = field(default_factory=lambda: Room(100))
    """How many requests may be under way; one more is refused with 503."""
    trusted: Trusted = field(default_factory=Trusted)
    rates: Rates | None = None
    """How often each client may ask; None where there is no limit."""
    proxies: Sequence[Network] = ()
    """Whose X-Forwarded-For is believed, for clients who are known by their address only."""
    openings: Openings = field(default_factory=Openings)
    """What stays open: WebSockets and event streams."""
    origins: tuple[str, ...] = ()
    """Whose pages may open WebSockets, beside this host's own."""
    reading: Room = field(default_factory=lambda: Room(READING_AT_MOST, READING_BYTES))
    """What bodies may be coming in; who sends one slowly takes no place of those that are under way."""

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
        if is_foreign(socket.headers, self.origins):
            way_out = "pages of this origin may not open WebSockets here; HUB_CORS_ORIGINS names those that may"
            denied = _response(403, Refused(403, "ORIGIN_NOT_ALLOWED", way_out).as_json(), JSON, self.new_id())
            return await socket.send_denial_response(Response(denied.body, denied.status, media_type=JSON))
        if not self.openings.meet(address := self._client(socket.scope, None)):
            full = _too_many(JSON, self.new_id())
            return await socket.send_denial_response(Response(full.body, full.status, media_type=JSON))
        unknown = contextlib.ExitStack()
        unknown.callback(self.openings.know, address)
        try:
            read = partial(question_in, trusted=self.trusted)
            wait = partial(self._wait, socket.scope)
            await TransportWS(socket, self.openings, self._prove, read, self._answers, wait, self.body_limit, unknown.close).serve()
        finally:
            unknown.close()
            self.openings.gone()

    async def _answers(self, question: Question, caller: Caller) -> AsyncGenerator[Answer, None]:
        """Yield the answers to one operation of a WebSocket, under a correlation id of its own."""
        correlation_id = self.new_id()
        structlog.contextvars.bind_contextvars(correlation_id=correlation_id)  # in the task of this operation only
        async with contextlib.aclosing(self._given(question, caller, correlation_id, EVERYTHING)) as given:
            async for each in given:
                yield each

    def _given(
        self, question: Question, caller: Caller, correlation_id: str, allowed: frozenset[OperationType]
    ) -> AsyncGenerator[Answer, None]:
        return answers(self.schema, question, self.context_for(caller, correlation_id), allowed, self.executor)

    async def _stream(self, request: Request, send: Send, correlation_id: str) -> None:
        """Answer with an event stream; what is refused before anything is asked of the graph is refused as JSON."""
        headers = dict[str, str]()
        try:
            caller = await self._caller(request, headers)
            question = await read_question(request, self.body_limit, self.trusted, self.reading)
        except NoRoom:
            return await _too_many(JSON, correlation_id).send(send)
        except Refused as refused:
            about = headers | refused.headers
            return await _response(refused.status, refused.as_json(), JSON, correlation_id, about).send(send)
        if self.openings.left.is_set() or not self.openings.connections.take():
            return await _too_many(JSON, correlation_id).send(send)
        try:
            allowed = READING if request.method == "GET" else EVERYTHING
            given = self._given(question, caller, correlation_id, allowed)
            stream = EventStream(self.openings, lambda: self._prove(request.headers), caller, given)
            return await stream.serve(request.scope, request.receive, send, correlation_id)
        finally:
            self.openings.gone()

    async def _prove(self, headers: Mapping[str, str]) -> Caller:
        """Return who shows the key or token in these headers; raise GraphError where it does not hold, or nobody can tell now."""
        try:
            return await self.door.caller(headers)
        except KeysUnavailable as unknown:
            raise GraphError(UNAVAILABLE, f"{unknown}; connect again") from None

    async def _respond(self, request: Request, correlation_id: str) -> Reply:
        accepted, headers = JSON, dict[str, str]()
        try:
            accepted = media_type(request.headers)
            caller = await self._caller(request, headers)
            question = await read_question(request, self.body_limit, self.trusted, self.reading)
            with self.room.inside():
                given = await self._answer(request, question, caller, correlation_id)
        except NoRoom:
            return _too_many(accepted, correlation_id)
        except Refused as refused:
            told = refused.code == NOT_FOUND and accepted == JSON  # older clients read what is wrong in answers of status 200 only
            status = 200 if told else refused.status
            return _response(status, refused.as_json(), accepted, correlation_id, headers | refused.headers)
        except Exception as error:  # outermost of a request: this address answers as the graph does, whatever happens
            given = failed(error, correlation_id)
        return _response(_status(given, accepted), given.as_json(), accepted, correlation_id, headers)

    async def _answer(self, request: Request, question: Question, caller: Caller, correlation_id: str) -> Answer:
        allowed = QUERIES if request.method == "GET" else ALL
        try:
            return await answer(self.schema, question, self.context_for(caller, correlation_id), allowed, self.executor)
        except NotAllowedHere as refused:
            raise Refused(405, "METHOD_NOT_ALLOWED", f"{refused}; use POST", Allow="POST") from None

    async def _caller(self, request: Request, headers: dict[str, str]) -> Caller:
        """Return who asks; raise Refused for a key or token that does not hold, and for who asks too often, whatever is asked."""
        try:
            caller = await self.door.caller(request.headers)
        except Unproven as wrong:
            self._take(request, None, headers)  # whoever tries keys is known by the address
            raise Refused(401, UNAUTHENTICATED, wrong.message, wrong.reason, **{"WWW-Authenticate": wrong.challenge}) from None
        except KeysUnavailable as unknown:
            self._take(request, None, headers)
            raise _unavailable(f"{unknown}; ask again", "KEYS_UNAVAILABLE") from None
        self._take(request, caller, headers)
        return caller

    def _take(self, request: Request, caller: Caller | None, headers: dict[str, str]) -> None:
        """Count a question; raise Refused 429 if it is one too many."""
        if self.rates is None:
            return
        taken = self.rates.take(self._client(request.scope, caller))
        headers |= self.rates.headers(taken)
        if not taken.allowed:
            raise Refused(429, RATE_LIMIT, f"more requests than this client may make; ask again in {taken.wait:.1f} s")

    def _wait(self, scope: Scope, caller: Caller | None) -> float:
        """Count a connection, or an operation on it; return 0, or the seconds that the client has to wait if it is one too many."""
        return 0.0 if self.rates is None else self.rates.take(self._client(scope, caller)).wait

    def _client(self, scope: Scope, caller: Caller | None) -> str:
        if caller is not None and caller.name is not None:
            return f"name:{caller.name}"
        return client_at(remote_of(scope, headers_of(scope), self.proxies))


def _unavailable(message: str, reason: str | None = None) -> Refused:
    return Refused(503, UNAVAILABLE, message, reason, **{"Retry-After": str(RETRY_AFTER)})


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
    full = _unavailable("too many requests are under way; ask again")
    return _response(503, full.as_json(), accepted, correlation_id, full.headers)


def _response(
    status: int, body: Mapping[str, Any], accepted: str, correlation_id: str, headers: Mapping[str, str] | None = None
) -> Reply:
    """Return the answer as JSON in UTF-8; nobody may keep it, for it depends on who asked."""
    text = msgspec.json.encode(body)
    told = [
        (b"content-type", b"%s; charset=utf-8" % accepted.encode()),
        (b"cache-control", b"no-store"),
        (b"x-correlation-id", correlation_id.encode()),
        (b"content-length", b"%d" % len(text)),
        *((name.lower().encode(), value.encode("latin-1")) for name, value in (headers or {}).items()),
    ]
    return Reply(status, told, text)
