"""connectors/credit.py, credit_calls.py, credit_token.py, credit_records.py: the traps of credit.md, each on its own."""

import asyncio
import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from urllib.parse import parse_qs

import httpx
import pytest

from connectors.base import Delivery, Item, Quarantined
from connectors.credit import CreditConnector
from connectors.credit_calls import CreditSettings
from connectors.credit_records import read_change, read_object
from connectors.credit_token import Token, TokenKeeper
from connectors.errors import CursorExpired, PermanentError, PlatformDown, TransientError, UnknownOutcome
from schema.commands import PostRepair
from schema.entities import CodeType, CreditProfile, CreditRecord, Repair, RepairWay
from schema.entity import Mirrored, Observation, Tombstone
from tests.contract.cases import NOW, WIRE, FakeTime, surroundings
from tests.contract.credit_cases import COMPANY, KEYS, record_command, whsec

RID = "RID-" + "0f" * 32
REPAIR = PostRepair(biz_no="rp-12345678", record_id="R1", points=Decimal("2.0"), way=RepairWay.EXAM, completed_at=NOW)
Answer = Callable[[httpx.Request], httpx.Response]


def sample(name: str) -> dict[str, object]:
    data = json.loads((WIRE / "credit" / name).read_text())["data"]
    assert isinstance(data, dict)
    return data


class Platform:
    """Plays the credit platform: tokens by itself, everything else by `answer`."""

    def __init__(self, answer: Answer) -> None:
        self.answer, self.requests, self.token_calls = answer, list[httpx.Request](), list[httpx.Request]()
        self.valid: str | None = None
        self.token_answer: httpx.Response | Exception | None = None

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        await asyncio.sleep(0)
        if request.url.path == "/oauth/token":
            self.token_calls.append(request)
            if isinstance(self.token_answer, Exception):
                raise self.token_answer
            self.valid = f"token-{len(self.token_calls)}"
            issued = {"access_token": self.valid, "token_type": "Bearer", "expires_in": 600}
            return self.token_answer or httpx.Response(200, json=issued)
        self.requests.append(request)
        if request.headers.get("Authorization") != f"Bearer {self.valid}":
            return httpx.Response(401, headers={"WWW-Authenticate": 'Bearer error="invalid_token"'})
        return self.answer(request)


def nothing_found(request: httpx.Request) -> httpx.Response:
    return httpx.Response(200, json={"items": []})


def connector_of(platform: Platform, time: FakeTime, **changes: object) -> CreditConnector:
    given = {
        "url": "http://credit.test",
        "client_id": "bihuan",
        "client_secret": "s&cret=",
        "exchange_key": "exchange",
        "webhook_secrets": (whsec("new"), whsec("old")),
        **changes,
    }
    return CreditConnector(CreditSettings.model_validate(given), surroundings(time, httpx.MockTransport(platform)))


# --- tokens


async def test_a_token_is_asked_for_as_a_form_once_for_all_who_wait() -> None:
    platform, time = Platform(nothing_found), FakeTime()
    connector = connector_of(platform, time)
    await asyncio.gather(*(connector.fetch("CreditProfile", [f"{number}"]) for number in range(8)))
    (call,) = platform.token_calls
    assert parse_qs(call.content.decode()) == {
        "grant_type": ["client_credentials"],
        "client_id": ["bihuan"],
        "client_secret": ["s&cret="],
    }
    assert call.headers["Content-Type"] == "application/x-www-form-urlencoded"


async def test_a_token_is_kept_and_renewed_ahead_of_its_end() -> None:
    platform, time = Platform(nothing_found), FakeTime()
    connector = connector_of(platform, time)
    await connector.fetch("CreditProfile", ["1"])
    time.advance(500)
    await connector.fetch("CreditProfile", ["1"])
    assert len(platform.token_calls) == 1
    time.advance(60)
    await connector.fetch("CreditProfile", ["1"])
    assert len(platform.token_calls) == 2


async def test_a_revoked_token_is_replaced_once_and_the_calls_repeated_also_writes() -> None:
    def created(request: httpx.Request) -> httpx.Response:
        return httpx.Response(201, json={"repairId": "P1", "bizNo": REPAIR.biz_no})

    platform, time = Platform(created), FakeTime()
    connector = connector_of(platform, time)
    await connector.ensure(REPAIR, "k", unknown_since=None)
    platform.valid = None
    receipts = await asyncio.gather(*(connector.ensure(REPAIR, "k", unknown_since=None) for _ in range(4)))
    assert {receipt.reference for receipt in receipts} == {"P1"}
    assert len(platform.token_calls) == 2


