"""Whether this process reaches the database: the one alert that cannot be kept there; each process tells it by itself."""

from collections.abc import Callable
from datetime import datetime, timedelta

import structlog

from hub.alerts.rules import BY_NAME
from hub.alerts.telling import Teller, wait_before
from hub.mirror.alerts import Standing, Which

log = structlog.get_logger()
UNREACHABLE = BY_NAME["BihuanDatabaseUnreachable"]


class DatabaseWatch:
    """Told at each look whether the database answered; `process` tells apart what several processes tell."""

    def __init__(self, teller: Teller | None, clock: Callable[[], datetime], process: str) -> None:
        self._teller, self._clock, self._process = teller, clock, process
        self._since: datetime | None = None
        self._raised: Standing | None = None
        self._tries = 0
        self._next_try_at: datetime | None = None

    async def note(self, *, reached: bool) -> None:
        """Raise the alert when it has been away for long enough, clear it when it answers; what nobody took is told later."""
        now = self._clock()
        if reached:
            self._since = None
            if self._raised is not None and self._raised.cleared_at is None:
                self._raised = self._raised._replace(cleared_at=now, tries=0)
                self._next_try_at = None
                log.info("alert cleared", alert=UNREACHABLE.name)
        else:
            self._since = self._since or now
            if now - self._since >= timedelta(seconds=UNREACHABLE.for_seconds):
                self._raise(now, self._since)
        await self._tell(now)

    def _raise(self, now: datetime, since: datetime) -> None:
        if self._raised is not None and self._raised.cleared_at is None:
            return
        if self._raised is None:
            self._raised = Standing(Which(UNREACHABLE.name, ""), since, now, None, 0.0, raise_told=False, tries=0)
        else:  # its end was not told yet: for who listens it has stood all the time
            self._raised = self._raised._replace(cleared_at=None)
        log.error("alert raised", alert=UNREACHABLE.name, what=UNREACHABLE.summary)

    async def _tell(self, now: datetime) -> None:
        one = self._raised
        if one is None or (one.raise_told and one.cleared_at is None):
            return
        if self._next_try_at is not None and now < self._next_try_at:
            return
        if self._teller is None or await self._teller.tell(one, self._process):
            self._tries, self._next_try_at = 0, None
            self._raised = None if one.cleared_at is not None else one._replace(raise_told=True)
        else:
            self._next_try_at = self._clock() + timedelta(seconds=wait_before(self._tries))
            self._tries += 1
