"""The mock SMS gateway: its one call as the page says, and its receipts."""

import hashlib
import random
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import httpx
import pytest

from mocks.sms import SmsPlatform, SmsSettings
from tests.unit.mocks.city_clock import CityClock

MOBILE = "13957912345"
SECRET = "sms-secret"


def sm3(text: str) -> str:
    return hashlib.new("sm3", text.encode()).hexdigest()


class Hub:
    """Keeps the receipts that arrive, and answers with one text."""

    def __init__(self, text: str = "0") -> None:
        self.text = text
        self.receipts: list[dict[str, str]] = []
        self.times: list[float] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        assert request.url.path == "/webhooks/sms"
        assert request.headers["content-type"] == "application/x-www-form-urlencoded"
        self.receipts.append(dict(parse_qsl(request.content.decode())))
        return httpx.Response(200, text=self.text)


class Caller:
    """A signed caller of a gateway in memory."""

    def __init__(self, hub: Hub | None = None, **settings: Any) -> None:
        self.clock = CityClock()
        self.platform = SmsPlatform(
            SmsSettings(hub_url="http://hub", **settings),
            clock=self.clock,
            rng=random.Random(1),
            sleep=self.clock.sleep,
            transport=httpx.MockTransport(hub or Hub()),
        )
        self.client = httpx.AsyncClient(transport=httpx.ASGITransport(self.platform.app), base_url="http://sms")

    async def __call__(self, *, ahead: float = 0, secret: str = SECRET, **fields: Any) -> dict[str, Any]:
        ts = int(self.clock().timestamp() + ahead)
        asked = {"account": "bihuan", "ts": ts, "mobile": MOBILE, "content": "通知", "extno": "X1", **fields}
        asked["sign"] = fields.get("sign", sm3(f"{asked['account']}{secret}{asked['ts']}"))
        answer = await self.client.post("/send", json={name: value for name, value in asked.items() if value is not None})
        assert answer.status_code == 200
        told: dict[str, Any] = answer.json()
        return told


async def test_a_message_is_sent_once_and_lies_in_the_outbox() -> None:
    call = Caller()
    first, again = await call(), await call(content="另一条")
    assert (first["result"], again) == (0, {"result": 7, "taskid": first["taskid"]})
    state = (await call.client.get("/_control/state")).json()
    assert [(one["extno"], one["mobile"], one["content"]) for one in state["outbox"]] == [("X1", MOBILE, "通知")]
    assert state["balance"] == 99_999
    assert list(call.platform.store.all("message")) == ["X1"]


async def test_a_gateway_may_leave_the_taskid_out_when_it_refuses_a_second_sending() -> None:
    call = Caller(names_task_again=False)
    await call()
    assert await call() == {"result": 7}


@pytest.mark.parametrize(
    ("fields", "result"),
    [
        ({"secret": "other"}, 1),
        ({"account": "other"}, 1),
        ({"ahead": 601}, 1),
        ({"ahead": -601}, 1),
        ({"ahead": 599}, 0),
        ({"mobile": None}, 2),
        ({"extno": ""}, 2),
        ({"ts": "1565830800"}, 2),
        ({"content": "字" * 351}, 3),
        ({"content": "字" * 350}, 0),
        ({"mobile": "057985512345"}, 17),
        ({"content": "代开发票"}, 21),
    ],
)
async def test_each_refusal_has_its_result_and_uses_no_number_up(fields: dict[str, Any], result: int) -> None:
    call = Caller()
    assert (await call(**fields))["result"] == result
    assert (await call())["result"] == (7 if result == 0 else 0)


async def test_nothing_is_sent_at_night_by_the_platforms_own_clock() -> None:
    call = Caller()
    call.clock.advance(13 * 3600 - 1)  # 21:59:59
    assert (await call())["result"] == 0
    call.platform.faults = call.platform.faults.changed({"clock_skew_seconds": 1})
    assert (await call(extno="X2"))["result"] == 31
    assert (await call())["result"] == 7
    call.clock.advance(9 * 3600)
    assert (await call(extno="X2"))["result"] == 0


async def test_an_empty_balance_sends_nothing_until_there_is_money() -> None:
    call = Caller(balance=1)
    assert [(await call(extno=extno))["result"] for extno in ("X1", "X2")] == [0, 10]
    await call.platform.do("set_balance", {"messages": 5})
    assert (await call(extno="X2"))["result"] == 0


async def test_a_gateway_in_trouble_says_busy_or_nothing_and_sends_nothing() -> None:
    call = Caller()
    call.platform.faults = call.platform.faults.changed({"error_rate": 1.0})
    answers = [await call.client.post("/send", json={}) for _ in range(20)]
    assert {answer.status_code for answer in answers} == {200, 503}
    assert {answer.json()["result"] for answer in answers if answer.status_code == 200} == {98}
    assert call.platform.outbox() == []


async def test_a_receipt_is_signed_over_taskid_and_time_and_ends_when_it_is_acknowledged() -> None:
    hub = Hub()
    call = Caller(hub)
    sent = await call()
    await call.platform.callbacks.settled()
    (receipt,) = hub.receipts
    assert receipt == {
        "taskid": sent["taskid"],
        "mobile": MOBILE,
        "status": "DELIVRD",
        "time": "20190815090000",
        "sign": sm3(f"{sent['taskid']}sms-secret20190815090000"),
    }


async def test_a_receipt_that_is_not_acknowledged_is_repeated_three_times_signed_anew() -> None:
    hub = Hub("ok")
    call = Caller(hub)
    await call()
    await call.platform.callbacks.settled()
    times = [f"20190815{time}" for time in ("090000", "090500", "091000", "091500")]
    assert [receipt["time"] for receipt in hub.receipts] == times
    assert len({receipt["sign"] for receipt in hub.receipts}) == 4
    assert call.platform.counters["callbacks.given_up"] == 1


async def test_a_later_status_is_told_and_an_unknown_one_refused() -> None:
    hub = Hub()
    call = Caller(hub)
    await call()
    await call.platform.do("report", {"extno": "X1", "status": "EXPIRED"})
    await call.platform.callbacks.settled()
    # A receipt tells what is known when it is posted.
    assert [receipt["status"] for receipt in hub.receipts][-1] == "EXPIRED"
    assert call.platform.outbox()[0]["status"] == "EXPIRED"
    with pytest.raises(ValueError, match="LOST"):
        call.platform.report("X1", "LOST")
    with pytest.raises(LookupError, match="X9"):
        call.platform.report("X9", "DELIVRD")


async def test_some_messages_do_not_arrive() -> None:
    call = Caller(undelivered_share=0.5)
    for number in range(40):
        await call(extno=f"X{number}")
    assert {one["status"] for one in call.platform.outbox()} == {"DELIVRD", "UNDELIV"}


async def test_after_a_key_change_receipts_carry_the_newer_secret_and_calls_may_carry_either() -> None:
    hub = Hub()
    call = Caller(hub)
    call.platform.rotate_secret("newer")
    assert (await call(secret="newer"))["result"] == 0
    assert (await call())["result"] == 7
    await call.platform.callbacks.settled()
    (receipt,) = hub.receipts
    assert receipt["sign"] == sm3(f"{receipt['taskid']}newer{receipt['time']}")


async def test_a_second_start_remembers_what_was_sent_and_what_is_left(tmp_path: Path) -> None:
    first = Caller(data_dir=str(tmp_path))
    sent = await first()
    await first.platform.stop()
    second = Caller(data_dir=str(tmp_path))
    assert await second() == {"result": 7, "taskid": sent["taskid"]}
    assert second.platform.balance == 99_999
    await second.platform.stop()
