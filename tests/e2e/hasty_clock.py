"""A clock that runs faster than the true one, and the sleep that belongs to it: intervals as set, tests in a tenth of them."""

import asyncio
import time
from datetime import UTC, datetime, timedelta

from tests.settable_clock import START

TIMES_FASTER = 10.0


class HastyClock:
    """`clock()` begins at START, a Monday morning in Beijing; `sleep(10)` takes one true second. Shared by hub and platforms."""

    def __init__(self, start: datetime = START, factor: float = TIMES_FASTER) -> None:
        self._start, self._factor, self._began = start, factor, time.monotonic()

    def __call__(self) -> datetime:
        return self._start + timedelta(seconds=(time.monotonic() - self._began) * self._factor)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds / self._factor)


def true_clock() -> HastyClock:
    """Return a clock that goes as fast as everybody's and shows the same, for platforms beside hubs in their own processes."""
    return HastyClock(datetime.now(UTC), 1.0)
