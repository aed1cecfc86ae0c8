"""The mock credit platform against credit.md: access, subjects, records, repairs, webhooks."""

import base64
import hashlib
import hmac
import itertools
import json
import random
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any

import httpx
import pytest
from standardwebhooks import Webhook

from mocks.credit import CreditPlatform, CreditSettings
from mocks.credit_signing import resident_code, webhook_headers, webhook_signature
from tests.unit.mocks.city_clock import START, CityClock

SHOP = "91350100M000100Y43"
SECRET = "whsec_Y3JlZGl0LXdlYmhvb2stc2VjcmV0"  # base64 of credit-webhook-secret
OLDER = "whsec_b2xkZXIta2V5"  # base64 of older-key


def record(**changes: object) -> dict[str, object]:
    whole = {
        "bizNo": "br000001",
        "code": SHOP,
        "category": "REGULATORY_POINTS",
        "points": "4.0",
        "itemCode": "SCJG-001",
        "itemName": "餐饮具消毒设施未正常使用",
        "occurredAt": "2019-08-15T08:00:00+08:00",
        "department": "SCJG",
        "region": "330782",
        "evidence": {"platform": "enforcement", "ref": "RW1", "finding": "F1"},
        "causedBy": None,
    }
    return {**whole, **changes}


def repair(record_id: str, **changes: object) -> dict[str, object]:
    whole = {
        "bizNo": "rp000001",
        "recordId": record_id,
        "points": "2.0",
        "way": "STUDY",
        "completedAt": "2019-09-01T08:00:00+08:00",
    }
    return {**whole, **changes}


@dataclass
class Hub:
    """Stands where the hub stands: keeps what arrives, answers what the test says."""

    answer: Callable[[httpx.Request], httpx.Response] = lambda _request: httpx.Response(204)
    requests: list[httpx.Request] = field(default_factory=list)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        return self.answer(request)

    @property
    def bodies(self) -> list[dict[str, Any]]:
        return [json.loads(request.content) for request in self.requests]


@dataclass
class Caller:
    """A client with a token."""

    client: httpx.AsyncClient
    token: str = ""

    async def ask_token(self, **changes: str) -> httpx.Response:
        form = {"grant_type": "client_credentials", "client_id": "bihuan", "client_secret": "credit-secret", **changes}
        return await self.client.post("/oauth/token", data=form)

    async def renew(self) -> None:
        self.token = (await self.ask_token()).json()["access_token"]

    async def __call__(self, method: str, path: str, body: object = None, **query: str) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.token}"}
        return await self.client.request(method, path, json=body, params=query, headers=headers)

    async def post(self, path: str, body: object) -> httpx.Response:
        return await self("POST", path, body)


@pytest.fixture
def clock() -> CityClock:
    return CityClock()


@pytest.fixture
def hub() -> Hub:
    return Hub()


@pytest.fixture
async def platform(clock: CityClock, hub: Hub) -> AsyncIterator[CreditPlatform]:
    made = CreditPlatform(
        CreditSettings(visible_late_share=0.0, calls_per_second=0),
        clock=clock,
        rng=random.Random(1),
        sleep=clock.sleep,
        transport=httpx.MockTransport(hub),
    )
    made.add_subject(SHOP, "面馆", score=92.0, old_codes=["330782600123456"])
    yield made
    await made.stop()


@pytest.fixture
async def call(platform: CreditPlatform) -> AsyncIterator[Caller]:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(platform.app), base_url="http://credit") as client:
        caller = Caller(client)
        await caller.renew()
        yield caller


# --- vectors, computed with openssl


def test_a_natural_person_is_named_by_a_keyed_sm3() -> None:
    code = resident_code("11010519491231002x", "exchange-key")  # upper-case X is what counts
    assert code == "RID-97d95e713828232adeea6fa2643e6f3bf754f56b6b1645dd9aff7a841a98c1ce"


def test_the_webhook_signature_is_what_openssl_computes() -> None:
    signature = webhook_signature([SECRET, OLDER], "msg_1", 1565830800, b'{"type":"subject.updated"}')
    assert signature == "v1,5GxBykoRfYRGR59edOT4uVmV+zGxNGv7LtZPjLZCs1s= v1,7ONE9C3wlYIuOk2C5s53CYV5CedRhpaw4DmwSJC0yuI="


def test_the_standard_library_of_the_specification_accepts_the_signature() -> None:
    now = int(datetime.now(tz=START.tzinfo).timestamp())
    body = b'{"type":"subject.updated"}'
    headers = webhook_headers([SECRET, OLDER], "msg_1", now, body)
    assert Webhook(OLDER).verify(body, headers) == {"type": "subject.updated"}


