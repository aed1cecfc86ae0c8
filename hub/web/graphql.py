"""GraphQL over HTTP to the letter (graphql.github.io/graphql-over-http): `POST /graphql`, and `GET` for queries.

With `application/graphql-response+json` a request of which nothing could be executed has status 400; with
`application/json`, for older clients, it has 200. Either way it has no `data`. Whoever shows a wrong key gets 401.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import msgspec
import structlog
from starlette.requests import Request
from starlette.types import Receive, Scope, Send

from hub.graph.access import Keyring
from hub.graph.answer import ALL, QUERIES, Answer, NotAllowedHere, answer
from hub.graph.compiled.executor import Executor
from hub.graph.schema import HubSchema
from hub.intake.room import RETRY_AFTER, NoRoom, Room
from hub.web.graphql_request import GRAPHQL, JSON, Refused, media_type, read_question
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

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one HTTP request."""
        correlation_id = self.new_id()
        structlog.contextvars.bind_contextvars(correlation_id=correlation_id)  # for log and audit; each request has its context
        reply = await self._respond(Request(scope, receive), correlation_id)
        await reply.send(send)

    async def _respond(self, request: Request, correlation_id: str) -> Reply:
        accepted = JSON
        try:
            accepted = media_type(request.headers)
            with self.room.inside():
                given = await self._answer(request, correlation_id)
        except NoRoom:
            body = {"errors": [{"message": "too many requests are under way; ask again", "extensions": {"code": UNAVAILABLE}}]}
            return _response(503, body, accepted, correlation_id, {"retry-after": str(RETRY_AFTER)})
        except Refused as refused:
            body = {"errors": [{"message": str(refused), "extensions": {"code": refused.code}}]}
            return _response(refused.status, body, accepted, correlation_id, refused.headers)
        return _response(_status(given, accepted), given.as_json(), accepted, correlation_id)

    async def _answer(self, request: Request, correlation_id: str) -> Answer:
        try:
            caller = self.keyring.caller(request.headers)
        except GraphError as wrong_key:
            raise Refused(401, UNAUTHENTICATED, wrong_key.message, **{"WWW-Authenticate": "Bearer"}) from None
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
