"""Batches of events from the enforcement platform: proof of origin, parsing, and the answer event by event."""

import base64
import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import httpx
import msgspec
import pytest

from connectors.base import Delivery, Quarantined
from connectors.errors import BadSignature
from tests.contract.cases import NOW, WIRE, FakeTime, said
from tests.unit.connectors.enforcement_gateway import connector

BODY = (WIRE / "enforcement" / "batch.json").read_bytes()
DATE = "Thu, 15 Aug 2019 02:00:00 GMT"
# printf 'POST\n/webhooks/enforcement\n\nCB\n<DATE>\n' | openssl dgst -sha256 -hmac callback-new -binary | base64
SIGNATURE = "rSEvruN7lrAdA9FEhkvlTqXPQ/JEgtJJDUv6bkY5qDs="


def quiet(request: httpx.Request) -> httpx.Response:
    raise AssertionError("no call was expected")


def delivery(body: bytes = BODY, headers: Mapping[str, str] | None = None, at: datetime = NOW) -> Delivery:
    signed = {
        "x-bg-hmac-access-key": "CB",
        "x-bg-hmac-algorithm": "hmac-sha256",
        "x-bg-date": DATE,
        "x-bg-hmac-signature": SIGNATURE,
        "x-body-sm3": hashlib.new("sm3", body).hexdigest(),
    }
    path = "/webhooks/enforcement"
    return Delivery(platform="enforcement", path=path, headers={**signed, **(headers or {})}, body=body, received_at=at)


def by_hand(secret: str, date: str = DATE) -> str:
    text = f"POST\n/webhooks/enforcement\n\nCB\n{date}\n".encode()
    return base64.b64encode(hmac.new(secret.encode(), text, hashlib.sha256).digest()).decode()


def batch(*events: object) -> bytes:
    return msgspec.json.encode({"batchId": "B1", "events": events})


def good(event_id: object = "E1") -> dict[str, Any]:
    events: list[dict[str, Any]] = msgspec.json.decode(BODY)["events"]
    return {**events[0], "eventId": event_id}


def bad(event_id: object = "E2") -> dict[str, Any]:
    return {"eventId": event_id, "type": "task.done", "task": {"taskId": "RW13857912345"}}


def answered(body: bytes) -> Any:
    answer = connector(quiet, FakeTime()).acknowledge(delivery(body), stored=True)
    assert (answer.status, answer.content_type) == (200, "application/json; charset=utf-8")
    return msgspec.json.decode(answer.body)


def test_a_signed_batch_is_verified_and_has_no_lasting_id() -> None:
    verified = connector(quiet, FakeTime()).verify(delivery())

    assert (verified.message_id, verified.secret_index) == (None, 0)


def test_two_batches_of_one_second_are_two_deliveries() -> None:
    platform = connector(quiet, FakeTime())

    first, second = platform.verify(delivery(batch(good("E1")))), platform.verify(delivery(batch(good("E2"))))

    assert first.signature != second.signature
    assert first == platform.verify(delivery(batch(good("E1"))))


def test_an_old_secret_still_verifies_and_is_named() -> None:
    old = delivery(headers={"x-bg-hmac-signature": by_hand("callback-old")})

    assert connector(quiet, FakeTime()).verify(old).secret_index == 1


@pytest.mark.parametrize("name", ["access-key", "algorithm", "signature"])
def test_each_gateway_header_is_needed(name: str) -> None:
    with pytest.raises(BadSignature) as problem:
        connector(quiet, FakeTime()).verify(delivery(headers={f"x-bg-hmac-{name}": ""}))

    assert problem.value.code == "MISSING_HEADER"


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({"x-body-sm3": ""}, "MISSING_HEADER"),
        ({"x-body-sm3": hashlib.new("sm3", b"other").hexdigest()}, "BAD_BODY_DIGEST"),
        ({"x-bg-date": ""}, "MISSING_HEADER"),
        ({"x-bg-date": "Thu, 15 Aug 2019 02:00:01 GMT"}, "BAD_SIGNATURE"),
        ({"x-bg-date": "2019-08-15T02:00:00Z"}, "BAD_TIMESTAMP"),
        ({"x-bg-hmac-access-key": "AK"}, "UNKNOWN_KEY"),
        ({"x-bg-hmac-algorithm": "hmac-md5"}, "BAD_ALGORITHM"),
        ({"x-bg-hmac-signature": by_hand("secret-new")}, "BAD_SIGNATURE"),
        ({"x-bg-hmac-signature": "签名"}, "BAD_SIGNATURE"),
    ],
)
def test_a_batch_without_proof_is_refused_with_its_reason(headers: Mapping[str, str], code: str) -> None:
    with pytest.raises(BadSignature) as problem:
        connector(quiet, FakeTime()).verify(delivery(headers=headers))

    assert problem.value.code == code


