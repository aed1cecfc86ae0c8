"""connectors/approval.py, approval_calls.py, approval_records.py: the traps of approval.md, each on its own."""

import hashlib
import hmac
import json
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from email.utils import format_datetime

import httpx
import pytest

from connectors.approval import ApprovalConnector
from connectors.approval_calls import ApprovalSettings
from connectors.base import Delivery, Item, Quarantined
from connectors.errors import BadSignature, CursorExpired, PermanentError, TransientError, UnknownOutcome
from schema.commands import AddToBlacklist, PushVerificationResult
from schema.entities import Approval, ApprovalState, BlacklistEntry, Procedure
from schema.entity import Observation
from tests.builders import IDENTITY_NO, SHOP_CODE
from tests.contract.cases import NOW, WIRE, FakeTime, said, surroundings

RECORD = json.loads((WIRE / "approval" / "decided.json").read_text())["data"]
PUSH = PushVerificationResult(approval_no="YW1", kept=False, checked_at=NOW, task_id="T1", version_before=2)
ENTRY = AddToBlacklist(
    entry_no="bl-1", holder="91330782147664100G", holder_name="某", matter_code="M1", reason="未履行", since=date(2019, 8, 15)
)


class Platform:
    """Plays the approval system: what it was sent, and what it answers by path."""

    def __init__(self, time: FakeTime, answer: Callable[[httpx.Request, dict[str, object]], object]) -> None:
        self.time, self.answer, self.skew = time, answer, timedelta(0)
        self.requests: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        answer = self.answer(request, json.loads(request.content))
        if isinstance(answer, Exception):
            raise answer
        code, data = answer if isinstance(answer, tuple) else ("0", answer)
        date_header = format_datetime((self.time.now + self.skew).astimezone(UTC), usegmt=True)
        return httpx.Response(200, json={"code": code, "msg": "m", "data": data}, headers={"Date": date_header})

    def timestamps(self) -> list[float]:
        return [int(request.headers["X-Timestamp"]) / 1000 for request in self.requests]


def answers_of(*answers: tuple[str, object]) -> Iterator[tuple[str, object]]:
    return iter(answers)


def connector_of(platform: Callable[[httpx.Request], httpx.Response], time: FakeTime, **changes: object) -> ApprovalConnector:
    given = {
        "url": "http://approval.test",
        "app_key": "bihuan",
        "app_secrets": ("new-secret", "old-secret"),
        "exchange_key": "exchange",
        "history_since": date(2019, 8, 1),
        **changes,
    }
    return ApprovalConnector(ApprovalSettings.model_validate(given), surroundings(time, httpx.MockTransport(platform)))


def parsed(**fields: object) -> Item:
    """Return what becomes of the golden record with fields changed; `...` leaves one out."""
    time = FakeTime()
    record = {name: value for name, value in {**RECORD, **fields}.items() if value is not ...}
    delivery = Delivery(
        platform="approval",
        path="/webhooks/approval",
        headers={},
        body=json.dumps({"msgId": "1", "ywlx": "BJ", "sj": "", "data": record}, ensure_ascii=False).encode(),
        received_at=NOW,
    )
    (item,) = connector_of(lambda request: httpx.Response(500), time).parse(delivery)
    return item


def approval(**fields: object) -> Approval:
    item = parsed(**fields)
    assert isinstance(item, Observation), item
    assert isinstance(item.record, Approval)
    return item.record


def reason(**fields: object) -> str:
    item = parsed(**fields)
    assert isinstance(item, Quarantined), item
    return item.reason


# --- records


def test_a_record_is_read_field_by_field() -> None:
    record = approval()
    assert (record.subject_code, record.old_number, record.identity_no) == ("91330782147664100G", None, None)
    assert (record.state, record.procedure, record.version) == (ApprovalState.GRANTED, Procedure.COMMITMENT, 2)
    assert record.decided_at == datetime.fromisoformat("2019-08-15T09:30:00+08:00")
    assert record.applicant_name == "义乌市䶮𬭎印务有限公司"
    assert (record.representative_identity_no, record.phone) == ("330725198803045527", "13957912345")


def test_a_natural_person_goes_by_the_keyed_code_of_the_credit_page() -> None:
    # printf %s 330782196512120011 | openssl dgst -sm3 -mac HMAC -macopt key:exchange
    record = approval(SQRLX="2", SFZHM="330782196512120011", TYSHXYDM="", FRXM=None, FRZJHM=...)
    assert record.subject_code == "RID-0ae0694a0d29ee43ef0f85497a820f9cd72672d700169fc1bbc32f143c63f21b"
    assert record.identity_no == "330782196512120011"


