"""Simulated time: it jumps to what happens next, however long that takes and however long it has run."""

import asyncio
from datetime import timedelta

from hub.simulation.clock import in_simulated_time, simulated_now
from tests.settable_clock import START


def test_time_goes_on_after_years() -> None:
    """After 97 days a float of seconds can no longer tell a nanosecond, which is a loop's usual resolution."""

    async def wait() -> None:
        for _ in range(3):
            await asyncio.sleep(400 * 86400 + 1 / 3)
            for _ in range(200):
                await asyncio.sleep(0.1)
        assert simulated_now() - START > timedelta(days=1200)

    in_simulated_time(wait(), START)
