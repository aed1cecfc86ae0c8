"""A platform that takes calls and never answers holds up its own work, and nobody else's."""

import asyncio
from datetime import datetime

import httpx

from tests.e2e.eventually import eventually
from tests.e2e.signed import good_body, signed
from tests.e2e.stage import RunningHub, Stage


class NeverAnswers(httpx.AsyncBaseTransport):
    """Takes a request, and that is all."""

    def __init__(self) -> None:
        self.taken = 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.taken += 1
        await asyncio.Event().wait()
        raise AssertionError(request)


async def test_while_one_platform_hangs_the_others_are_heard_polled_and_served(stage: Stage) -> None:
    hanging = NeverAnswers()
    stage.transports["credit"] = hanging
    # A call may take longer than anybody here waits: whoever waits for it is seen.
    async with stage.hub(CREDIT_DEADLINE_SECONDS="300", LEASE_SECONDS="600", POLL_LEASE_SECONDS="600") as running:
        await eventually(lambda: hanging.taken, or_say="a call to the platform that hangs")
        before = await last_success(running)
        serial = stage.approval.accept()
        stage.approval.decide(serial)
        await eventually(lambda: stage.tasks_for(serial), within=40, or_say="a verification task, made on another platform")
        webhook = signed(stage, "grid", good_body(stage, "grid"))
        assert (await running.client.post(webhook.path, headers=webhook.headers, content=webhook.body)).is_success
        await eventually(seen, running, or_say="the grid event in the mirror")
        own = signed(stage, "credit", good_body(stage, "credit"))
        assert (await running.client.post(own.path, headers=own.headers, content=own.body)).is_success, "it can still be heard"

        async def polled_on() -> bool:
            now = await last_success(running)
            return all(now.get(name) and now[name] != before.get(name) for name in ("approval", "enforcement", "grid"))

        await eventually(polled_on, within=40, or_say="the streams of the others read on")
        assert (await last_success(running))["credit"] is None


async def last_success(running: RunningHub) -> dict[str, datetime | None]:
    platforms = (await running.ask("{ platforms { name lastSuccess } }"))["platforms"]
    return {one["name"]: one["lastSuccess"] for one in platforms}


async def seen(running: RunningHub) -> bool:
    return bool((await running.ask("{ gridEvents { totalCount } }"))["gridEvents"]["totalCount"])