def test_an_old_record_has_its_old_number_and_no_code() -> None:
    record = approval(TYSHXYDM=..., ZCH="330782600123456")
    assert (record.subject_code, record.old_number) == (None, "330782600123456")


@pytest.mark.parametrize(
    "field", ["YWLSH", "SXBM", "SXMC", "SPFS", "SQRMC", "SQRLX", "TYSHXYDM", "FRXM", "FRZJHM", "CNNR", "SLSJ", "BJSJ", "SPJG", "ZT"]
)
@pytest.mark.parametrize("absent", [..., None, ""])
def test_a_record_without_a_required_field_is_bad(field: str, absent: object) -> None:
    assert reason(**{field: absent}) == "MISSING_FIELD"


@pytest.mark.parametrize("field", ["BMBM", "BMMC", "XZQH", "GXSJ", "BBH"])
def test_a_record_without_one_of_the_last_required_fields_is_bad(field: str) -> None:
    assert reason(**{field: ...}) == "MISSING_FIELD"


def test_a_natural_person_without_a_number_is_bad() -> None:
    assert reason(SQRLX="2", SFZHM="") == "MISSING_FIELD"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("YWLSH", "Y" * 33),
        ("SPFS", "3"),
        ("SQRLX", "9"),
        ("ZT", "04"),
        ("SPJG", "3"),
        ("XZQH", "3307"),
        ("BBH", "1.5"),
        ("BBH", "one"),
        ("SLSJ", "2019-8-15 9:00:00"),
        ("SLSJ", "2019-02-30 09:00:00"),
        ("GXSJ", "20190815093000"),
        ("TYSHXYDM", "330782600123456"),
        ("SXMC", ["no text"]),
    ],
)
def test_a_record_with_a_malformed_required_field_is_bad(field: str, value: object) -> None:
    assert reason(**{field: value}) == "BAD_VALUE"


def test_wrong_check_digits_are_never_guessed_and_no_number_is_shown() -> None:
    assert reason(TYSHXYDM="91330782147664101G") == "BAD_CHECK_DIGIT"
    item = parsed(SQRLX="2", SFZHM="330782196512120018")
    assert isinstance(item, Quarantined)
    assert (item.reason, item.key) == ("BAD_CHECK_DIGIT", "YW2019081500000001")
    assert "33078219651212" not in item.detail


def test_a_pending_record_has_no_decision_and_a_revoked_one_may_lack_it() -> None:
    pending = approval(ZT="01", BJSJ=None, SPJG="")
    assert (pending.state, pending.decided_at) == (ApprovalState.ACCEPTED, None)
    assert approval(ZT="02", SPJG="2").state is ApprovalState.REFUSED
    assert approval(ZT="03", BJSJ="", SPJG=None).state is ApprovalState.REVOKED


def test_the_standard_procedure_needs_no_commitment() -> None:
    assert approval(SPFS="2", CNNR=...).commitment is None


def test_a_foreign_representative_keeps_the_passport_number() -> None:
    assert approval(FRZJHM="E12345678").representative_identity_no == "E12345678"


# --- signatures


async def test_outgoing_calls_are_signed_over_the_canonical_text() -> None:
    time = FakeTime()
    platform = Platform(time, lambda request, body: {"rows": []})
    for _ in range(2):
        await connector_of(platform, time).fetch("Approval", ["YW1"])
    first, second = platform.requests
    for request in (first, second):
        text = (
            f"appKey=bihuan&body={hashlib.new('sm3', request.content).hexdigest()}&nonce={request.headers['X-Nonce']}"
            f"&path=/api/spsl/detail&timestamp={request.headers['X-Timestamp']}"
        )
        assert request.headers["X-Sign"] == hmac.new(b"new-secret", text.encode(), "sm3").hexdigest()
        assert 8 <= len(request.headers["X-Nonce"]) <= 64
        assert request.headers["Content-Type"] == "application/json; charset=utf-8"
    # Both connectors have the same chance; the moment keeps their nonces apart.
    assert first.headers["X-Nonce"] != second.headers["X-Nonce"]


