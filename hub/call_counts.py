"""Counts the calls that this process makes to platforms, for the console: made, and made in vain. Built by parts.py.

Counting costs nothing; `keep`, called now and then, adds to what all processes counted. A process that dies takes with it what it
counted since: a quarter of a minute at most.
"""

from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta

from hub.mirror import platform_calls
from hub.mirror.database import Database
from hub.mirror.platform_calls import Calls, Lately, span_of

KEPT_EVERY = timedelta(seconds=15)
NOT_FAILED = frozenset({"OK", "CANCELLED"})
"""How a call ends that the platform is not to blame for; CANCELLED: we went away before it answered."""


class CallCounts:
    """`note` is called for each call, whatever comes of it."""

    def __init__(self, database: Database, clock: Callable[[], datetime]) -> None:
        self._database, self._clock = database, clock
        self._made: Counter[tuple[str, int]] = Counter()
        self._failed: Counter[tuple[str, int]] = Counter()
        self._kept_at: datetime | None = None

    def note(self, platform: str, outcome: str) -> None:
        """Count a call that ended now: `OK`, `CANCELLED`, or the code of the error that it ended with."""
        at = platform, span_of(self._clock())
        self._made[at] += 1
        if outcome not in NOT_FAILED:
            self._failed[at] += 1

    async def keep(self, *, at_once: bool = False) -> None:
        """Add what was counted since; at most every quarter of a minute, unless `at_once`. Raises DatabaseUnavailable."""
        now = self._clock()
        waits = self._kept_at is not None and abs(now - self._kept_at) < KEPT_EVERY
        if not self._made or (waits and not at_once):
            return
        made, failed = self._made, self._failed
        self._made, self._failed, self._kept_at = Counter(), Counter(), now
        counts = {at: Calls(number, failed[at]) for at, number in made.items()}
        try:
            await self._database.write(platform_calls.add, counts, now)
        except BaseException:  # also when we are ended meanwhile: they are counted the next time
            self._made.update(made)
            self._failed.update(failed)
            raise

    async def lately(self) -> dict[str, Lately]:
        """Return the calls of all processes by platform, as they were last kept. Raises DatabaseUnavailable."""
        return await self._database.read(platform_calls.lately, self._clock())
