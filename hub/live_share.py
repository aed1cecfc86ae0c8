"""The share of each platform's quota, and of its calls under way, that is for people who ask live.

Used by live_reads.py, and by eligibility.py for callers of the graph: together they take no more of what is owed to platforms.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from connectors.base import Connector
from connectors.breaker import Breaker, breaker_of
from hub.live_calls import NotLive, late
from hub.mirror import quota
from hub.mirror.database import Database, DatabaseUnavailable
from schema.live import LIVE_FAILED, LIVE_NOT_BRIDGED, LIVE_PLATFORM_DOWN, LIVE_QUOTA, Trouble

STREAM = "live"
"""Under this name the share stands among the quotas, and what was read live in quarantine and log."""


@dataclass(frozen=True)
class Line:
    """The way to one platform: how many calls may be under way from here, and how many a second from all processes.

    Its breaker opens where live reads were not answered in time again and again: the connector's own waits for longer deadlines.
    """

    connector: Connector
    places: asyncio.Semaphore
    per_second: float
    breaker: Breaker

    @property
    def platform(self) -> str:
        """Return the platform's name."""
        return self.connector.platform

    @property
    def seconds(self) -> float:
        """Return within how many seconds the platform has to answer."""
        return self.connector.settings.live_seconds

    def settling(self, entity: str) -> timedelta:
        """Return for how long the platform may show less of an entity than it told."""
        return max((one.settling for one in self.connector.streams if entity in one.entities), default=timedelta(0))

    async def occupy(self, until: float) -> None:
        """Take a place among the calls under way, to be released; raise NotLive where none is free until then (the loop's time)."""
        begun = asyncio.get_running_loop().time()
        try:
            async with asyncio.timeout_at(until):
                await self.places.acquire()
        except TimeoutError:
            raise late(self.platform, until - begun) from None


class LiveShare:
    """Holds the line to each platform. `share` is a part of 1."""

    def __init__(
        self, database: Database, connectors: Mapping[str, Connector], clock: Callable[[], datetime], share: float
    ) -> None:
        self._database, self._clock = database, clock
        self.lines: dict[str, Line] = {}
        for connector in connectors.values():
            own = connector.settings
            places = asyncio.Semaphore(max(1, int(own.max_in_flight * share)))
            self.lines[connector.platform] = Line(connector, places, own.quota_per_second * share, breaker_of(own, clock))

    async def take(self, line: Line, calls: int, seconds: float) -> int:
        """Return how many of the calls fit into the share, all processes together; raise NotLive where none is to be made.

        Half of the seconds in which an answer is wanted may pass until the database says so.
        """
        platform, rate = line.platform, line.per_second
        if line.connector.open_until is not None or line.breaker.refuses_for() is not None:
            told = f"{platform}: not asked, it failed several times in a row and is left alone for a while"
            raise NotLive(Trouble(platform, LIVE_PLATFORM_DOWN, told, True))
        name, burst = f"{platform}/{STREAM}", max(1, int(rate * line.seconds))
        try:
            async with asyncio.timeout(seconds / 2):
                return await self._database.write(quota.take, name, calls, rate, burst, self._clock)
        except (TimeoutError, DatabaseUnavailable) as error:
            told = f"{platform}: not asked, the hub's database cannot say whether the quota allows it; ask again"
            raise NotLive(Trouble(platform, LIVE_FAILED, told, True, "QUOTA_UNKNOWN")) from error

    @contextlib.asynccontextmanager
    async def place(self, platform: str, seconds: float) -> AsyncIterator[None]:
        """Hold one call to a platform for the time of the block.

        Raises NotLive where the share is used up, or all calls are under way for so many seconds.
        """
        if (line := self.lines.get(platform)) is None:
            raise NotLive(Trouble(platform, LIVE_NOT_BRIDGED, f"{platform}: this hub does not bridge the platform", False))
        until = asyncio.get_running_loop().time() + seconds
        if not await self.take(line, 1, seconds):
            raise NotLive(used_up(platform))
        await line.occupy(until)
        try:
            yield
        finally:
            line.places.release()


def used_up(platform: str) -> Trouble:
    """Return why a platform is not asked where the share of it is used up."""
    told = f"{platform}: live reads have used up their share of its quota; ask again in a moment, or for fewer records"
    return Trouble(platform, LIVE_QUOTA, told, True)
