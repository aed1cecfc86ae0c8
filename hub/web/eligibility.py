"""`POST /approval/eligibility`: the approval system asks whether a subject may use commitment (approval.md).

Answered in its own envelope, with HTTP status 200, in less than the 3 s that it waits, whatever happens: any code but 0 means
the standard procedure there.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple, Protocol

import msgspec
import structlog
from starlette.requests import Request
from starlette.responses import Response

from connectors.base import Connector, Delivery
from connectors.errors import BadSignature
from hub.domain.calendar import BEIJING
from hub.intake.room import RETRY_AFTER, NoRoom, Room
from hub.mirror.database import DatabaseUnavailable
from hub.web.posted import BodyIncomplete, BodyTooLarge, Network, body_of, headers_of, is_within, remote_of, size_of
from schema.decision import Decision
from schema.eligibility import MATTER_CODE_AT_MOST
from schema.identifiers import IdentifierError, is_identity, parse_identity, parse_uscc

log = structlog.get_logger()
BODY_LIMIT: Final = 16_384
JSON: Final = "application/json; charset=utf-8"
BAD_PARAMETER, BAD_SIGNATURE, CLOCK_OFF, NONCE_USED, BUSY = "40001", "40101", "40102", "40103", "50000"
CODES: Final = {"STALE": CLOCK_OFF, "BAD_TIMESTAMP": BAD_PARAMETER, "BAD_NONCE": BAD_PARAMETER}
"""What a refusal of the connector is in the page's codes; all others are BAD_SIGNATURE."""
REMEMBERED: Final = timedelta(minutes=15)
REMEMBERED_AT_MOST: Final = 20_000


class Ask(Protocol):
    """Decides: subject (USCC or RID code), matter, and the number that the approval system knows the subject by."""

    def __call__(self, subject: str, matter: str, holder: str | None = None) -> Awaitable[Decision]:
        """Return the decision; raise DatabaseUnavailable."""
        ...


