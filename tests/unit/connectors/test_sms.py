"""The SMS connector: signed calls, what each result means, quiet hours by whose clock, and receipts."""

import hashlib
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from email.utils import format_datetime
from typing import Any

import httpx
import msgspec
import pytest

from connectors.base import Delivery, Quarantined
from connectors.errors import BadSignature, PermanentError, PlatformDown, TransientError, UnknownOutcome
from connectors.sms import SmsConnector
from connectors.sms_hours import quiet_until
from connectors.sms_settings import SmsSettings
from schema.commands import SendSms
from schema.entities import DeliveryStatus, SmsReceipt
from schema.entity import Observation
from tests.contract.cases import NOW, WIRE, FakeTime, surroundings

BEIJING = timezone(timedelta(hours=8))
MOBILE = "13957912345"
NOTICE = SendSms(ext_no="SN0123456789", mobile=MOBILE, content="【义乌信用】扣4.0分，一年内可修复。䶮𬭎")
# printf bihuansms-new1565834400 | openssl dgst -sm3
SIGN = "2900a8cedc06e8995e24c0f02c58cec1c19a4ad098b8c4ef7d54152053b73123"
RECEIPT = (WIRE / "sms" / "delivered.txt").read_bytes()


class Gateway:
    """Answers with the results laid ready, the last one for ever; keeps what it was asked. It knows no rules."""

    def __init__(self, *answers: Any) -> None:
        self.asked: list[dict[str, Any]] = []
        self._answers = list(answers)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        assert (request.method, request.url.path) == ("POST", "/send")
        self.asked.append(json.loads(request.content))
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer if isinstance(answer, httpx.Response) else httpx.Response(200, json=answer)


def dated(at: datetime, **content: Any) -> httpx.Response:
    """Return an answer with a Date header."""
    return httpx.Response(200, json=content, headers={"date": format_datetime(at.astimezone(UTC), usegmt=True)})


def connector(gateway: Callable[[httpx.Request], httpx.Response], time: FakeTime, **changes: Any) -> SmsConnector:
    given = {"url": "http://sms.test", "account": "bihuan", "secrets": ("sms-new", "sms-old"), **changes}
    return SmsConnector(SmsSettings.model_validate(given), surroundings(time, httpx.MockTransport(gateway)))


async def refused(gateway: Gateway, time: FakeTime | None = None, command: SendSms = NOTICE, **changes: Any) -> Any:
    with pytest.raises((TransientError, PermanentError)) as problem:
        await connector(gateway, time or FakeTime(), **changes).ensure(command, "key", unknown_since=None)
    assert MOBILE not in str(problem.value)
    return problem.value


def beijing(hour: int, minute: int = 0, second: int = 0) -> datetime:
    return datetime(2019, 8, 15, hour, minute, second, tzinfo=BEIJING)


async def test_a_call_is_signed_and_written_as_the_page_says_and_its_result_is_the_proof() -> None:
    gateway = Gateway({"result": 0, "taskid": "T-1", "msg": "ok"})
    receipt = await connector(gateway, FakeTime()).ensure(NOTICE, "key", unknown_since=None)
    assert gateway.asked == [
        {"account": "bihuan", "ts": 1565834400, "sign": SIGN, "mobile": MOBILE, "content": NOTICE.content, "extno": NOTICE.ext_no}
    ]
    assert (receipt.reference, receipt.proof, receipt.repeated) == ("T-1", True, False)


@pytest.mark.parametrize(
    ("answer", "reference", "repeated"),
    [
        ({"result": 7, "taskid": "T-1"}, "T-1", True),
        ({"result": 7}, NOTICE.ext_no, True),
        ({"result": 7, "taskid": None}, NOTICE.ext_no, True),
        ({"result": "0", "taskid": 42}, "42", False),
        ({"result": 0, "taskid": ""}, NOTICE.ext_no, False),
    ],
)
async def test_sent_before_is_as_good_a_proof_and_our_own_number_stands_in_for_a_missing_taskid(
    answer: dict[str, Any], reference: str, repeated: bool
) -> None:
    receipt = await connector(Gateway(answer), FakeTime()).ensure(NOTICE, "key", unknown_since=None)
    assert (receipt.reference, receipt.proof, receipt.repeated) == (reference, True, repeated)