def test_another_body_under_a_good_signature_is_refused() -> None:
    stolen = delivery().headers
    with pytest.raises(BadSignature) as problem:
        connector(quiet, FakeTime()).verify(delivery(batch(good()), headers=stolen))

    assert problem.value.code == "BAD_BODY_DIGEST"


@pytest.mark.parametrize(("seconds", "fresh"), [(900, True), (901, False), (-900, True), (-901, False)])
def test_fifteen_minutes_are_not_too_late(seconds: int, fresh: bool) -> None:
    platform, late = connector(quiet, FakeTime()), delivery(at=NOW + timedelta(seconds=seconds))
    if fresh:
        assert platform.verify(late).secret_index == 0
        return
    with pytest.raises(BadSignature) as problem:
        platform.verify(late)
    assert problem.value.code == "STALE"


def test_a_batch_is_parsed_event_by_event() -> None:
    items = connector(quiet, FakeTime()).parse(delivery())

    assert [said(item) for item in items] == ["VerificationTask RW0000000042@5", "Coordination XG00000001@1"]
    assert answered(BODY) == {"accepted": ["E000000000101", "E000000000102"], "rejected": []}


def test_one_bad_event_is_rejected_and_its_neighbours_are_accepted() -> None:
    body = batch(good("E1"), bad("E2"), good("E3"))

    assert [said(item) for item in connector(quiet, FakeTime()).parse(delivery(body))] == [
        "VerificationTask RW0000000042@5",
        "Quarantined MISSING_FIELD",
        "VerificationTask RW0000000042@5",
    ]
    said_back = answered(body)
    assert said_back["accepted"] == ["E1", "E3"]
    assert [each["eventId"] for each in said_back["rejected"]] == ["E2"]
    assert "version" in said_back["rejected"][0]["reason"]
    assert "13857912345" not in said_back["rejected"][0]["reason"]


@pytest.mark.parametrize("event_id", [None, "", [], True])
def test_an_event_without_a_readable_id_stands_in_neither_list_and_is_used_all_the_same(event_id: object) -> None:
    body = batch(good(event_id), good("E1"))

    assert answered(body) == {"accepted": ["E1"], "rejected": []}
    assert len(connector(quiet, FakeTime()).parse(delivery(body))) == 2


def test_an_id_is_given_back_as_it_came_and_once() -> None:
    assert answered(batch(good(7), good("E1"), good("E1"), bad("E1"))) == {"accepted": [7, "E1"], "rejected": []}


def test_new_kinds_of_events_are_read_by_what_they_carry() -> None:
    body = batch({**good(), "type": "task.paused"}, {"eventId": "E2", "type": "officer.joined"}, "nonsense")

    assert [said(item) for item in connector(quiet, FakeTime()).parse(delivery(body))] == [
        "VerificationTask RW0000000042@5",
        "Quarantined MISSING_FIELD",
        "Quarantined BAD_VALUE",
    ]


@pytest.mark.parametrize(
    ("body", "reason"), [(b"<html>", "NOT_JSON"), (b"[" * 100_000, "NOT_JSON"), (b"{}", "MISSING_FIELD"), (b"[]", "MISSING_FIELD")]
)
def test_a_batch_that_cannot_be_read_is_kept_whole_and_answered_in_form(body: bytes, reason: str) -> None:
    (item,) = connector(quiet, FakeTime()).parse(delivery(body))

    assert isinstance(item, Quarantined)
    assert (item.reason, item.content) == (reason, body)
    assert answered(body) == {"accepted": [], "rejected": []}


def test_bytes_that_are_no_utf_8_spoil_their_own_event_only() -> None:
    body = batch(good("E1"), good("E2")).replace("印刷".encode(), "印刷".encode("gb18030") + b"\xff", 1)

    assert [said(item) for item in connector(quiet, FakeTime()).parse(delivery(body))] == [
        "Quarantined BAD_ENCODING",
        "VerificationTask RW0000000042@5",
    ]


def test_what_is_not_stored_is_not_acknowledged() -> None:
    assert connector(quiet, FakeTime()).acknowledge(delivery(), stored=False).status == 503
