"""Waiting for what must come true, and no longer than it may take."""

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")

LOOK_AGAIN = 0.02


async def eventually(predicate: Callable[[], T | Awaitable[T]], *, within: float = 20.0, or_say: str = "") -> T:
    """Return the first true value of the predicate, asked again and again; raise AssertionError after so many true seconds."""
    until = time.monotonic() + within
    while True:
        found = predicate()
        value = await found if inspect.isawaitable(found) else found
        if value:
            return value
        if time.monotonic() > until:
            raise AssertionError(f"not within {within:g} s: {or_say or predicate}; the last value was {value!r}")
        await asyncio.sleep(LOOK_AGAIN)