async def test_a_new_token_that_is_refused_as_well_is_transient_and_tried_no_further() -> None:
    platform = Platform(lambda request: httpx.Response(401, headers={"WWW-Authenticate": 'Bearer error="invalid_token"'}))
    with pytest.raises(TransientError):
        await connector_of(platform, FakeTime()).fetch("CreditProfile", ["1"])
    assert (len(platform.token_calls), len(platform.requests)) == (2, 2)


async def test_tokens_are_never_asked_for_more_than_ten_times_a_minute() -> None:
    platform, time = Platform(nothing_found), FakeTime()
    connector, failed = connector_of(platform, time), list[TransientError]()
    for _ in range(20):
        platform.valid = None
        try:
            await connector.fetch("CreditProfile", ["1"])
        except TransientError as error:
            failed.append(error)
    assert len(platform.token_calls) == 10
    assert failed[-1].code == "TOKEN_LIMIT"
    time.advance(failed[-1].retry_after or 0.0)
    await connector.fetch("CreditProfile", ["1"])


async def test_a_late_refusal_of_an_old_token_does_not_cost_the_new_one() -> None:
    issued = iter(["first", "second", "third"])

    async def fetch() -> Token:
        return Token(next(issued), 600)

    keeper = TokenKeeper("credit", fetch, FakeTime().clock, ahead=timedelta(seconds=60), a_minute=10)
    assert await keeper.current() == "first"
    keeper.drop("first")
    assert await keeper.current() == "second"
    keeper.drop("first")
    assert await keeper.current() == "second"


async def test_refused_credentials_are_permanent_and_name_the_settings() -> None:
    platform = Platform(nothing_found)
    platform.token_answer = httpx.Response(401, json={"error": "invalid_client"})
    with pytest.raises(PermanentError, match="HUB_CREDIT_CLIENT_ID"):
        await connector_of(platform, FakeTime()).fetch("CreditProfile", ["1"])


async def test_a_write_that_got_no_token_was_surely_not_sent_and_counts_for_the_breaker() -> None:
    platform, time = Platform(nothing_found), FakeTime()
    platform.token_answer = httpx.ReadTimeout("slow")
    connector = connector_of(platform, time, breaker_failures=2)
    for _ in range(2):
        with pytest.raises(TransientError) as failed:
            await connector.ensure(REPAIR, "k", unknown_since=None)
        assert not isinstance(failed.value, UnknownOutcome)
    with pytest.raises(PlatformDown):
        await connector.ensure(REPAIR, "k", unknown_since=None)


# --- objects


def record_of(item: Item) -> Mirrored:
    assert isinstance(item, Observation), item
    return item.record


def read(kind: str, content: dict[str, object], **changes: object) -> Item:
    changed = {name: value for name, value in {**content, **changes}.items() if value is not ...}
    return read_object(kind, json.dumps(changed).encode(), NOW)


def test_a_subject_is_read_field_by_field() -> None:
    profile = record_of(read("subject", sample("subject_updated.json")))
    assert isinstance(profile, CreditProfile)
    assert (profile.score, profile.regulatory_points) == (Decimal("80.0"), Decimal("4.0"))
    assert profile.old_codes == ("330782600123456",)
    assert profile.updated_at == datetime(2019, 8, 15, 1, 30, tzinfo=UTC)


def test_equal_moments_in_other_zones_are_equal_content() -> None:
    content = sample("record_created.json")
    there = read("record", content, occurredAt="2019-08-15T09:00:00+08:00")
    assert read("record", content, occurredAt="2019-08-15T01:00:00Z") == there


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"score": ...}, "MISSING_FIELD"),
        ({"grade": "F"}, "BAD_VALUE"),
        ({"updatedAt": "2019-08-15T09:30:00"}, "BAD_VALUE"),
        ({"score": "80.x"}, "BAD_VALUE"),
        ({"score": "NaN"}, "BAD_VALUE"),
        ({"version": "seven"}, "BAD_VALUE"),
        ({"code": "91330782147664101G"}, "BAD_CHECK_DIGIT"),
        ({"codeType": "RESIDENT_ID"}, "BAD_VALUE"),
        ({"code": RID}, "BAD_VALUE"),
        ({"code": "330782196512120011", "codeType": "RESIDENT_ID"}, "BAD_CHECK_DIGIT"),
    ],
)
def test_a_bad_subject_is_quarantined(changes: dict[str, object], reason: str) -> None:
    item = read("subject", sample("subject_updated.json"), **changes)
    assert isinstance(item, Quarantined)
    assert item.reason == reason
    assert "330782196512120011" not in item.detail


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        (80.05, "80.1"),
        (80.04, "80.0"),
        ("80.15", "80.2"),
        (79.10000000000001, "79.1"),
        (1 / 3 * 240, "80.0"),
        (0.30000000000000004, "0.3"),
    ],
)
def test_a_score_is_rounded_half_up_to_a_tenth_because_the_page_forbids_no_finer_one(said: object, kept: str) -> None:
    """A score moves as the platform likes (credit.md): a residue of its arithmetic must not freeze the profile."""
    profile = record_of(read("subject", sample("subject_updated.json"), score=said))
    assert isinstance(profile, CreditProfile)
    assert profile.score == Decimal(kept)


