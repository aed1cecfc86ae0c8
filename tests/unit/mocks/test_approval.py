"""The mock approval system against approval.md; signatures are written out by hand here, not taken from the mock."""

import hashlib
import hmac
import itertools
import json
import random
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from mocks.approval import ApprovalPlatform, ApprovalSettings
from mocks.approval_signing import sign, signing_text
from mocks.people import Subject
from tests.unit.mocks.city_clock import CityClock

SHOP = Subject("1", "义乌市𬭎达印务有限公司", uscc="91350100M000100Y43", representative="周䶮")


def test_the_signature_is_what_openssl_computes() -> None:
    body = b'{"rq":"2019-08-15"}'
    path, nonce, timestamp = "/api/spsl/digest", "abcdEFGH-1234", "1565830800000"
    assert signing_text("bihuan", timestamp, nonce, path, body) == (
        "appKey=bihuan&body=cd04aa1c597bc7b62c67d8aced4449abd036b44d96af8ed2200348d2f66df712"
        "&nonce=abcdEFGH-1234&path=/api/spsl/digest&timestamp=1565830800000"
    )
    signature = sign("approval-secret", app_key="bihuan", timestamp=timestamp, nonce=nonce, path=path, body=body)
    assert signature == "3b6468bc5d8d7cdc3ba76829ace9812b2989e6dfbca48dd6478b5d82dcafe62e"


@dataclass
class Hub:
    """Stands where the hub stands: keeps what arrives, answers what the test says."""

    answer: Callable[[httpx.Request], httpx.Response] = lambda _request: httpx.Response(200, json={"code": "0", "msg": "success"})
    requests: list[httpx.Request] = field(default_factory=list)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        return self.answer(request)

    @property
    def bodies(self) -> list[dict[str, Any]]:
        return [json.loads(request.content) for request in self.requests]


@dataclass
class Caller:
    """Calls the platform with signatures of its own."""

    platform: ApprovalPlatform
    clock: CityClock
    client: httpx.AsyncClient
    secret: str = "approval-secret"
    number: int = 0

    def headers(self, path: str, body: bytes, **changes: str) -> dict[str, str]:
        self.number += 1
        timestamp, nonce = str(int(self.clock().timestamp() * 1000)), f"nonce-{self.number:08d}"
        timestamp, nonce = changes.get("timestamp", timestamp), changes.get("nonce", nonce)
        digest = hashlib.new("sm3", body).hexdigest()
        text = f"appKey=bihuan&body={digest}&nonce={nonce}&path={path}&timestamp={timestamp}"
        signature = hmac.new(self.secret.encode(), text.encode(), "sm3").hexdigest()
        return {
            "Content-Type": "application/json; charset=utf-8",
            "X-App-Key": changes.get("app_key", "bihuan"),
            "X-Timestamp": timestamp,
            "X-Nonce": nonce,
            "X-Sign": changes.get("sign", signature),
        }

    async def __call__(self, path: str, parameters: object, **changes: str) -> dict[str, Any]:
        body = json.dumps(parameters).encode()
        answer = await self.client.post(path, content=body, headers=self.headers(path, body, **changes))
        assert answer.status_code == 200
        envelope: dict[str, Any] = answer.json()
        assert set(envelope) == {"code", "msg", "data"}
        return envelope

    async def list(self, **changes: object) -> dict[str, Any]:
        whole = {"gxsjq": "2019-08-01 00:00:00", "gxsjz": "2019-08-31 00:00:00", "pageNo": 1, "pageSize": 200}
        return await self("/api/spsl/list", {**whole, **changes})


@pytest.fixture
def clock() -> CityClock:
    return CityClock()


@pytest.fixture
def hub() -> Hub:
    return Hub()


@pytest.fixture
async def platform(clock: CityClock, hub: Hub) -> AsyncIterator[ApprovalPlatform]:
    made = ApprovalPlatform(
        ApprovalSettings(late_commit_share=0.0),
        clock=clock,
        rng=random.Random(1),
        sleep=clock.sleep,
        transport=httpx.MockTransport(hub),
    )
    yield made
    await made.stop()


@pytest.fixture
async def call(platform: ApprovalPlatform, clock: CityClock) -> AsyncIterator[Caller]:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(platform.app), base_url="http://approval") as client:
        yield Caller(platform, clock, client)


