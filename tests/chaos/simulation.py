"""One seed, one run: the whole hub and its six platforms on a simulated clock and network, with deaths; then the invariants.

The same seed with the same number of events makes the same calls at the same moments; the digest of its trace says so.
"""

import asyncio
import contextlib
import random
import tempfile
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from hub.mirror import ledger
from hub.mirror.database import DatabaseUnavailable
from hub.simulation.clock import in_simulated_time, simulated_now
from hub.simulation.disk import Disk
from hub.simulation.stage import Ground, Stage, staged
from tests.chaos.histories import IN_MEMORY, disks
from tests.chaos.history import Step
from tests.chaos.invariants import broken
from tests.chaos.life import Life
from tests.chaos.oracle import differences
from tests.chaos.performance import at_rest, keep_secrets
from tests.chaos.picture import Chronicle, take_picture
from tests.chaos.rough_network import RoughNetwork
from tests.chaos.swarm import Swarm
from tests.chaos.trace import Trace

PACE = {
    "SCHEDULE_LEASE_SECONDS": "14400",
    "IDLE_SECONDS": "3600",
    "RESCUE_SECONDS": "3600",
    "WAITING_SECONDS": "43200",
    "SWEEP_SECONDS": "86400",
    "ECHO_SECONDS": "3600",
    "BACKOFF_MOST_SECONDS": "900",
}
POLL_SECONDS = 21600.0
DOWN_SECONDS = (0.0, 2.0, 30.0, 120.0, 1800.0, 9000.0)


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


@dataclass
class Undertaker:
    """Buries processes that died, and starts others in their place after a while."""

    rng: random.Random
    chance: float
    most: int
    deaths: int = 0
    watches: list[asyncio.Task[None]] = field(default_factory=list)

    def dies(self, where: str) -> bool:
        """Return whether a process dies here."""
        if self.chance == 0.0 or self.deaths >= self.most or self.rng.random() >= self.chance:
            return False
        self.deaths += 1
        return True

    @contextlib.asynccontextmanager
    async def watching(self, stage: Stage) -> AsyncIterator[None]:
        """Watch all processes inside; behind it all of them live, and none dies any more."""
        watches = [asyncio.create_task(self._watch(stage, number)) for number in range(len(stage.processes))]
        try:
            yield
            self.chance = 0.0
            for number, watch in enumerate(watches):
                if stage.processes[number].mortality.dead:
                    await asyncio.sleep(max(DOWN_SECONDS) + 1.0)
                watch.cancel()
        finally:
            for watch in watches:
                watch.cancel()
            await asyncio.gather(*watches, return_exceptions=True)

    async def _watch(self, stage: Stage, number: int) -> None:
        while True:
            await stage.processes[number].mortality.end()
            await stage.kill(number)
            await asyncio.sleep(self.rng.choice(DOWN_SECONDS))
            # A process may die before it has begun: then it is buried like any other.
            with contextlib.suppress(DatabaseUnavailable):
                await stage.start(number)


def run(swarm: Swarm, kept: Path | None = None) -> Outcome:
    """Carry a swarm out; return what became of it."""
    disk, template = disks()
    disk.copy_of(template)
    with tempfile.TemporaryDirectory(prefix="swarm-", dir=IN_MEMORY) as folder:
        keep_secrets(Path(folder), swarm.history.seed)
        return in_simulated_time(_carried_out(swarm, Path(folder), disk, kept), datetime.fromisoformat(swarm.history.begins))


async def _carried_out(swarm: Swarm, folder: Path, disk: Disk, kept: Path | None) -> Outcome:
    seed = swarm.history.seed
    trace = Trace(disk, kept)
    network = RoughNetwork(random.Random(f"network {seed}"), swarm.ways, swarm.cuts, trace.note)
    undertaker = Undertaker(random.Random(f"deaths {seed}"), swarm.deaths, swarm.most_deaths)
    ground = Ground(network, disk, swarm.processes, undertaker.dies, trace.wrote)
    chance, undertaker.chance = undertaker.chance, 0.0  # nobody dies before all live
    async with staged(folder, seed, POLL_SECONDS, ground, **PACE) as stage:
        chronicle, life = Chronicle(stage.platforms), _SwarmLife(stage, swarm.history)
        undertaker.chance = chance
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