async def test_a_wrong_clock_is_corrected_by_the_date_of_the_answer_and_the_call_signed_again() -> None:
    time = FakeTime()

    def strict(request: httpx.Request, body: dict[str, object]) -> object:
        there = (time.now + platform.skew).timestamp()
        return {"rows": []} if abs(int(request.headers["X-Timestamp"]) / 1000 - there) <= 300 else ("40102", None)

    platform = Platform(time, strict)
    platform.skew = timedelta(hours=2)
    connector = connector_of(platform, time)
    assert await connector.fetch("Approval", ["YW1"]) == []
    assert len(platform.requests) == 2
    await connector.fetch("Approval", ["YW2"])
    assert len(platform.requests) == 3


async def test_a_clock_that_cannot_be_corrected_is_transient() -> None:
    time = FakeTime()
    with pytest.raises(TransientError) as failed:
        await connector_of(Platform(time, lambda request, body: ("40102", None)), time).fetch("Approval", ["YW1"])
    assert failed.value.code == "CLOCK_OFF"


async def test_a_used_nonce_is_replaced_and_the_call_signed_again_also_for_a_write() -> None:
    time, answers = FakeTime(), answers_of(("40103", None), ("0", {}))
    platform = Platform(time, lambda request, body: next(answers))
    await connector_of(platform, time).ensure(PUSH, "k", unknown_since=None)
    assert len({request.headers["X-Nonce"] for request in platform.requests}) == 2


async def test_when_the_platform_takes_only_the_older_secret_yet_that_one_signs() -> None:
    time = FakeTime()

    def knows_old_only(request: httpx.Request, body: dict[str, object]) -> object:
        text = (
            f"appKey=bihuan&body={hashlib.new('sm3', request.content).hexdigest()}&nonce={request.headers['X-Nonce']}"
            f"&path={request.url.path}&timestamp={request.headers['X-Timestamp']}"
        )
        good = request.headers["X-Sign"] == hmac.new(b"old-secret", text.encode(), "sm3").hexdigest()
        return {"rows": []} if good else ("40101", None)

    platform = Platform(time, knows_old_only)
    connector = connector_of(platform, time)
    await connector.fetch("Approval", ["YW1"])
    await connector.fetch("Approval", ["YW1"])
    assert len(platform.requests) == 3


async def test_when_no_secret_is_taken_it_is_permanent() -> None:
    time = FakeTime()
    platform = Platform(time, lambda request, body: ("40101", None))
    with pytest.raises(PermanentError):
        await connector_of(platform, time).fetch("Approval", ["YW1"])
    assert len(platform.requests) == 2


def test_a_callback_is_checked_with_its_own_path() -> None:
    time, body = FakeTime(), b"{}"
    connector = connector_of(lambda request: httpx.Response(500), time)
    headers = {"x-app-key": "bihuan", "x-timestamp": str(int(NOW.timestamp() * 1000)), "x-nonce": "12345678"}
    text = (
        f"appKey=bihuan&body={hashlib.new('sm3', body).hexdigest()}&nonce=12345678"
        f"&path=/approval/eligibility&timestamp={headers['x-timestamp']}"
    )
    headers["x-sign"] = hmac.new(b"old-secret", text.encode(), "sm3").hexdigest()
    question = Delivery(platform="approval", path="/approval/eligibility", headers=headers, body=body, received_at=NOW)
    assert connector.verify(question).secret_index == 1
    elsewhere = Delivery(platform="approval", path="/webhooks/approval", headers=headers, body=body, received_at=NOW)
    with pytest.raises(BadSignature) as refused:
        connector.verify(elsewhere)
    assert refused.value.code == "BAD_SIGNATURE"


# --- reading


async def test_the_list_is_asked_in_beijing_time_and_a_bad_row_spoils_no_other() -> None:
    time = FakeTime()
    rows = [RECORD, {**RECORD, "YWLSH": "YW2", "SXBM": ""}, {**RECORD, "YWLSH": "YW3"}, None, 7]
    platform = Platform(time, lambda request, body: {"total": 5, "pageNo": 1, "pageSize": 200, "rows": rows})
    connector = connector_of(platform, time)
    (page,) = [page async for page in connector.changes("approvals", '{"gxsj":"2019-08-15 09:00:00"}')]
    asked = json.loads(platform.requests[0].content)
    assert (asked["gxsjq"], asked["pageNo"], asked["pageSize"]) == ("2019-08-15 09:00:00", 1, 200)
    assert asked["gxsjz"] > "2019-08-15 10:00:00"
    assert [isinstance(item, Quarantined) for item in page.items] == [False, True, False, True, True]