async def test_an_accepted_and_granted_record_is_listed_in_its_last_version(call: Caller, platform: ApprovalPlatform) -> None:
    serial = platform.grant(SHOP)
    data = (await call.list())["data"]
    assert (data["total"], data["pageNo"], data["pageSize"]) == (1, 1, 200)
    [row] = data["rows"]
    assert row["YWLSH"] == serial
    assert (row["ZT"], row["SPJG"], row["BBH"], row["GXSJ"]) == ("02", "1", "2", "2019-08-15 09:00:00")
    assert row["SQRMC"] == "义乌市𬭎达印务有限公司"


async def test_what_is_wrong_with_a_call_is_said_in_the_order_timestamp_signature_nonce(call: Caller, clock: CityClock) -> None:
    path, old = "/api/spsl/detail", str(int(clock().timestamp() * 1000) - 300_001)
    assert (await call(path, {"ywlsh": []}, nonce="used-nonce"))["code"] == "0"
    assert (await call(path, {"ywlsh": []}, nonce="used-nonce", sign="0", timestamp=old))["code"] == "40102"
    assert (await call(path, {"ywlsh": []}, nonce="used-nonce", sign="0"))["code"] == "40101"
    assert (await call(path, {"ywlsh": []}, nonce="used-nonce"))["code"] == "40103"
    assert (await call(path, {"ywlsh": []}, app_key="other"))["code"] == "40101"
    assert (await call(path, {"ywlsh": []}, nonce="short"))["code"] == "40001"


async def test_a_timestamp_may_be_300_seconds_off_and_no_more(call: Caller, clock: CityClock) -> None:
    now = int(clock().timestamp() * 1000)
    codes = [
        (await call("/api/spsl/detail", {"ywlsh": []}, timestamp=str(now + shift)))["code"]
        for shift in (-300_000, 300_000, 300_001)
    ]
    assert codes == ["0", "0", "40102"]


async def test_a_nonce_is_forgotten_after_15_minutes(call: Caller, clock: CityClock) -> None:
    codes = []
    for wait in (0, 899, 2):
        clock.advance(wait)
        codes.append((await call("/api/spsl/detail", {"ywlsh": []}, nonce="used-nonce"))["code"])
    assert codes == ["0", "40103", "0"]


async def test_the_twenty_first_call_in_a_second_is_told_how_long_to_wait(call: Caller, clock: CityClock) -> None:
    codes = [(await call("/api/spsl/detail", {"ywlsh": []}))["code"] for _ in range(20)]
    assert codes == ["0"] * 20
    clock.advance(0.4)
    refused = await call("/api/spsl/detail", {"ywlsh": []})
    assert refused["code"] == "42901"
    assert 600 <= refused["data"]["retryAfterMs"] <= 601
    clock.advance(refused["data"]["retryAfterMs"] / 1000)
    assert (await call("/api/spsl/detail", {"ywlsh": []}))["code"] == "0"


async def test_during_a_key_change_two_secrets_are_valid_for_24_hours(
    call: Caller, platform: ApprovalPlatform, clock: CityClock
) -> None:
    platform.rotate_secret("newer")
    assert (await call("/api/spsl/detail", {"ywlsh": []}))["code"] == "0"
    call.secret = "newer"
    assert (await call("/api/spsl/detail", {"ywlsh": []}))["code"] == "0"
    call.secret = "approval-secret"
    clock.advance(24 * 3600)
    assert (await call("/api/spsl/detail", {"ywlsh": []}))["code"] == "40101"


@pytest.mark.parametrize(
    ("changes", "offender"),
    [
        ({"pageSize": 201}, "pageSize"),
        ({"pageNo": 0}, "pageNo"),
        ({"pageNo": "1"}, "pageNo"),
        ({"gxsjq": "2019-08-01"}, "gxsjq"),
        ({"gxsjz": "2019-09-01 00:00:01"}, "gxsjz"),
        ({"gxsjz": None}, "gxsjz"),
    ],
)
async def test_a_bad_parameter_is_named(call: Caller, changes: dict[str, object], offender: str) -> None:
    refused = await call.list(**changes)
    assert refused["code"] == "40001"
    assert offender in refused["msg"]


