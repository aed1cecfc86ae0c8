"""Regular work that one process at a time does: sweeps, counts, checks. Run by loops.py, put together by app.py.

On a database that many processes share, whoever holds the lease of a schedule does its work again and again; when that process
ends another takes over at once, when it dies or hangs, as soon as its lease is over. An embedded database has one process.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

import structlog

from connectors.base import Clock, Sleep
from hub.mirror import leases, measures
from hub.mirror.database import Database, DatabaseUnavailable
from hub.mirror.leases import Lease
from hub.mirror.rows import micros

log = structlog.get_logger()


@dataclass(frozen=True)
class Schedule:
    """Work to be done every so many seconds. What raises is logged and done again at the next turn."""

    name: str
    every_seconds: float
    work: Callable[[], Awaitable[object]]
    at_once: bool = True
    """Whether it is done at the start too, or only after the first pause."""
    noted: bool = False
    """Whether it is kept in the database when it was last done to its end (`bihuan_schedule_last_run_timestamp_seconds`)."""


class LeaseLost(Exception):
    """Another process does this now."""


class Scheduler:
    """Keeps schedules. Times are seconds."""

    def __init__(
        self, database: Database, schedules: Sequence[Schedule], *, clock: Clock, sleep: Sleep, lease_seconds: float
    ) -> None:
        self._database = database
        self._schedules = schedules
        self._clock = clock
        self._sleep = sleep
        self._length = timedelta(seconds=lease_seconds)

    async def run(self) -> None:
        """Do the work of all schedules, each at its own pace, until cancelled."""
        keep = self._lead if self._database.shared else self._repeat
        async with asyncio.TaskGroup() as group:
            for schedule in self._schedules:
                group.create_task(keep(schedule), name=f"schedule:{schedule.name}")

    async def _repeat(self, schedule: Schedule) -> None:
        if not schedule.at_once:
            await self._sleep(schedule.every_seconds)
        while True:
            await self._do(schedule)
            await self._sleep(schedule.every_seconds)

    async def _do(self, schedule: Schedule) -> None:
        try:
            await schedule.work()
            if schedule.noted:
                await self._database.write(measures.ran, schedule.name, self._clock())
        except DatabaseUnavailable as error:
            log.warning("scheduled work waits for the database", schedule=schedule.name, error=str(error))
        except Exception:  # outermost: one that fails must not end the others, nor its own next turn
            log.exception("scheduled work failed", schedule=schedule.name)

    async def _lead(self, schedule: Schedule) -> None:
        """Wait for the lease, then do the work as long as it is ours."""
        while True:
            try:
                taken = await self._database.write(leases.take, schedule.name, self._clock(), self._length)
            except DatabaseUnavailable:
                await self._sleep(1.0)
                continue
            if isinstance(taken, Lease):
                await self._hold(schedule, taken)
            else:
                held = (taken - micros(self._clock())) / 1_000_000
                await self._sleep(min(max(held, 0.0), self._length.total_seconds()) + 0.05)

    async def _hold(self, schedule: Schedule, lease: Lease) -> None:
        working = asyncio.create_task(self._repeat(schedule), name=f"schedule:{schedule.name}:work")
        try:
            while True:
                await self._sleep(self._length.total_seconds() / 3)
                lease = await self._renewed(lease)
        except LeaseLost:
            log.warning("another process took over", schedule=schedule.name)
        finally:
            working.cancel()
            await asyncio.gather(working, return_exceptions=True)
            with contextlib.suppress(DatabaseUnavailable):
                await self._database.write(leases.give_back, lease)

    async def _renewed(self, lease: Lease) -> Lease:
        """Return the lease lengthened; raise LeaseLost when it is over or another's."""
        try:
            renewed = await self._database.write(leases.renew, lease, self._clock(), self._length)
        except DatabaseUnavailable as error:
            if micros(self._clock()) >= lease.until:
                raise LeaseLost(lease.name) from error
            return lease
        if renewed is None:
            raise LeaseLost(lease.name)
        return renewed
