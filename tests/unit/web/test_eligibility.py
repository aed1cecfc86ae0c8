"""The approval system's question: signed as its page says, answered in its dialect and in time, whatever happens."""

import asyncio
import hashlib
import hmac
import json
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.routing import Route

from connectors.approval import ApprovalConnector
from connectors.approval_calls import ApprovalSettings
from connectors.base import Surroundings
from hub.intake.room import Room
from hub.mirror.database import DatabaseUnavailable
from hub.web.eligibility import BODY_LIMIT, EligibilityEndpoint
from schema.decision import Decision, Reason
from schema.entities import Grade
from schema.identifiers import rid_code
from tests.builders import IDENTITY_NO, SHOP_CODE
from tests.settable_clock import START, SettableClock
from tests.unit.intake.plain_platform import NoQuota

PATH, SECRET, KEY = "/approval/eligibility", "app-secret", "an-exchange-key"
QUESTION = {"dxbs": SHOP_CODE, "sxbm": "WH-SX01"}
ELIGIBLE = Decision(
    subject=SHOP_CODE, matter="WH-SX01", eligible=True, grade=Grade.B, score=Decimal("80.0"), reasons=(), as_of=START, data=()
)
REFUSED = replace(
    ELIGIBLE,
    eligible=False,
    grade=None,
    score=None,
    as_of=None,
    reasons=(Reason("SUBJECT_UNKNOWN", "信用平台没有该主体的信用信息"), Reason("BLACKLISTED", "已列入黑名单")),
)


def headers_for(
    body: bytes, clock: SettableClock, *, nonce: str = "nonce-0000001", secret: str = SECRET, **changes: str
) -> dict[str, str]:
    """Return the signature of the page, from its text alone."""
    told = {"x-app-key": "bihuan", "x-timestamp": str(int(clock().timestamp() * 1000)), "x-nonce": nonce, **changes}
    text = (
        f"appKey={told['x-app-key']}&body={hashlib.new('sm3', body).hexdigest()}&nonce={told['x-nonce']}"
        f"&path={PATH}&timestamp={told['x-timestamp']}"
    )
    return {"x-sign": hmac.new(secret.encode(), text.encode(), "sm3").hexdigest(), **told}


@dataclass
class Door:
    """The endpoint with an approval connector behind it, and a decision laid ready."""

    clock: SettableClock
    decision: Decision = ELIGIBLE
    on_ask: Callable[[], Awaitable[None]] | None = None
    seconds: float = 2.8
    addresses: tuple[str, ...] = ()
    asked: list[tuple[str, str, str | None]] = field(default_factory=list)
    outcomes: list[str] = field(default_factory=list)
    verified: list[tuple[str, int]] = field(default_factory=list)

    async def _ask(self, subject: str, matter: str, holder: str | None = None) -> Decision:
        self.asked.append((subject, matter, holder))
        if self.on_ask:
            await self.on_ask()
        return self.decision

    def __post_init__(self) -> None:
        given = {
            "url": "http://approval.test",
            "app_key": "bihuan",
            "app_secrets": (SECRET, "older-secret"),
            "exchange_key": KEY,
            "callback_addresses": self.addresses,
        }
        surroundings = Surroundings(self.clock, self.clock.sleep, random.Random(1), NoQuota())
        endpoint = EligibilityEndpoint(
            ApprovalConnector(ApprovalSettings.model_validate(given), surroundings),
            self._ask,
            lambda identity_no: rid_code(identity_no, KEY),
            answer_seconds=self.seconds,
            room=Room(2),
            trusted_proxies=(),
            clock=self.clock,
            count=self.outcomes.append,
            verified_by=lambda platform, position: self.verified.append((platform, position)),
        )
        transport = httpx.ASGITransport(Starlette(routes=[Route(PATH, endpoint.__call__, methods=["POST"])]))
        self.client = httpx.AsyncClient(transport=transport, base_url="http://hub")

    async def post(self, body: Any, headers: dict[str, str] | None = None) -> dict[str, Any]:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        answer = await self.client.post(PATH, content=content, headers=headers or headers_for(content, self.clock))
        assert answer.status_code == 200
        assert answer.headers["content-type"] == "application/json; charset=utf-8"
        told: dict[str, Any] = answer.json()
        assert list(told) == ["code", "msg", "data"]
        return told


@pytest.fixture
def door(clock: SettableClock) -> Door:
    return Door(clock)


