"""Interleaved rounds: each contender runs in turn, several times, so that noise falls on all alike."""

import statistics
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Contender:
    """Something that does `units` of work when called."""

    name: str
    units: int
    run: Callable[[], Awaitable[None]]
    rest: Callable[[], Awaitable[None]] | None = None
    """Waits, unmeasured, until what `run` left to be done is done, so that it is no burden on the next one."""


@dataclass(frozen=True)
class Measured:
    """Units a second of each round."""

    name: str
    rates: tuple[float, ...]

    @property
    def median(self) -> float:
        """Return the median rate."""
        return statistics.median(self.rates)


async def interleaved(contenders: list[Contender], rounds: int) -> Mapping[str, Measured]:
    """Run all contenders `rounds` times in turn, after one unmeasured warm-up each; return their rates by name."""
    rates: dict[str, list[float]] = {contender.name: [] for contender in contenders}
    for contender in contenders:
        await contender.run()
        await _rested(contender)
    for _ in range(rounds):
        for contender in contenders:
            begun = time.perf_counter()
            await contender.run()
            rates[contender.name].append(contender.units / (time.perf_counter() - begun))
            await _rested(contender)
    return {name: Measured(name, tuple(found)) for name, found in rates.items()}


async def _rested(contender: Contender) -> None:
    if contender.rest is not None:
        await contender.rest()
