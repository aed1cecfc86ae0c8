"""A platform's rate limit, shared by all processes through the database (调用配额). Given to connectors by app.py.

Calls are given away as evenly spaced slots: one row a platform holds the first moment not yet given away (GCRA). Whoever
finds no slot left reserves one for everybody of this process who waits, in one write; a process that is idle reserves nothing.
"""

import asyncio
from collections import defaultdict, deque
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, bindparam, select, update

from connectors.base import Clock, Quota, Sleep
from connectors.errors import TransientError
from hub.mirror.database import Database, DatabaseUnavailable, insert_into
from hub.mirror.rows import micros
from hub.mirror.tables import QUOTA

SHARE = 0.97
"""Of the rate: slots are this much wider than the platform asks, so that a call that starts a little late breaks no limit."""
LATE = timedelta(milliseconds=25)
"""A slot that passed longer ago than this is left unused: it would come on top of another process's."""
AHEAD_SECONDS = 0.5
"""At most so much is reserved in one write, and more only when half of it is over: many who wait here do not hold up others."""
FARTHEST = 120_000_000
"""Microseconds, and a hundred slots more. What is given away further ahead was given by a clock that stood wrong, and is taken
back: else everybody would wait for as long as it was wrong."""


MINUTE = 60_000_000
"""Microseconds. Slots are counted by the minute in which they are given away, the present one and the one before."""


class GivenAway(NamedTuple):
    """How much of a platform's quota all processes use, and how long a new caller would wait."""

    last_minute: float
    """Slots given away within it; of the minute before the present one, as many as belong to it if they were spread evenly."""
    wait_seconds: float
    """For so long the quota is given away in advance; 0: a call goes out at once."""


class Reserved(NamedTuple):
    """Slots, and when they were given away; microseconds."""

    slots: list[int]
    at: int


