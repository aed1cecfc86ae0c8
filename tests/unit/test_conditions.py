"""Clocks that lie, and secrets that are changed: what processes notice is kept, shown to all, and warned of."""

import contextlib
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import httpx
import msgspec
import pytest

from connectors.base import CALLS, Notices
from connectors.errors import ConnectorError
from connectors.http import HttpSettings, PlatformClient
from hub.app import Hub
from hub.parts import World
from hub.settings import load_settings
from schema.conditions import ClockSkew, SecretInUse, SecretPurpose
from tests.contract.cases import FakeTime, surroundings
from tests.settable_clock import START, SettableClock
from tests.unit.test_app import ask
from tests.unit.test_settings import SECRET, complete

Processes = tuple[Hub, Hub]


class Measured(Notices):
    """What a client noticed of clocks and closures."""

    def __init__(self) -> None:
        self.clocks: list[tuple[float, float]] = []
        self.closures: list[datetime | None] = []

    def clock(self, platform: str, ahead: timedelta, within: timedelta) -> None:
        self.clocks.append((ahead.total_seconds(), within.total_seconds()))

    def closed(self, platform: str, until: datetime | None) -> None:
        self.closures.append(until)


def client_of(time: FakeTime, measured: Measured, takes: float, answer: httpx.Response, ahead: float) -> PlatformClient:
    """Return a client of a platform whose clock is ahead, and whose answers take their time."""

    def handler(request: httpx.Request) -> httpx.Response:
        time.advance(takes / 2)
        there = (time.now + timedelta(seconds=ahead)).astimezone(UTC).replace(microsecond=0)
        time.advance(takes / 2)
        return httpx.Response(answer.status_code, headers={"date": format_datetime(there, usegmt=True), **answer.headers})

    given = msgspec.structs.replace(surroundings(time, httpx.MockTransport(handler)), notices=measured)
    return PlatformClient("platform", HttpSettings.model_validate({"url": "http://platform.test", "read_attempts": 1}), given)


async def ask_once(client: PlatformClient) -> None:
    with contextlib.suppress(ConnectorError):  # its clock is what matters here
        await client.read("look", lambda: client.request("GET", "/"), lambda response: response.status_code)


@pytest.mark.parametrize("ahead", [0.0, 200.0, -3600.0, 0.4])
@pytest.mark.parametrize("takes", [0.0, 4.0])
async def test_a_clock_is_measured_within_half_a_round_trip_and_half_a_second(ahead: float, takes: float) -> None:
    time, measured = FakeTime(), Measured()
    client = client_of(time, measured, takes, httpx.Response(200), ahead)
    for _ in range(5):
        await ask_once(client)
        time.advance(0.37)
    for found, within in measured.clocks:
        assert within == pytest.approx(takes / 2 + 0.5)
        assert abs(found - ahead) <= within + 0.001


@pytest.mark.parametrize("status", [200, 404, 429, 500, 503])
async def test_refusals_tell_the_time_as_well_and_a_caches_answer_does_not(status: int) -> None:
    time, measured = FakeTime(), Measured()
    await ask_once(client_of(time, measured, 0.0, httpx.Response(status), 90.0))
    assert len(measured.clocks) == 1
    await ask_once(client_of(time, measured, 0.0, httpx.Response(status, headers={"age": "60"}), 90.0))
    assert len(measured.clocks) == 1


async def test_a_platform_that_says_until_when_it_is_closed_is_noticed_and_its_next_answer_too() -> None:
    time, measured = FakeTime(), Measured()
    answers = [httpx.Response(503, headers={"retry-after": "3600"}), httpx.Response(503), httpx.Response(200), httpx.Response(200)]
    given = msgspec.structs.replace(surroundings(time, httpx.MockTransport(lambda _: answers.pop(0))), notices=measured)
    settings = HttpSettings.model_validate({"url": "http://platform.test", "read_attempts": 1, "breaker_failures": 9})
    client = PlatformClient("platform", settings, given)
    began = time.now
    for _ in range(4):
        await ask_once(client)
    assert [one and (one - began) >= timedelta(hours=1) for one in measured.closures] == [True, None]


@pytest.fixture
async def processes(tmp_path: Path, clock: SettableClock) -> AsyncIterator[Processes]:
    environment = complete() | {"HUB_DATABASE_URL": f"sqlite:///{tmp_path / 'hub.db'}"}
    one, other = (Hub(load_settings(environment), World(clock=clock, sleep=clock.sleep)) for _ in range(2))
    async with one.opened(), other.opened():
        yield one, other


