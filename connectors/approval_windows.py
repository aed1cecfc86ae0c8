"""Reading the approval system's list without losing a row (approval.md, Calls: `/api/spsl/list`).

Page numbers are not trusted across rows that change: only the first page of a window is taken, and the next window begins at
the last second of it. A single second with more rows than a page has to be paged; it is read until it holds still.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import datetime, timedelta

import msgspec

LONGEST = timedelta(days=31)
SECOND = timedelta(seconds=1)


class Row(msgspec.Struct, frozen=True):
    """One row of the list: as it came, and what paging needs of it, None where it cannot be read."""

    raw: bytes
    serial: str | None
    updated_at: datetime | None


class Listing(msgspec.Struct, frozen=True):
    """One page of a window."""

    total: int
    rows: tuple[Row, ...]


class Stretch(msgspec.Struct, frozen=True):
    """Rows that were read, and the second from which a later run must read (inclusive)."""

    rows: tuple[Row, ...]
    resume_at: datetime
    more: bool


class RestlessError(Exception):
    """A second's rows changed at every pass; it has to be read later."""


ListCall = Callable[[datetime, datetime, int], Awaitable[Listing]]
"""(from inclusive, to exclusive, page number from 1) -> that page."""


class WindowReader:
    """Reads everything from a second on, once through.

    `settled` returns the second before which nothing can appear any more, `newest` the last second that can have rows: both
    by the clock of the platform as far as it is known, and asked before each call, so that late commits stay ahead of us.
    """

    def __init__(
        self, call: ListCall, settled: Callable[[], datetime], newest: Callable[[], datetime], *, page_size: int, passes: int
    ) -> None:
        self._call, self._settled, self._newest = call, settled, newest
        self._page_size, self._passes = page_size, passes

    async def read(self, start: datetime) -> AsyncIterator[Stretch]:
        """Yield stretches from `start` to the present; the last one has `more` false. Raise RestlessError."""
        # A place in the future (a clock went back) is brought back: what comes meanwhile must not be passed over.
        position, target = min(start, self._settled()), self._newest() + SECOND
        floor: datetime | None = None
        """The settled second at which the first row beyond it was read: from there a later run has to read again."""
        empty = 0
        while position < target:
            settled = self._settled()
            rows, position = await self._window(position, min(position + LONGEST, target))
            settled = min(settled, self._settled())  # the answer may have told that the platform's clock is behind ours
            if position > settled:
                floor = settled if floor is None else min(floor, settled)
            empty = 0 if rows else empty + 1
            # Years without a row are passed quickly; now and then a place is given, so that a restart need not begin again.
            if rows or position >= target or empty % 12 == 0:
                yield Stretch(rows, floor or position, more=position < target)

    async def read_recent(self, start: datetime) -> AsyncIterator[Stretch]:
        """Yield the newest window alone, ahead of a long history; to resume from `start` all the same. Raise RestlessError."""
        recent = max(start, self._newest() - LONGEST + timedelta(minutes=1))  # one window, also when a second goes by
        async for stretch in self.read(recent):
            yield Stretch(stretch.rows, start, more=True)

    async def _window(self, start: datetime, end: datetime) -> tuple[tuple[Row, ...], datetime]:
        """Return rows from `start` on, and the second up to which they are complete."""
        first = await self._call(start, end, 1)
        if len(first.rows) >= first.total:
            return first.rows, end
        if not first.rows:
            raise RestlessError(f"total {first.total} without a row from {start:%Y-%m-%d %H:%M:%S} on")
        last = max((row.updated_at for row in first.rows if row.updated_at is not None), default=start)
        if start < last < end:
            return first.rows, last  # complete before `last`, and `last` is read again from its start
        return await self._second(start), start + SECOND

    async def _second(self, second: datetime) -> tuple[Row, ...]:
        """Return all rows of one second that has more than a page, from as many passes as it takes."""
        seen: dict[bytes, Row] = {}
        for _ in range(self._passes):
            keys, totals, number, more = set[str | bytes](), set[int](), 0, True
            while more:
                number += 1
                page = await self._call(second, second + SECOND, number)
                totals.add(page.total)
                keys.update(row.serial or row.raw for row in page.rows)
                seen.update({row.raw: row for row in page.rows})
                more = bool(page.rows) and number * self._page_size < page.total
            # Rows only leave a second (late commits apart, and those the overlap reads again): a pass in which the total
            # held still and as many different rows were seen has seen all.
            if totals == {len(keys)}:
                return tuple(seen.values())
        raise RestlessError(f"second {second:%Y-%m-%d %H:%M:%S}")
