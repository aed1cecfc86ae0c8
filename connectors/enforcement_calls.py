"""Calls to the enforcement platform through its gateway: signed requests, lists, and what refusals mean."""

import re
from collections.abc import Awaitable, Callable, Container, Hashable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final, TypeVar
from urllib.parse import quote

import httpx
import msgspec

from connectors import gateway
from connectors.base import Surroundings
from connectors.enforcement_settings import EnforcementSettings
from connectors.enforcement_values import PLATFORM
from connectors.errors import ConnectorError, CursorExpired, PermanentError, TransientError
from connectors.http import PlatformClient, UnusableError
from connectors.http_dates import http_date, retry_after_seconds
from connectors.json_text import decode
from connectors.signing import sm3_hex
from connectors.signing_secrets import SecretRefused, SigningSecrets
from schema.identifiers import redact

T = TypeVar("T")
Judge = Callable[[httpx.Response], T]

CLOCK_TOLERANCE: Final = timedelta(minutes=15)
_REFUSALS: Final = frozenset({400, 401, 403, 404, 409, 422, 429})
_CODE = re.compile(r"[A-Z][A-Z0-9_]{1,39}")


class Listing(msgspec.Struct, frozen=True):
    """One page of a list; `next_cursor` is None where there is nothing more now."""

    items: tuple[object, ...]
    next_cursor: str | None
    etag: str | None = None
    answered: datetime | None = None
    """The platform's own time of the answer (its Date header), where it says one."""


class EnforcementCalls:
    """Reads and writes below `/irs/v1/`; `found` are the statuses beyond 2xx that a caller understands itself."""

    def __init__(self, client: PlatformClient, settings: EnforcementSettings, surroundings: Surroundings) -> None:
        self._client, self._settings, self._clock = client, settings, surroundings.clock
        self._secrets = SigningSecrets(PLATFORM, settings.secrets, surroundings)

    async def read(
        self,
        operation: str,
        target: str,
        judge: Judge[T],
        *,
        found: Container[int] = (),
        headers: Mapping[str, str] | None = None,
        same: Hashable | None = None,
    ) -> T:
        """Return what `judge` makes of the answer; raise TransientError, CursorExpired or PermanentError."""

        judged = self._judged(operation, judge, found)

        async def send(secret: str) -> T:
            return await self._client.read(
                operation,
                lambda: self._build(secret, "GET", target, None, headers or {}),
                judged,
                accept=_Accepted(found),
                same=None if same is None else (secret, same),
            )

        return await self._signed(send)

    async def listed(self, operation: str, target: str, *, etag: str | None = None) -> Listing | None:
        """Return one page of a list; None where it is still the one with that ETag."""

        def judge(response: httpx.Response) -> Listing | None:
            return None if response.status_code == httpx.codes.NOT_MODIFIED else _listing(response)

        headers = {} if etag is None else {"If-None-Match": etag}
        found = () if etag is None else (httpx.codes.NOT_MODIFIED,)
        return await self.read(operation, target, judge, found=found, headers=headers)

    async def write(
        self,
        operation: str,
        method: str,
        target: str,
        body: object,
        judge: Judge[T],
        *,
        found: Container[int] = (),
        repeat_after: timedelta | None = None,
    ) -> T:
        """Send once and return what `judge` makes of the answer; raise TransientError, UnknownOutcome or PermanentError."""

        judged = self._judged(operation, judge, found)
        accept, seconds = _Accepted(found), None if repeat_after is None else repeat_after.total_seconds()

        async def send(secret: str) -> T:
            return await self._client.write(
                operation, lambda: self._build(secret, method, target, body, {}), judged, accept=accept, repeat_after=seconds
            )

        return await self._signed(send)

    async def _signed(self, send: Callable[[str], Awaitable[T]]) -> T:
        try:
            return await self._secrets.signed(send)
        except SecretRefused as refused:
            raise PermanentError(PLATFORM, refused.code, str(refused).removeprefix(f"{PLATFORM}: ")) from refused

    def _build(self, secret: str, method: str, target: str, body: object, headers: Mapping[str, str]) -> httpx.Request:
        content = b"" if body is None else msgspec.json.encode(body)
        request = self._client.request(method, target, content=content or None, headers=dict(headers))
        access_key, date = self._settings.access_key, gateway.gateway_date(self._clock())
        signature = gateway.gateway_signature(
            secret,
            method=method,
            target=request.url.raw_path.decode("ascii"),  # as sent
            access_key=access_key,
            date=date,
        )
        request.headers[gateway.ACCESS_KEY] = access_key
        request.headers[gateway.ALGORITHM] = gateway.HMAC_SHA256
        request.headers[gateway.DATE] = date
        request.headers[gateway.SIGNATURE] = signature
        request.headers[gateway.BODY_SM3] = sm3_hex(content)
        if content:
            request.headers["content-type"] = "application/json; charset=utf-8"
        return request

    def _judged(self, operation: str, judge: Judge[T], found: Container[int]) -> Judge[T]:
        def judged(response: httpx.Response) -> T:
            if response.is_success or response.status_code in found:
                return judge(response)
            raise self._refusal(operation, response)

        return judged

    def _refusal(self, operation: str, response: httpx.Response) -> ConnectorError:
        """Return the error that a 4xx stands for; its body can be anything, a gateway's own HTML for example."""
        status, (code, message) = response.status_code, said(response)
        if status == httpx.codes.BAD_REQUEST and code == "CURSOR_EXPIRED":
            return CursorExpired(PLATFORM, code, f"{operation}: the platform's cursor is older than 10 minutes")
        if status == httpx.codes.UNAUTHORIZED:
            if (skew := self._skew(response)) is not None and abs(skew) > CLOCK_TOLERANCE:
                off = f"{operation}: our clock is {skew.total_seconds():+.0f} s from the platform's Date header; set the clock"
                return PermanentError(PLATFORM, "CLOCK_SKEW", off)
            message += " (check HUB_ENFORCEMENT_ACCESS_KEY and HUB_ENFORCEMENT_SECRETS)"
            return SecretRefused(PLATFORM, "SIGNATURE_REFUSED", f"{operation}: refused, HTTP {status}: {message}")
        if status == httpx.codes.TOO_MANY_REQUESTS:
            wait = retry_after_seconds(response, self._clock(), "x-ratelimit-reset") or retry_after_seconds(response, self._clock())
            return TransientError(PLATFORM, "RATE_LIMITED", f"{operation}: too many calls", wait or 1.0)
        if status == httpx.codes.FORBIDDEN:
            message += " (our access key is not subscribed to this interface)"
        return PermanentError(PLATFORM, code, f"{operation}: refused, HTTP {status}: {message}")

    def _skew(self, response: httpx.Response) -> timedelta | None:
        theirs = http_date(response.headers.get("date", ""))
        return None if theirs is None else self._clock() - theirs


