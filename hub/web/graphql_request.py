"""Reading a GraphQL request to the letter of GraphQL over HTTP: media types, methods, parameters, size."""

import asyncio
from functools import lru_cache
from typing import Any

import msgspec
from starlette.datastructures import Headers, QueryParams
from starlette.requests import Request

from hub.graph.answer import Question
from hub.web.posted import BodyIncomplete, BodyTooLarge, body_of

JSON, GRAPHQL = "application/json", "application/graphql-response+json"
BODY_SECONDS = 10
"""Seconds within which a body has to come: who dawdles keeps others out."""


class Refused(Exception):
    """The request is not one that can be answered; says the HTTP status, the code, and headers that belong to it."""

    def __init__(self, status: int, code: str, message: str, **headers: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.headers = headers


class _Body(msgspec.Struct, rename="camel"):
    query: str
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


async def read_question(request: Request, limit: int) -> Question:
    """Return what is asked; raise Refused with 400, 405, 413 or 415."""
    if request.method == "GET":
        return _from_address(request.query_params)
    if request.method != "POST":
        raise Refused(405, "METHOD_NOT_ALLOWED", f"{request.method} is not understood here; use POST or GET", Allow="GET, POST")
    kind, *parameters = (piece.strip().lower() for piece in request.headers.get("content-type", "").split(";"))
    if kind != JSON:
        raise Refused(415, "UNSUPPORTED_MEDIA_TYPE", f"the body's Content-Type is '{kind}'; send {JSON}")
    if any(
        each.startswith("charset=") and each.removeprefix("charset=").strip('"') not in {"utf-8", "utf8"} for each in parameters
    ):
        raise Refused(415, "UNSUPPORTED_MEDIA_TYPE", "the body's charset has to be utf-8")
    body = await _body(request, limit)
    try:
        found = _BODY.decode(body)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):  # said below, in words
        return _question(_decoded(body, "the body"))
    return _asked(found)


async def _body(request: Request, limit: int) -> bytes:
    try:
        async with asyncio.timeout(BODY_SECONDS):
            return await body_of(request.receive, limit)
    except TimeoutError:
        raise Refused(408, "BODY_TOO_SLOW", f"the body did not come to its end in {BODY_SECONDS} s") from None
    except BodyTooLarge:
        raise Refused(413, "BODY_TOO_LARGE", f"the body has more than {limit:,} bytes") from None
    except BodyIncomplete:
        raise Refused(400, "BAD_REQUEST", "the body ended early") from None


def _from_address(given: QueryParams) -> Question:
    for name in ("query", "operationName", "variables", "extensions"):
        if len(given.getlist(name)) > 1:
            raise Refused(400, "BAD_REQUEST", f"the parameter {name} is given twice")
    told: dict[str, Any] = {name: given[name] for name in ("query", "operationName") if given.get(name)}
    told |= {name: _decoded(given[name].encode(), name) for name in ("variables", "extensions") if given.get(name)}
    return _question(told)


def _decoded(text: bytes, what: str) -> Any:
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as wrong:
        raise Refused(400, "BAD_REQUEST", f"{what} is no JSON: {wrong}") from None


def _question(told: Any) -> Question:
    if isinstance(told, list):
        raise Refused(400, "BAD_REQUEST", "batches are not taken: send one request an operation")
    try:
        body = msgspec.convert(told, _Body)
    except (msgspec.ValidationError, RecursionError) as wrong:
        raise Refused(400, "BAD_REQUEST", f"the request is no GraphQL request: {wrong}") from None
    return _asked(body)


def _asked(body: _Body) -> Question:
    if not body.query or body.query.isspace():
        raise Refused(400, "BAD_REQUEST", "the request is no GraphQL request: query is empty")
    return Question(body.query, body.variables, body.operation_name or None)
