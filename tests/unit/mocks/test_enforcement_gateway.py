"""The gateway of the mock enforcement platform; the literals were computed with openssl from the page's text."""

from collections.abc import AsyncIterator

import pytest

from mocks.enforcement_gateway import query_values, signature, sm3
from tests.unit.mocks.city_clock import CityClock
from tests.unit.mocks.enforcement_caller import EnforcementCaller, task_order

DATE = "Thu, 15 Aug 2019 01:00:00 GMT"


@pytest.fixture
async def call() -> AsyncIterator[EnforcementCaller]:
    caller = EnforcementCaller(CityClock())
    yield caller
    await caller.close()


# printf 'GET\n/irs/v1/tasks\n<sorted query>\nhub\n<date>\n' | openssl dgst -sha256 -hmac s3cret -binary | base64
@pytest.mark.parametrize(
    ("method", "query", "expected"),
    [
        ("GET", "updatedAfter=2019-08-15T00%3A00%3A00%2B08%3A00&limit=50", "wU1IcZMJjzeVkcGKDev/PtZvhRgqm0FmgoMIjR+eHk8="),
        ("POST", "", "w9Q7Npdv9b0x45kYvPcYYJqCHE+rvoy+NOzj4FNCB9s="),
        ("GET", "b=0&a%20b=0&a=2&a=1", "1bWQOwT253DH7oc5vMNgNswrP4KFPfvnjTX9g8EZx5E="),
    ],
)
def test_the_signature_is_what_openssl_computes(method: str, query: str, expected: str) -> None:
    assert signature("s3cret", method=method, path="/irs/v1/tasks", query=query, access_key="hub", date=DATE) == expected


def test_the_body_digest_is_what_openssl_computes() -> None:
    assert sm3(b"") == "1ab21d8355cfa17f8e61194831e81a8f22bec8c728fefb747ed035eb5082aa2b"
    assert sm3('{"reason":"误派"}'.encode()) == "0cc01ac140354c707501e7d8f510558e590ee5459324ed3cc91f0310b426cee2"


def test_a_plus_sign_in_a_query_is_no_space() -> None:
    assert query_values("a=1+1&b=%E6%B8%B8%20x") == {"a": "1+1", "b": "游 x"}


async def test_a_good_signature_passes_with_the_body_digest_or_without(call: EnforcementCaller) -> None:
    assert (await call("GET", "departments")).status_code == 200
    assert (await call("POST", "tasks", task_order(), changes={"X-Body-SM3": None})).status_code == 201


@pytest.mark.parametrize(
    "changes",
    [
        {"X-BG-HMAC-SIGNATURE": "AAAA"},
        {"X-BG-HMAC-SIGNATURE": "not base64!"},
        {"X-BG-HMAC-SIGNATURE": None},
        {"X-BG-HMAC-ACCESS-KEY": "someone"},
        {"X-BG-HMAC-ALGORITHM": "hmac-sha1"},
        {"X-BG-DATE": "2019-08-15T01:00:00Z"},
        {"X-BG-DATE": None},
        {"X-Body-SM3": "00" * 32},
    ],
)
async def test_what_does_not_fit_is_401_with_the_gateways_own_page(call: EnforcementCaller, changes: dict[str, str | None]) -> None:
    answer = await call("POST", "tasks", task_order(), changes=changes)
    assert answer.status_code == 401
    assert answer.headers["content-type"].startswith("text/html")
    assert not call.platform.store.all("task")


async def test_another_secret_is_refused_and_both_pass_during_a_change(call: EnforcementCaller) -> None:
    assert (await call("GET", "items", secret="newer")).status_code == 401
    call.platform.set_secrets(secrets=["newer", "s3cret"])
    assert (await call("GET", "items", secret="newer")).status_code == 200
    assert (await call("GET", "items", secret="s3cret")).status_code == 200


async def test_a_date_may_be_fifteen_minutes_off_and_not_more(call: EnforcementCaller) -> None:
    assert (await call("GET", "items", late=900)).status_code == 200
    assert (await call("GET", "items", late=-900)).status_code == 200
    assert (await call("GET", "items", late=901)).status_code == 401
    assert (await call("GET", "items", late=-901)).status_code == 401


async def test_a_platform_with_a_wrong_clock_says_so_in_its_date(call: EnforcementCaller) -> None:
    call.platform.faults = call.platform.faults.changed({"clock_skew_seconds": 3600})
    answer = await call("GET", "items")
    assert answer.status_code == 401
    assert answer.headers["date"] == "Thu, 15 Aug 2019 02:00:00 GMT"


async def test_a_call_too_many_is_429_with_the_seconds_to_wait() -> None:
    call = EnforcementCaller(CityClock(), calls_per_second=2)
    assert [(await call("GET", "items")).status_code for _ in range(3)] == [200, 200, 429]
    refused = await call("GET", "items")
    call.clock.advance(int(refused.headers["X-RateLimit-Reset"]))
    assert (await call("GET", "items")).status_code == 200
    await call.close()


async def test_a_path_without_subscription_is_403() -> None:
    call = EnforcementCaller(CityClock(), unsubscribed=("/irs/v1/campaigns",))
    assert (await call("GET", "campaigns")).status_code == 403
    assert (await call("GET", "items")).status_code == 200
    await call.close()


async def test_an_outage_is_a_gateway_error_that_is_not_json(call: EnforcementCaller) -> None:
    call.platform.faults = call.platform.faults.changed({"outage": True})
    answer = await call("POST", "tasks", task_order())
    assert answer.status_code in {502, 504}
    assert answer.text.startswith("<html>")
    assert not call.platform.store.all("task")


async def test_a_gateway_error_can_come_after_the_work_was_done(call: EnforcementCaller) -> None:
    call.platform.faults = call.platform.faults.changed({"timeout_after_work": 1})
    answer = await call("POST", "tasks", task_order())
    assert answer.status_code in {502, 504}
    found = await call("GET", "tasks", query={"externalNo": "AV0001"})
    assert len(found.json()["items"]) == 1
