"""What a process of the hub does again and again: apply, poll, discharge, and its schedules. Built and started by app.py."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import dataclass
from typing import Any

import structlog

from connectors.base import Sleep
from hub.alerts.watch import DatabaseWatch
from hub.graph.feeds.feeds import LiveFeeds
from hub.intake.applying import Applying
from hub.intake.deliveries import Deliveries
from hub.intake.poller import Poller
from hub.mirror.database import DatabaseUnavailable
from hub.mirror.replica import Replica
from hub.mirror.wake_ups import WakeUps
from hub.operator import Operator
from hub.reconcile.worker import Worker
from hub.schedules import Scheduler

log = structlog.get_logger()
Loop = Callable[[], Coroutine[Any, Any, None]]


@dataclass
class Loops:
    """The loops of one process. Times are seconds; what the database refuses for a while is tried again at the next turn."""

    applying: Applying
    deliveries: Deliveries
    poller: Poller | None
    """None where streams are not polled."""
    worker: Worker
    scheduler: Scheduler
    operator: Operator
    wake_ups: WakeUps
    replica: Replica | None
    """None where the graph reads what the hub writes."""
    feeds: LiveFeeds
    watch: DatabaseWatch
    sleep: Sleep
    idle_seconds: float

    @contextlib.asynccontextmanager
    async def running(self, *, intake: bool, work: bool) -> AsyncIterator[None]:
        """Run the loops: intake (webhooks are stored and applied, subscribers fed), work (poll, discharge, schedules).

        All are ended behind the block.
        """
        loops: list[Loop] = [self.applying.run, self._refresh]
        loops += [self.wake_ups.run] if self.wake_ups.are_shared else []
        loops += [self.replica.run] if self.replica else []
        if intake:
            loops += [self.deliveries.run, self.feeds.run]
        if work:
            loops += [self.worker.run, self.scheduler.run]
            loops += [self.poller.run] if self.poller else []
        tasks = [asyncio.create_task(keep_running(loop, self.sleep), name=loop.__qualname__) for loop in loops]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _refresh(self) -> None:
        """Know when each platform was last read, so that the graph can say what is stale without asking the database."""
        while True:
            try:
                await self.operator.refresh()
            except DatabaseUnavailable:
                await self.watch.note(reached=False)
            else:
                await self.watch.note(reached=True)
            await self.sleep(self.idle_seconds * 2)


async def keep_running(loop: Loop, sleep: Sleep) -> None:
    """Run a loop until cancelled; one that ends or fails is logged, and begun again after a second."""
    while True:
        try:
            await loop()
            log.error("a loop of the hub ended; it begins again", loop=loop.__qualname__)
        except Exception:  # outermost: a loop that ended would leave its work undone in silence
            log.exception("a loop of the hub failed; it begins again", loop=loop.__qualname__)
        await sleep(1.0)