# --- access


async def test_a_token_lasts_600_seconds(call: Caller, clock: CityClock) -> None:
    answer = (await call.ask_token()).json()
    assert (answer["token_type"], answer["expires_in"]) == ("Bearer", 600)
    clock.advance(599)
    assert (await call("GET", f"/v2/subjects/{SHOP}")).status_code == 200
    clock.advance(2)
    assert (await call("GET", f"/v2/subjects/{SHOP}")).status_code == 401


async def test_a_revoked_token_gets_401_with_a_challenge_and_a_new_one_works(call: Caller, platform: CreditPlatform) -> None:
    platform.revoke_tokens()
    refused = await call("GET", f"/v2/subjects/{SHOP}")
    assert refused.status_code == 401
    assert refused.headers["www-authenticate"] == 'Bearer error="invalid_token"'
    assert refused.headers["content-type"] == "application/problem+json"
    await call.renew()
    assert (await call("GET", f"/v2/subjects/{SHOP}")).status_code == 200


async def test_the_eleventh_token_in_a_minute_is_refused(call: Caller, clock: CityClock) -> None:
    statuses = [(await call.ask_token()).status_code for _ in range(10)]
    assert statuses == [200] * 9 + [429]  # the fixture asked for one
    clock.advance(60)
    assert (await call.ask_token()).status_code == 200


async def test_token_errors_follow_oauth(call: Caller) -> None:
    wrong = await call.ask_token(client_secret="guess")
    assert (wrong.status_code, wrong.json()["error"]) == (401, "invalid_client")
    assert (await call.ask_token(grant_type="password")).json()["error"] == "unsupported_grant_type"
    empty = await call.client.post("/oauth/token", data={"client_id": "bihuan"})
    assert (empty.status_code, empty.json()["error"]) == (400, "invalid_request")


async def test_the_twenty_first_request_in_a_second_is_told_when_to_come_back_in_seconds_or_as_a_date(hub: Hub) -> None:
    clock, shapes = CityClock(), set()
    platform = CreditPlatform(
        CreditSettings(), clock=clock, rng=random.Random(1), sleep=clock.sleep, transport=httpx.MockTransport(hub)
    )
    async with httpx.AsyncClient(transport=httpx.ASGITransport(platform.app), base_url="http://credit") as client:
        call = Caller(client)
        await call.renew()
        for _ in range(20):
            assert (await call("GET", f"/v2/subjects/{SHOP}")).status_code == 404
        for _ in range(10):
            refused = await call("GET", f"/v2/subjects/{SHOP}")
            assert refused.status_code == 429
            text = refused.headers["retry-after"]
            shapes.add("seconds" if text.isdigit() else "date")
            wait = float(text) if text.isdigit() else (parsedate_to_datetime(text) - clock()).total_seconds()
            assert 1 <= wait <= 2
        clock.advance(2)
        assert (await call("GET", f"/v2/subjects/{SHOP}")).status_code == 404
    assert shapes == {"seconds", "date"}
    await platform.stop()


async def test_maintenance_is_503_with_retry_after(call: Caller, platform: CreditPlatform) -> None:
    platform.faults = platform.faults.changed({"outage": True})
    answer = await call("GET", f"/v2/subjects/{SHOP}")
    assert answer.status_code == 503
    assert "retry-after" in answer.headers


# --- subjects


async def test_subjects_are_asked_in_one_call_and_unknown_ones_left_out(call: Caller) -> None:
    other = resident_code("11010519491231002X", "exchange-key")
    items = (await call("GET", "/v2/subjects", codes=f"{other},{SHOP}")).json()["items"]
    assert [item["code"] for item in items] == [SHOP]
    assert items[0] == {
        "code": SHOP,
        "codeType": "USCC",
        "name": "面馆",
        "score": 92.0,
        "grade": "A",
        "regulatoryPoints": 0.0,
        "version": 1,
        "updatedAt": "2019-08-15T09:00:00.000+08:00",
        "oldCodes": ["330782600123456"],
    }
    assert (await call("GET", "/v2/subjects", codes=",".join(map(str, range(51))))).status_code == 422


async def test_put_makes_a_subject_known_once_and_renames_it_later(call: Caller) -> None:
    code = resident_code("11010519491231002X", "exchange-key")
    body = {"code": code, "codeType": "RESIDENT_ID", "name": "张三"}
    assert (await call("PUT", f"/v2/subjects/{code}", body)).status_code == 201
    again = await call("PUT", f"/v2/subjects/{code}", {**body, "name": "张䶮"})
    assert (again.status_code, again.json()["name"], again.json()["version"]) == (200, "张䶮", 2)
    wrong = await call("PUT", f"/v2/subjects/{code}", {**body, "codeType": "USCC"})
    assert (wrong.status_code, wrong.json()["errors"][0]["field"]) == (422, "codeType")