def samples(hub: Hub, clock: SettableClock, *seconds: float) -> None:
    for each in seconds:
        hub.conditions.clock("approval", timedelta(seconds=each), timedelta(seconds=0.5))
        clock.advance(1)


async def clock_of(hub: Hub, platform: str = "approval") -> ClockSkew | None:
    return (await hub.conditions.clocks()).get(platform)


async def test_the_median_is_shown_to_all_processes_and_a_single_lie_changes_nothing(
    processes: Processes, clock: SettableClock
) -> None:
    one, other = processes
    samples(one, clock, 1.0, 1.2, 86400.0, 0.8, -40000.0)
    await one.operator.refresh()
    found = await clock_of(other)
    assert found is not None
    assert (found.ahead_seconds, found.samples, found.limit_seconds, found.warning) == (1.0, 5, 300.0, None)
    assert await clock_of(other, "credit") is None


@pytest.mark.parametrize(("ahead", "where"), [(400.0, "ahead of"), (-400.0, "behind")])
async def test_a_clock_that_is_far_off_is_warned_of_with_what_breaks_until_it_is_right_again(
    processes: Processes, clock: SettableClock, ahead: float, where: str
) -> None:
    one, other = processes
    samples(one, clock, ahead, ahead, ahead)
    await one.operator.refresh()
    shown = await ask(other, "{ platforms { name clock { aheadSeconds limitSeconds warning } } }")
    (approval,) = (each for each in shown["platforms"] if each["name"] == "approval")  # type: ignore[index]
    assert approval["clock"]["aheadSeconds"] == ahead
    assert f"400 s {where} ours; beyond 300 s it refuses calls" in approval["clock"]["warning"]
    await other.refresh_metrics()
    sample = other.metrics.registry.get_sample_value
    assert sample("bihuan_platform_clock_ahead_seconds", {"platform": "approval"}) == ahead
    assert sample("bihuan_platform_clock_limit_seconds", {"platform": "approval"}) == 300
    clock.advance(1000)  # what was measured before counts no longer
    samples(one, clock, 0.2)
    await one.operator.refresh()
    found = await clock_of(other)
    assert found is not None
    assert (found.ahead_seconds, found.warning) == (0.2, None)


async def test_what_is_measured_again_and_again_is_written_now_and_then(processes: Processes, clock: SettableClock) -> None:
    one, _ = processes
    writes = 0
    write = one.database.write

    async def counted(*args: object, **named: object) -> object:
        nonlocal writes
        writes += 1
        return await write(*args, **named)  # type: ignore[arg-type]

    one.database.write = counted  # type: ignore[method-assign, assignment]
    for _ in range(60):
        samples(one, clock, 1.0)
        one.conditions.verified("approval", 0)
        await one.conditions.keep()
    assert 1 <= writes <= 8


def uses(found: Sequence[SecretInUse]) -> dict[tuple[SecretPurpose, int], datetime | None]:
    return {(one.purpose, one.position): one.last_used_at for one in found}


async def test_when_an_old_secret_was_last_used_is_kept_over_restarts_and_goes_with_the_secret_not_its_place(
    processes: Processes, tmp_path: Path, clock: SettableClock
) -> None:
    one, other = processes
    one.conditions.verified("approval", 1)
    one.conditions.signed("approval", CALLS, 0)
    await one.operator.refresh()
    clock.advance(3600)
    one.conditions.verified("approval", 0)
    await one.operator.refresh()
    found = (await other.conditions.secrets())["approval"]
    calls, webhooks = SecretPurpose.CALLS, SecretPurpose.WEBHOOKS
    later = START + timedelta(hours=1)
    assert uses(found) == {(calls, 0): START, (calls, 1): None, (webhooks, 0): later, (webhooks, 1): START}
    assert SECRET not in str(found)
    rotated = complete(HUB_APPROVAL_APP_SECRETS=f"{SECRET}-newest,{SECRET}") | {
        "HUB_DATABASE_URL": f"sqlite:///{tmp_path / 'hub.db'}"
    }
    restarted = Hub(load_settings(rotated), World(clock=clock, sleep=clock.sleep))
    async with restarted.opened():
        again = (await restarted.conditions.secrets())["approval"]
        assert uses(again) == {(calls, 0): None, (calls, 1): START, (webhooks, 0): None, (webhooks, 1): later}
        await restarted.refresh_metrics()
        labels = {"platform": "approval", "purpose": "WEBHOOKS", "position": "1"}
        used = restarted.metrics.registry.get_sample_value("bihuan_secret_last_used_timestamp_seconds", labels)
        assert used == later.timestamp()
