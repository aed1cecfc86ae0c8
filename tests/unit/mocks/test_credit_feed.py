"""The mock credit platform's feed, snapshot and digests against credit.md."""

import hashlib
import json
import random
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from mocks.credit import CreditPlatform, CreditSettings
from mocks.people import make_uscc
from tests.unit.mocks.city_clock import CityClock

ANSWERS = httpx.MockTransport(lambda _request: httpx.Response(204))


@pytest.fixture
def clock() -> CityClock:
    return CityClock()


@pytest.fixture
async def platform(clock: CityClock) -> AsyncIterator[CreditPlatform]:
    settings = CreditSettings(calls_per_second=0, visible_late_share=0.5)
    made = CreditPlatform(settings, clock=clock, rng=random.Random(1), sleep=clock.sleep, transport=ANSWERS)
    yield made
    await made.stop()


@pytest.fixture
async def client(platform: CreditPlatform) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(platform.app), base_url="http://credit") as client:
        form = {"grant_type": "client_credentials", "client_id": "bihuan", "client_secret": "credit-secret"}
        token = (await client.post("/oauth/token", data=form)).json()["access_token"]
        client.headers["Authorization"] = f"Bearer {token}"
        yield client


def populate(platform: CreditPlatform, count: int, seed: int = 5) -> list[str]:
    rng = random.Random(seed)
    codes = [make_uscc(rng) for _ in range(count)]
    for code in codes:
        platform.add_subject(code, "店")
    return codes


async def read(client: httpx.AsyncClient, since: int, limit: int = 500) -> dict[str, Any]:
    answer = await client.get("/v2/changes", params={"since": since, "limit": limit})
    assert answer.status_code == 200
    page: dict[str, Any] = answer.json()
    return page


async def test_seq_only_grows_and_has_holes(platform: CreditPlatform, client: httpx.AsyncClient, clock: CityClock) -> None:
    populate(platform, 40)
    clock.advance(5)
    page = await read(client, 1)
    seqs = [item["seq"] for item in page["items"]]
    assert len(seqs) == 40
    assert seqs == sorted(set(seqs))
    assert seqs[-1] - seqs[0] > 39
    assert (page["nextSeq"], page["hasMore"]) == (seqs[-1], False)


async def test_an_item_can_become_visible_up_to_5_seconds_after_a_higher_one(
    platform: CreditPlatform, client: httpx.AsyncClient, clock: CityClock
) -> None:
    populate(platform, 40)
    early = {item["seq"] for item in (await read(client, 1))["items"]}
    clock.advance(5)
    whole = {item["seq"] for item in (await read(client, 1))["items"]}
    assert early < whole
    assert min(whole - early) < max(early)


async def test_pages_go_on_after_the_last_seq_given(platform: CreditPlatform, client: httpx.AsyncClient, clock: CityClock) -> None:
    codes = populate(platform, 7)
    clock.advance(5)
    since, seen = 1, []
    while True:
        page = await read(client, since, limit=3)
        seen += [item["data"]["code"] for item in page["items"]]
        since = page["nextSeq"]
        if not page["hasMore"]:
            break
    assert seen == codes
    assert await read(client, since) == {"items": [], "nextSeq": since, "hasMore": False}
    assert (await client.get("/v2/changes", params={"since": 1, "limit": 501})).status_code == 422


async def test_a_since_of_zero_or_older_than_90_days_is_410(
    platform: CreditPlatform, client: httpx.AsyncClient, clock: CityClock
) -> None:
    populate(platform, 1)
    gone = await client.get("/v2/changes", params={"since": 0})
    assert gone.status_code == 410
    first = gone.json()["oldestSeq"]
    clock.advance(91 * 24 * 3600)
    populate(platform, 2, seed=6)
    clock.advance(5)
    form = {"grant_type": "client_credentials", "client_id": "bihuan", "client_secret": "credit-secret"}
    client.headers["Authorization"] = f"Bearer {(await client.post('/oauth/token', data=form)).json()['access_token']}"
    gone = await client.get("/v2/changes", params={"since": first - 1})
    assert gone.status_code == 410
    assert gone.json()["oldestSeq"] > first
    assert len((await read(client, first))["items"]) == 2


async def test_a_delete_holds_only_the_id(platform: CreditPlatform, client: httpx.AsyncClient, clock: CityClock) -> None:
    [code] = populate(platform, 1)
    platform.delete("subject", code)
    clock.advance(5)
    last = (await read(client, 1))["items"][-1]
    assert (last["type"], last["op"], last["data"]) == ("subject", "delete", {"code": code})