@pytest.mark.parametrize(
    ("result", "code"),
    [(2, "MISSING_FIELD"), (3, "TOO_LONG"), (17, "BAD_MOBILE"), (21, "BLOCKED_WORD"), (55, "RESULT_55"), (1, "SIGNATURE_REFUSED")],
)
async def test_what_the_gateway_will_refuse_again_is_permanent(result: int, code: str) -> None:
    problem = await refused(Gateway({"result": result}))
    assert (type(problem), problem.code) == (PermanentError, code)


async def test_busy_is_transient_and_an_empty_balance_waits_for_money() -> None:
    busy, empty = await refused(Gateway({"result": 98})), await refused(Gateway({"result": 10}))
    assert (type(busy), busy.code, busy.retry_after) == (TransientError, "BUSY", None)
    assert (type(empty), empty.code, empty.retry_after) == (TransientError, "BALANCE_EMPTY", 1800.0)
    assert "top it up" in str(empty)


async def test_a_text_of_350_characters_goes_out_whole_and_a_longer_one_not_at_all() -> None:
    gateway = Gateway({"result": 0, "taskid": "T-1"})
    whole = msgspec.structs.replace(NOTICE, content="䶮" * 350)
    await connector(gateway, FakeTime()).ensure(whole, "key", unknown_since=None)
    assert gateway.asked[0]["content"] == "䶮" * 350
    problem = await refused(gateway, command=msgspec.structs.replace(NOTICE, content="䶮" * 351))
    assert (type(problem), problem.code) == (PermanentError, "TOO_LONG")
    assert "351" in str(problem)
    assert len(gateway.asked) == 1


@pytest.mark.parametrize(
    "answer",
    [httpx.ReadTimeout("hangs"), httpx.RemoteProtocolError("dropped"), {"taskid": "T"}, {"result": "x"}, [], httpx.Response(502)],
)
async def test_a_call_without_a_usable_answer_has_an_unknown_outcome_and_is_repeated_soon(answer: Any) -> None:
    time = FakeTime()
    problem = await refused(Gateway(answer), time)
    assert type(problem) is UnknownOutcome
    assert problem.retry_after == 5.0
    assert abs((problem.sent_at - NOW).total_seconds()) < 1


async def test_a_refusal_by_what_stands_in_front_shows_no_number() -> None:
    problem = await refused(Gateway(httpx.Response(403, text=f"<html>blocked: {MOBILE}</html>")))
    assert problem.code == "HTTP_403"


# --- quiet hours


@pytest.mark.parametrize(
    ("now", "over"),
    [
        (beijing(21, 59, 59), None),
        (beijing(22), beijing(7) + timedelta(days=1)),
        (beijing(23, 59, 59), beijing(7) + timedelta(days=1)),
        (beijing(0), beijing(7)),
        (beijing(6, 59, 59), beijing(7)),
        (beijing(7), None),
        (beijing(12), None),
    ],
)
def test_quiet_hours_go_past_midnight_and_end_on_the_hour(now: datetime, over: datetime | None) -> None:
    settings = SmsSettings.model_validate({"url": "http://sms.test", "account": "a", "secrets": ("s",)})
    assert quiet_until(now.astimezone(UTC), settings.quiet_from, settings.quiet_until) == over


def test_quiet_hours_within_a_day_and_none_at_all() -> None:
    one, two = beijing(1).time(), beijing(2).time()
    assert quiet_until(beijing(1, 30), one, two) == beijing(2)
    assert quiet_until(beijing(2), one, two) is None
    assert [quiet_until(beijing(hour), one, one) for hour in range(24)] == [None] * 24