async def test_a_row_that_is_no_utf_8_spoils_no_other() -> None:
    good = json.dumps(RECORD, ensure_ascii=False).encode()
    rows = good + b"," + good.replace("王".encode(), b"\xcd\xf5\xff") + b"," + good

    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, content=b'{"code":"0","msg":"","data":{"total":3,"rows":[' + rows + b"]}}")

    (page,) = [page async for page in connector_of(answer, FakeTime()).changes("approvals", '{"gxsj":"2019-08-15 09:00:00"}')]
    assert [item.reason if isinstance(item, Quarantined) else "" for item in page.items] == ["", "BAD_ENCODING", ""]


async def test_a_row_with_half_a_surrogate_pair_spoils_no_other() -> None:
    rows = [RECORD, {**RECORD, "YWLSH": "YW2", "JYDZ": "\ud842"}, {**RECORD, "YWLSH": "YW3", "JYDZ": "𠮷\\ud842"}]
    content = json.dumps({"code": "0", "msg": "", "data": {"total": 3, "rows": rows}}).encode()
    connector = connector_of(lambda request: httpx.Response(200, content=content), FakeTime())
    (page,) = [page async for page in connector.changes("approvals", '{"gxsj":"2019-08-15 09:00:00"}')]
    good, bad, other = page.items
    assert isinstance(bad, Quarantined)
    assert (bad.reason, bad.entity, bad.key) == ("BAD_ENCODING", "Approval", "YW2")
    assert [type(item) for item in (good, other)] == [Observation, Observation]
    assert isinstance(other, Observation)
    assert isinstance(other.record, Approval)
    assert other.record.address == "𠮷\\ud842"
    assert not page.more


@pytest.mark.parametrize("damage", [b"\\ud842", b"\\uDC00\\ud842\\n", b"\xff"])
def test_a_callback_with_what_is_no_character_is_quarantined_with_its_key(damage: bytes) -> None:
    body = json.dumps({"msgId": "m-1", "ywlx": "BJ", "sj": "", "data": RECORD}, ensure_ascii=False).encode()
    body = body.replace("王".encode(), damage)
    delivery = Delivery(platform="approval", path="/webhooks/approval", headers={}, body=body, received_at=NOW)
    (item,) = connector_of(lambda request: httpx.Response(500), FakeTime()).parse(delivery)
    assert isinstance(item, Quarantined)
    assert (item.reason, item.key) == ("BAD_ENCODING", RECORD["YWLSH"])


def test_a_key_with_what_is_no_character_is_no_key() -> None:
    item = parsed(YWLSH="YW\ufdd0")
    assert isinstance(item, Quarantined)
    assert (item.reason, item.key) == ("BAD_ENCODING", None)


async def test_a_first_read_begins_with_the_present_and_leaves_nothing_out() -> None:
    time = FakeTime()
    platform = Platform(time, lambda request, body: {"total": 1, "pageNo": 1, "pageSize": 200, "rows": [RECORD]})
    pages = [page async for page in connector_of(platform, time, history_since=date(2018, 1, 1)).changes("approvals", None)]
    assert json.loads(platform.requests[0].content)["gxsjz"] > "2019-08-15 10:00:00"
    assert pages[0].cursor == '{"gxsj":"2018-01-01 00:00:00"}'
    assert json.loads(platform.requests[1].content)["gxsjq"] == "2018-01-01 00:00:00"


async def test_the_cursor_stays_behind_a_platform_whose_clock_is_behind_ours() -> None:
    time = FakeTime()
    platform = Platform(time, lambda request, body: {"total": 0, "pageNo": 1, "pageSize": 200, "rows": []})
    platform.skew = timedelta(seconds=-280)
    connector = connector_of(platform, time)
    (page,) = [page async for page in connector.changes("approvals", '{"gxsj":"2019-08-15 09:58:00"}')]
    assert page.cursor <= '{"gxsj":"2019-08-15 09:53:20"}'


async def test_rows_of_a_platform_whose_clock_is_ahead_are_asked_for() -> None:
    time = FakeTime()
    platform = Platform(time, lambda request, body: {"total": 0, "pageNo": 1, "pageSize": 200, "rows": []})
    platform.skew = timedelta(seconds=250)
    connector = connector_of(platform, time)
    for _ in range(2):
        _ = [page async for page in connector.changes("approvals", '{"gxsj":"2019-08-15 09:58:00"}')]
    assert json.loads(platform.requests[-1].content)["gxsjz"] > "2019-08-15 10:04:00"