def test_regulatory_points_lose_a_residue_of_arithmetic() -> None:
    profile = record_of(read("subject", sample("subject_updated.json"), regulatoryPoints=4.500000000000001))
    assert isinstance(profile, CreditProfile)
    assert profile.regulatory_points == Decimal("4.5")


def test_a_record_without_a_finding_or_a_cause_is_complete() -> None:
    record = record_of(
        read("record", sample("record_created.json"), causedBy=..., evidence={"platform": "enforcement", "ref": "T1"})
    )
    assert isinstance(record, CreditRecord)
    assert (record.evidence_ref, record.evidence_finding, record.caused_by) == ("T1", None, None)


def change(**fields: object) -> Item:
    return read_change(json.dumps({"seq": 9, "type": "record", "op": "delete", "data": {"recordId": "R9"}, **fields}).encode(), NOW)


def test_a_delete_makes_a_tombstone_of_what_it_names() -> None:
    assert change() == Tombstone(entity="CreditRecord", key="R9", source="credit", observed_at=NOW)
    assert change(type="subject", data={"code": COMPANY}) == Tombstone(
        entity="CreditProfile", key=COMPANY, source="credit", observed_at=NOW
    )
    assert isinstance(change(type="repair", data={"id": "P9"}), Tombstone)


@pytest.mark.parametrize("fields", [{"data": {}}, {"data": None}, {"type": "case"}, {"op": "merge"}, {"data": {"recordId": [7]}}])
def test_a_delete_that_names_nothing_known_is_quarantined(fields: dict[str, object]) -> None:
    assert isinstance(change(**fields), Quarantined)


# --- webhooks


def signed(body: bytes, *signatures: str, message_id: str = "msg_1") -> Delivery:
    headers = {"webhook-id": message_id, "webhook-timestamp": str(int(NOW.timestamp())), "webhook-signature": " ".join(signatures)}
    return Delivery(platform="credit", path="/webhooks/credit", headers=headers, body=body, received_at=NOW)


def signature(key: bytes, body: bytes) -> str:
    digest = hmac.new(key, f"msg_1.{int(NOW.timestamp())}.".encode() + body, hashlib.sha256).digest()
    return "v1," + base64.b64encode(digest).decode()


def test_any_one_of_several_signatures_will_do_and_a_replay_cannot_hide_by_leaving_one_out() -> None:
    connector, body = connector_of(Platform(nothing_found), FakeTime()), b"{}"
    new, old, foreign = (signature(key, body) for key in (KEYS["new"], KEYS["old"], b"another endpoint"))
    both = connector.verify(signed(body, "v1a,xyz", foreign, old, new))
    assert both.secret_index == 0
    assert both.message_id == "msg_1"
    assert connector.verify(signed(body, old)).signature == both.signature


# --- reading


async def test_the_feed_gives_records_repairs_and_tombstones_and_a_cursor_to_resume() -> None:
    changes = json.loads((WIRE / "credit" / "changes.json").read_text())
    platform, time = Platform(lambda request: httpx.Response(200, json=changes)), FakeTime()
    (page,) = [page async for page in connector_of(platform, time).changes("changes", '{"since":2}')]
    kinds = [type(item.record) if isinstance(item, Observation) else type(item) for item in page.items]
    assert kinds == [CreditProfile, CreditRecord, Repair, Tombstone]
    assert json.loads(page.cursor)["since"] == 2
    assert dict(platform.requests[0].url.params) == {"since": "2", "limit": "500"}


