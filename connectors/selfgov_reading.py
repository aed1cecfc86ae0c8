"""How the tables of the exchange database are read on: by the time that a row bears, staying behind for what appears late.

A row appears up to 60 s after its time (selfgov.md), so that neither the newest time nor the highest id says what is complete. And
the times are of their clock, not ours. A run reads from what is settled to the present; the next one starts again where nothing
new can appear any more: `settling` behind the moment at which this run began, by the slower of the two clocks.
"""

import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final, NamedTuple

import msgspec
from sqlalchemy import ColumnElement, Connection, Select, and_, not_, or_, select

from connectors.beijing import beijing_text, beijing_time
from connectors.errors import CursorExpired
from connectors.selfgov_records import Row, row_of
from connectors.selfgov_tables import PLATFORM, Layout, Shape, Tables

WELL_FORMED: Final = "____-__-__ __:__:__"
EARLIEST: Final = "1970-01-01 00:00:00"


class Reading(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A place in a table; written down it is our cursor."""

    settled: datetime | None = None
    """No row with an earlier time can still be new to us; a run starts here. None: from the beginning."""
    began: datetime | None = None
    """When the run under way began, by our clock; None between runs."""
    after: tuple[str, str] | None = None
    """Time and key of the last row that the run under way has read."""
    lag: float | None = None
    """Seconds by which their clock is behind ours at most: the shortest that a row's time was ever behind its reading."""
    odd: str | None = None
    """Digest of the rows whose time cannot be read, as they were told last."""

    def starting(self, now: datetime, settling: timedelta) -> "Reading":
        """Return the place of a run: the one under way, or a new one. A clock of ours that was set back is followed."""
        if self.began is not None:
            return msgspec.structs.replace(self, began=min(self.began, now))
        settled = None if self.settled is None else min(self.settled, self._theirs(now) - settling)
        return msgspec.structs.replace(self, began=now, settled=settled)

    def turned(self, rows: Sequence[Row], shape: Shape, now: datetime, settling: timedelta, *, more: bool) -> "Reading":
        """Return the place after a page that was read by `now`; without `more` the run is over."""
        times = [moment for row in rows if (moment := _moment(row[shape.time])) is not None]
        past = [moment for moment in times if moment <= now]  # a row from the future tells nothing of their clock's present
        lags = [] if self.lag is None else [self.lag]
        lags += [(now - max(past)).total_seconds()] if past else []
        known = msgspec.structs.replace(self, lag=min(lags, default=None))
        if not more:
            ended = known._settled(known.began, settling)
            return msgspec.structs.replace(known, settled=ended, began=None, after=None)
        last = (str(rows[-1][shape.time]), str(rows[-1][shape.key]))
        return msgspec.structs.replace(known, settled=known._settled(max(times, default=None), settling), after=last)

    def telling(self, odd: Sequence[Row] | None) -> tuple[Sequence[Row], "Reading"]:
        """Return which of the rows without a usable time are to be told, all or none, and the place once they are."""
        if odd is None:
            return (), self
        digest = hashlib.blake2b(msgspec.json.encode(odd), digest_size=8).hexdigest() if odd else None
        return () if digest == self.odd else odd, msgspec.structs.replace(self, odd=digest)

    def _settled(self, reached: datetime | None, settling: timedelta) -> datetime | None:
        """Return what is settled once rows up to `reached` were read; None: nothing more than before."""
        # Without a lag no row has told us anything of their clock: then there is none to pass over either.
        if reached is None or self.began is None or self.lag is None:
            return self.settled
        settled = min(self._theirs(self.began), reached) - settling
        return settled if self.settled is None else max(settled, self.settled)

    def _theirs(self, ours: datetime) -> datetime:
        """Return what their clock showed at least when ours showed that; ours where theirs is ahead."""
        return ours - timedelta(seconds=max(self.lag or 0.0, 0.0))

    def write(self) -> str:
        """Return the place as a cursor."""
        return msgspec.json.encode(self).decode()


def read_cursor(shape: Shape, cursor: str | None) -> Reading:
    """Return the place that a cursor of ours names, the beginning for None; raise CursorExpired for anything else."""
    if cursor is None:
        return Reading()
    try:
        reading = msgspec.json.decode(cursor, type=Reading)
    except msgspec.DecodeError:
        reading = None
    if reading is None or not _is_usable(shape, reading):
        raise CursorExpired(PLATFORM, "BAD_CURSOR", "this cursor is not one of ours; start over from the beginning")
    return reading


class Rows(NamedTuple):
    """What one look at a table gave."""

    rows: list[Row]
    """The next rows of a run, in the order of their times and keys."""
    odd: list[Row] | None
    """Rows that have no place in that order; None in the middle of a run."""


def next_rows(connection: Connection, tables: Tables, shape: Shape, reading: Reading, limit: int) -> Rows:
    """Return the next rows of a run, `limit` at most; at its beginning those without a usable time as well.

    Their time is missing or no time, so that they would never be read otherwise.
    """
    layout = tables.layout(connection, shape)
    here: ColumnElement[bool] = layout.time.like(WELL_FORMED)
    if reading.after is not None:
        here = and_(here, _behind(layout, *reading.after))
    elif reading.settled is not None:
        here = and_(here, layout.time >= beijing_text(reading.settled))
    rows = _rows(connection, select(layout.table).where(here).order_by(layout.time, layout.key).limit(limit))
    if reading.after is not None:
        return Rows(rows, None)
    odd = or_(layout.time.is_(None), not_(layout.time.like(WELL_FORMED)), layout.time < EARLIEST)
    return Rows(rows, _rows(connection, select(layout.table).where(odd).order_by(layout.key).limit(limit)))


def keyed(connection: Connection, tables: Tables, shape: Shape, keys: Sequence[object]) -> list[Row]:
    """Return rows by key."""
    layout = tables.layout(connection, shape)
    return _rows(connection, select(layout.table).where(layout.key.in_(keys)).order_by(layout.key))


def _is_usable(shape: Shape, reading: Reading) -> bool:
    key = "0" if reading.after is None else reading.after[1]
    aware = all(moment is None or moment.tzinfo is not None for moment in (reading.settled, reading.began))
    return aware and (not shape.numbered or key.removeprefix("-").isdecimal())


def _behind(layout: Layout, time: str, key: str) -> ColumnElement[bool]:
    last = int(key) if layout.shape.numbered else key
    return or_(layout.time > time, and_(layout.time == time, layout.key > last))


def _rows(connection: Connection, statement: Select[tuple[object, ...]]) -> list[Row]:
    return [row_of(dict(row)) for row in connection.execute(statement).mappings()]


def _moment(value: object) -> datetime | None:
    try:
        return beijing_time(value)
    except ValueError:
        return None