async def test_a_cursor_that_is_none_of_ours_is_expired() -> None:
    time = FakeTime()
    connector = connector_of(Platform(time, lambda request, body: None), time)
    for cursor in ("", "{}", '{"gxsj":"yesterday"}', "[1]"):
        with pytest.raises(CursorExpired):
            _ = [page async for page in connector.changes("approvals", cursor)]


async def test_details_are_asked_for_fifty_at_a_time() -> None:
    time = FakeTime()
    platform = Platform(time, lambda request, body: {"rows": []})
    await connector_of(platform, time).fetch("Approval", [f"YW{number}" for number in range(120)])
    assert sorted(len(json.loads(request.content)["ywlsh"]) for request in platform.requests) == [20, 50, 50]


async def test_the_digest_of_a_day_is_what_the_platform_says() -> None:
    time = FakeTime()
    platform = Platform(time, lambda request, body: {"rq": body["rq"], "count": 3, "digest": "ab"})
    digest = await connector_of(platform, time).digest("Approval", "2019-08-15")
    assert (digest.count, digest.digest) == (3, "ab")


@pytest.mark.parametrize("removed", [None, ""])
async def test_the_blacklist_tells_open_entries_from_removed_ones(removed: str | None) -> None:
    rows = [
        {"wybh": "1", "dxbs": SHOP_CODE, "sxbm": "M1", "rdrq": "2019-08-01", "ycrq": removed},
        {"wybh": "2", "dxbs": IDENTITY_NO, "sxbm": "M1", "rdrq": "2019-07-01", "ycrq": "2019-08-02"},
    ]
    time = FakeTime()
    platform = Platform(time, lambda request, body: {"rows": rows})
    found = await connector_of(platform, time).fetch("BlacklistEntry", [SHOP_CODE])
    entries = [item.record for item in found if isinstance(item, Observation) and isinstance(item.record, BlacklistEntry)]
    assert [(entry.entry_no, entry.removed_on, entry.version) for entry in entries] == [("1", None, 1), ("2", "2019-08-02", 2)]
    assert [entry.subject_code[:4] for entry in entries] == [SHOP_CODE[:4], "RID-"]
    assert json.loads(platform.requests[0].content) == {"dxbs": SHOP_CODE, "sxbm": None}


@pytest.mark.parametrize(
    ("fields", "reason", "key", "matter"),
    [
        ({"rdrq": "yesterday"}, "BAD_VALUE", "2", "M2"),
        ({"ycrq": "never"}, "BAD_VALUE", "2", "M2"),
        ({"dxbs": "91330782147664101G"}, "BAD_CHECK_DIGIT", "2", "M2"),
        ({"wybh": None}, "MISSING_FIELD", None, "M2"),
        ({"wybh": 7, "rdrq": ""}, "MISSING_FIELD", "7", "M2"),
        ({"dxbs": "\ud842"}, "BAD_ENCODING", "2", "M2"),
        ({"sxbm": "M\ud842"}, "BAD_ENCODING", "2", None),
        ({"sxbm": ["M2"]}, "BAD_VALUE", "2", None),
    ],
)
async def test_a_bad_row_of_the_blacklist_spoils_no_other(
    fields: dict[str, object], reason: str, key: str | None, matter: str | None
) -> None:
    good = {"wybh": "1", "dxbs": SHOP_CODE, "sxbm": "M1", "rdrq": "2019-08-01", "ycrq": None}
    rows = [{**good, "wybh": "2", "sxbm": "M2", **fields}, good]
    content = json.dumps({"code": "0", "msg": "", "data": {"rows": rows}}).encode()
    connector = connector_of(lambda request: httpx.Response(200, content=content), FakeTime())
    bad, other = await connector.fetch("BlacklistEntry", [SHOP_CODE])
    assert isinstance(bad, Quarantined)
    assert (bad.reason, bad.entity, bad.key, bad.matter_code) == (reason, "BlacklistEntry", key, matter)
    assert isinstance(other, Observation)


async def test_a_row_of_the_blacklist_that_is_no_object_is_of_an_unknown_matter() -> None:
    time = FakeTime()
    platform = Platform(time, lambda request, body: {"rows": [7, None, []]})
    found = await connector_of(platform, time).fetch("BlacklistEntry", [SHOP_CODE])
    assert [(item.entity, item.matter_code) for item in found if isinstance(item, Quarantined)] == [("BlacklistEntry", None)] * 3


