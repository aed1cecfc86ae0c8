"""The limit as the platform may see it: any second holds at most so many calls, wherever on their way it counted them."""

import asyncio
import random
from datetime import UTC, datetime, timedelta

from connectors.window import Window

START = datetime(2019, 8, 15, tzinfo=UTC)


class Stage:
    """Simulated time: sleeping moves the clock, one sleeper at a time in order of waking."""

    def __init__(self) -> None:
        self.now = START
        self.sleepers: list[tuple[datetime, int, asyncio.Future[None]]] = []

    def clock(self) -> datetime:
        return self.now

    async def sleep(self, seconds: float) -> None:
        woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.sleepers.append((self.now + timedelta(seconds=seconds), len(self.sleepers), woken))
        await woken

    async def play(self, work: asyncio.Future[None]) -> None:
        while not work.done():
            for _ in range(20):
                await asyncio.sleep(0)
            self.sleepers = [sleeper for sleeper in self.sleepers if not sleeper[2].done()]
            if self.sleepers and not work.done():
                self.sleepers.sort(key=lambda sleeper: sleeper[:2])
                self.now, _, woken = self.sleepers.pop(0)
                if not woken.done():
                    woken.set_result(None)


async def counted(latencies: list[tuple[float, float]], per_second: float) -> tuple[list[datetime], timedelta]:
    """Make calls as fast as they are let; return when the platform counted each, and how long all took."""
    stage, seen = Stage(), list[datetime]()
    window = Window(per_second, stage.clock, stage.sleep)

    async def call(there: float, back: float) -> None:
        async with window.place():
            await stage.sleep(there)
            seen.append(stage.now)
            await stage.sleep(back)

    await stage.play(asyncio.gather(*(call(*latency) for latency in latencies)))  # type: ignore[arg-type]
    return sorted(seen), stage.now - START


async def test_no_second_holds_more_calls_than_allowed_however_they_are_held_up() -> None:
    rng = random.Random(7)
    seen, _ = await counted([(rng.choice((0.001, 0.05, 0.4)), rng.uniform(0, 0.2)) for _ in range(200)], 20)
    assert len(seen) == 200
    for first, beyond in zip(seen, seen[20:], strict=False):
        assert beyond - first >= timedelta(seconds=1)


async def test_quick_answers_leave_at_least_nine_tenths_of_the_limit() -> None:
    _, took = await counted([(0.02, 0.02)] * 400, 20)
    assert 400 / took.total_seconds() > 18


async def test_a_call_that_hangs_frees_its_place() -> None:
    _, took = await counted([(0.0, 60.0)] + [(0.0, 0.0)] * 60, 20)
    assert took == timedelta(seconds=60)
