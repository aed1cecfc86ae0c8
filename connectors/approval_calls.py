"""Signed calls to the approval system (approval.md, Transport and Signature). Used by connectors/approval.py only.

One place for what its codes mean, for the difference between its clock and ours, and for which secret it takes at present.
"""

from collections.abc import Awaitable, Callable, Mapping
from datetime import date, timedelta
from typing import Annotated, TypeVar

import httpx
import msgspec
from pydantic import Field, SecretStr

from connectors.base import Surroundings
from connectors.errors import ConnectorError, PermanentError, TransientError
from connectors.http import Build, HttpSettings, Judge, PlatformClient
from connectors.http_dates import http_date
from connectors.json_text import mended
from connectors.signing import approval_signature
from connectors.signing_secrets import SecretRefused, SigningSecrets
from schema.identifiers import redact

PLATFORM = "approval"
REFUSALS = {"40001": "BAD_PARAMETER", "40101": "SIGNATURE_REFUSED", "40400": "NOT_FOUND", "40901": "CONFLICT"}
SIGNATURE, CLOCK, NONCE = "40101", "40102", "40103"

T = TypeVar("T")


class ApprovalSettings(HttpSettings):
    """Settings of the approval system, read from HUB_APPROVAL_<FIELD>."""

    app_key: str = Field(min_length=1, description="Our appKey; its callbacks carry the same")
    app_secrets: tuple[Annotated[SecretStr, Field(min_length=1)], ...] = Field(
        min_length=1, description="App secrets, the newest first, comma separated: two during a key change"
    )
    exchange_key: SecretStr = Field(
        min_length=1, description="Exchange key agreed with the credit platform: makes RID codes of natural persons' numbers"
    )
    clock_tolerance_seconds: float = Field(300.0, gt=0, description="Seconds that the time of a callback may be off")
    history_since: date = Field(date(2015, 1, 1), description="First day of GXSJ that a first read begins with, Beijing")
    settling_seconds: float = Field(120.0, ge=0, description="Seconds in the past at which late commits may still appear")
    page_size: int = Field(200, gt=0, le=200, description="Rows that are asked for in one page")
    second_passes: int = Field(10, gt=0, description="Passes over a single crowded second before it is left for the next read")
    unknown_margin_seconds: float = Field(
        2.0, ge=0, description="Seconds beyond `dropped_after_seconds` before an unanswered push is repeated"
    )


class Envelope(msgspec.Struct, frozen=True):
    """What every answered call has around it."""

    code: str
    msg: str | None = None
    data: msgspec.Raw = msgspec.Raw(b"null")


class _Wait(msgspec.Struct, frozen=True):
    retryAfterMs: float = 1000.0  # noqa: N815  (the wire's name)


class _NotVerified(ConnectorError):
    """The platform did not take our time or nonce, and therefore did nothing."""


class ApprovalCalls:
    """Makes the calls; `offset` is how far the platform's clock was ahead of ours at its last answer."""

    def __init__(self, settings: ApprovalSettings, surroundings: Surroundings) -> None:
        self.client = PlatformClient(PLATFORM, settings, surroundings)
        self.offset = timedelta(0)
        self._settings, self._surroundings = settings, surroundings
        self._correction = timedelta(0)
        self._secrets = SigningSecrets(PLATFORM, settings.app_secrets, surroundings)

    async def read(self, path: str, parameters: Mapping[str, object], answer: type[T], *, shared: bool = False) -> T:
        """Return `data` of a call that changes nothing, tried again as PlatformClient.read does."""
        body = msgspec.json.encode(parameters)
        same = body if shared else None
        return await self._verified(path, body, answer, lambda build, judge: self.client.read(path, build, judge, same=same))

    async def write(self, path: str, parameters: Mapping[str, object], answer: type[T], *, repeat_after: float) -> T:
        """Return `data` of a call that changes something, sent once as PlatformClient.write does."""
        body = msgspec.json.encode(parameters)
        return await self._verified(
            path, body, answer, lambda build, judge: self.client.write(path, build, judge, repeat_after=repeat_after)
        )

    async def _verified(self, path: str, body: bytes, answer: type[T], send: Callable[[Build, Judge[T]], Awaitable[T]]) -> T:
        """Send, and sign again as the page says where the platform did not take the signature: nothing was done then."""
        try:
            return await self._secrets.signed(lambda secret: self._mended(secret, path, body, answer, send))
        except SecretRefused as refused:
            raise PermanentError(PLATFORM, REFUSALS[SIGNATURE], str(refused)) from refused

    async def _mended(
        self, secret: str, path: str, body: bytes, answer: type[T], send: Callable[[Build, Judge[T]], Awaitable[T]]
    ) -> T:
        mended: set[str] = set()
        while True:
            try:
                return await send(lambda: self._signed(secret, path, body), lambda response: self._judge(path, response, answer))
            except _NotVerified as refused:
                if refused.code in mended:
                    code = "CLOCK_OFF" if refused.code == CLOCK else "NONCE_USED"
                    raise TransientError(PLATFORM, code, f"{path}: refused twice, {refused}") from refused
                if refused.code == CLOCK:
                    self._correction = self.offset
                mended.add(refused.code)

    def _signed(self, secret: str, path: str, body: bytes) -> httpx.Request:
        request = self.client.request("POST", path, content=body)
        timestamp = str(int((self._surroundings.clock() + self._correction).timestamp() * 1000))
        # The time in it keeps nonces apart also where chance repeats itself (a seeded generator, a restored image).
        nonce = f"{int(timestamp):x}-{self._surroundings.rng.getrandbits(96):024x}"
        app_key = self._settings.app_key
        sign = approval_signature(secret, app_key=app_key, body=body, nonce=nonce, path=request.url.path, timestamp=timestamp)
        request.headers.update(
            {
                "Content-Type": "application/json; charset=utf-8",
                "X-App-Key": app_key,
                "X-Timestamp": timestamp,
                "X-Nonce": nonce,
                "X-Sign": sign,
            }
        )
        return request

    def _judge(self, path: str, response: httpx.Response, answer: type[T]) -> T:
        if (date_there := http_date(response.headers.get("date", ""))) is not None:
            self.offset = date_there - self._surroundings.clock()
        envelope = msgspec.json.decode(mended(response.content), type=Envelope)
        code, said = envelope.code, f"{path}: code {envelope.code}, {redact(envelope.msg or '')}"
        if code == "0":
            return msgspec.json.decode(envelope.data, type=answer)
        if code == SIGNATURE:
            raise SecretRefused(PLATFORM, code, said)
        if code in {CLOCK, NONCE}:
            raise _NotVerified(PLATFORM, code, said)
        if code == "42901":
            raise TransientError(PLATFORM, "RATE_LIMITED", said, _wait_of(envelope.data))
        if code == "50000":
            raise TransientError(PLATFORM, "BUSY", said)
        raise PermanentError(PLATFORM, REFUSALS.get(code, "UNKNOWN_CODE"), said)


def _wait_of(data: msgspec.Raw) -> float:
    try:
        asked = msgspec.json.decode(data, type=_Wait | None)
    except msgspec.DecodeError:
        asked = None
    return max(0.0, (asked or _Wait()).retryAfterMs / 1000)
