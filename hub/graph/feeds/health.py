"""The platforms' health, looked at once a process while somebody listens; a condition, so that each is told the newest only."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from typing import Any

import structlog

from connectors.base import Sleep
from hub.mirror.database import DatabaseUnavailable
from schema.context import PlatformHealth

log = structlog.get_logger()


def condition(health: PlatformHealth) -> tuple[Any, ...]:
    """Return what counts as a change: not what moves with every look, as the lag and the clocks do."""
    return (
        health.bridged,
        health.breaker_open_until,
        health.paused,
        health.maintenance,
        health.silenced,
        health.backlog,
        health.stuck,
        health.last_success is None,
    )


class HealthFeed:
    """Holds the newest look."""

    def __init__(
        self, platforms: Callable[[], Awaitable[Sequence[PlatformHealth]]], sleep: Sleep, look_again_seconds: float
    ) -> None:
        self._platforms = platforms
        self._sleep = sleep
        self._look_again = look_again_seconds
        self._now: Sequence[PlatformHealth] | None = None
        self._wanted = asyncio.Event()
        self._news = asyncio.Event()
        self.listeners = 0

    async def run(self) -> None:
        """Look again and again while somebody listens, until cancelled."""
        while True:
            self._wanted.clear()
            if self.listeners:
                try:
                    self._now = await self._platforms()
                except DatabaseUnavailable as error:
                    log.warning("the platforms' health cannot be told now", error=str(error))
                news, self._news = self._news, asyncio.Event()
                news.set()
                await self._sleep(self._look_again)
            else:
                self._now = None
                await self._wanted.wait()

    async def told(self) -> AsyncGenerator[Sequence[PlatformHealth], None]:
        """Yield all platforms, then whichever changed."""
        self.listeners += 1
        self._wanted.set()
        known: Mapping[str, tuple[Any, ...]] = {}
        try:
            while True:
                news = self._news
                if self._now is not None:
                    changed = [one for one in self._now if known.get(one.name) != condition(one)]
                    known = {one.name: condition(one) for one in self._now}
                    if changed:
                        yield changed
                        continue  # it may have changed meanwhile
                await news.wait()
        finally:
            self.listeners -= 1
