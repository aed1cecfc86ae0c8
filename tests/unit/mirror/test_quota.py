"""The quota: all processes together stay within the rate, nearly reach it, and write little for it."""

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import pytest
from sqlalchemy import Connection, select

from connectors.errors import TransientError
from hub.mirror.database import Database, DatabaseUnavailable, SQLiteDatabase
from hub.mirror.quota import DatabaseQuota, take
from hub.mirror.tables import METADATA, QUOTA
from hub.simulation.clock import in_simulated_time, simulated_now
from tests.settable_clock import START, SettableClock

T = TypeVar("T")
RATE = 20.0
Writes = list[datetime]


class SlowDatabase(SQLiteDatabase):
    """A process's way to the shared file, with a commit that takes `delay` seconds of simulated time."""

    def __init__(self, path: Path, delay: float) -> None:
        super().__init__(str(path), inline=True)
        self.delay = delay
        self.writes: Writes = []

    async def write(self, work: Callable[..., T], *args: Any, **kwargs: Any) -> T:
        self.writes.append(simulated_now())
        done = await super().write(work, *args, **kwargs)
        await asyncio.sleep(self.delay)
        return done


@pytest.fixture
def processes(tmp_path: Path) -> Iterator[tuple[SlowDatabase, SlowDatabase]]:
    both = SlowDatabase(tmp_path / "quota.db", 0.004), SlowDatabase(tmp_path / "quota.db", 0.012)
    METADATA.create_all(both[0].engine, [QUOTA])
    yield both
    for each in both:
        each.engine.dispose()


def quota(database: Database) -> DatabaseQuota:
    return DatabaseQuota(database, clock=simulated_now, sleep=asyncio.sleep)


async def caller(shared: DatabaseQuota, calls: list[datetime], until: float, takes: float = 0.05) -> None:
    """Call one platform again and again."""
    while asyncio.get_running_loop().time() < until:
        await shared.acquire("grid", RATE)
        calls.append(simulated_now())
        await asyncio.sleep(takes)


def fullest_second(calls: list[datetime]) -> int:
    """Return how many calls the fullest second holds; a second begins with a call and leaves out its end."""
    ordered = sorted(calls)
    return max(sum(0 <= (later - first).total_seconds() < 1 for later in ordered[at:]) for at, first in enumerate(ordered))


async def together(*work: Coroutine[Any, Any, None]) -> None:
    await asyncio.gather(*work)


def test_two_processes_together_keep_the_rate_and_nearly_reach_it(processes: tuple[SlowDatabase, SlowDatabase]) -> None:
    calls: list[datetime] = []
    quotas = [quota(each) for each in processes]
    in_simulated_time(together(*(caller(one, calls, 30.0) for one in quotas for _ in range(8))), START)
    assert fullest_second(calls) <= RATE
    seconds = (max(calls) - min(calls)).total_seconds()
    assert len(calls) >= 0.95 * RATE * seconds


def test_callers_that_wait_together_share_one_write(processes: tuple[SlowDatabase, SlowDatabase]) -> None:
    database, calls = processes[0], list[datetime]()
    shared = quota(database)

    async def all_at_once() -> None:
        await asyncio.gather(*(caller(shared, calls, 0.001) for _ in range(10)))

    in_simulated_time(all_at_once(), START)
    assert len(calls) == 10
    assert len(database.writes) <= 2


def test_one_write_reserves_no_more_than_half_a_second_so_that_others_get_their_turn(
    processes: tuple[SlowDatabase, SlowDatabase],
) -> None:
    first, second = (quota(each) for each in processes)

    async def crowd_and_one() -> float:
        crowd = [asyncio.create_task(first.acquire("grid", RATE)) for _ in range(200)]
        await asyncio.sleep(0.1)
        began = asyncio.get_running_loop().time()
        await second.acquire("grid", RATE)
        waited = asyncio.get_running_loop().time() - began
        for each in crowd:
            each.cancel()
        return waited

    assert in_simulated_time(crowd_and_one(), START) < 0.8


def test_an_idle_process_gives_nothing_away(processes: tuple[SlowDatabase, SlowDatabase]) -> None:
    shared = quota(processes[0])

    async def once_then_idle() -> None:
        await shared.acquire("grid", RATE)
        await asyncio.sleep(60)
        began = asyncio.get_running_loop().time()
        await shared.acquire("grid", RATE)
        assert asyncio.get_running_loop().time() - began < 0.05

    in_simulated_time(once_then_idle(), START)
    assert len(processes[0].writes) == 2


