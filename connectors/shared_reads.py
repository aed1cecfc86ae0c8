"""Reads under way that several callers share."""

import asyncio
from collections.abc import Callable, Coroutine, Hashable
from typing import Any, TypeVar

T = TypeVar("T")


class SharedReads:
    """One call for all who ask the same at the same time.

    A read that nobody waits for any more goes on by itself, so that the breaker learns how it ends, and is shared no longer.
    """

    def __init__(self) -> None:
        self._shared: dict[Hashable, _SharedRead] = {}
        self._under_way: set[asyncio.Task[Any]] = set()

    async def result(self, key: Hashable, begin: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Return what the read under way for `key` gives, or else the one that `begin` makes; raise what it raises."""
        if (shared := self._shared.get(key)) is None or shared.task.done():
            shared = self._shared[key] = _SharedRead(asyncio.create_task(begin()))
            self._under_way.add(shared.task)
            shared.task.add_done_callback(self._ended)
        shared.waiting += 1
        try:
            result: T = await asyncio.shield(shared.task)
        finally:
            shared.waiting -= 1
            if not shared.waiting and self._shared.get(key) is shared:
                del self._shared[key]
        return result

    def cancel(self) -> None:
        """End the reads under way."""
        for task in list(self._under_way):
            task.cancel()

    def _ended(self, done: asyncio.Task[Any]) -> None:
        self._under_way.discard(done)
        if not done.cancelled():
            done.exception()  # seen, also when everyone who waited for it has gone


class _SharedRead:
    """A read under way, and how many wait for it."""

    def __init__(self, task: asyncio.Task[Any]) -> None:
        self.task = task
        self.waiting = 0