async def test_a_company_is_answered_with_grade_score_and_the_time_of_the_credit_data(door: Door) -> None:
    told = await door.post(QUESTION)
    data = {"sycn": True, "xydj": "B", "xyf": 80, "yy": [], "sjsj": "2019-09-02 09:00:00"}
    assert told == {"code": "0", "msg": "success", "data": data}
    assert door.asked == [(SHOP_CODE, "WH-SX01", SHOP_CODE)]
    assert door.outcomes == ["eligible"]
    assert door.verified == [("approval", 0)]


async def test_who_is_not_eligible_is_told_every_reason_and_what_is_not_known_is_null(door: Door) -> None:
    door.decision = REFUSED
    told = await door.post(QUESTION)
    yy = ["信用平台没有该主体的信用信息", "已列入黑名单"]
    assert told["data"] == {"sycn": False, "xydj": None, "xyf": None, "yy": yy, "sjsj": None}
    assert door.outcomes == ["not_eligible"]


@pytest.mark.parametrize(
    ("score", "written"), [("80.0", b"80,"), ("86.5", b"86.5,"), ("100.0", b"100,"), ("0.0", b"0,"), ("79.9", b"79.9,")]
)
async def test_a_score_is_a_plain_number(door: Door, score: str, written: bytes) -> None:
    door.decision = replace(ELIGIBLE, score=Decimal(score))
    content = json.dumps(QUESTION).encode()
    answer = await door.client.post(PATH, content=content, headers=headers_for(content, door.clock))
    assert b'"xyf":' + written in answer.content


async def test_a_person_is_asked_for_by_the_rid_code_and_the_number_goes_to_the_approval_system_only(door: Door) -> None:
    await door.post({**QUESTION, "dxbs": IDENTITY_NO.lower()})
    assert door.asked == [(rid_code(IDENTITY_NO, KEY), "WH-SX01", IDENTITY_NO)]


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({**QUESTION, "dxbs": "330782600123456"}, "dxbs"),  # 15 digits
        ({**QUESTION, "dxbs": IDENTITY_NO[:-1] + "1"}, "dxbs"),
        ({**QUESTION, "dxbs": SHOP_CODE[:-1] + "0"}, "dxbs"),
        ({**QUESTION, "dxbs": "RID-" + "a" * 64}, "dxbs"),
        ({**QUESTION, "dxbs": ""}, "dxbs"),
        ({**QUESTION, "dxbs": None}, "dxbs"),
        ({**QUESTION, "dxbs": 91330782}, "dxbs"),
        ({"sxbm": "WH-SX01"}, "dxbs"),
        ({"dxbs": SHOP_CODE}, "sxbm"),
        ({**QUESTION, "sxbm": " "}, "sxbm"),
        ({**QUESTION, "sxbm": 7}, "sxbm"),
        ({**QUESTION, "sxbm": "X" * 65}, "sxbm"),
        (b"", "body"),
        (b"[]", "body"),
        (b"\xff\xfe", "body"),
        (b"[" * 10_000, "body"),
        (b" " * (BODY_LIMIT + 1), "body"),
    ],
)
async def test_a_parameter_that_is_missing_or_malformed_is_named_and_never_shown(door: Door, body: Any, named: str) -> None:
    told = await door.post(body)
    assert (told["code"], told["data"]) == ("40001", None)
    assert told["msg"].startswith(f"{named}: ")
    assert IDENTITY_NO[6:14] not in told["msg"]
    assert door.asked == []
    assert door.outcomes == ["40001"]


async def test_an_extra_field_changes_nothing(door: Door) -> None:
    assert (await door.post({**QUESTION, "xx": {"a": [1]}}))["code"] == "0"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"secret": "another"}, "40101"),
        ({"x-app-key": "somebody"}, "40101"),
        ({"x-sign": "0" * 64}, "40101"),
        ({"x-sign": ""}, "40101"),
        ({"x-timestamp": str(int((START - timedelta(seconds=301)).timestamp() * 1000))}, "40102"),
        ({"x-timestamp": str(int((START + timedelta(seconds=301)).timestamp() * 1000))}, "40102"),
        ({"x-timestamp": "soon"}, "40001"),
        ({"nonce": "short"}, "40001"),
    ],
)
async def test_a_question_that_is_not_proven_is_refused_in_the_codes_of_the_page(
    door: Door, changes: dict[str, str], code: str
) -> None:
    body = json.dumps(QUESTION).encode()
    told = await door.post(body, headers_for(body, door.clock, **changes))
    assert (told["code"], told["data"]) == (code, None)
    assert door.asked == []


async def test_a_question_without_any_signature_is_refused(door: Door) -> None:
    assert (await door.post(QUESTION, {"content-type": "application/json"}))["code"] == "40101"


