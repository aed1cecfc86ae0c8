"""Reading a GraphQL request to the letter of GraphQL over HTTP: media types, methods, parameters, size."""

import asyncio
from functools import lru_cache
from typing import Any

import msgspec
from starlette.datastructures import Headers, QueryParams
from starlette.requests import Request

from hub.graph.answer import Question
from hub.graph.trusted import Trusted
from hub.intake.room import Room
from hub.web.posted import BodyIncomplete, BodyTooLarge, body_within
from schema.graph_errors import GraphError

JSON, GRAPHQL, EVENTS = "application/json", "application/graphql-response+json", "text/event-stream"
INVALID = "BAD_REQUEST"
BODY_SECONDS = 10
"""Seconds within which a body has to come: who dawdles keeps others out."""


class Refused(Exception):
    """The request is not one that can be answered; says the HTTP status, the code, and headers that belong to it.

    `reason` says more of the code, for programs.
    """

    def __init__(self, status: int, code: str, message: str, reason: str | None = None, **headers: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.reason = reason
        self.headers = headers

    def as_json(self) -> dict[str, Any]:
        """Return it as the one error of an answer."""
        more = {"reason": self.reason} if self.reason else {}
        return {"errors": [{"message": str(self), "extensions": {"code": self.code, **more}}]}


class _Body(msgspec.Struct, rename="camel"):
    query: str | None = None
    document_id: str | None = None
    operation_name: str | None = None
    variables: dict[str, Any] | None = None
    extensions: dict[str, Any] | None = None


_BODY = msgspec.json.Decoder(_Body)


def media_type(headers: Headers) -> str:
    """Return the media type to answer in: the new one where it is named and not liked less, else application/json.

    Silence and `*/*` mean application/json, as for clients older than the new type. Raise Refused 406 if neither is accepted.
    """
    return _chosen(",".join(headers.getlist("accept")).strip())


@lru_cache(256)
def _chosen(accept: str) -> str:
    if not accept:
        return JSON
    liked = {name: _quality(accept, name) for name in (GRAPHQL, JSON)}
    if max(liked.values()) <= 0:
        raise Refused(406, "NOT_ACCEPTABLE", f"this is answered as {GRAPHQL} or {JSON}; Accept has neither")
    named = any(part.partition(";")[0].strip().lower() == GRAPHQL for part in accept.split(","))
    return GRAPHQL if (named and liked[GRAPHQL] >= liked[JSON]) or liked[JSON] <= 0 else JSON


def wants_events(headers: Headers) -> bool:
    """Return whether the answer is to be an event stream: it is named, and nothing else is liked better."""
    return _likes_events(",".join(headers.getlist("accept")))


@lru_cache(256)
def _likes_events(accept: str) -> bool:
    named = any(part.partition(";")[0].strip().lower() == EVENTS for part in accept.split(","))
    return named and _quality(accept, EVENTS) >= max(_quality(accept, JSON), _quality(accept, GRAPHQL), 0.001)


def _quality(accept: str, name: str) -> float:
    """Return how much a media type is liked, from 0 to 1; the most specific range decides (RFC 9110, 12.5.1)."""
    best = (-1, 0.0)
    for part in accept.split(","):
        wanted, *parameters = (piece.strip().lower() for piece in part.split(";"))
        specific = {name: 2, name.split("/", maxsplit=1)[0] + "/*": 1, "*/*": 0}.get(wanted)
        if specific is None:
            continue
        given = next((value for key, _, value in (each.partition("=") for each in parameters) if key.strip() == "q"), "1")
        try:
            quality = min(max(float(given), 0.0), 1.0)
        except ValueError:
            quality = 0.0
        best = max(best, (specific, quality))
    return best[1]


async def read_question(request: Request, limit: int, trusted: Trusted, reading: Room) -> Question:
    """Return what is asked; raise Refused with 400, 405, 408, 413 or 415, and NoRoom where too many bodies are coming in."""
    if request.method == "GET":
        return _from_address(request.query_params, trusted)
    if request.method != "POST":
        raise Refused(405, "METHOD_NOT_ALLOWED", f"{request.method} is not understood here; use POST or GET", Allow="GET, POST")
    if (wrong := _wrong_with(request.headers.get("content-type", ""))) is not None:
        raise Refused(415, "UNSUPPORTED_MEDIA_TYPE", wrong)
    return question_in(await _body(request, limit, reading), trusted)


@lru_cache(256)
def _wrong_with(content_type: str) -> str | None:
    """Return what is wrong with a body's Content-Type, None if nothing is."""
    kind, *parameters = (piece.strip().lower() for piece in content_type.split(";"))
    if kind != JSON:
        return f"the body's Content-Type is '{kind}'; send {JSON}"
    charsets = (each.removeprefix("charset=").strip('"') for each in parameters if each.startswith("charset="))
    if any(each not in {"utf-8", "utf8"} for each in charsets):
        return "the body's charset has to be utf-8"
    return None


def question_in(body: bytes | msgspec.Raw, trusted: Trusted) -> Question:
    """Return what a body, or the payload of a message, asks; raise Refused 400."""
    try:
        found = _BODY.decode(body)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):  # said below, in words
        return _question(_decoded(body, "the body"), trusted)
    return _asked(found, trusted)


async def _body(request: Request, limit: int, reading: Room) -> bytes:
    try:
        async with asyncio.timeout(BODY_SECONDS):
            return await body_within(reading, request.headers, request.receive, limit)
    except TimeoutError:
        raise Refused(408, "BODY_TOO_SLOW", f"the body did not come to its end in {BODY_SECONDS} s") from None
    except BodyTooLarge:
        raise Refused(413, "BODY_TOO_LARGE", f"the body has more than {limit:,} bytes") from None
    except BodyIncomplete:
        raise Refused(400, INVALID, "the body ended early") from None


def _from_address(given: QueryParams, trusted: Trusted) -> Question:
    for name in ("query", "documentId", "operationName", "variables", "extensions"):
        if len(given.getlist(name)) > 1:
            raise Refused(400, INVALID, f"the parameter {name} is given twice")
    told: dict[str, Any] = {name: given[name] for name in ("query", "documentId", "operationName") if given.get(name)}
    told |= {name: _decoded(given[name].encode(), name) for name in ("variables", "extensions") if given.get(name)}
    return _question(told, trusted)


def _decoded(text: bytes | msgspec.Raw, what: str) -> Any:
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as wrong:
        raise Refused(400, INVALID, f"{what} is no JSON: {wrong}") from None


def _question(told: Any, trusted: Trusted) -> Question:
    if isinstance(told, list):
        raise Refused(400, INVALID, "batches are not taken: send one request an operation")
    try:
        body = msgspec.convert(told, _Body)
    except (msgspec.ValidationError, RecursionError) as wrong:
        raise Refused(400, INVALID, f"the request is no GraphQL request: {wrong}") from None
    return _asked(body, trusted)


def _asked(body: _Body, trusted: Trusted) -> Question:
    named = body.document_id or _persisted(body.extensions)
    if named is None and (not body.query or body.query.isspace()):
        raise Refused(400, INVALID, "the request is no GraphQL request: query is empty, and there is no documentId")
    try:
        text = trusted.text_of(body.query or None, named)
    except GraphError as wrong:
        raise Refused(400, wrong.code, wrong.message) from None
    return Question(text, body.variables, body.operation_name or None)


def _persisted(extensions: dict[str, Any] | None) -> str | None:
    """Return the id as Apollo's clients give it."""
    told = (extensions or {}).get("persistedQuery")
    named = told.get("sha256Hash") if isinstance(told, dict) else None
    return named if isinstance(named, str) else None
