"""GraphQL over HTTP to the letter (graphql.github.io/graphql-over-http): `POST /graphql`, and `GET` for queries.

With `application/graphql-response+json` a request of which nothing could be executed has status 400; with
`application/json`, for older clients, it has 200. Either way it has no `data`. Whoever shows a wrong key gets 401.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec
import structlog
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from hub.access.door import Door
from hub.access.unproven import KeysUnavailable, Unproven
from hub.graph.answer import ALL, QUERIES, Answer, NotAllowedHere, answer
from hub.graph.schema import HubSchema
from hub.intake.room import RETRY_AFTER, NoRoom, Room
from hub.web.graphql_request import GRAPHQL, JSON, Refused, media_type, read_question
from schema.context import Caller, Context
from schema.graph_errors import INTERNAL, UNAUTHENTICATED, UNAVAILABLE

BODY_LIMIT = 1_000_000
"""Bytes that a request's body may have unless the settings say otherwise."""


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
    room: Room = field(default_factory=lambda: Room(100))
    """How many requests may be under way; one more is refused with 503."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one HTTP request."""
        correlation_id = self.new_id()
        with structlog.contextvars.bound_contextvars(correlation_id=correlation_id):  # for the log, and for the audit
            response = await self._respond(Request(scope, receive), correlation_id)
        await response(scope, receive, send)

    async def _respond(self, request: Request, correlation_id: str) -> Response:
        accepted = JSON
        try:
            accepted = media_type(request.headers)
            with self.room.inside():
                given = await self._answer(request, correlation_id)
        except NoRoom:
            full = _unavailable("too many requests are under way; ask again")
            return _response(503, full.as_json(), accepted, correlation_id, full.headers)
        except Refused as refused:
            return _response(refused.status, refused.as_json(), accepted, correlation_id, refused.headers)
        return _response(_status(given, accepted), given.as_json(), accepted, correlation_id)

    async def _answer(self, request: Request, correlation_id: str) -> Answer:
        caller = await self._caller(request)
        question = await read_question(request, self.body_limit)
        allowed = QUERIES if request.method == "GET" else ALL
        try:
            return await answer(self.schema, question, self.context_for(caller, correlation_id), allowed)
        except NotAllowedHere as refused:
            raise Refused(405, "METHOD_NOT_ALLOWED", f"{refused}; use POST", Allow="POST") from None

    async def _caller(self, request: Request) -> Caller:
        """Return who asks; raise Refused for a key or token that does not hold, whatever is asked."""
        try:
            return await self.door.caller(request.headers)
        except Unproven as wrong:
            raise Refused(401, UNAUTHENTICATED, wrong.message, wrong.reason, **{"WWW-Authenticate": wrong.challenge}) from None
        except KeysUnavailable as unknown:
            raise _unavailable(f"{unknown}; ask again", "KEYS_UNAVAILABLE") from None


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


def _response(
    status: int, body: Mapping[str, Any], accepted: str, correlation_id: str, headers: Mapping[str, str] | None = None
) -> Response:
    """Return the answer as JSON in UTF-8; nobody may keep it, for it depends on who asked."""
    about = {"content-type": f"{accepted}; charset=utf-8", "cache-control": "no-store", "x-correlation-id": correlation_id}
    return Response(msgspec.json.encode(body), status, about | dict(headers or {}))