async def test_in_quiet_hours_no_call_is_made_and_the_morning_is_named() -> None:
    gateway = Gateway({"result": 0, "taskid": "T-1"})
    problem = await refused(gateway, FakeTime(beijing(22, 30)))
    assert (type(problem), problem.code, problem.retry_after) == (TransientError, "QUIET_HOURS", 8.5 * 3600 + 1)
    assert gateway.asked == []


async def test_quiet_hours_can_be_set_otherwise_or_away() -> None:
    gateway = Gateway({"result": 0, "taskid": "T-1"})
    night = connector(gateway, FakeTime(beijing(23)), quiet_from="00:00", quiet_until="00:00")
    assert (await night.ensure(NOTICE, "key", unknown_since=None)).proof
    assert (await refused(gateway, FakeTime(beijing(12)), quiet_from="11:00", quiet_until="13:00")).code == "QUIET_HOURS"


async def test_where_the_gateway_calls_it_night_its_own_clock_says_when_it_ends() -> None:
    problem = await refused(Gateway(dated(beijing(22, 1), result=31)), FakeTime(beijing(21, 58)))
    assert (type(problem), problem.code) == (TransientError, "QUIET_HOURS")
    assert problem.retry_after == 9 * 3600 - 60 + 1


async def test_a_gateway_that_calls_it_night_at_noon_is_asked_again_after_a_while() -> None:
    problem = await refused(Gateway({"result": 31}), FakeTime(beijing(12)))
    assert (problem.code, problem.retry_after) == ("QUIET_HOURS", 601.0)


async def test_once_the_gateways_clock_is_known_it_rules_over_ours() -> None:
    time = FakeTime(beijing(21, 50))
    gateway = Gateway(dated(beijing(21, 58), result=0, taskid="T-1"), {"result": 0, "taskid": "T-2"})
    sms = connector(gateway, time)
    await sms.ensure(NOTICE, "key", unknown_since=None)
    time.advance(150)
    with pytest.raises(TransientError) as problem:  # 21:52:30 with us, 22:00:30 there
        await sms.ensure(NOTICE, "key", unknown_since=None)
    assert problem.value.code == "QUIET_HOURS"
    assert len(gateway.asked) == 1


# --- clocks and secrets


async def test_a_clock_that_is_off_is_learnt_from_the_gateway_and_the_call_signed_again() -> None:
    there = NOW + timedelta(seconds=900)
    gateway = Gateway(dated(there, result=1), dated(there, result=0, taskid="T-1"))
    sms = connector(gateway, FakeTime())
    assert (await sms.ensure(NOTICE, "key", unknown_since=None)).reference == "T-1"
    first, second = (asked["ts"] for asked in gateway.asked)
    assert 899 <= second - first <= 901
    assert gateway.asked[1]["sign"] == hashlib.new("sm3", f"bihuansms-new{second}".encode()).hexdigest()


async def test_within_the_tolerance_it_is_the_secret_that_is_doubted() -> None:
    gateway = Gateway(dated(NOW + timedelta(seconds=500), result=1), {"result": 0, "taskid": "T-1"})
    sms = connector(gateway, FakeTime())
    await sms.ensure(NOTICE, "key", unknown_since=None)
    await sms.ensure(NOTICE, "key", unknown_since=None)
    signs = [asked["sign"] for asked in gateway.asked]
    expected = [
        hashlib.new("sm3", f"bihuan{secret}{asked['ts']}".encode()).hexdigest()
        for secret, asked in zip(("sms-new", "sms-old", "sms-old"), gateway.asked, strict=True)
    ]
    assert signs == expected


async def test_a_signature_that_is_refused_whatever_is_tried_is_permanent_names_the_cure_and_leaves_nothing_behind() -> None:
    gateway = Gateway(dated(NOW + timedelta(hours=2), result=1))
    sms = connector(gateway, FakeTime())
    for _ in range(2):
        gateway.asked.clear()
        with pytest.raises(PermanentError) as problem:
            await sms.ensure(NOTICE, "key", unknown_since=None)
        assert problem.value.code == "SIGNATURE_REFUSED"
        assert "HUB_SMS_SECRETS" in str(problem.value)
        assert len(gateway.asked) == 3  # as it is, with the gateway's clock, with the other secret
        assert abs(gateway.asked[0]["ts"] - NOW.timestamp()) < 5


