"""One call to a platform for somebody who waits: whether it may be made, for how long, and why it was not answered.

Used by hub/eligibility.py and hub/live_reads.py, for which a platform that cannot be asked is no failure.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence

from connectors.base import Connector, Item
from connectors.errors import ConnectorError, PlatformDown, TransientError
from connectors.patience import waits_until
from schema.live import LIVE_FAILED, LIVE_NOT_BRIDGED, LIVE_PAUSED, LIVE_PLATFORM_DOWN, LIVE_TIMEOUT, Trouble


class NotLive(Exception):
    """The platform was not asked, or did not answer as it should in time; `trouble` says why."""

    def __init__(self, trouble: Trouble) -> None:
        super().__init__(trouble.message)
        self.trouble = trouble


class LiveCalls:
    """Calls platforms, within the time that is given. `is_paused` says whether an operator has paused one."""

    def __init__(self, connectors: Mapping[str, Connector], is_paused: Callable[[str], bool]) -> None:
        self._connectors, self._is_paused = connectors, is_paused

    def check(self, platform: str) -> Connector:
        """Return the platform's connector; raise NotLive where it need not be tried."""
        connector = self._connectors.get(platform)
        if connector is None:
            raise NotLive(Trouble(platform, LIVE_NOT_BRIDGED, f"{platform}: this hub does not bridge the platform", False))
        if self._is_paused(platform):
            told = f"{platform}: not asked, operators have paused the platform; platforms {{ paused {{ reason }} }} says why"
            raise NotLive(Trouble(platform, LIVE_PAUSED, told, True))
        return connector

    async def fetch(self, platform: str, entity: str, keys: Sequence[str], seconds: float) -> list[Item]:
        """Return what the platform shows of these keys now; raise NotLive. A call that is too late is given up."""
        connector = self.check(platform)
        try:
            async with asyncio.timeout(seconds) as within:
                with waits_until(within.when() or 0.0):
                    return await connector.fetch(entity, keys)
        except TimeoutError:
            raise late(platform, seconds) from None
        except PlatformDown as error:
            told = f"{platform}: not asked, it failed several times in a row and is left alone for a while"
            raise NotLive(Trouble(platform, LIVE_PLATFORM_DOWN, told, True, error.code)) from error
        except ConnectorError as error:
            retryable = isinstance(error, TransientError)
            raise NotLive(Trouble(platform, LIVE_FAILED, _said(error), retryable, error.code)) from error


def late(platform: str, seconds: float) -> NotLive:
    """Return what to raise where no answer came within so many seconds."""
    told = f"{platform}: no answer within {seconds:.3g} s; ask again, or without maxAge for the hub's copy"
    return NotLive(Trouble(platform, LIVE_TIMEOUT, told, True))


def _said(error: ConnectorError) -> str:
    """Return what went wrong in our own words: a platform's may hold what the caller must not see."""
    again = "ask again later" if isinstance(error, TransientError) else "operators have to look"
    return f"{error.platform}: it could not be read live ({error.code}); {again}"
