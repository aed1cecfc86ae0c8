"""One platform is down for two hours, another fails now and then: the backlog drains within quota, and others feel nothing.

The same city lives twice on the simulated clock: once with all platforms well, once with the credit platform down for two hours and
the approval system failing. In both the enforcement platform's officers find breaches (each owes a credit record), approvals are
granted and events are sent (each owes a task on the enforcement platform). Each call takes a tenth of a second each way.
"""

import asyncio
import random
import statistics
import tempfile
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import httpx

from hub.simulation.clock import in_simulated_time, simulated_now
from hub.simulation.network import Exchange, Network
from hub.simulation.stage import Ground, Stage, staged_on
from mocks.people import make_subject
from tests.chaos.disks import empty_disk
from tests.chaos.histories import IN_MEMORY
from tests.chaos.performance import at_rest, keep_secrets
from tests.chaos.shown import Form, Shown

BEGINS = datetime.fromisoformat("2019-09-02T09:00:00+08:00")
DOWN_SECONDS = 7200.0
WIRE_SECONDS = 0.1
FAILING = 0.05
QUOTA = 20
"""Calls a second that the credit platform allows (credit.md)."""
CALLS_EACH = 3
"""A record takes at most so many calls while a backlog drains: the record itself, and its share of tokens, subjects and reading."""
WORSE = 1.2
PACE = {
    "IDLE_SECONDS": "300",
    "RESCUE_SECONDS": "600",
    "SWEEP_SECONDS": "86400",
    "WAITING_SECONDS": "86400",
    "ECHO_SECONDS": "3600",
}


class City(NamedTuple):
    """How much happens in the two hours."""

    breaches: int
    causes: int
    """Approvals, and as many grid events."""


class Lived(NamedTuple):
    """What one life of the city showed."""

    latencies: Mapping[str, list[float]]
    """Kind of cause -> seconds from each cause to its task on the enforcement platform."""
    backlog: int
    """Credit records owed at the end of the two hours."""
    drained_in: float
    """Seconds from then until the last record was made."""
    most_a_second: int
    """Calls to the credit platform in its busiest second after that."""
    losses: list[str]


SIZES = {Form.SHORT: City(breaches=100, causes=20), Form.FULL: City(breaches=20_000, causes=700)}


def show(form: Form) -> Shown:
    """Live twice and compare."""
    city = SIZES[form]
    well, ill = lived(city, ill=False), lived(city, ill=True)
    losses = [*well.losses, *ill.losses]
    said = []
    for kind, usual in well.latencies.items():
        ratio = statistics.mean(ill.latencies[kind]) / statistics.mean(usual)
        said.append(f"{kind} {statistics.mean(usual):.2f} s -> {statistics.mean(ill.latencies[kind]):.2f} s")
        if ratio > WORSE:
            losses.append(f"tasks for {kind}s came {ratio:.2f} times as late as when all was well")
    if ill.backlog < city.breaches * 0.9:
        losses.append(f"only {ill.backlog} records were owed when the credit platform came back: nothing was shown")
    if ill.most_a_second > QUOTA:
        losses.append(f"{ill.most_a_second} calls in one second to the credit platform, which allows {QUOTA}")
    if ill.drained_in > (allowed := ill.backlog * CALLS_EACH / QUOTA + 600.0):
        losses.append(f"the backlog took {ill.drained_in:.0f} s to drain, more than {allowed:.0f} s")
    drained = f"{ill.backlog} drained in {ill.drained_in:.0f} s at {ill.most_a_second} calls a second at most"
    return Shown(f"backlog of {ill.backlog}, 2 h", f"{drained}; {'; '.join(said)}", losses)


def lived(city: City, *, ill: bool, processes: int = 1) -> Lived:
    """Live through it once."""
    disk = empty_disk()
    with tempfile.TemporaryDirectory(prefix="down-", dir=IN_MEMORY) as folder:
        keep_secrets(Path(folder), 4)
        return in_simulated_time(
            _lived(city, Path(folder), Ground(_SteadyNetwork("hub>approval" if ill else None), disk, processes), ill), BEGINS
        )


class _SteadyNetwork(Network):
    """Each way takes the same time; one platform's gateway refuses some calls."""

    def __init__(self, overrun: str | None) -> None:
        super().__init__()
        self._overrun = overrun
        self._rng = random.Random("overrun")
        self.sent: dict[str, list[float]] = {}

    async def carry(self, way: str, request: httpx.Request, behind: Exchange) -> httpx.Response:
        self.sent.setdefault(way, []).append((simulated_now() - BEGINS).total_seconds())
        await asyncio.sleep(WIRE_SECONDS)
        if way == self._overrun and self._rng.random() < FAILING:
            return httpx.Response(200, json={"code": "42901", "msg": "too many calls", "data": {"retryAfterMs": 500}})
        answer = await self.deliver(request, behind)
        await asyncio.sleep(WIRE_SECONDS)
        return answer


