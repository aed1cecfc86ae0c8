"""Serving the mock platforms on real ports."""

import random
from collections.abc import Mapping, Sequence

import httpx
import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from mocks.config import Config, built_platforms, complete_settings
from mocks.faults import Faults
from mocks.platform import Action, Platform, PlatformSettings
from mocks.server import serve
from tests.unit.mocks.city_clock import CityClock


class Tiny(Platform):
    """One creating call, and nothing else."""

    name = "tiny"

    def routes(self) -> Sequence[BaseRoute]:
        async def make(_request: Request) -> Response:
            self.store.put("thing", str(self.store.next_number("thing")), {})
            return self.after_work(PlainTextResponse("made"))

        return [Route("/make", make, methods=["POST"])]

    def actions(self) -> Mapping[str, Action]:
        return {}

    def broken(self) -> Response:
        return PlainTextResponse("broken", 503)


def tiny(port: int = 0) -> Tiny:
    clock = CityClock()
    return Tiny(PlatformSettings(port=port), clock=clock, rng=random.Random(7), sleep=clock.sleep)


async def test_a_call_is_answered_with_the_platforms_own_date() -> None:
    platform = tiny()
    async with serve([platform]) as urls, httpx.AsyncClient(trust_env=False) as client:
        answer = await client.post(urls["tiny"] + "/make")
        assert answer.headers.get_list("date") == ["Thu, 15 Aug 2019 01:00:00 GMT"]
        platform.faults = Faults(outage=True)
        assert (await client.post(urls["tiny"] + "/make")).status_code == 503
    assert platform.store.counts() == {"thing": 1}


async def test_work_can_be_done_and_its_answer_never_come() -> None:
    platform = tiny()
    platform.faults = Faults(timeout_after_work=1)
    async with serve([platform]) as urls, httpx.AsyncClient(trust_env=False) as client:
        with pytest.raises(httpx.RemoteProtocolError):
            await client.post(urls["tiny"] + "/make")
    assert platform.store.counts() == {"thing": 1}


async def test_a_port_that_is_taken_is_named() -> None:
    async with serve([tiny()]) as urls:
        port = int(urls["tiny"].rpartition(":")[2])
        with pytest.raises(OSError, match=f"tiny: cannot listen on 127.0.0.1:{port}"):
            async with serve([tiny(port)]):
                pass


async def test_all_platforms_are_served_at_once() -> None:
    clock = CityClock()
    platforms = built_platforms(complete_settings(Config()), clock=clock, sleep=clock.sleep, seed=7)
    async with serve(platforms) as urls, httpx.AsyncClient(trust_env=False) as client:
        names = [(await client.get(f"{url}/_control/state")).json()["platform"] for url in urls.values()]
    assert names == list(urls) == ["approval", "credit", "grid", "enforcement", "selfgov", "sms"]
