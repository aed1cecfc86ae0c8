"""Bad input over HTTP: each gets a clear answer with a reason code, and nothing good is lost with it."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from datetime import timedelta

import httpx
import msgspec
import pytest

from tests.e2e.eventually import eventually
from tests.e2e.signed import NAMES, Webhook, a_task, batch, good_body, grid_body, signed, tampered
from tests.e2e.stage import RunningHub, Stage

ACKNOWLEDGED = {
    "approval": b'"code":"0"',
    "credit": b"",  # any 2xx
    "enforcement": b'"accepted":["E1"]',
    "grid": b"<code>0</code>",
}
ENTITIES = {"approval": "approvals", "credit": "creditProfiles", "enforcement": "verificationTasks", "grid": "gridEvents"}
LIMIT = 20_000


@pytest.fixture
async def running(stage: Stage) -> AsyncIterator[RunningHub]:
    """A hub that hears of the platforms by these webhooks alone."""
    stage.faults(callbacks_off=True)
    async with stage.hub(POLL="false", WEBHOOK_LIMIT_BYTES=str(LIMIT)) as hub:
        yield hub


async def post(running: RunningHub, webhook: Webhook) -> httpx.Response:
    return await running.client.post(webhook.path, headers=webhook.headers, content=webhook.body)


def refusal(answer: httpx.Response) -> tuple[int, str]:
    """Return status and reason code of a refusal; it says in words, too, what is wrong."""
    told = answer.json()
    assert told["message"]
    return answer.status_code, told["code"]


async def kept(running: RunningHub) -> int:
    """Return how many deliveries are stored."""
    found: int = (await running.ask("{ deliveries { totalCount } }"))["deliveries"]["totalCount"]
    return found


async def applied(running: RunningHub, platform: str) -> bool:
    """Return whether a record of the platform is in the mirror."""
    entity = ENTITIES[platform]
    return bool((await running.ask(f"{{ {entity} {{ totalCount }} }}"))[entity]["totalCount"])


async def quarantined(running: RunningHub) -> list[str]:
    told = await running.ask("{ quarantinedRecords { edges { node { reason } } } }")
    return [edge["node"]["reason"] for edge in told["quarantinedRecords"]["edges"]]


async def test_a_wrong_or_old_signature_is_refused_with_its_reason_and_the_good_one_is_taken(
    stage: Stage, running: RunningHub
) -> None:
    for platform in NAMES:
        body = good_body(stage, platform)
        webhook = signed(stage, platform, body)
        assert refusal(await post(running, tampered(platform, webhook))) == (401, "BAD_SIGNATURE")
        other = webhook._replace(body=body + b" ")
        assert refusal(await post(running, other))[0] == 401
        old = signed(stage, platform, body, at=stage.clock() - timedelta(hours=1))
        assert refusal(await post(running, old)) == (401, "STALE")
        bare = webhook._replace(headers={"Content-Type": "application/json"})
        assert refusal(await post(running, bare)) == (401, "MISSING_HEADER")
        good = await post(running, webhook)
        assert good.is_success
        assert ACKNOWLEDGED[platform] in good.content.replace(b" ", b"")
        await eventually(applied, running, platform, or_say=f"the good record of {platform}")
    assert await kept(running) == len(NAMES)
    metrics = (await running.client.get("/metrics")).text
    assert 'bihuan_webhooks_total{outcome="bad_signature",platform="grid"} 2.0' in metrics


async def test_a_replayed_webhook_gets_the_same_acknowledgement_and_stores_nothing(stage: Stage, running: RunningHub) -> None:
    for count, platform in enumerate(NAMES, 1):
        webhook = signed(stage, platform, good_body(stage, platform))
        first, again = await post(running, webhook), await post(running, webhook)
        assert (again.status_code, again.content) == (first.status_code, first.content)
        assert first.is_success
        assert await kept(running) == count


async def test_a_body_over_the_limit_is_refused_before_it_is_read_to_its_end(stage: Stage, running: RunningHub) -> None:
    body = b" " * (LIMIT + 1)
    assert refusal(await post(running, signed(stage, "credit", body))) == (413, "BODY_TOO_LARGE")

    async def unannounced() -> AsyncIterator[bytes]:
        for _ in range(3):
            yield b" " * LIMIT

    headers = signed(stage, "credit", body).headers
    answer = await running.client.post("/webhooks/credit", headers=headers, content=unannounced())
    assert refusal(answer) == (413, "BODY_TOO_LARGE")
    assert await kept(running) == 0


async def test_an_unknown_platform_is_refused_and_the_known_ones_are_named(running: RunningHub) -> None:
    answer = await running.client.post("/webhooks/taxes", content=b"{}")
    assert refusal(answer) == (404, "UNKNOWN_PLATFORM")
    assert ", ".join(sorted(running.hub.connectors)) in answer.json()["message"]
    assert (await running.client.get("/webhooks/credit")).status_code == 405


async def test_an_address_that_is_not_allowed_is_refused(stage: Stage) -> None:
    webhook = signed(stage, "grid", good_body(stage, "grid"))
    async with stage.hub(POLL="false", GRID_CALLBACK_ADDRESSES="10.1.0.0/16") as hub:
        assert refusal(await post(hub, webhook)) == (403, "ADDRESS_NOT_ALLOWED")
        forwarded = webhook._replace(headers={**webhook.headers, "X-Forwarded-For": "10.1.2.3"})
        assert refusal(await post(hub, forwarded)) == (403, "ADDRESS_NOT_ALLOWED")
        assert await kept(hub) == 0
    behind_a_proxy = {"GRID_CALLBACK_ADDRESSES": "10.1.0.0/16", "TRUSTED_PROXIES": "127.0.0.1"}
    async with stage.hub(POLL="false", **behind_a_proxy) as hub:
        assert (await post(hub, forwarded)).is_success


async def test_a_wrong_encoding_and_a_dtd_are_quarantined_with_their_reasons_and_harm_nobody(
    stage: Stage, running: RunningHub
) -> None:
    event = stage.grid.report(category="JT-03", title="路灯不亮", town="佛堂镇", level=4)
    bodies = {
        "grid": [
            grid_body(event, before='<!DOCTYPE notify [<!ENTITY x SYSTEM "file:///etc/passwd">]>'),
            grid_body(event).replace("路灯".encode("gb18030"), b"\xff\xff"),
        ],
        "approval": [b'{"msgId": "MSG9", "data": {"YWLSH": "\xc2\xb7\xff"}}'],
        "enforcement": [b"<batch/>"],
        "credit": [b'{"type": "subject.updated", "data": 7}'],
    }
    for platform, sent in bodies.items():
        for place, body in enumerate(sent):
            answer = await post(running, signed(stage, platform, body, nonce=f"nonce-{place:06d}"))
            assert answer.status_code < 500, (platform, answer.text)

    async def five() -> list[str]:
        found = await quarantined(running)
        return found if len(found) == 5 else []

    reasons = await eventually(five, or_say="five quarantined records")
    assert "DTD_FORBIDDEN" in reasons
    assert "BAD_ENCODING" in reasons
    good = signed(stage, "grid", grid_body(event), nonce="nonce-000009")
    assert (await post(running, good)).is_success
    await eventually(applied, running, "grid")


async def test_one_bad_record_of_a_batch_is_rejected_by_name_and_its_neighbours_are_applied(
    stage: Stage, running: RunningHub
) -> None:
    first, bad, last = (a_task(stage) for _ in range(3))
    body = batch([("E1", first), ("E2", {name: value for name, value in bad.items() if name != "status"}), ("E3", last)])
    answer = await post(running, signed(stage, "enforcement", body))
    told = answer.json()
    assert (answer.status_code, told["accepted"]) == (200, ["E1", "E3"])
    assert [one["eventId"] for one in told["rejected"]] == ["E2"]
    assert "status" in told["rejected"][0]["reason"]

    async def neighbours() -> bool:
        edges = (await running.ask("{ verificationTasks { edges { node { taskId } } } }"))["verificationTasks"]["edges"]
        return {edge["node"]["taskId"] for edge in edges} == {first["taskId"], last["taskId"]}

    await eventually(neighbours)
    assert await quarantined(running) == ["MISSING_FIELD"]


async def test_while_the_database_is_locked_nobody_gets_an_acknowledgement(stage: Stage) -> None:
    stage.faults(callbacks_off=True)
    bodies = {platform: good_body(stage, platform) for platform in NAMES}
    refusals = {
        "approval": b'"code":"50000"',
        "credit": b'"status":503',
        "enforcement": b"",
        "grid": b"<code>9</code>",
    }
    async with stage.hub(POLL="false", WEBHOOK_SECONDS="0.3") as running:
        locked = sqlite3.connect(stage.household.folder / "hub.db", isolation_level=None)
        try:
            locked.execute("BEGIN IMMEDIATE")
            webhooks = [signed(stage, platform, body) for platform, body in bodies.items()]
            answers = await asyncio.gather(*(post(running, webhook) for webhook in webhooks))
            locked.execute("ROLLBACK")
        finally:
            locked.close()
        for platform, answer in zip(NAMES, answers, strict=True):
            said = answer.content.replace(b" ", b"")
            assert answer.status_code == 503, platform
            assert refusals[platform] in said
            assert not ACKNOWLEDGED[platform] or ACKNOWLEDGED[platform] not in said
        for platform, body in bodies.items():
            again = signed(stage, platform, body, nonce="nonce-000002")
            await eventually(_taken, running, again, or_say=f"{platform} taken again")
            await eventually(applied, running, platform, or_say=f"the record of {platform}")


async def _taken(running: RunningHub, webhook: Webhook) -> bool:
    return (await post(running, webhook)).is_success


async def test_graph_requests_that_make_no_sense_get_a_clear_error(running: RunningHub) -> None:
    for query, says in {
        "{ approvals { nonsense } }": "nonsense",
        '{ node(id: "no-id-at-all") { id } }': "id",
        "{ approvals(first: 100000) { totalCount } }": "first",
    }.items():
        answer = await running.client.post(
            "/graphql", json={"query": query}, headers={"accept": "application/graphql-response+json"}
        )
        (error, *_) = answer.json()["errors"]
        assert says in error["message"], error
        assert error["extensions"]["code"], error
    assert msgspec.json.decode((await running.client.post("/graphql", content=b"{")).content)["errors"]