async def _lived(city: City, folder: Path, ground: Ground, ill: bool) -> Lived:
    network = ground.network
    assert isinstance(network, _SteadyNetwork)
    async with staged_on(ground, folder, 4, 600.0, **PACE) as stage:
        platforms = stage.platforms
        if ill:
            platforms.credit.faults = platforms.credit.faults.changed({"outage": True})
            platforms.approval.faults = platforms.approval.faults.changed({"error_rate": FAILING})
        caused = await _happening(stage, city)
        await asyncio.sleep(max(0.0, DOWN_SECONDS - (simulated_now() - BEGINS).total_seconds()))
        back, before = simulated_now(), len(platforms.credit.store.all("record"))
        for platform in platforms:
            platform.faults = platform.faults.changed({"outage": False, "error_rate": 0.0})
        await at_rest(stage)
        records = [one for one in platforms.credit.store.all("record").values() if one["category"] == "REGULATORY_POINTS"]
        made = [datetime.fromisoformat(one["createdAt"]) for one in records]
        seconds = [int(at) for at in network.sent.get("hub>credit", []) if at >= DOWN_SECONDS]
        return Lived(
            latencies=_latencies(stage, caused),
            backlog=len(records) - before,
            drained_in=max(0.0, (max(made) - back).total_seconds()),
            most_a_second=max(map(seconds.count, set(seconds)), default=0),
            losses=_losses(stage, city, caused, records),
        )


async def _happening(stage: Stage, city: City) -> dict[str, dict[str, datetime]]:
    """Let it all happen, evenly over the two hours; return when each approval was granted and each event sent, by number."""
    caused: dict[str, dict[str, datetime]] = {"approval": {}, "grid event": {}}
    moments = [(DOWN_SECONDS * (n + 0.5) / city.breaches, "breach", n) for n in range(city.breaches)]
    for kind in caused:
        moments += [(DOWN_SECONDS * (n + 0.3) / city.causes, kind, n) for n in range(city.causes)]
    rng = random.Random("people of the two hours")
    acts: Mapping[str, Callable[[int], str]] = {
        "breach": lambda n: _breach(stage, rng),
        "approval": lambda n: _approval(stage, rng),
        "grid event": lambda n: _event(stage, n),
    }
    for at, kind, n in sorted(moments):
        await asyncio.sleep(max(0.0, (BEGINS + timedelta(seconds=at) - simulated_now()).total_seconds()))
        number = acts[kind](n)
        if kind in caused:
            caused[kind][number] = simulated_now()
    return caused


def _breach(stage: Stage, rng: random.Random) -> str:
    enforcement, firm = stage.platforms.enforcement, make_subject(rng, "1")
    stage.platforms.credit.add_subject(firm.code, firm.name, score=90.0)
    about = {"code": firm.code, "name": firm.name, "address": firm.address}
    task = enforcement.make_task(subjects=[about], department="SCJG", due_at=(simulated_now() + timedelta(days=5)).isoformat())
    enforcement.finish(task["taskId"], [{"findings": [{"itemCode": "SCJG-001", "conform": False}], "remarks": "不合格"}])
    return str(task["taskId"])


def _approval(stage: Stage, rng: random.Random) -> str:
    approval = stage.platforms.approval
    number = approval.accept(make_subject(rng, "1"), matter="WH-SX01", procedure="1")
    approval.decide(number, granted=True)
    return number


def _event(stage: Stage, n: int) -> str:
    grid = stage.platforms.grid
    number = str(grid.report(category="JT-03", title=f"隐患{n}", town="佛堂镇", address="双林路", level=1)["no"])
    grid.send(number)
    return number


def _latencies(stage: Stage, caused: Mapping[str, Mapping[str, datetime]]) -> dict[str, list[float]]:
    made = {task["origin"]["ref"]: task for task in _tasks(stage) if task["origin"]}
    return {
        kind: [
            (datetime.fromisoformat(made[number]["createdAt"]) - at).total_seconds()
            for number, at in some.items()
            if number in made
        ]
        for kind, some in caused.items()
    }


def _tasks(stage: Stage) -> list[dict[str, Any]]:
    return list(stage.platforms.enforcement.store.all("task").values())


def _losses(stage: Stage, city: City, caused: Mapping[str, Mapping[str, datetime]], records: list[dict[str, Any]]) -> list[str]:
    losses = []
    findings = [finding["findingId"] for task in _tasks(stage) for result in task["results"] for finding in result["findings"]]
    recorded = [record["evidence"]["finding"] for record in records]
    if len(findings) != city.breaches:
        losses.append(f"{len(findings)} findings, of {city.breaches}")
    losses += [f"finding {one} has {recorded.count(one)} records" for one in findings if recorded.count(one) != 1]
    losses += [f"record for {one}, which nobody found" for one in set(recorded) - set(findings)]
    refs = [task["origin"]["ref"] for task in _tasks(stage) if task["origin"]]
    for kind, some in caused.items():
        losses += [f"{kind} {number} has {refs.count(number)} tasks" for number in some if refs.count(number) != 1]
    return losses
