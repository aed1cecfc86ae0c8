"""Reading the credit platform's feed without losing an item (credit.md, Feed). Used by connectors/credit.py.

An item can become visible up to 5 s after a higher seq did. So a seq is settled, and the cursor may pass it, only when it was
read again at least 5 s after it or a higher one was first seen. What was seen when stands in the cursor itself (`marks`).
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import datetime, timedelta

import msgspec

from connectors.base import Clock, Sleep
from connectors.errors import CursorExpired, TransientError

PLATFORM = "credit"
SNAPSHOT_KINDS = ("subject", "record", "repair")
MOST_MARKS = 32


class SnapshotPlace(msgspec.Struct, frozen=True):
    """A place within the first full read."""

    kind: str
    cursor: str | None
    as_of: int
    """The smallest asOfSeq so far: the feed goes on from there."""


class FeedPlace(msgspec.Struct, frozen=True, omit_defaults=True):
    """Our cursor. With neither since nor snapshot it stands before everything."""

    since: int | None = None
    """Settled: no item up to this seq can still be new to us."""
    marks: tuple[tuple[int, float], ...] = ()
    """(a seq that was visible, epoch seconds when it was first seen), rising."""
    snapshot: SnapshotPlace | None = None

    def write(self) -> str:
        """Return the place as a cursor."""
        return msgspec.json.encode(self).decode()


def read_place(cursor: str | None) -> FeedPlace:
    """Return the place that a cursor names, the beginning for None; raise CursorExpired for one that is none of ours."""
    if cursor is None:
        return FeedPlace()
    try:
        place = msgspec.json.decode(cursor, type=FeedPlace)
    except msgspec.DecodeError as error:
        raise CursorExpired(PLATFORM, "BAD_CURSOR", "this cursor is none of ours; start over from a snapshot") from error
    if place.snapshot is not None and place.snapshot.kind not in SNAPSHOT_KINDS:
        raise CursorExpired(PLATFORM, "BAD_CURSOR", "this cursor names no snapshot of ours; start over from a snapshot")
    return place


class FeedPage(msgspec.Struct, frozen=True):
    """A page of the feed: its items raw, and the highest seq among them (None without any)."""

    items: tuple[bytes, ...]
    highest: int | None
    more: bool


class SnapshotPage(msgspec.Struct, frozen=True):
    """A page of a snapshot: its objects raw."""

    items: tuple[bytes, ...]
    next_cursor: str | None
    as_of: int


class Stretch(msgspec.Struct, frozen=True):
    """What was read, from where to go on, and whether the present has not been reached yet. `kind` is None for the feed."""

    kind: str | None
    items: tuple[bytes, ...]
    place: FeedPlace
    more: bool


class FeedReader:
    """Reads snapshot and feed through the two calls that it is given."""

    def __init__(
        self,
        feed: Callable[[int], Awaitable[FeedPage]],
        snapshot: Callable[[str, str | None], Awaitable[SnapshotPage]],
        clock: Clock,
        sleep: Sleep,
        settling: timedelta,
    ) -> None:
        self._feed, self._snapshot, self._clock, self._sleep, self._settling = feed, snapshot, clock, sleep, settling

    async def read(self, place: FeedPlace) -> AsyncIterator[Stretch]:
        """Yield stretches from a place to the present, beginning with a snapshot where there is no place yet."""
        since = place.since
        if since is None:
            async for stretch in self.read_snapshot(place):
                yield msgspec.structs.replace(stretch, more=True)
                place = stretch.place
            if not place.since:
                # asOfSeq 0: nothing has ever happened there, and the feed refuses 0. Look again from the beginning.
                yield Stretch(None, (), FeedPlace(), more=False)
                return
            since = place.since
        async for stretch in self._read_feed(since, place.marks):
            yield stretch

    async def read_snapshot(self, place: FeedPlace) -> AsyncIterator[Stretch]:
        """Yield a full read from its beginning or the place within it; the last place is where the feed goes on."""
        at = place.snapshot or await self._begin_snapshot()
        while True:
            page = await self._snapshot(at.kind, at.cursor)
            as_of, rest = min(at.as_of, page.as_of), SNAPSHOT_KINDS[SNAPSHOT_KINDS.index(at.kind) + 1 :]
            if page.next_cursor:
                following: SnapshotPlace | None = SnapshotPlace(at.kind, page.next_cursor, as_of)
            else:
                following = SnapshotPlace(rest[0], None, as_of) if rest else None
            if following is None:
                yield Stretch(at.kind, page.items, FeedPlace(since=as_of), more=False)
                return
            yield Stretch(at.kind, page.items, FeedPlace(snapshot=following), more=True)
            at = following

    async def _begin_snapshot(self) -> SnapshotPlace:
        # What has a lower seq than the first asOfSeq may not be visible yet, neither in the snapshot nor, later, behind
        # that seq in the feed. Once it is settled, the snapshot holds all up to it.
        first = await self._snapshot(SNAPSHOT_KINDS[-1], None)
        await self._sleep(self._settling.total_seconds())
        return SnapshotPlace(SNAPSHOT_KINDS[0], None, first.as_of)

    async def _read_feed(self, since: int, kept: tuple[tuple[int, float], ...]) -> AsyncIterator[Stretch]:
        position, settled = since, since
        # A mark in the future is from before a clock was set back: it counts as seen now.
        now = self._clock().timestamp()
        marks = [(seq, min(seen_at, now)) for seq, seen_at in kept]
        while True:
            asked_at = self._clock()
            page = await self._feed(position)
            end = position if page.highest is None else max(position, page.highest)
            if page.more and end == position:
                raise TransientError(PLATFORM, "BAD_ANSWER", f"/v2/changes: more after seq {position}, but none given")
            if settled == position:  # all before this page is settled, so that it can be as well
                long_seen = max(
                    (seq for seq, at in marks if at + self._settling.total_seconds() <= asked_at.timestamp()), default=0
                )
                settled = max(settled, min(end, long_seen) if page.more else long_seen)
            marks = [mark for mark in marks if mark[0] > settled]
            if end > settled:
                marks = _marked(marks, end, self._clock())
            position = end
            yield Stretch(None, page.items, FeedPlace(since=settled, marks=tuple(marks)), page.more)
            if not page.more:
                return


def _marked(marks: list[tuple[int, float]], seq: int, seen_at: datetime) -> list[tuple[int, float]]:
    """Return the marks with one more; some are left out to keep the cursor short, which only keeps it back longer."""
    if marks and seq <= marks[-1][0]:
        return marks
    if len(marks) >= 2 and marks[-1][1] - marks[-2][1] < 1.0:
        marks = marks[:-1]
    elif len(marks) >= MOST_MARKS:
        marks = marks[::2]
    return [*marks, (seq, seen_at.timestamp())]