class _Accepted(msgspec.Struct, frozen=True):
    """The statuses that are judged here: refusals, and what a caller understands itself."""

    found: Any

    def __contains__(self, status: object) -> bool:
        return status in _REFUSALS or status in self.found


def target(path: str, **query: str | int | None) -> str:
    """Return a path below `/irs/v1/` with a query, percent-encoded by RFC 3986; a parameter that is None is left out."""
    pairs = (f"{name}={encoded(str(value))}" for name, value in query.items() if value is not None)
    joined = "&".join(pairs)
    return f"/irs/v1/{path}" + (f"?{joined}" if joined else "")


def encoded(text: str) -> str:
    """Return text percent-encoded for one place in a path or query: only A-Z a-z 0-9 - . _ ~ stay (RFC 3986)."""
    return quote(text, safe="")


def fields_of(response: httpx.Response) -> dict[str, Any]:
    """Return an answer that is a JSON object; raise UnusableError where it is anything else."""
    try:
        content = decode(response.content)
    except ValueError:
        raise UnusableError("the answer is no JSON") from None
    if not isinstance(content, dict):
        raise UnusableError("the answer is no JSON object")
    return content


def _listing(response: httpx.Response) -> Listing:
    content = fields_of(response)
    items, next_cursor = content.get("items"), content.get("nextCursor")
    if not isinstance(items, list) or not isinstance(next_cursor, str | None):
        raise UnusableError("the answer is no list with items and nextCursor")
    return Listing(tuple(items), next_cursor, response.headers.get("etag"), http_date(response.headers.get("date", "")))


def said(response: httpx.Response) -> tuple[str, str]:
    """Return the platform's own code and message, as far as it says any; personal numbers are masked."""
    try:
        content = fields_of(response)
    except UnusableError:
        content = {}
    code, message = str(content.get("code", "")), str(content.get("message", ""))
    return code if _CODE.fullmatch(code) else f"HTTP_{response.status_code}", redact(message[:200])