async def test_a_window_of_31_days_is_allowed(call: Caller) -> None:
    assert (await call.list(gxsjz="2019-09-01 00:00:00"))["code"] == "0"


async def test_an_unknown_call_and_a_body_that_is_no_object_are_refused(call: Caller) -> None:
    assert (await call("/api/spsl/nothing", {}))["code"] == "40400"
    assert (await call("/api/spsl/detail", []))["code"] == "40001"


async def test_the_list_is_half_open_and_ordered_by_gxsj_then_ywlsh(
    call: Caller, platform: ApprovalPlatform, clock: CityClock
) -> None:
    for serial in ("YW3", "YW1"):
        platform.accept(SHOP, serial=serial)
    clock.advance(1)
    platform.accept(SHOP, serial="YW0")
    rows = (await call.list(gxsjq="2019-08-15 09:00:00", gxsjz="2019-08-15 09:00:01"))["data"]["rows"]
    assert [row["YWLSH"] for row in rows] == ["YW1", "YW3"]
    rows = (await call.list())["data"]["rows"]
    assert [row["YWLSH"] for row in rows] == ["YW1", "YW3", "YW0"]


async def test_a_record_that_changes_between_two_pages_moves_and_makes_another_be_skipped(
    call: Caller, platform: ApprovalPlatform, clock: CityClock
) -> None:
    for serial in ("YW1", "YW2", "YW3"):
        platform.accept(SHOP, serial=serial)
    first = (await call.list(pageSize=1))["data"]["rows"]
    clock.advance(5)
    platform.decide("YW1")
    second = (await call.list(pageSize=1, pageNo=2))["data"]["rows"]
    third = (await call.list(pageSize=1, pageNo=3))["data"]["rows"]
    assert [row["YWLSH"] for row in first + second + third] == ["YW1", "YW3", "YW1"]


async def test_a_late_commit_lies_up_to_120_seconds_in_the_past_but_never_before_its_own_past(clock: CityClock, hub: Hub) -> None:
    platform = ApprovalPlatform(
        ApprovalSettings(late_commit_share=1.0),
        clock=clock,
        rng=random.Random(1),
        sleep=clock.sleep,
        transport=httpx.MockTransport(hub),
    )
    serials = [platform.accept(SHOP) for _ in range(50)]
    stamps = [platform.record(serial)["GXSJ"] for serial in serials]
    assert "2019-08-15 08:58:00" <= min(stamps) < "2019-08-15 08:58:20"
    assert max(stamps) <= "2019-08-15 09:00:00"
    for serial, stamp in zip(serials, stamps, strict=True):
        platform.decide(serial)
        assert platform.record(serial)["GXSJ"] >= stamp
    await platform.stop()


async def test_detail_leaves_unknown_numbers_out_and_takes_fifty(call: Caller, platform: ApprovalPlatform) -> None:
    platform.accept(SHOP, serial="YW1")
    rows = (await call("/api/spsl/detail", {"ywlsh": ["YW2", "YW1"]}))["data"]["rows"]
    assert [row["YWLSH"] for row in rows] == ["YW1"]
    assert (await call("/api/spsl/detail", {"ywlsh": ["YW1"] * 50}))["code"] == "0"
    assert (await call("/api/spsl/detail", {"ywlsh": ["YW1"] * 51}))["code"] == "40001"


async def test_the_digest_covers_the_day_of_slsj(call: Caller, platform: ApprovalPlatform, clock: CityClock) -> None:
    platform.accept(SHOP, serial="YW2")
    platform.accept(SHOP, serial="YW1")
    clock.advance(24 * 3600)
    for _ in range(11):
        platform.change("YW2", {"LXDH": "13800000000"})
    platform.accept(SHOP, serial="YW9")
    data = (await call("/api/spsl/digest", {"rq": "2019-08-15"}))["data"]
    # printf 'YW1:1\nYW2:12\n' | openssl dgst -sm3
    digest = "4ac20ccafa92c122e73831d226dbd0acdfeb37d2ed4116e0722108e7be8df4aa"
    assert data == {"rq": "2019-08-15", "count": 2, "digest": digest}
    nothing = (await call("/api/spsl/digest", {"rq": "2019-08-14"}))["data"]
    assert nothing["digest"] == "1ab21d8355cfa17f8e61194831e81a8f22bec8c728fefb747ed035eb5082aa2b"
    assert (await call("/api/spsl/digest", {"rq": "20190815"}))["code"] == "40001"


