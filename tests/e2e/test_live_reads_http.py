"""Live reads over HTTP: while one platform hangs the rest of the answer arrives within its deadline, and nobody else waits."""

import asyncio
import time
from typing import Any

import httpx

from tests.e2e.eventually import eventually
from tests.e2e.stage import RunningHub, Stage

COMPANY = "91330782MA28D5K77N"
DEADLINE = 4.0
QUERY = """query($no: String!, $code: String!, $age: Int) {
  approval(approvalNo: $no, maxAge: $age) { applicantName freshness { stale } tasks { totalCount } }
  creditProfile(code: $code, maxAge: $age) { score freshness { stale observedAt } }
  approvals { totalCount }
}"""


class Hangs(httpx.AsyncBaseTransport):
    """Passes calls on; told to hang it takes what it is sent, and passes nothing on until it is told to go on."""

    def __init__(self) -> None:
        self._network = httpx.AsyncHTTPTransport(trust_env=False)
        self._goes_on = asyncio.Event()
        self._goes_on.set()
        self.taken = 0

    def hang(self) -> None:
        self._goes_on.clear()

    def go_on(self) -> None:
        self._goes_on.set()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.taken += not self._goes_on.is_set()
        await self._goes_on.wait()
        return await self._network.handle_async_request(request)

    async def aclose(self) -> None:
        await self._network.aclose()


async def asked(running: RunningHub, serial: str, age: int | None = 0) -> dict[str, Any]:
    """Return the whole answer."""
    answer = await running.client.post(
        "/graphql", json={"query": QUERY, "variables": {"no": serial, "code": COMPANY, "age": age}}, timeout=120
    )
    assert answer.status_code == 200
    told: dict[str, Any] = answer.json()
    return told


async def known(running: RunningHub, serial: str) -> dict[str, Any]:
    """Return what the mirror says as soon as it knows both."""

    async def both() -> dict[str, Any] | None:
        data: dict[str, Any] = (await asked(running, serial, None))["data"]
        return data if all(data.values()) else None

    found: dict[str, Any] = await eventually(both, or_say="approval and profile in the mirror")
    return found


async def test_while_a_platform_hangs_the_rest_of_the_answer_arrives_within_its_deadline(stage: Stage) -> None:
    way = stage.transports["credit"] = Hangs()
    stage.credit.add_subject(COMPANY, "义乌市天䶮贸易有限公司", score=80.0)
    serial = stage.approval.grant()
    async with stage.hub(CREDIT_LIVE_SECONDS=str(DEADLINE), APPROVAL_LIVE_SECONDS="60") as running:
        profile = (await known(running, serial))["creditProfile"]
        way.hang()
        stage.approval.change(serial, {"SQRMC": "新名"})
        stage.credit.faults = stage.credit.faults.changed({"callbacks_off": True})
        stage.credit.set_score(COMPANY, 61.5)
        began = time.monotonic()
        told = await asked(running, serial)
        assert time.monotonic() - began >= DEADLINE, "it was waited for"
        assert way.taken
        assert told["data"]["approval"]["applicantName"] == "新名"
        assert told["data"]["approval"]["freshness"] == {"stale": False}
        assert told["data"]["approvals"] == {"totalCount": 1}
        assert told["data"]["creditProfile"] == {**profile, "freshness": {**profile["freshness"], "stale": True}}
        (error,) = told["errors"]
        assert error["path"] == ["creditProfile"]
        assert error["extensions"].pop("correlationId")
        assert error["extensions"] == {
            "code": "LIVE_TIMEOUT",
            "platform": "credit",
            "retryable": True,
            "asOf": profile["freshness"]["observedAt"],
        }
        metrics = (await running.client.get("/metrics")).text
        assert 'bihuan_live_reads_total{outcome="LIVE_TIMEOUT",platform="credit"} 1.0' in metrics
        assert 'bihuan_live_reads_total{outcome="OK",platform="approval"} 1.0' in metrics


async def test_who_asks_the_mirror_does_not_wait_for_those_who_ask_a_platform_that_hangs(stage: Stage) -> None:
    way = stage.transports["credit"] = Hangs()
    stage.credit.add_subject(COMPANY, "义乌市天䶮贸易有限公司", score=80.0)
    serial = stage.approval.grant()
    async with stage.hub(
        CREDIT_LIVE_SECONDS="600", CREDIT_DEADLINE_SECONDS="80", POLL_LEASE_SECONDS="120", POLL="false"
    ) as running:
        way.hang()
        many = [asyncio.create_task(asked(running, serial)) for _ in range(10)]
        await eventually(lambda: way.taken, or_say="a call to the platform that hangs")
        assert "errors" not in await asked(running, serial, None)
        assert not any(each.done() for each in many)
        way.go_on()
        found = await asyncio.gather(*many)
        assert [told["data"]["creditProfile"]["score"] for told in found] == ["80.0"] * 10
