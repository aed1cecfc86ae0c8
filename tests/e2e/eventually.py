"""Waiting for what must come true, and no longer than it may take."""

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar, overload

T = TypeVar("T")

LOOK_AGAIN = 0.02


@overload
async def eventually(
    predicate: Callable[..., Awaitable[T | None]], *arguments: object, within: float = ..., or_say: str = ...
) -> T: ...
@overload
async def eventually(predicate: Callable[..., T | None], *arguments: object, within: float = ..., or_say: str = ...) -> T: ...
async def eventually(predicate: Callable[..., Any], *arguments: object, within: float = 20.0, or_say: str = "") -> Any:
    """Return the first true value of the predicate, asked again and again; raise AssertionError after so many true seconds."""
    until = time.monotonic() + within
    while True:
        found = predicate(*arguments)
        value = await found if inspect.isawaitable(found) else found
        if value:
            return value
        if time.monotonic() > until:
            raise AssertionError(f"not within {within:g} s: {or_say or predicate}; the last value was {value!r}")
        await asyncio.sleep(LOOK_AGAIN)