async def test_an_identity_number_never_crosses(call: Caller) -> None:
    number = "11010519491231002X"
    body = {"code": number, "codeType": "RESIDENT_ID", "name": "张三"}
    assert (await call("PUT", f"/v2/subjects/{number}", body)).status_code == 422
    assert (await call.post("/v2/records", record(code=number))).status_code == 422


# --- records


async def test_a_record_changes_points_and_a_breach_changes_score_and_grade(call: Caller) -> None:
    created = await call.post("/v2/records", record(points="4.5"))
    assert created.status_code == 201
    assert set(created.json()) == {"recordId", "bizNo", "subject"}
    assert created.json()["subject"]["regulatoryPoints"] == 4.5
    breach = record(bizNo="br000002", category="COMMITMENT_BREACH", points="6.0", itemCode="WH-SX01")
    subject = (await call.post("/v2/records", breach)).json()["subject"]
    assert (subject["score"], subject["grade"], subject["version"]) == (86.0, "B", 3)


async def test_a_record_is_shown_with_what_was_posted_and_its_open_points(call: Caller) -> None:
    record_id = (await call.post("/v2/records", record())).json()["recordId"]
    shown = (await call("GET", f"/v2/records/{record_id}")).json()
    assert shown == {
        **record(),
        "recordId": record_id,
        "version": 1,
        "openPoints": "4.0",
        "createdAt": "2019-08-15T09:00:00.000+08:00",
        "updatedAt": "2019-08-15T09:00:00.000+08:00",
        "cancelled": False,
    }
    assert (await call("GET", "/v2/records", bizNo="br000001")).json() == {"items": [shown], "nextCursor": None}
    assert (await call("GET", "/v2/records", bizNo="br999999")).json() == {"items": [], "nextCursor": None}
    assert (await call("GET", "/v2/records/CR9")).status_code == 404


async def test_the_same_record_twice_is_one(call: Caller) -> None:
    first = (await call.post("/v2/records", record())).json()
    second = await call.post("/v2/records", record(occurredAt="2019-08-15T00:00:00Z"))  # the same moment
    assert second.status_code == 200
    assert second.json() == {**first, "repeated": True}
    assert (await call.post("/v2/records", record(points="3.0"))).status_code == 409


async def test_an_unknown_subject_is_404_until_it_is_put(call: Caller) -> None:
    code = resident_code("11010519491231002X", "exchange-key")
    assert (await call.post("/v2/records", record(code=code))).status_code == 404
    await call("PUT", f"/v2/subjects/{code}", {"code": code, "codeType": "RESIDENT_ID", "name": "张三"})
    assert (await call.post("/v2/records", record(code=code))).status_code == 201


@pytest.mark.parametrize(
    ("changes", "offender"),
    [
        ({"bizNo": "short"}, "bizNo"),
        ({"points": 4.0}, "points"),
        ({"points": "4"}, "points"),
        ({"points": "4.3"}, "points"),
        ({"points": "0.0"}, "points"),
        ({"category": "OTHER"}, "category"),
        ({"occurredAt": "2019-08-15T08:00:00"}, "occurredAt"),
        ({"region": "义乌"}, "region"),
        ({"evidence": {"platform": "enforcement", "ref": "RW1"}}, "evidence.finding"),
        ({"evidence": {"platform": "enforcement", "ref": "", "finding": None}}, "evidence.ref"),
        ({"causedBy": "br000000"}, "causedBy"),
        ({"category": "COMPREHENSIVE_DEDUCTION", "points": "2.0", "causedBy": "br000000"}, "itemCode"),
        ({"category": "RESPONSIBLE_PERSON", "points": "1.0", "itemCode": "SERIOUS", "causedBy": "br000000"}, "points"),
        ({"category": "RESPONSIBLE_PERSON", "points": "0.0", "itemCode": "SERIOUS"}, "causedBy"),
    ],
)
async def test_what_is_wrong_with_a_record_is_named(call: Caller, changes: dict[str, object], offender: str) -> None:
    refused = await call.post("/v2/records", record(**changes))
    assert refused.status_code == 422
    assert offender in [error["field"] for error in refused.json()["errors"]]


async def test_finding_and_cause_must_be_present_also_when_null(call: Caller) -> None:
    body = record()
    del body["causedBy"]
    assert (await call.post("/v2/records", body)).json()["errors"] == [{"field": "causedBy", "reason": "MISSING"}]


