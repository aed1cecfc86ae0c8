"""The platform's limit as the platform itself may see it: no more calls in any second than allowed, whenever they arrive.

The shared quota spaces our calls out, but a call that is held up on its way arrives closer to the next ones. So a call counts
from when it was sent until a second after its answer: whatever moment the platform counted it at lies in between.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from datetime import datetime, timedelta

from connectors.base import Clock, Sleep

ON_ITS_WAY = timedelta(seconds=0.5)
"""A call without an answer has been counted by the platform so long after it was sent; one that hangs frees its place then."""


class Window:
    """Places for `per_second` calls of one process."""

    def __init__(self, per_second: float, clock: Clock, sleep: Sleep) -> None:
        self._clock = clock
        self._sleep = sleep
        self._most = max(1, int(per_second))
        self._period = timedelta(seconds=max(1.0, self._most / per_second))
        self._taken: dict[object, datetime] = {}
        self._turn = asyncio.Lock()
        self._answered = asyncio.Event()

    @contextlib.asynccontextmanager
    async def place(self) -> AsyncIterator[None]:
        """Hold a place while a call is made; wait, in order of arrival, until there is one."""
        mine = object()
        async with self._turn:
            while (wait := self._wait()) > 0:
                await self._sleep_or_answer(wait)
            self._taken[mine] = self._clock() + ON_ITS_WAY + self._period
        try:
            yield
        finally:
            self._taken[mine] = min(self._taken.get(mine, self._clock()), self._clock() + self._period)
            self._answered.set()

    async def _sleep_or_answer(self, seconds: float) -> None:
        """Sleep, but no longer than until a call is answered: its place may be free sooner than was feared."""
        self._answered.clear()
        waiting = {asyncio.ensure_future(self._sleep(seconds)), asyncio.ensure_future(self._answered.wait())}
        try:
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for each in waiting:
                each.cancel()

    def _wait(self) -> float:
        """Return the seconds until a place is free, 0 if one is."""
        now = self._clock()
        self._taken = {call: until for call, until in self._taken.items() if until > now}
        if len(self._taken) < self._most:
            return 0.0
        return (min(self._taken.values()) - now).total_seconds()