async def test_a_snapshot_comes_in_pages_of_a_thousand_whose_as_of_differs(
    platform: CreditPlatform, client: httpx.AsyncClient
) -> None:
    codes = populate(platform, 2100)
    seen, as_of = [], []
    cursor: str | None = ""
    while cursor is not None:
        page = (await client.get("/v2/snapshot", params={"type": "subject", "cursor": cursor})).json()
        seen.append([item["code"] for item in page["items"]])
        as_of.append(page["asOfSeq"])
        cursor = page["nextCursor"]
        platform.add_subject(codes[0], f"店{len(seen)}")
    assert [len(page) for page in seen] == [1000, 1000, 100]
    assert sorted(code for page in seen for code in page) == sorted(codes)
    assert len(set(as_of)) > 1


async def test_the_feed_after_the_smallest_as_of_completes_the_snapshot(
    platform: CreditPlatform, client: httpx.AsyncClient, clock: CityClock
) -> None:
    populate(platform, 50)
    as_of = (await client.get("/v2/snapshot", params={"type": "subject"})).json()["asOfSeq"]
    [late] = populate(platform, 1, seed=9)
    clock.advance(5)
    assert late in [item["data"]["code"] for item in (await read(client, as_of))["items"]]


async def test_digest_buckets_are_the_first_byte_of_sm3_of_the_id(platform: CreditPlatform, client: httpx.AsyncClient) -> None:
    codes = populate(platform, 300)
    platform.add_subject(codes[0], "新店名")
    total = 0
    for bucket in (0, 7, 255, int(hashlib.new("sm3", codes[0].encode()).hexdigest()[:2], 16)):
        inside = sorted(code for code in codes if hashlib.new("sm3", code.encode()).digest()[0] == bucket)
        lines = "".join(f"{code}:{2 if code == codes[0] else 1}\n" for code in inside)
        answer = (await client.get("/v2/digest", params={"type": "subject", "bucket": bucket})).json()
        digest = hashlib.new("sm3", lines.encode()).hexdigest()
        assert answer == {"bucket": bucket, "count": len(inside), "digest": digest}
        total += len(inside)
    assert total
    assert (await client.get("/v2/digest", params={"type": "subject", "bucket": 256})).status_code == 422
    assert (await client.get("/v2/digest", params={"type": "approval", "bucket": 1})).status_code == 422


async def test_the_digest_of_one_record_is_what_openssl_computes(platform: CreditPlatform, client: httpx.AsyncClient) -> None:
    [code] = populate(platform, 1)
    platform.add_record(
        {
            "bizNo": "br000001",
            "code": code,
            "category": "REGULATORY_POINTS",
            "points": "4.0",
            "itemCode": "SCJG-001",
            "itemName": "项",
            "occurredAt": "2019-08-15T08:00:00+08:00",
            "department": "SCJG",
            "region": "330782",
            "evidence": {"platform": "enforcement", "ref": "RW1", "finding": None},
            "causedBy": None,
        }
    )
    # printf CR000000000001 | openssl dgst -sm3 begins with 1d; printf 'CR000000000001:1\n' | openssl dgst -sm3 is below
    answer = (await client.get("/v2/digest", params={"type": "record", "bucket": 0x1D})).json()
    assert answer == {"bucket": 29, "count": 1, "digest": "d342c60b170d4849d4fdd06f753fa1d7f5e956ed3241d9719af654c20a4c89da"}


async def test_a_second_start_goes_on_where_the_first_stopped(tmp_path: Any, clock: CityClock) -> None:
    def start() -> CreditPlatform:
        settings = CreditSettings(data_dir=str(tmp_path), visible_late_share=0.0)
        return CreditPlatform(settings, clock=clock, rng=random.Random(1), sleep=clock.sleep, transport=ANSWERS)

    first = start()
    [code] = populate(first, 1)
    seen = first.feed.read(1, 500, clock())
    await first.stop()
    second = start()
    assert second.feed.read(1, 500, clock()) == seen
    second.set_score(code, 50.0)
    items, _ = second.feed.read(1, 500, clock())
    assert [item["data"]["version"] for item in items] == [1, 2]
    assert json.dumps(items[0]) == json.dumps(seen[0][0])
    await second.stop()