async def test_a_dozen_takes_its_evidence_from_the_record_that_completed_it(call: Caller, platform: CreditPlatform) -> None:
    await call.post("/v2/records", record(points="12.0"))
    dozen = record(
        bizNo="dz000001", category="COMPREHENSIVE_DEDUCTION", points="2.0", itemCode="DOZEN", itemName="满12分", causedBy="br000001"
    )
    other = await call.post("/v2/records", {**dozen, "department": "GA", "occurredAt": "2019-08-15T08:00:01+08:00"})
    assert [error["field"] for error in other.json()["errors"]] == ["department", "occurredAt"]
    unknown = await call.post("/v2/records", {**dozen, "causedBy": "br000009"})
    assert unknown.json()["errors"] == [{"field": "causedBy", "reason": "UNKNOWN_RECORD"}]
    subject = (await call.post("/v2/records", dozen)).json()["subject"]
    assert (subject["score"], subject["regulatoryPoints"]) == (90.0, 12.0)


async def test_the_person_in_charge_loses_score_by_the_platforms_own_rule(call: Caller, platform: CreditPlatform) -> None:
    person = platform.resident_code("11010519491231002X")
    platform.add_subject(person, "张三", score=85.0)
    await call.post("/v2/records", record(points="12.0"))
    serious = record(
        bizNo="rs000001",
        code=person,
        category="RESPONSIBLE_PERSON",
        points="0.0",
        itemCode="SERIOUS",
        itemName="严重失信",
        causedBy="br000001",
    )
    answer = (await call.post("/v2/records", serious)).json()
    assert (answer["subject"]["score"], answer["subject"]["grade"]) == (80.0, "B")
    platform.cancel(answer["recordId"])
    assert platform.subject(person)["score"] == 85.0


async def test_points_of_another_year_do_not_stand_in_this_period(call: Caller, platform: CreditPlatform, clock: CityClock) -> None:
    last_year = record(occurredAt="2018-12-31T23:59:59+08:00")
    assert (await call.post("/v2/records", last_year)).json()["subject"]["regulatoryPoints"] == 0.0
    new_year = record(bizNo="br000002", occurredAt="2018-12-31T16:00:00Z")  # already 2019 in Beijing
    assert (await call.post("/v2/records", new_year)).json()["subject"]["regulatoryPoints"] == 4.0
    clock.advance(200 * 24 * 3600)
    platform.judge_all()
    assert platform.subject(SHOP)["regulatoryPoints"] == 0.0


async def test_records_of_a_subject_come_in_pages(call: Caller) -> None:
    for number in range(5):
        await call.post("/v2/records", record(bizNo=f"br00000{number}"))
    seen, cursor = [], ""
    while True:
        page = (await call("GET", "/v2/records", code=SHOP, cursor=cursor, limit="2")).json()
        seen += [item["bizNo"] for item in page["items"]]
        if page["nextCursor"] is None:
            break
        cursor = page["nextCursor"]
    assert seen == [f"br00000{number}" for number in range(5)]
    assert (await call("GET", "/v2/records", code=SHOP, limit="201")).status_code == 422
    assert (await call("GET", "/v2/records", code=SHOP, cursor="nonsense")).status_code == 422


async def test_a_cancelled_record_no_longer_counts_and_cancelling_needs_a_reason(call: Caller, platform: CreditPlatform) -> None:
    record_id = (await call.post("/v2/records", record())).json()["recordId"]
    assert (await call.post(f"/v2/records/{record_id}/cancel", {"reason": " "})).status_code == 422
    cancelled = (await call.post(f"/v2/records/{record_id}/cancel", {"reason": "更正"})).json()
    assert (cancelled["cancelled"], cancelled["version"], cancelled["openPoints"]) == (True, 2, "0.0")
    assert platform.subject(SHOP)["regulatoryPoints"] == 0.0
    assert (await call.post(f"/v2/records/{record_id}/cancel", {"reason": "更正"})).json()["version"] == 2


# --- repairs


async def test_a_repair_lowers_open_points_once(call: Caller, platform: CreditPlatform) -> None:
    record_id = (await call.post("/v2/records", record())).json()["recordId"]
    first = await call.post("/v2/repairs", repair(record_id))
    assert (first.status_code, first.json()["subject"]["regulatoryPoints"]) == (201, 2.0)
    assert first.json()["repairId"]
    assert (await call.post("/v2/repairs", repair(record_id))).status_code == 200
    assert (await call.post("/v2/repairs", repair(record_id, way="EXAM"))).status_code == 409
    assert (await call("GET", f"/v2/records/{record_id}")).json()["openPoints"] == "2.0"
    assert platform.subject(SHOP)["regulatoryPoints"] == 2.0