async def test_during_a_key_change_the_older_secret_is_taken_and_so_is_a_time_within_the_tolerance(door: Door) -> None:
    body = json.dumps(QUESTION).encode()
    late = str(int((START - timedelta(seconds=299)).timestamp() * 1000))
    told = await door.post(body, headers_for(body, door.clock, secret="older-secret", **{"x-timestamp": late}))
    assert told["code"] == "0"


async def test_a_repeated_signature_gets_the_very_same_answer_without_another_decision(door: Door) -> None:
    body = json.dumps(QUESTION).encode()
    signed = headers_for(body, door.clock)
    first = await door.post(body, signed)
    door.decision = REFUSED
    door.clock.advance(200)
    assert await door.post(body, signed) == first
    assert len(door.asked) == 1
    assert (await door.post(body, headers_for(body, door.clock, nonce="nonce-0000002")))["data"]["sycn"] is False


async def test_one_signature_twice_at_the_same_time_is_decided_once(door: Door) -> None:
    gate = asyncio.Event()
    door.on_ask = lambda: _wait(gate)
    body = json.dumps(QUESTION).encode()
    signed = headers_for(body, door.clock)
    both = [asyncio.create_task(door.post(body, signed)) for _ in range(2)]
    await asyncio.sleep(0.05)
    gate.set()
    first, second = await asyncio.gather(*both)
    assert first == second
    assert len(door.asked) == 1


async def _wait(gate: asyncio.Event) -> None:
    await gate.wait()


async def test_a_nonce_under_another_signature_is_refused_for_fifteen_minutes(door: Door) -> None:
    assert (await door.post(QUESTION))["code"] == "0"
    door.clock.advance(899)
    assert (await door.post(QUESTION))["code"] == "40103"
    door.clock.advance(2)
    assert (await door.post(QUESTION))["code"] == "0"


async def test_a_refused_signature_uses_no_nonce_up(door: Door) -> None:
    body = json.dumps(QUESTION).encode()
    await door.post(body, headers_for(body, door.clock, secret="another"))
    assert (await door.post(body))["code"] == "0"


async def test_what_is_not_decided_in_time_is_answered_in_time(clock: SettableClock) -> None:
    door = Door(clock, seconds=0.2, on_ask=lambda: asyncio.sleep(30))
    began = time.monotonic()
    told = await door.post(QUESTION)
    assert time.monotonic() - began < 2
    assert (told["code"], told["data"]) == ("50000", None)
    door.on_ask = None
    assert (await door.post(QUESTION))["code"] == "50000"  # the same signature, the same answer
    assert door.outcomes == ["50000"]


@pytest.mark.parametrize("failure", [DatabaseUnavailable("locked"), ZeroDivisionError("13905790001")])
async def test_whatever_fails_inside_is_answered_in_the_dialect_and_shows_nothing(door: Door, failure: Exception) -> None:
    async def fail() -> None:
        raise failure

    door.on_ask = fail
    assert await door.post(QUESTION) == {"code": "50000", "msg": "system busy", "data": None}


async def test_a_body_that_never_ends_is_given_up_in_time(clock: SettableClock) -> None:
    door = Door(clock, seconds=0.2)

    async def trickle() -> Any:
        yield b"{"
        await asyncio.sleep(30)

    began = time.monotonic()
    answer = await door.client.post(PATH, content=trickle(), headers=headers_for(b"{", clock))
    assert time.monotonic() - began < 2
    assert answer.json()["code"] == "50000"


async def test_questions_come_from_allowed_addresses_only(clock: SettableClock) -> None:
    assert (await Door(clock, addresses=("10.1.0.0/16",)).post(QUESTION))["code"] == "40101"
    assert (await Door(clock, addresses=("127.0.0.1",)).post(QUESTION))["code"] == "0"


async def test_one_question_more_than_may_be_under_way_is_told_at_once_that_the_hub_is_busy(clock: SettableClock) -> None:
    begun, may_end = asyncio.Semaphore(0), asyncio.Event()

    async def slowly() -> None:
        begun.release()
        await may_end.wait()

    door = Door(clock, on_ask=slowly)
    body = json.dumps(QUESTION).encode()
    proven = [headers_for(body, clock, nonce=f"nonce-{number}-of-three") for number in range(3)]
    asking = [asyncio.create_task(door.post(body, each)) for each in proven[:2]]
    for _ in asking:
        await begun.acquire()
    told = await door.post(body, proven[2])
    assert (told["code"], len(door.asked)) == ("50000", 2)
    may_end.set()
    assert [answer["code"] for answer in await asyncio.gather(*asking)] == ["0", "0"]