class Refused(Exception):
    """The question is answered with one of the page's codes."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class _Question(NamedTuple):
    subject: str
    holder: str
    matter: str


class _Answered(NamedTuple):
    until: datetime
    nonce: str
    answer: "asyncio.Task[bytes]"


class EligibilityEndpoint:
    """The endpoint. `person_code` makes the RID code of an identity number; `count` is told how each question ended,
    `verified_by` which of the platform's secrets proved it.
    """

    def __init__(
        self,
        connector: Connector,
        ask: Ask,
        person_code: Callable[[str], str],
        *,
        answer_seconds: float,
        room: Room,
        trusted_proxies: Sequence[Network],
        clock: Callable[[], datetime],
        count: Callable[[str], None],
        verified_by: Callable[[str, int], None],
    ) -> None:
        self._connector, self._ask, self._person_code = connector, ask, person_code
        self._answer_seconds, self._room, self._proxies = answer_seconds, room, trusted_proxies
        self._clock, self._count, self._verified_by = clock, count, verified_by
        self._answered: OrderedDict[str, _Answered] = OrderedDict()
        self._nonces: set[str] = set()

    async def __call__(self, request: Request) -> Response:
        """Answer one question; where too many are under way, at once that the hub is busy."""
        try:
            with self._room.inside():
                return await self._answer(request)
        except NoRoom:
            refusal = self._refusal(BUSY, "too many questions are under way")
            return Response(refusal, headers={"retry-after": str(RETRY_AFTER)}, media_type=JSON)

    async def _answer(self, request: Request) -> Response:
        until = asyncio.get_running_loop().time() + self._answer_seconds
        try:
            async with asyncio.timeout_at(until):
                delivery = await self._delivery(request)
            content = await self._once(delivery, until)
        except Refused as refused:
            content = self._refusal(refused.code, str(refused))
        except (TimeoutError, BodyIncomplete):
            content = self._refusal(BUSY, "the question did not come to its end in time")
        return Response(content, media_type=JSON)

    async def _delivery(self, request: Request) -> Delivery:
        headers = headers_of(request.scope)
        remote, allowed = remote_of(request.scope, headers, self._proxies), self._connector.settings.callback_addresses
        if allowed and not is_within(remote, allowed):
            raise Refused(BAD_SIGNATURE, "questions do not come from this address")
        try:
            size_of(headers, BODY_LIMIT)
            body = await body_of(request.receive, BODY_LIMIT)
        except BodyTooLarge:
            raise Refused(BAD_PARAMETER, f"body: more than {BODY_LIMIT} bytes") from None
        return Delivery(
            platform=self._connector.platform,
            path=request.scope["path"],
            headers=headers,
            body=body,
            received_at=self._clock(),
            remote=remote,
        )

    async def _once(self, delivery: Delivery, until: float) -> bytes:
        """Return the answer to a proven question. A second use of its signature gets the very same, without another decision.

        A nonce under another signature was used before: the page's 40103. This process remembers both as long as the page says.
        """
        try:
            verified = self._connector.verify(delivery)
        except BadSignature as refused:
            log.warning("question of eligibility refused", code=refused.code, reason=str(refused))
            raise Refused(CODES.get(refused.code, BAD_SIGNATURE), _said(refused)) from None
        self._verified_by(delivery.platform, verified.secret_index)
        self._forget(delivery.received_at)
        if (before := self._answered.get(verified.signature)) is not None:
            return await asyncio.shield(before.answer)
        nonce = delivery.headers.get("x-nonce", "")
        if nonce in self._nonces:
            raise Refused(NONCE_USED, "nonce already used")
        answer = asyncio.create_task(self._in_time(delivery.body, until))
        self._answered[verified.signature] = _Answered(delivery.received_at + REMEMBERED, nonce, answer)
        self._nonces.add(nonce)
        return await asyncio.shield(answer)

    def _forget(self, now: datetime) -> None:
        while self._answered:
            oldest = next(iter(self._answered.values()))
            if oldest.until > now and len(self._answered) < REMEMBERED_AT_MOST:
                return
            self._nonces.discard(self._answered.popitem(last=False)[1].nonce)

    async def _in_time(self, body: bytes, until: float) -> bytes:
        try:
            async with asyncio.timeout_at(until):
                question = self._question(body)
                decision = await self._ask(question.subject, question.matter, question.holder)
        except Refused as refused:
            return self._refusal(refused.code, str(refused))
        except TimeoutError:
            return self._refusal(BUSY, "not decided in time")
        except DatabaseUnavailable as error:
            log.warning("question of eligibility not decided", error=str(error))
            return self._refusal(BUSY, "system busy")
        except Exception:  # outermost of a question: it is answered in the dialect whatever happens
            log.exception("question of eligibility not decided")
            return self._refusal(BUSY, "system busy")
        self._count("eligible" if decision.eligible else "not_eligible")
        return msgspec.json.encode({"code": "0", "msg": "success", "data": _data(decision)})

    def _question(self, body: bytes) -> _Question:
        """Return what is asked; raise Refused naming the parameter, never showing it."""
        try:
            asked = msgspec.json.decode(body, type=dict[str, Any])
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            raise Refused(BAD_PARAMETER, "body: a JSON object wanted") from None
        number, matter = asked.get("dxbs"), asked.get("sxbm")
        if not isinstance(matter, str) or not 1 <= len(matter.strip()) <= MATTER_CODE_AT_MOST:
            raise Refused(BAD_PARAMETER, f"sxbm: the code of a matter wanted, at most {MATTER_CODE_AT_MOST} characters")
        if isinstance(number, str) and is_identity(number):
            holder = parse_identity(number)
            return _Question(self._person_code(holder), holder, matter.strip())
        try:
            code = parse_uscc(number) if isinstance(number, str) else ""
        except IdentifierError:
            code = ""
        if not code:
            raise Refused(BAD_PARAMETER, "dxbs: a unified social credit code or an identity number of 18 characters wanted")
        return _Question(code, code, matter.strip())

    def _refusal(self, code: str, message: str) -> bytes:
        self._count(code)
        return msgspec.json.encode({"code": code, "msg": message, "data": None})


def _said(refused: BadSignature) -> str:
    return str(refused).partition(": ")[2]


def _data(decision: Decision) -> dict[str, Any]:
    """Return the page's `data`; its names, and its times in Beijing."""
    as_of, score = decision.as_of, decision.score
    return {
        "sycn": decision.eligible,
        "xydj": decision.grade.value if decision.grade else None,
        "xyf": None if score is None else int(score) if score == int(score) else float(score),
        "yy": [reason.text for reason in decision.reasons],
        "sjsj": as_of.astimezone(BEIJING).strftime("%Y-%m-%d %H:%M:%S") if as_of else None,
    }