ENTRY = {"wybh": "HMD0001", "dxbs": "91350100M000100Y43", "dxmc": "店", "sxbm": "WH-SX01", "yy": "未履行承诺", "rdrq": "2019-08-15"}


async def test_a_blacklist_entry_can_be_repeated_but_not_changed(call: Caller) -> None:
    assert (await call("/api/hmd/add", ENTRY))["data"] == {"wybh": "HMD0001", "repeated": False}
    assert (await call("/api/hmd/add", ENTRY))["data"]["repeated"] is True
    assert (await call("/api/hmd/add", {**ENTRY, "yy": "另一原因"}))["code"] == "40901"
    assert (await call("/api/hmd/add", {**ENTRY, "dxbs": "330782600123456"}))["code"] == "40001"


async def test_the_blacklist_is_asked_by_subject_and_matter(call: Caller, platform: ApprovalPlatform) -> None:
    await call("/api/hmd/add", ENTRY)
    await call("/api/hmd/add", {**ENTRY, "wybh": "HMD0002", "sxbm": "GA-SX01"})
    platform.unblacklist("HMD0002")
    both = (await call("/api/hmd/query", {"dxbs": ENTRY["dxbs"], "sxbm": None}))["data"]["rows"]
    assert [(row["wybh"], row["ycrq"]) for row in both] == [("HMD0001", None), ("HMD0002", "2019-08-15")]
    one = (await call("/api/hmd/query", {"dxbs": ENTRY["dxbs"], "sxbm": "WH-SX01"}))["data"]["rows"]
    assert one == [{"wybh": "HMD0001", "dxbs": ENTRY["dxbs"], "sxbm": "WH-SX01", "rdrq": "2019-08-15", "ycrq": None}]


async def test_a_pushed_result_raises_bbh_and_gxsj_without_a_callback(
    call: Caller, platform: ApprovalPlatform, clock: CityClock, hub: Hub
) -> None:
    platform.grant(SHOP, serial="YW1")
    await platform.callbacks.settled()
    told = len(hub.requests)
    clock.advance(60)
    push = {"ywlsh": "YW1", "hcjg": "2", "hcsj": "2019-08-15 09:00:30", "hcrwbh": "RW1"}
    assert (await call("/api/hcjg/push", push))["code"] == "0"
    record = platform.record("YW1")
    assert (record["BBH"], record["GXSJ"]) == ("3", "2019-08-15 09:01:00")
    assert (await call("/api/hcjg/push", {**push, "hcjg": "1"}))["code"] == "0"
    assert platform.record("YW1")["HCJG"] == "1"
    assert (await call("/api/hcjg/push", {**push, "ywlsh": "YW2"}))["code"] == "40400"
    assert (await call("/api/hcjg/push", {**push, "hcjg": "3"}))["code"] == "40001"
    await platform.callbacks.settled()
    assert len(hub.requests) == told


async def test_each_change_is_told_signed_with_the_callbacks_path(platform: ApprovalPlatform, hub: Hub) -> None:
    serial = platform.grant(SHOP)
    platform.revoke(serial)
    await platform.callbacks.settled()
    assert sorted((body["ywlx"], body["data"]["BBH"]) for body in hub.bodies) == [("BJ", "2"), ("SL", "1"), ("ZX", "3")]
    for request in hub.requests:
        assert request.url.path == "/webhooks/approval"
        digest = hashlib.new("sm3", request.content).hexdigest()
        text = (
            f"appKey=bihuan&body={digest}&nonce={request.headers['x-nonce']}"
            f"&path=/webhooks/approval&timestamp={request.headers['x-timestamp']}"
        )
        assert request.headers["x-sign"] == hmac.new(b"approval-secret", text.encode(), "sm3").hexdigest()