async def test_a_repair_of_comprehensive_points_raises_the_score(call: Caller) -> None:
    breach = record(category="COMMITMENT_BREACH", points="6.0", itemCode="WH-SX01")
    record_id = (await call.post("/v2/records", breach)).json()["recordId"]
    assert (await call.post("/v2/repairs", repair(record_id, points="6.0"))).json()["subject"]["score"] == 92.0


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"points": "4.5"}, {"field": "points", "reason": "EXCEEDS_RECORD"}),
        ({"completedAt": "2020-08-16T00:00:00+08:00"}, {"field": "completedAt", "reason": "EXPIRED"}),
        ({"way": "MONEY"}, {"field": "way", "reason": "MALFORMED"}),
        ({"points": "0.0"}, {"field": "points", "reason": "MALFORMED"}),
    ],
)
async def test_a_repair_beyond_the_rules_is_422(call: Caller, changes: dict[str, object], error: dict[str, str]) -> None:
    record_id = (await call.post("/v2/records", record())).json()["recordId"]
    refused = await call.post("/v2/repairs", repair(record_id, **changes))
    assert (refused.status_code, refused.json()["errors"]) == (422, [error])


async def test_the_day_a_year_later_still_repairs(call: Caller) -> None:
    record_id = (await call.post("/v2/records", record())).json()["recordId"]
    assert (await call.post("/v2/repairs", repair(record_id, completedAt="2020-08-15T23:59:59+08:00"))).status_code == 201


# --- webhooks


async def test_webhooks_carry_whole_objects_and_a_signature_that_stands_by_hand(
    call: Caller, platform: CreditPlatform, hub: Hub
) -> None:
    record_id = (await call.post("/v2/records", record())).json()["recordId"]
    await call.post("/v2/repairs", repair(record_id))
    await platform.callbacks.settled()
    kinds = sorted(body["type"] for body in hub.bodies)
    assert kinds == ["record.created", "record.repaired", "subject.updated", "subject.updated", "subject.updated"]
    [repaired] = [body for body in hub.bodies if body["type"] == "record.repaired"]
    assert (repaired["data"]["recordId"], repaired["data"]["openPoints"]) == (record_id, "2.0")
    for request in hub.requests:
        assert request.url.path == "/webhooks/credit"
        content = f"{request.headers['webhook-id']}.{request.headers['webhook-timestamp']}.".encode() + request.content
        wanted = base64.b64encode(hmac.new(b"credit-webhook-secret", content, hashlib.sha256).digest()).decode()
        assert request.headers["webhook-signature"] == f"v1,{wanted}"


async def test_during_a_key_change_each_secret_adds_a_signature(platform: CreditPlatform, hub: Hub) -> None:
    await platform.callbacks.settled()
    platform.rotate_webhook_secret(OLDER)
    platform.set_score(SHOP, 70.0)
    await platform.callbacks.settled()
    assert len(hub.requests[-1].headers["webhook-signature"].split(" ")) == 2
    platform.end_key_change()
    platform.set_score(SHOP, 60.0)
    await platform.callbacks.settled()
    assert len(hub.requests[-1].headers["webhook-signature"].split(" ")) == 1


async def test_a_webhook_is_repeated_by_the_schedule_with_one_id_and_new_times(
    platform: CreditPlatform, hub: Hub, clock: CityClock
) -> None:
    await platform.callbacks.settled()
    hub.requests.clear()
    times = []

    def refuse(_request: httpx.Request) -> httpx.Response:
        times.append(clock().timestamp())
        return httpx.Response(500)

    hub.answer = refuse
    platform.set_score(SHOP, 70.0)
    await platform.callbacks.settled()
    pauses = [round(later - earlier) for earlier, later in itertools.pairwise(times)]
    assert pauses == [5, 300, 1800, 7200, 18000, 36000, 50400]
    assert len({request.headers["webhook-id"] for request in hub.requests}) == 1
    assert len({request.headers["webhook-timestamp"] for request in hub.requests}) == 8


async def test_410_ends_all_deliveries(platform: CreditPlatform, hub: Hub) -> None:
    await platform.callbacks.settled()
    hub.answer = lambda _request: httpx.Response(410)
    platform.set_score(SHOP, 70.0)
    await platform.callbacks.settled()
    sent = len(hub.requests)
    platform.set_score(SHOP, 60.0)
    await platform.callbacks.settled()
    assert len(hub.requests) == sent
    platform.resume_webhooks()
    platform.set_score(SHOP, 50.0)
    await platform.callbacks.settled()
    assert len(hub.requests) == sent + 1