def reserve(connection: Connection, platform: str, count: int, width: int, clock: Clock, lead: int) -> Reserved:
    """Give away the next `count` slots, `width` microseconds apart, none sooner than `lead` from now.

    The clock is read when the row is ours: waiting for it must not make slots of the past.
    """
    mine = _mine(connection, platform)
    now = micros(clock())
    first = now + lead if mine.next_slot_at > now + _farthest(width) else max(mine.next_slot_at, now + lead)
    before, given = _given(mine, now // MINUTE)
    connection.execute(
        GIVEN_AWAY_COUNTED,
        {
            "b_platform": platform,
            "b_next": first + count * width,
            "b_minute": now // MINUTE,
            "b_given": given + count,
            "b_before": before,
        },
    )
    return Reserved([first + place * width for place in range(count)], now)


def take(connection: Connection, name: str, calls: int, per_second: float, burst: int, clock: Clock) -> int:
    """Take as many of `calls` calls as may be made at once under a limit of its own, and return how many; nobody waits.

    The limit is `per_second` in the long run, and `burst` at once after a pause; all processes together.
    """
    free: int = _mine(connection, name).next_slot_at
    now, width = micros(clock()), int(1_000_000 / per_second) + 1
    first = max(free, now - (burst - 1) * width)
    taken = min(calls, max(0, (now - first) // width + 1))
    connection.execute(GIVEN_AWAY, {"b_platform": name, "b_next": first + taken * width})
    return taken


def in_use(connection: Connection, now: datetime) -> dict[str, GivenAway]:
    """Return how much of each quota is used now, by platform; none where it never was."""
    found = {}
    for row in connection.execute(select(QUOTA)):
        before, given = _given(row, micros(now) // MINUTE)
        passed = micros(now) % MINUTE / MINUTE
        found[row.platform] = GivenAway(before * (1 - passed) + given, max(0.0, (row.next_slot_at - micros(now)) / 1_000_000))
    return found


def _given(row: Any, minute: int) -> tuple[int, int]:
    """Return how many slots were given away in the minute before, and in this one."""
    if row.minute == minute:
        return row.given_before or 0, row.given or 0
    return (row.given or 0) if row.minute == minute - 1 else 0, 0


def _farthest(width: int) -> int:
    return FARTHEST + 100 * width


OF_PLATFORM = select(QUOTA).where(QUOTA.c.platform == bindparam("platform"))
OF_PLATFORM_LOCKED = OF_PLATFORM.with_for_update()
GIVEN_AWAY = update(QUOTA).where(QUOTA.c.platform == bindparam("b_platform")).values(next_slot_at=bindparam("b_next"))
GIVEN_AWAY_COUNTED = GIVEN_AWAY.values(minute=bindparam("b_minute"), given=bindparam("b_given"), given_before=bindparam("b_before"))


def _mine(connection: Connection, platform: str) -> Row[Any]:
    """Return the platform's row, which is made where it was missing, and locked until we commit."""
    found = _row(connection, platform)
    if found is None:
        new = insert_into(connection, QUOTA).values(platform=platform, next_slot_at=0)
        connection.execute(new.on_conflict_do_nothing(index_elements=["platform"]))
        found = _row(connection, platform)
    assert found is not None, f"the quota of {platform} was deleted while it was reserved"  # noqa: S101  (nothing deletes it)
    return found


def _row(connection: Connection, platform: str) -> Row[Any] | None:
    """Return the platform's row, locked until we commit; None where there is none yet."""
    statement = OF_PLATFORM_LOCKED if connection.dialect.name == "postgresql" else OF_PLATFORM
    return connection.execute(statement, {"platform": platform}).first()


class _Line:
    """Those of this process who wait for a platform, and the slots reserved for them."""

    def __init__(self) -> None:
        self.lock = asyncio.Lock()
        self.waiting = 0
        self.slots: deque[int] = deque()
        self.reserved_until = 0
        self.lead = 0
        """About how long a commit takes, microseconds: slots begin so much later, else the first would be gone by then."""


class DatabaseQuota(Quota):
    """`acquire` returns when one call may be made; however many processes share the database, together they keep the rate.

    Their clocks must agree within a few milliseconds (NTP): one that is ahead by a second makes the others wait a second, and two
    minutes at the most.
    """

    def __init__(self, database: Database, *, clock: Clock, sleep: Sleep) -> None:
        self._database = database
        self._clock = clock
        self._sleep = sleep
        self._lines: dict[str, _Line] = defaultdict(_Line)

    async def acquire(self, platform: str, per_second: float) -> None:
        """Return when one call to the platform may be made; raise TransientError while the database cannot be asked."""
        line = self._lines[platform]
        line.waiting += 1
        try:
            async with line.lock:
                slot = await self._slot(line, platform, per_second)
        finally:
            line.waiting -= 1
        if (wait := slot - micros(self._clock())) > 0:
            await self._sleep(wait / 1_000_000)

    async def _slot(self, line: _Line, platform: str, per_second: float) -> int:
        """Return the next slot that is not gone; reserve more when there is none."""
        oldest, width = micros(self._clock() - LATE), int(1_000_000 / (per_second * SHARE)) + 1
        farthest = _farthest(width)
        if line.slots and line.slots[0] > micros(self._clock()) + farthest:  # our own clock was set back
            line.slots.clear()
            line.reserved_until = 0
        while not line.slots or line.slots[0] < oldest:
            if line.slots:
                line.slots.popleft()  # whoever it was for has gone, or we were held up
                continue
            early = line.reserved_until - micros(self._clock()) - int(AHEAD_SECONDS / 2 * 1_000_000)
            if 0 < early <= farthest:
                await self._sleep(early / 1_000_000)
            count = max(1, min(line.waiting, int(per_second * AHEAD_SECONDS)))
            line.slots.extend(await self._reserve(line, platform, count, width))
            line.reserved_until = line.slots[-1] + width
            oldest = micros(self._clock() - LATE)
        return line.slots.popleft()

    async def _reserve(self, line: _Line, platform: str, count: int, width: int) -> list[int]:
        try:
            reserved = await self._database.write(reserve, platform, count, width, self._clock, line.lead)
        except DatabaseUnavailable as error:
            raise TransientError(platform, "QUOTA_UNKNOWN", f"not called: the quota cannot be read ({error})", 1.0) from error
        took = micros(self._clock()) - reserved.at
        line.lead = min(max(took, (line.lead + took) // 2), 1_000_000)
        return reserved.slots