@pytest.mark.parametrize(
    "answer",
    [httpx.Response(200, json={"code": "1"}), httpx.Response(500, json={"code": "0"}), httpx.Response(200, text="success")],
    ids=["other code", "other status", "no envelope"],
)
async def test_an_unacknowledged_callback_is_repeated_five_times_with_one_msgid_and_new_signatures(
    platform: ApprovalPlatform, clock: CityClock, hub: Hub, answer: httpx.Response
) -> None:
    times = []

    def refuse(_request: httpx.Request) -> httpx.Response:
        times.append(clock().timestamp())
        return httpx.Response(answer.status_code, content=answer.content, headers={"content-type": "application/json"})

    hub.answer = refuse
    platform.accept(SHOP)
    await platform.callbacks.settled()
    assert [round(later - earlier) for earlier, later in itertools.pairwise(times)] == [60, 300, 900, 3600, 21600]
    assert len({body["msgId"] for body in hub.bodies}) == 1
    assert len({request.headers["x-nonce"] for request in hub.requests}) == 6
    assert len({request.headers["x-timestamp"] for request in hub.requests}) == 6


async def test_after_a_key_change_callbacks_carry_the_newer_secret(platform: ApprovalPlatform, hub: Hub) -> None:
    platform.rotate_secret("newer")
    platform.accept(SHOP)
    await platform.callbacks.settled()
    [request] = hub.requests
    digest = hashlib.new("sm3", request.content).hexdigest()
    headers = request.headers
    text = f"appKey=bihuan&body={digest}&nonce={headers['x-nonce']}&path=/webhooks/approval&timestamp={headers['x-timestamp']}"
    assert headers["x-sign"] == hmac.new(b"newer", text.encode(), "sm3").hexdigest()


async def test_eligibility_is_asked_signed_and_only_a_whole_answer_counts(platform: ApprovalPlatform, hub: Hub) -> None:
    data = {"sycn": True, "xydj": "B", "xyf": 80, "yy": [], "sjsj": "2019-08-15 08:00:00"}
    hub.answer = lambda _request: httpx.Response(200, json={"code": "0", "msg": "success", "data": data})
    assert await platform.ask_eligibility("91350100M000100Y43", "WH-SX01") == data
    assert hub.requests[0].url.path == "/approval/eligibility"
    assert hub.bodies[0] == {"dxbs": "91350100M000100Y43", "sxbm": "WH-SX01"}
    hub.answer = lambda _request: httpx.Response(200, json={"code": "50000", "msg": "busy", "data": data})
    assert await platform.ask_eligibility("91350100M000100Y43", "WH-SX01") is None


async def test_the_doors_of_an_old_firm_carry_only_the_old_number(platform: ApprovalPlatform) -> None:
    old = Subject("1", "老店", uscc="91350100M000100Y43", old_number="330782600123456")
    records = [platform.record(platform.accept(old)) for _ in range(6)]
    assert all(record["ZCH"] == "330782600123456" and not record.get("TYSHXYDM") for record in records)
    # an optional field may be absent, null or ""
    assert {record.get("TYSHXYDM", "absent") for record in records} == {"absent", None, ""}


async def test_a_second_start_finds_the_same_records(tmp_path: Any, clock: CityClock) -> None:
    def start() -> ApprovalPlatform:
        settings = ApprovalSettings(data_dir=str(tmp_path))
        return ApprovalPlatform(
            settings, clock=clock, rng=random.Random(1), sleep=clock.sleep, transport=httpx.MockTransport(Hub())
        )

    first = start()
    serial = first.grant(SHOP)
    record = first.record(serial)
    await first.stop()
    second = start()
    assert second.record(serial) == record
    assert second.accept(SHOP) != serial
    await second.stop()


async def test_a_call_whose_answer_is_lost_has_been_carried_out(call: Caller, platform: ApprovalPlatform) -> None:
    platform.faults = platform.faults.changed({"timeout_after_work": 1.0, "hang_seconds": 0})
    body = json.dumps(ENTRY).encode()
    with pytest.raises(AssertionError):  # how this transport says that the answer never came to its end
        await call.client.post("/api/hmd/add", content=body, headers=call.headers("/api/hmd/add", body))
    platform.faults = platform.faults.changed({"timeout_after_work": 0.0})
    assert (await call("/api/hmd/add", ENTRY))["data"]["repeated"] is True