async def test_a_bad_item_of_the_feed_spoils_no_other() -> None:
    changes = json.loads((WIRE / "credit" / "changes.json").read_text())
    changes["items"][1]["data"]["code"] = "91330782147664101G"
    changes["items"].insert(0, {"seq": "x"})
    platform, time = Platform(lambda request: httpx.Response(200, json=changes)), FakeTime()
    (page,) = [page async for page in connector_of(platform, time).changes("changes", '{"since":2}')]
    assert [isinstance(item, Quarantined) for item in page.items] == [True, False, True, False, False]


async def test_an_item_that_is_no_utf_8_spoils_no_other() -> None:
    content = (WIRE / "credit" / "changes.json").read_bytes().replace("印刷经营许可".encode(), b"\xd3\xa1\xff")
    platform, time = Platform(lambda request: httpx.Response(200, content=content)), FakeTime()
    (page,) = [page async for page in connector_of(platform, time).changes("changes", '{"since":2}')]
    assert [item.reason if isinstance(item, Quarantined) else "" for item in page.items] == ["", "BAD_ENCODING", "", ""]


async def test_an_item_with_half_a_surrogate_pair_spoils_no_other() -> None:
    content = (WIRE / "credit" / "changes.json").read_bytes().replace("印刷经营许可".encode(), b"\\ud842")
    platform, time = Platform(lambda request: httpx.Response(200, content=content)), FakeTime()
    (page,) = [page async for page in connector_of(platform, time).changes("changes", '{"since":2}')]
    assert [item.reason if isinstance(item, Quarantined) else "" for item in page.items] == ["", "BAD_ENCODING", "", ""]
    bad = page.items[1]
    assert isinstance(bad, Quarantined)
    assert (bad.entity, bad.key) == ("CreditRecord", sample("record_created.json")["recordId"])


async def test_a_snapshot_and_a_list_lose_only_the_object_with_half_a_surrogate_pair() -> None:
    good = sample("subject_updated.json")
    items = [{**good, "name": "\ud842"}, good]
    content = json.dumps({"items": items, "nextCursor": None, "asOfSeq": 9}).encode()
    connector = connector_of(Platform(lambda request: httpx.Response(200, content=content)), FakeTime())
    (page,) = [page async for page in connector.contents("CreditProfile", "0")]
    for found in (page, await connector.fetch("CreditProfile", [COMPANY])):
        assert [item.key if isinstance(item, Quarantined) else "" for item in found] == [good["code"], ""]


def test_a_webhook_with_half_a_surrogate_pair_is_quarantined_with_its_key() -> None:
    data = sample("record_created.json")
    body = json.dumps({"type": "record.created", "timestamp": "", "data": {**data, "itemName": "\ud842"}}).encode()
    (item,) = connector_of(Platform(nothing_found), FakeTime()).parse(signed(body))
    assert isinstance(item, Quarantined)
    assert (item.reason, item.entity, item.key) == ("BAD_ENCODING", "CreditRecord", data["recordId"])


def test_a_delete_whose_id_holds_what_is_no_character_deletes_nothing() -> None:
    item = read_change('{"seq":9,"type":"record","op":"delete","data":{"recordId":"R\ufdd0"}}'.encode(), NOW)
    assert isinstance(item, Quarantined)
    assert (item.reason, item.key) == ("BAD_ENCODING", None)


async def test_a_feed_that_begins_after_our_seq_expires_the_cursor() -> None:
    platform = Platform(lambda request: httpx.Response(410, json={"type": "gone", "oldestSeq": 900}))
    with pytest.raises(CursorExpired):
        _ = [page async for page in connector_of(platform, FakeTime()).changes("changes", '{"since":2}')]


async def test_profiles_are_asked_for_fifty_at_a_time_and_identity_numbers_never() -> None:
    platform = Platform(nothing_found)
    keys = [f"CODE{number}" for number in range(120)]
    await connector_of(platform, FakeTime()).fetch("CreditProfile", [*keys, "330782196512120011"])
    asked = [request.url.params["codes"].split(",") for request in platform.requests]
    assert sorted(map(len, asked)) == [20, 50, 50]
    assert "330782196512120011" not in [code for codes in asked for code in codes]


async def test_a_record_that_is_not_there_is_left_out() -> None:
    content = sample("record_created.json")

    def one(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json=content) if request.url.path.endswith("/R1") else httpx.Response(404, json={})

    items = await connector_of(Platform(one), FakeTime()).fetch("CreditRecord", ["R1", "R2", "R1"])
    assert len(items) == 1


