"""Simulated time: it jumps to what happens next, however long that takes and however long it has run."""

import asyncio
from datetime import timedelta

import pytest

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


def test_time_that_cannot_go_on_ends_the_loop_instead_of_spinning() -> None:
    """A loop of the usual resolution asks for less than a float can add, again and again."""

    async def wait() -> None:
        asyncio.get_running_loop()._clock_resolution = 1e-9  # type: ignore[attr-defined]
        await asyncio.sleep(400 * 86400 + 1 / 3)
        for _ in range(2000):
            await asyncio.sleep(0.1)

    with pytest.raises(RuntimeError, match="time stands still"):
        in_simulated_time(wait(), START)


def test_waiting_for_what_never_happens_is_named() -> None:
    """Nobody is left who could set the event."""

    async def wait() -> None:
        await asyncio.Event().wait()

    with pytest.raises(RuntimeError, match="never happens"):
        in_simulated_time(wait(), START)