async def test_a_gateway_that_fails_in_a_row_is_left_alone() -> None:
    sms = connector(Gateway(httpx.ConnectError("down")), FakeTime(), breaker_failures=2)
    for _ in range(2):
        with pytest.raises(TransientError):
            await sms.ensure(NOTICE, "key", unknown_since=None)
    assert sms.open_until is not None
    with pytest.raises(PlatformDown):
        await sms.ensure(NOTICE, "key", unknown_since=None)


# --- receipts


def posted(body: bytes) -> Delivery:
    return Delivery(platform="sms", path="/webhooks/sms", headers={}, body=body, received_at=NOW + timedelta(days=9))


def verify(body: bytes) -> Any:
    return connector(Gateway({}), FakeTime()).verify(posted(body))


def parse(body: bytes) -> Any:
    (item,) = connector(Gateway({}), FakeTime()).parse(posted(body))
    return item


def test_a_receipt_that_comes_days_late_is_still_proven_by_its_signature() -> None:
    assert verify(RECEIPT).secret_index == 0


def test_hex_may_be_written_in_either_case() -> None:
    head, _, sign = RECEIPT.rpartition(b"sign=")
    assert verify(head + b"sign=" + sign.upper()).secret_index == 0


def test_another_status_under_the_same_signature_is_the_same_sending() -> None:
    first, second = verify(RECEIPT), verify(RECEIPT.replace(b"DELIVRD", b"UNDELIV"))
    assert (first.signature, first.covers_body) == (second.signature, False)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (RECEIPT + b"&status=UNDELIV", "BAD_FORM"),
        (b"&".join([b"a%d=1" % number for number in range(101)]), "BAD_FORM"),
        (RECEIPT.replace(b"taskid=201908150000000042", b"taskid="), "MISSING_FIELD"),
        (b'{"taskid": "1"}', "MISSING_FIELD"),
        (RECEIPT.replace(b"time=20190815100000", b"time=2019081510000"), "BAD_TIMESTAMP"),
        (RECEIPT.replace(b"taskid=2019", b"taskid=2018"), "BAD_SIGNATURE"),
        (RECEIPT.replace(b"sign=49e7", b"sign=49e8"), "BAD_SIGNATURE"),
    ],
)
def test_a_receipt_that_is_not_proven_is_refused_with_its_reason(body: bytes, code: str) -> None:
    with pytest.raises(BadSignature) as problem:
        verify(body)
    assert problem.value.code == code


def test_a_receipt_says_what_became_of_a_message_and_when() -> None:
    item = parse(RECEIPT)
    assert isinstance(item, Observation)
    assert item.record == SmsReceipt(
        source="sms",
        observed_at=NOW + timedelta(days=9),
        version=1565834400,
        message_no="201908150000000042",
        phone=MOBILE,
        status=DeliveryStatus.DELIVRD,
        reported_at=NOW,
    )


def test_a_receipt_with_an_impossible_time_or_bytes_that_are_no_text_is_quarantined() -> None:
    for body, reason in (
        (RECEIPT.replace(b"20190815", b"20191332"), "BAD_VALUE"),
        (RECEIPT.replace(MOBILE.encode(), b"%ff"), "BAD_ENCODING"),
        (RECEIPT + b"&time=1", "BAD_FORM"),
    ):
        item = parse(body)
        assert isinstance(item, Quarantined)
        assert item.reason == reason
        assert MOBILE not in item.detail


async def test_there_is_nothing_to_read() -> None:
    sms = connector(Gateway({}), FakeTime())
    with pytest.raises(PermanentError, match="has none"):
        sms.changes("messages", None)
    with pytest.raises(PermanentError, match="cannot be read"):
        await sms.fetch("SmsReceipt", ["1"])