async def test_a_busy_system_is_asked_again_later() -> None:
    time, answers = FakeTime(), answers_of(("50000", None), ("42901", {"retryAfterMs": 2500}), ("0", {"rows": []}))
    await connector_of(Platform(time, lambda request, body: next(answers)), time).fetch("Approval", ["YW1"])
    assert time.slept[1] >= 2.5


# --- writing


async def test_a_result_is_pushed_in_the_words_of_the_page() -> None:
    time = FakeTime()
    platform = Platform(time, lambda request, body: {})
    receipt = await connector_of(platform, time).ensure(PUSH, "k", unknown_since=None)
    assert receipt.reference == "YW1"
    assert json.loads(platform.requests[0].content) == {"ywlsh": "YW1", "hcjg": "2", "hcsj": "2019-08-15 10:00:00", "hcrwbh": "T1"}


async def test_a_push_waits_until_an_earlier_one_can_no_longer_overtake_it() -> None:
    time = FakeTime()
    platform = Platform(time, lambda request, body: {})
    connector = connector_of(platform, time)
    with pytest.raises(TransientError) as early:
        await connector.ensure(PUSH, "k", unknown_since=NOW - timedelta(seconds=29))
    assert platform.requests == []
    assert early.value.retry_after is not None
    assert early.value.retry_after > 1
    time.advance(early.value.retry_after)
    await connector.ensure(PUSH, "k", unknown_since=NOW - timedelta(seconds=29))


async def test_an_unanswered_push_is_repeated_after_half_a_minute_and_a_blacklist_entry_soon() -> None:
    time = FakeTime()
    connector = connector_of(Platform(time, lambda request, body: httpx.ReadTimeout("slow")), time, breaker_failures=100)
    with pytest.raises(UnknownOutcome) as push:
        await connector.ensure(PUSH, "k", unknown_since=None)
    with pytest.raises(UnknownOutcome) as entry:
        await connector.ensure(ENTRY, "k", unknown_since=None)
    assert push.value.retry_after is not None
    assert entry.value.retry_after is not None
    assert push.value.retry_after > 30
    assert entry.value.retry_after < 5


async def test_an_entry_that_was_there_is_told_as_repeated_and_another_under_its_number_is_permanent() -> None:
    row = {"wybh": ENTRY.entry_no, "dxbs": ENTRY.holder, "sxbm": "M1", "rdrq": "2019-08-15", "ycrq": None}
    shown = ("0", {"rows": [row]})
    time = FakeTime()
    answers = answers_of(("0", {"repeated": False}), shown, ("0", {"repeated": True}), shown, ("40901", None))
    platform = Platform(time, lambda request, body: next(answers))
    connector = connector_of(platform, time)
    receipt = await connector.ensure(ENTRY, "k", unknown_since=None)
    assert not receipt.repeated
    assert [said(item) for item in receipt.shows] == [f"BlacklistEntry {ENTRY.entry_no}@1"]
    assert (await connector.ensure(ENTRY, "k", unknown_since=NOW)).repeated
    with pytest.raises(PermanentError) as refused:
        await connector.ensure(ENTRY, "k", unknown_since=None)
    assert refused.value.code == "CONFLICT"
    assert json.loads(platform.requests[0].content)["rdrq"] == "2019-08-15"


async def test_an_entry_that_was_made_and_cannot_be_read_back_counts_as_made() -> None:
    time = FakeTime()
    answers = answers_of(("0", {}), *[("50000", None)] * 3)
    receipt = await connector_of(Platform(time, lambda request, body: next(answers)), time).ensure(ENTRY, "k", unknown_since=None)
    assert (receipt.reference, receipt.shows) == (ENTRY.entry_no, ())


async def test_days_of_the_blacklist_may_come_as_times() -> None:
    row = {"wybh": "1", "dxbs": SHOP_CODE, "sxbm": "M1", "rdrq": "2019-08-01 00:00:00", "ycrq": "2019-08-02 09:30:00"}
    time = FakeTime()
    (item,) = await connector_of(Platform(time, lambda request, body: {"rows": [row]}), time).fetch("BlacklistEntry", [SHOP_CODE])
    assert isinstance(item, Observation)
    assert isinstance(item.record, BlacklistEntry)
    assert (item.record.since, item.record.removed_on) == ("2019-08-01", "2019-08-02")
