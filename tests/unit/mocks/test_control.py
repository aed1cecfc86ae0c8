"""The control interface of the mock platforms."""

from datetime import timedelta

import httpx
import pytest

from tests.unit.mocks.city_clock import CityClock
from tests.unit.mocks.grid_caller import GridCaller


async def test_the_control_interface_shows_the_state_and_makes_things_happen() -> None:
    call = GridCaller(CityClock())
    done = await call.client.post("/_control/do", json={"action": "report", "category": "JT-03", "title": "x", "town": "佛堂镇"})
    assert done.json()["result"]["no"] == "YW20190815000001"
    state = (await call.client.get("/_control/state")).json()
    assert (state["counters"]["creations.event"], state["documents"]["event"]) == (1, 1)
    assert state["now"] == "2019-08-15T09:00:00+08:00"
    await call.close()


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({"action": "fly"}, "accept_coordination"),
        ({"action": "close", "no": "YW1"}, "no event YW1"),
        ({"action": "close"}, "'no'"),
        ({"action": "report", "category": "JT-03", "title": "x", "town": "y", "colour": "red"}, "colour"),
    ],
)
async def test_an_action_that_cannot_be_is_400_and_says_why(body: dict[str, str], named: str) -> None:
    call = GridCaller(CityClock())
    answer = await call.client.post("/_control/do", json=body)
    assert answer.status_code == 400
    assert named in answer.json()["error"]
    await call.close()


async def test_faults_are_read_and_changed_in_part() -> None:
    call = GridCaller(CityClock())
    changed = (await call.client.post("/_control/faults", json={"latency_seconds": 2})).json()
    assert (changed["latency_seconds"], changed["callbacks_off"]) == (2.0, True)
    before = call.clock()
    await call("CountEvents", day="20190815")
    assert call.clock() - before == timedelta(seconds=2)
    assert (await call.client.post("/_control/faults", json={"latency": 2})).status_code == 400
    assert (await call.client.get("/_control/faults")).json() == changed
    await call.close()


async def test_the_control_interface_refuses_other_machines() -> None:
    call = GridCaller(CityClock())
    transport = httpx.ASGITransport(call.platform.app, client=("10.0.0.9", 1))
    async with httpx.AsyncClient(transport=transport, base_url="http://grid") as other:
        assert (await other.get("/_control/state")).status_code == 403
    await call.close()


async def test_callbacks_go_to_the_hub_that_was_set_last() -> None:
    urls: list[str] = []

    def hub(request: httpx.Request) -> httpx.Response:
        urls.append(str(request.url))
        return httpx.Response(200, text="<response><code>0</code></response>")

    call = GridCaller(CityClock(), hub)
    await call.client.post("/_control/do", json={"action": "set_hub", "url": "http://hub2:9/"})
    call.reported()
    await call.platform.callbacks.settled()
    assert urls == ["http://hub2:9/webhooks/grid"]
    await call.close()