async def test_the_digest_of_a_bucket_is_asked_for_by_type_and_byte() -> None:
    platform = Platform(lambda request: httpx.Response(200, json={"bucket": 17, "count": 2, "digest": "ab"}))
    digest = await connector_of(platform, FakeTime()).digest("Repair", "17")
    assert dict(platform.requests[0].url.params) == {"type": "repair", "bucket": "17"}
    assert (digest.count, digest.digest) == (2, "ab")


# --- writing


async def test_a_record_is_posted_complete_with_points_as_text_and_in_one_zone() -> None:
    platform = Platform(lambda request: httpx.Response(201, json={"recordId": "R1", "bizNo": "x", "subject": {}}))
    connector = connector_of(platform, FakeTime())
    command = record_command(evidence_finding=None, points=Decimal("3.5"))
    receipt = await connector.ensure(command, "k", unknown_since=None)
    in_utc = record_command(evidence_finding=None, points=Decimal("3.50"), occurred_at=command.occurred_at.astimezone(UTC))
    await connector.ensure(in_utc, "k", unknown_since=None)
    assert (receipt.reference, receipt.repeated) == ("R1", False)
    assert json.loads(platform.requests[0].content) == {
        "bizNo": "br-0123456789abcdef",
        "code": COMPANY,
        "category": "REGULATORY_POINTS",
        "points": "3.5",
        "itemCode": "SJ-001",
        "itemName": "消毒设施",
        "occurredAt": "2019-08-15T09:00:00+08:00",
        "department": "SCJG",
        "region": "330782",
        "evidence": {"platform": "enforcement", "ref": "T-1", "finding": None},
        "causedBy": None,
    }
    assert platform.requests[1].content == platform.requests[0].content


async def test_a_subject_that_is_not_known_is_made_known_and_the_record_posted_again() -> None:
    known = list[object]()

    def strict(request: httpx.Request) -> httpx.Response:
        if request.method == "PUT":
            known.append(json.loads(request.content))
            return httpx.Response(201, json={})
        return httpx.Response(201, json={"recordId": "R1"}) if known else httpx.Response(404, json={"title": "unknown subject"})

    platform = Platform(strict)
    command = record_command(code=RID, code_type=CodeType.RESIDENT_ID, subject_name="李秀英")
    receipt = await connector_of(platform, FakeTime()).ensure(command, "k", unknown_since=None)
    assert receipt.reference == "R1"
    assert known == [{"code": RID, "codeType": "RESIDENT_ID", "name": "李秀英"}]
    assert [(request.method, request.url.path) for request in platform.requests] == [
        ("POST", "/v2/records"),
        ("PUT", f"/v2/subjects/{RID}"),
        ("POST", "/v2/records"),
    ]


async def test_an_identity_number_is_never_sent() -> None:
    platform = Platform(nothing_found)
    command = record_command(code="330782196512120011", code_type=CodeType.RESIDENT_ID)
    with pytest.raises(PermanentError) as refused:
        await connector_of(platform, FakeTime()).ensure(command, "k", unknown_since=None)
    assert platform.requests == []
    assert "330782196512120011" not in str(refused.value)


async def test_points_finer_than_a_tenth_are_not_rounded_but_refused() -> None:
    with pytest.raises(PermanentError):
        await connector_of(Platform(nothing_found), FakeTime()).ensure(
            record_command(points=Decimal("0.25")), "k", unknown_since=None
        )


async def test_what_was_posted_before_is_told_as_repeated() -> None:
    platform = Platform(lambda request: httpx.Response(200, json={"repairId": "P1", "repeated": True}))
    assert (await connector_of(platform, FakeTime()).ensure(REPAIR, "k", unknown_since=NOW)).repeated
    assert json.loads(platform.requests[0].content) == {
        "bizNo": "rp-12345678",
        "recordId": "R1",
        "points": "2.0",
        "way": "EXAM",
        "completedAt": "2019-08-15T10:00:00+08:00",
    }


@pytest.mark.parametrize(
    ("status", "body", "code"),
    [
        (409, {"title": "other content"}, "CONFLICT"),
        (404, {}, "NOT_FOUND"),
        (422, {"errors": [{"field": "points", "reason": "EXCEEDS_RECORD"}]}, "EXCEEDS_RECORD"),
        (422, {"errors": [{"field": "completedAt", "reason": "EXPIRED"}]}, "EXPIRED"),
        (422, {"errors": [{"field": "way", "reason": "not one of the four"}]}, "INVALID"),
    ],
)
async def test_a_refusal_is_permanent_and_named(status: int, body: object, code: str) -> None:
    platform = Platform(lambda request: httpx.Response(status, json=body))
    with pytest.raises(PermanentError) as refused:
        await connector_of(platform, FakeTime()).ensure(REPAIR, "k", unknown_since=None)
    assert refused.value.code == code