def test_slots_of_callers_that_have_gone_are_not_used_on_top_of_others(processes: tuple[SlowDatabase, SlowDatabase]) -> None:
    first, second = (quota(each) for each in processes)
    calls: list[datetime] = []

    async def go_away() -> None:
        crowd = [asyncio.create_task(first.acquire("grid", RATE)) for _ in range(10)]
        await asyncio.sleep(0.006)  # the second caller is just reserving for all who wait
        for each in crowd[2:]:
            each.cancel()
        await asyncio.sleep(2)
        await asyncio.gather(*(caller(one, calls, 5.0) for one in (first, second) for _ in range(10)))

    in_simulated_time(go_away(), START)
    assert fullest_second(calls) <= RATE


def test_platforms_do_not_wait_for_each_other(processes: tuple[SlowDatabase, SlowDatabase]) -> None:
    shared = quota(processes[0])

    async def both() -> float:
        busy = [asyncio.create_task(shared.acquire("grid", 0.1)) for _ in range(5)]
        await asyncio.sleep(0.1)
        began = asyncio.get_running_loop().time()
        await shared.acquire("credit", RATE)
        for each in busy:
            each.cancel()
        return asyncio.get_running_loop().time() - began

    assert in_simulated_time(both(), START) < 0.1


async def test_the_slots_stand_in_the_database(database: Database, clock: SettableClock) -> None:
    shared = DatabaseQuota(database, clock=clock, sleep=clock.sleep)
    for _ in range(3):
        await shared.acquire("grid", 1.0)
    before = clock()

    def next_slot(connection: Connection) -> int:
        return int(connection.execute(select(QUOTA.c.next_slot_at)).scalar_one())

    assert await database.read(next_slot) > before.timestamp() * 1_000_000
    other = DatabaseQuota(database, clock=clock, sleep=clock.sleep)
    await other.acquire("grid", 1.0)
    assert (clock() - before).total_seconds() == pytest.approx(1 / 0.97, abs=0.01)


@pytest.mark.parametrize("waits_in", ["the same process", "another process"])
async def test_a_clock_that_stood_an_hour_ahead_holds_nobody_up_for_an_hour(
    database: Database, clock: SettableClock, waits_in: str
) -> None:
    ahead = DatabaseQuota(database, clock=lambda: clock() + timedelta(hours=1), sleep=clock.sleep)
    await ahead.acquire("grid", 10.0)
    own = DatabaseQuota(database, clock=clock, sleep=clock.sleep)
    if waits_in == "the same process":
        own._lines["grid"] = ahead._lines["grid"]
    before = clock()
    for _ in range(5):
        await own.acquire("grid", 10.0)
    assert (clock() - before).total_seconds() < 2


async def test_what_a_slow_platform_gives_away_far_ahead_stands(database: Database, clock: SettableClock) -> None:
    others = [DatabaseQuota(database, clock=clock, sleep=clock.sleep) for _ in range(4)]
    before = clock()
    for each in others:
        await each.acquire("grid", 0.005)
    assert (clock() - before).total_seconds() == pytest.approx(3 / 0.005 / 0.97, abs=1)


async def test_without_the_database_no_call_is_made(clock: SettableClock) -> None:
    class Gone(SQLiteDatabase):
        async def write(self, work: Callable[..., T], *args: Any, **kwargs: Any) -> T:
            raise DatabaseUnavailable("locked")

    database = Gone(":memory:", inline=True)
    with pytest.raises(TransientError, match="not called: the quota cannot be read"):
        await DatabaseQuota(database, clock=clock, sleep=clock.sleep).acquire("grid", 1.0)


def test_a_share_that_is_taken_at_once_is_one_for_all_processes_and_grows_back(
    processes: tuple[SlowDatabase, SlowDatabase],
) -> None:
    async def taken(process: SlowDatabase, calls: int) -> int:
        return await process.write(take, "grid/live", calls, 5.0, 10, simulated_now)

    async def story() -> None:
        first, second = processes
        assert [await taken(first, 7), await taken(second, 7), await taken(first, 7)] == [7, 3, 0]
        await asyncio.sleep(1.01)
        assert [await taken(second, 9), await taken(first, 1)] == [5, 0]
        await asyncio.sleep(3600)
        assert await taken(first, 100) == 10, "a pause saves up no more than is allowed at once"
        calls, loop = 0, asyncio.get_running_loop()
        began = loop.time()
        for _ in range(100):
            await asyncio.sleep(0.1)
            calls += await taken(first, 100)
        assert abs(calls - 5.0 * (loop.time() - began)) <= 1

    in_simulated_time(story(), START)
