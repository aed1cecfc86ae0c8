"""Refusals of the credit platform: RFC 9457 problem documents with the matching status (credit.md, "Transport")."""

import random
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http import HTTPStatus
from math import ceil

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from mocks.store import Document


class Problem(Exception):
    """The call is answered with a problem document; `members` are added to it, `headers` to the answer."""

    def __init__(self, status: int, detail: str, *, headers: dict[str, str] | None = None, **members: object) -> None:
        super().__init__(detail)
        self.status = status
        self.headers = headers or {}
        self.members = members

    def response(self) -> Response:
        """Return the answer."""
        title = HTTPStatus(self.status).phrase
        content = {"type": "about:blank", "title": title, "status": self.status, "detail": str(self), **self.members}
        return Response(msgspec.json.encode(content), self.status, self.headers, "application/problem+json")


def unprocessable(field: str, reason: str) -> Problem:
    """Return a 422 that names one field."""
    return Problem(422, f"{field}: {reason}", errors=[{"field": field, "reason": reason}])


def retry_after(seconds: float, now: datetime, rng: random.Random) -> dict[str, str]:
    """Return a Retry-After of at least so many seconds: whole seconds, or, as often, an HTTP date."""
    if rng.random() < 0.5:
        return {"Retry-After": str(max(1, ceil(seconds)))}
    moment = (now + timedelta(seconds=seconds + 1)).astimezone(UTC).replace(microsecond=0)
    return {"Retry-After": format_datetime(moment, usegmt=True)}


def answer(content: object, status: int = 200) -> Response:
    """Return a JSON answer."""
    return Response(msgspec.json.encode(content), status, media_type="application/json; charset=utf-8")


async def json_body(request: Request) -> object:
    """Return the decoded body; raise Problem 415 or 400 where there is none to decode."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise Problem(415, "Content-Type: application/json wanted")
    try:
        return msgspec.json.decode(await request.body())
    except msgspec.DecodeError as problem:
        raise Problem(400, f"the body is not JSON: {problem}") from problem


def whole_number(request: Request, name: str, default: int | None, least: int, most: int) -> int:
    """Return a query parameter from least to most; raise Problem 422 naming it."""
    text = request.query_params.get(name, "")
    if text == "" and default is not None:
        return default
    if not (text.isascii() and text.isdigit() and len(text) < 16 and least <= int(text) <= most):
        raise unprocessable(name, f"NOT_FROM_{least}_TO_{most}")
    return int(text)


def listing(items: list[Document], next_cursor: str | None) -> Response:
    """Return a list as every list of the page is answered."""
    return answer({"items": items, "nextCursor": next_cursor})
