"""Who decides when processes of the hub die, end in order, or find their database locked; and who starts others in their place."""

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from hub.mirror.database import DatabaseUnavailable
from hub.simulation.stage import Stage

DOWN_SECONDS = (0.0, 2.0, 30.0, 120.0, 1800.0, 9000.0)


@dataclass
class Undertaker:
    """Buries processes that died, and starts others in their place after a while. Nothing befalls anyone outside `watching`."""

    rng: random.Random
    chance: float
    """Of a process to end at each point at which it touches the world."""
    most: int
    stops: float
    """Share of the ends that are in order."""
    refusals: float
    """Share of transactions that the database refuses."""
    deaths: int = 0
    _raging: bool = False
    _to_stop: asyncio.Event = field(default_factory=asyncio.Event)

    def dies(self, where: str) -> bool:
        """Return whether a process dies here; one that is to end in order is told so."""
        if not self._raging or self.deaths >= self.most or self.rng.random() >= self.chance:
            return False
        self.deaths += 1
        if self.rng.random() < self.stops:
            self._to_stop.set()
            return False
        return True

    def refuses(self) -> bool:
        """Return whether the database refuses a transaction now, as one does that is locked, or whose disk is full."""
        return self._raging and self.refusals > 0.0 and self.rng.random() < self.refusals

    @contextlib.asynccontextmanager
    async def watching(self, stage: Stage) -> AsyncIterator[None]:
        """Watch all processes inside; behind it all of them live, and nothing befalls them any more."""
        watches = [asyncio.create_task(self._watch(stage, number)) for number in range(len(stage.processes))]
        watches.append(asyncio.create_task(self._stop(stage)))
        self._raging = True
        try:
            yield
            self._raging = False
            while not all(process.answers for process in stage.processes):  # noqa: ASYNC110  (simulated time costs nothing)
                await asyncio.sleep(60.0)
        finally:
            for watch in watches:
                watch.cancel()
            await asyncio.gather(*watches, return_exceptions=True)

    async def _watch(self, stage: Stage, number: int) -> None:
        while True:
            process = stage.processes[number]
            await process.mortality.end()
            if stage.processes[number] is not process:
                continue  # it ended in order, and another has taken its place
            await stage.kill(number)
            await asyncio.sleep(self.rng.choice(DOWN_SECONDS))
            # A process may die before it has begun: then it is buried like any other.
            with contextlib.suppress(DatabaseUnavailable):
                await stage.start(number)

    async def _stop(self, stage: Stage) -> None:
        """End the first process in order when it is time, and start another at once, as when a new version is brought in."""
        while True:
            await self._to_stop.wait()
            self._to_stop.clear()
            if stage.processes[0].answers:
                await stage.stop()
                with contextlib.suppress(DatabaseUnavailable):
                    await stage.start()