async def test_an_unanswered_post_may_be_repeated_soon_because_its_number_is_ours() -> None:
    platform = Platform(lambda request: httpx.Response(502))
    with pytest.raises(UnknownOutcome) as unknown:
        await connector_of(platform, FakeTime()).ensure(REPAIR, "k", unknown_since=None)
    assert unknown.value.retry_after is not None
    assert timedelta(seconds=unknown.value.retry_after) < timedelta(seconds=5)


async def test_numbers_that_come_as_numbers_are_receipts_and_keys_as_well() -> None:
    platform = Platform(lambda request: httpx.Response(201, json={"repairId": 4711}))
    assert (await connector_of(platform, FakeTime()).ensure(REPAIR, "k", unknown_since=None)).reference == "4711"
    assert change(data={"recordId": 4711}) == Tombstone(entity="CreditRecord", key="4711", source="credit", observed_at=NOW)
    item = read("record", sample("record_created.json"), recordId=4711, code="?")
    assert isinstance(item, Quarantined)
    assert item.key == "4711"


async def test_an_answer_without_the_records_number_is_no_receipt() -> None:
    platform = Platform(lambda request: httpx.Response(201, json={}))
    with pytest.raises(UnknownOutcome):
        await connector_of(platform, FakeTime()).ensure(REPAIR, "k", unknown_since=None)


async def test_an_operator_can_cancel_a_record() -> None:
    platform = Platform(lambda request: httpx.Response(200, json={}))
    await connector_of(platform, FakeTime()).cancel_record("R/1", "withdrawn")
    assert platform.requests[0].url.raw_path == b"/v2/records/R%2F1/cancel"
    assert json.loads(platform.requests[0].content) == {"reason": "withdrawn"}


# --- all records of a subject


async def test_the_records_of_a_subject_are_read_to_the_last_page() -> None:
    raw = sample("record_created.json")

    def listed(request: httpx.Request) -> httpx.Response:
        asked = dict(request.url.params)
        assert request.url.path == "/v2/records"
        assert (asked["code"], asked["limit"]) == (COMPANY, "200")
        if "cursor" not in asked:
            return httpx.Response(200, json={"items": [raw], "nextCursor": "a/b"})
        assert asked["cursor"] == "a/b"
        return httpx.Response(200, json={"items": [{**raw, "recordId": "R2"}, {"recordId": "R3"}], "nextCursor": None})

    first, second, bad = await connector_of(Platform(listed), FakeTime()).fetch_for("CreditRecord", COMPANY)
    assert isinstance(first, Observation)
    assert isinstance(second, Observation)
    assert isinstance(second.record, CreditRecord)
    assert second.record.record_id == "R2"
    assert isinstance(bad, Quarantined)  # one bad record never spoils its page


async def test_an_empty_cursor_ends_the_list_of_a_subjects_records() -> None:
    page = {"items": [sample("record_created.json")], "nextCursor": ""}
    platform = Platform(lambda request: httpx.Response(200, json=page))
    assert len(await connector_of(platform, FakeTime()).fetch_for("CreditRecord", COMPANY)) == 1


async def test_a_subject_that_is_not_known_has_no_records() -> None:
    platform = Platform(lambda request: httpx.Response(404, json={"title": "unknown subject"}))
    assert await connector_of(platform, FakeTime()).fetch_for("CreditRecord", COMPANY) == []


async def test_a_digest_may_come_in_either_case() -> None:
    platform = Platform(lambda request: httpx.Response(200, json={"bucket": 7, "count": 3, "digest": "AB12"}))
    digest = await connector_of(platform, FakeTime()).digest("CreditRecord", "7")
    assert (digest.count, digest.digest) == (3, "ab12")


async def test_a_list_whose_cursors_go_in_a_circle_ends() -> None:
    pages = iter("ababab")
    platform = Platform(lambda request: httpx.Response(200, json={"items": [], "nextCursor": next(pages)}))
    with pytest.raises(TransientError, match="a page names a page before it"):
        await connector_of(platform, FakeTime()).fetch_for("CreditRecord", COMPANY)


async def test_only_records_can_be_read_by_subject() -> None:
    with pytest.raises(ValueError, match="Repair cannot be read by subject"):
        await connector_of(Platform(nothing_found), FakeTime()).fetch_for("Repair", COMPANY)
