"""hub/schedules.py: one process at a time does regular work, and another takes over from one that ends, dies or hangs."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from hub.mirror import leases
from hub.mirror.database import Database, DatabaseUnavailable, PostgreSQLDatabase, SQLiteDatabase
from hub.mirror.leases import Lease
from hub.schedules import Schedule, Scheduler
from tests.e2e.eventually import eventually
from tests.settable_clock import SettableClock

LENGTH = timedelta(seconds=15)


def now() -> datetime:
    return datetime.now(UTC)


@contextlib.asynccontextmanager
async def running(database: Database, *schedules: Schedule, lease_seconds: float = 0.3) -> AsyncIterator[asyncio.Task[None]]:
    scheduler = Scheduler(database, schedules, clock=now, sleep=asyncio.sleep, lease_seconds=lease_seconds)
    task = asyncio.create_task(scheduler.run())
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


class Work:
    def __init__(self) -> None:
        self.done = 0

    async def __call__(self) -> None:
        self.done += 1


async def test_a_lease_is_one_process_s_until_it_is_over_or_given_back(database: Database, clock: SettableClock) -> None:
    first = await database.write(leases.take, "sweep", clock(), LENGTH)
    assert isinstance(first, Lease)
    assert await database.write(leases.take, "sweep", clock(), LENGTH) == first.until
    assert isinstance(await database.write(leases.take, "count", clock(), LENGTH), Lease)
    clock.advance(10)
    renewed = await database.write(leases.renew, first, clock(), LENGTH)
    assert renewed is not None
    clock.advance(10)
    assert await database.write(leases.take, "sweep", clock(), LENGTH) == renewed.until
    clock.advance(6)
    second = await database.write(leases.take, "sweep", clock(), LENGTH)
    assert isinstance(second, Lease)
    assert await database.write(leases.renew, renewed, clock(), LENGTH) is None
    await database.write(leases.give_back, renewed)  # not ours any more: nothing happens
    assert await database.write(leases.take, "sweep", clock(), LENGTH) == second.until
    await database.write(leases.give_back, second)
    assert isinstance(await database.write(leases.take, "sweep", clock(), LENGTH), Lease)


async def test_work_is_repeated_whatever_becomes_of_a_turn(database: Database) -> None:
    turns = 0

    async def fails() -> None:
        nonlocal turns
        turns += 1
        raise [DatabaseUnavailable("locked"), ValueError("wrong")][turns % 2]

    steady, late = Work(), Work()
    schedules = (
        Schedule("fails", 0.01, fails),
        Schedule("steady", 0.01, steady),
        Schedule("late", 3600, late, at_once=False),
    )
    async with running(database, *schedules):
        await eventually(lambda: turns >= 3 and steady.done >= 3)
    assert late.done == 0


async def test_one_process_at_a_time_does_the_work_and_another_takes_over_at_once(postgresql_database: PostgreSQLDatabase) -> None:
    first, second = Work(), Work()
    async with running(postgresql_database, Schedule("sweep", 0.01, first), lease_seconds=3600):
        await eventually(lambda: first.done >= 3)
        async with running(postgresql_database, Schedule("sweep", 0.01, second)) as other:
            before = first.done
            await eventually(lambda: first.done >= before + 3)
            assert second.done == 0
            other.cancel()
    async with running(postgresql_database, Schedule("sweep", 0.01, second)):
        await eventually(lambda: second.done >= 1)


async def test_who_died_is_followed_when_its_lease_is_over(postgresql_database: PostgreSQLDatabase) -> None:
    assert isinstance(await postgresql_database.write(leases.take, "sweep", now(), timedelta(seconds=0.3)), Lease)
    work = Work()
    async with running(postgresql_database, Schedule("sweep", 0.01, work)):
        await eventually(lambda: work.done >= 1)


async def test_who_was_paused_stops_when_another_has_taken_over(
    postgresql_database: PostgreSQLDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    cancelled = asyncio.Event()

    async def long() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()

    monkeypatch.setattr(leases, "renew", lambda *_: None)  # what a process hears that slept for longer than its lease
    async with running(postgresql_database, Schedule("sweep", 0.01, long)):
        await eventually(cancelled.is_set)


async def test_an_embedded_database_is_not_written_to_for_the_sake_of_leases(sqlite_database: SQLiteDatabase) -> None:
    work = Work()
    async with running(sqlite_database, Schedule("sweep", 0.01, work)):
        await eventually(lambda: work.done >= 2)
    assert await sqlite_database.read(lambda connection: connection.exec_driver_sql("SELECT count(*) FROM lease").scalar()) == 0
