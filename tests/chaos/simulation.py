"""One seed, one run: the whole hub and its six platforms on a simulated clock and network, with deaths; then the invariants.

The same seed with the same number of events makes the same calls at the same moments; the digest of its trace says so.
"""

import asyncio
import random
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from hub.mirror import ledger
from hub.simulation.clock import in_simulated_time, simulated_now
from hub.simulation.disk import Disk
from hub.simulation.stage import Ground, staged_on
from tests.chaos.disks import empty_disk
from tests.chaos.histories import IN_MEMORY
from tests.chaos.history import CALM, Step
from tests.chaos.invariants import broken
from tests.chaos.life import Life
from tests.chaos.oracle import differences
from tests.chaos.performance import at_rest, keep_secrets
from tests.chaos.picture import Chronicle, take_picture
from tests.chaos.rough_network import RoughNetwork
from tests.chaos.swarm import Swarm
from tests.chaos.trace import Trace
from tests.chaos.undertaker import Undertaker

PACE = {
    "SCHEDULE_LEASE_SECONDS": "14400",
    "IDLE_SECONDS": "3600",
    "RESCUE_SECONDS": "3600",
    "WAITING_SECONDS": "43200",
    "SWEEP_SECONDS": "86400",
    "FULL_SWEEP_SECONDS": "86400",
    "SEAL_SECONDS": "43200",
    "ECHO_SECONDS": "3600",
    "BACKOFF_MOST_SECONDS": "900",
}
POLL_SECONDS = 21600.0


class Outcome(NamedTuple):
    """What became of a run."""

    broken: Sequence[str]
    """A sentence for everything that must not be."""
    digest: str
    calls: int
    deaths: int
    effects: int
    """Obligations that were closed: seen on their platform."""


@dataclass
class _SwarmLife(Life):
    """The city, while processes die by themselves."""

    async def _until(self, moment: datetime) -> None:
        await asyncio.sleep(max(0.0, (moment - simulated_now()).total_seconds()))


def run(swarm: Swarm, kept: Path | None = None) -> Outcome:
    """Carry a swarm out; return what became of it."""
    disk = empty_disk()
    with tempfile.TemporaryDirectory(prefix="swarm-", dir=IN_MEMORY) as folder:
        keep_secrets(Path(folder), swarm.history.seed)
        return in_simulated_time(_carried_out(swarm, Path(folder), disk, kept), datetime.fromisoformat(swarm.history.begins))


async def _carried_out(swarm: Swarm, folder: Path, disk: Disk, kept: Path | None) -> Outcome:
    seed = swarm.history.seed
    trace = Trace(disk, kept)
    network = RoughNetwork(random.Random(f"network {seed}"), swarm.ways, swarm.cuts, trace.note)
    undertaker = Undertaker(random.Random(f"deaths {seed}"), swarm.deaths, swarm.most_deaths, swarm.stops, swarm.refusals)
    ground = Ground(network, disk, swarm.processes, undertaker.dies, trace.wrote, undertaker.refuses)
    async with staged_on(ground, folder, seed, POLL_SECONDS, **PACE) as stage:
        for platform, skew in zip(stage.platforms, swarm.skews, strict=True):
            platform.faults = platform.faults.changed({"clock_skew_seconds": skew})
        chronicle, life = Chronicle(stage.platforms), _SwarmLife(stage, swarm.history)
        async with undertaker.watching(stage):
            await life.go()
        network.calm()
        await life.ask_again()
        await at_rest(stage)
        picture = await take_picture(stage, life, chronicle, strict=False)
        found = [*differences(picture), *await broken(stage, picture, network)]
        closed = (await stage.hub.database.read(ledger.backlog)).items()
        effects = sum(count for (_, state), count in closed if state == "CLOSED")
        return Outcome(found, trace.digest(), trace.lines, undertaker.deaths, effects)


def shrunk(swarm: Swarm) -> Swarm:
    """Return the smallest swarm found by leaving steps, then faults out that still breaks something."""
    steps, size = list(swarm.history.steps), max(1, len(swarm.history.steps) // 2)
    while size:
        at = 0
        while at < len(steps):
            fewer = _consistent([*steps[:at], *steps[at + size :]])
            if len(fewer) < len(steps) and fails(_with(swarm, fewer)):
                steps = fewer
            else:
                at += size
        size //= 2
    swarm = _with(swarm, steps)
    for simpler in (
        {"cuts": ()},
        {"processes": 1},
        {"deaths": 0.0},
        {"stops": 0.0},
        {"refusals": 0.0},
        {"skews": (0.0,) * len(swarm.skews)},
        {"history": swarm.history._replace(weather=(CALM,) * len(swarm.history.weather))},
        *({"ways": {way: rough for way, rough in swarm.ways.items() if way != each}} for each in swarm.ways),
    ):
        if fails(swarm._replace(**simpler)):  # type: ignore[arg-type]
            swarm = swarm._replace(**simpler)  # type: ignore[arg-type]
    return swarm


def fails(swarm: Swarm) -> bool:
    """Return whether a swarm breaks an invariant, or breaks down."""
    try:
        return bool(run(swarm).broken)
    except Exception:  # whatever it is, it is what is looked for
        return True


def _consistent(steps: list[Step]) -> list[Step]:
    """Return steps without those of stories whose first step is gone: they would act on nothing."""
    begun = {step.story for step in steps if step.act in {"apply", "order", "report", "issue", "enter", "notice", "resolve"}}
    return [step for step in steps if step.story in begun]


def _with(swarm: Swarm, steps: Sequence[Step]) -> Swarm:
    return swarm._replace(history=swarm.history._replace(steps=tuple(steps)))
