"""Applies kept deliveries as they come, each platform on a way of its own: one that is slow or fails holds up no other.

Run by loops.py. Little at a time while deliveries come in, for what is acknowledged next waits for the transaction that is under
way; and with a pause in between while many do, so that a fifth of the time is left to all ways together. An embedded database lets
one write at a time: there the ways take turns, transaction by transaction.
"""

import asyncio
import contextlib
from collections.abc import Sequence

import structlog

from connectors.base import Sleep
from hub.intake.apply import Applier
from hub.intake.deliveries import Deliveries
from hub.mirror.database import DatabaseUnavailable

log = structlog.get_logger()

LITTLE, MUCH = 25, 200
"""Deliveries of a platform that are applied in one transaction: while others come in, and when none do."""
GIVE_WAY = 4.0
"""How long a way pauses while many deliveries come in at once: so many times as long as its last transaction took, for each way."""
GATHER = 0.02
"""Seconds until a way looks again when it has applied all that was there: a transaction for each delivery would cost most."""


class Applying:
    """`arrived` is set when deliveries were kept, by this process or another. Times are seconds."""

    def __init__(
        self, applier: Applier, deliveries: Deliveries, arrived: asyncio.Event, *, sleep: Sleep, idle_seconds: float
    ) -> None:
        self._applier = applier
        self._deliveries = deliveries
        self._arrived = arrived
        self._sleep = sleep
        self._idle_seconds = idle_seconds
        self._under_way: set[str] = set()
        self._again: set[str] = set()
        """Platforms of which more was seen while their ways were at it."""

    async def run(self) -> None:
        """Look when deliveries arrive, and after the idle time for those that nobody told of, until cancelled."""
        self._under_way.clear()
        async with asyncio.TaskGroup() as group:
            while True:
                self._arrived.clear()
                for platform in await self._waiting():
                    if platform in self._under_way:
                        self._again.add(platform)
                    else:
                        self._under_way.add(platform)
                        group.create_task(self._apply(platform), name=f"apply:{platform}")
                # Not wait_for: that of Python 3.11 loses a cancellation which comes together with what was waited for.
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(self._idle_seconds):
                        await self._arrived.wait()

    async def _waiting(self) -> Sequence[str]:
        try:
            return await self._applier.platforms_waiting()
        except DatabaseUnavailable as error:
            log.warning("cannot look for deliveries", error=str(error))
            return ()

    async def _apply(self, platform: str) -> None:
        """Apply what waits of a platform, and what comes meanwhile; end when nothing is left."""
        try:
            while await self._apply_some(platform) or platform in self._again:
                pass
        finally:
            self._under_way.discard(platform)

    async def _apply_some(self, platform: str) -> bool:
        """Apply what fits into a transaction; return whether more may be waiting. Pauses behind it as long as it should."""
        self._again.discard(platform)
        now, limit = asyncio.get_running_loop().time, LITTLE if self._deliveries.lately else MUCH
        began = now()
        try:
            count = await self._applier.apply_of(platform, limit)
        except DatabaseUnavailable as error:
            log.warning("cannot apply deliveries", platform=platform, error=str(error))
            await self._sleep(self._idle_seconds)
            return True
        except Exception:  # outermost: what is wrong with one platform's deliveries must not end the ways of the others
            log.exception("cannot apply deliveries", platform=platform)
            await self._sleep(self._idle_seconds)
            return True
        if count and self._deliveries.pressing:
            await self._sleep((now() - began) * GIVE_WAY * len(self._under_way))
        elif 0 < count < limit:
            await self._sleep(GATHER)
        return count == limit
