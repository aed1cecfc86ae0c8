"""How far each stream has been read: cursor, lease and health in one row, committed with the page. Used by intake/poller.py."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import ColumnElement, Connection, and_, case, or_, select, update

from hub.mirror.database import insert_into
from hub.mirror.rows import Rows, micros, moment
from hub.mirror.tables import TABLES
from schema.declare import declared
from schema.entities import StreamHealth

STREAM = TABLES["StreamHealth"]
AGAIN = " (from the beginning)"
"""Behind the name of a stream: the row of its reading from the beginning, beside the one that goes on."""
COLUMNS = [STREAM.c[name] for name in declared(StreamHealth).fields]


class LeaseLost(Exception):
    """A stream is not ours to read any more: another process reads it, or it was told to begin anew. Nothing was committed."""


class Reading(NamedTuple):
    """The right to read a stream on, from a cursor."""

    stream_id: str
    cursor: str | None
    fence: int
    full_since: datetime | None = None
    """Since when the stream is read from its beginning, so that what it lacks is gone; None while it is read on."""


def begin(
    connection: Connection, rows: Rows, platform: str, stream: str, now: datetime, lease: timedelta, *, again: bool = False
) -> Reading | None:
    """Take the lease of a stream; None while another process holds it.

    `again` reads it from its beginning, beside the reading that goes on, in a row of its own. That is a full read, and so is
    one that starts over after it was read to its end before; the very first one finds nothing that could be gone.
    """
    name = f"{stream}{AGAIN}" if again else stream
    stream_id = f"{platform}/{name}"
    new = StreamHealth(
        stream_id=stream_id,
        platform=platform,
        stream=name,
        last_success_at=None,
        last_record_at=None,
        last_failure_at=None,
        failure=None,
        records_seen=0,
        cursor=None,
        lease_until=None,
        fence=0,
        full_since=None,
    )
    connection.execute(
        insert_into(connection, STREAM).values(rows.as_row(new)).on_conflict_do_nothing(index_elements=["stream_id"])
    )
    free = or_(STREAM.c.lease_until.is_(None), STREAM.c.lease_until < micros(now))
    full = STREAM.c.cursor.is_(None) if again else and_(STREAM.c.cursor.is_(None), STREAM.c.last_success_at.is_not(None))
    full_since = case((full, micros(now)), else_=STREAM.c.full_since)
    taken = (
        update(STREAM)
        .where(STREAM.c.stream_id == stream_id, free)
        .values(fence=STREAM.c.fence + 1, lease_until=micros(now + lease), full_since=full_since)
        .returning(STREAM.c.cursor, STREAM.c.fence, STREAM.c.full_since)
    )
    row = connection.execute(taken).first()
    if row is None:
        return None
    return Reading(stream_id, row.cursor, row.fence, None if row.full_since is None else moment(row.full_since))


def advance(connection: Connection, reading: Reading, cursor: str, seen: int, now: datetime, lease: timedelta) -> bool:
    """Keep a page's cursor in the page's own transaction; False when the lease went to another process meanwhile."""
    values = {"cursor": cursor, "lease_until": micros(now + lease), "records_seen": STREAM.c.records_seen + seen}
    if seen:
        values["last_record_at"] = micros(now)
    mine = (STREAM.c.stream_id == reading.stream_id) & (STREAM.c.fence == reading.fence)
    return bool(connection.execute(update(STREAM).where(mine).values(values)).rowcount)


def hold(connection: Connection, reading: Reading, now: datetime, lease: timedelta) -> None:
    """Lengthen the lease, and let nobody take it before this transaction ends; raise LeaseLost when it is another's by now."""
    values = {"lease_until": micros(now + lease)}
    if not connection.execute(update(STREAM).where(_held(reading)).values(values)).rowcount:
        raise LeaseLost(reading.stream_id)


def judged(connection: Connection, reading: Reading, *, restart: bool) -> None:
    """Say that a full read is over, before what it has shown is forgotten: it is never judged again. Raises LeaseLost.

    `restart` forgets the cursor with it, so that the next one begins anew.
    """
    values = {STREAM.c.full_since: None} | ({STREAM.c.cursor: None} if restart else {})
    if not connection.execute(update(STREAM).where(_held(reading)).values(values)).rowcount:
        raise LeaseLost(reading.stream_id)


def _held(reading: Reading) -> ColumnElement[bool]:
    """Return where a stream is ours; one that was given back is not."""
    mine = (STREAM.c.stream_id == reading.stream_id) & (STREAM.c.fence == reading.fence)
    return mine & STREAM.c.lease_until.is_not(None)


def finish(
    connection: Connection, rows: Rows, reading: Reading, now: datetime, failure: str | None, *, restart: bool = False
) -> None:
    """Give the lease back and say how it went; `restart` forgets the cursor, so that the next reading begins anew."""
    if failure is None:
        values = rows.values(StreamHealth, last_success_at=now, failure=None, lease_until=None, full_since=None)
    else:
        values = rows.values(StreamHealth, last_failure_at=now, failure=failure, lease_until=None)
    if restart:
        values["cursor"] = None
    mine = (STREAM.c.stream_id == reading.stream_id) & (STREAM.c.fence == reading.fence)
    connection.execute(update(STREAM).where(mine).values(values))


def lost(connection: Connection, rows: Rows, reading: Reading, now: datetime, failure: str) -> None:
    """Show that a reading lost its lease; what is read by whoever has it by now is not touched."""
    values = rows.values(StreamHealth, last_failure_at=now, failure=failure)
    connection.execute(update(STREAM).where(STREAM.c.stream_id == reading.stream_id).values(values))


def last_success(connection: Connection, platform: str, stream: str) -> datetime | None:
    """Return when a stream was last read to its end."""
    found = connection.execute(select(STREAM.c.last_success_at).where(STREAM.c.stream_id == f"{platform}/{stream}")).scalar()
    return None if found is None else moment(found)


def release(connection: Connection, reading: Reading) -> None:
    """Give the lease back without a word on how it went: the process ends."""
    mine = (STREAM.c.stream_id == reading.stream_id) & (STREAM.c.fence == reading.fence)
    connection.execute(update(STREAM).where(mine).values(lease_until=None))


def forget_cursor(connection: Connection, platform: str, stream: str) -> bool:
    """Let a stream be read from the beginning; a reading that is under way loses its lease. False if it was never read."""
    here = update(STREAM).where(STREAM.c.stream_id == f"{platform}/{stream}")
    return bool(connection.execute(here.values(cursor=None, fence=STREAM.c.fence + 1, lease_until=None)).rowcount)


def all_streams(connection: Connection, rows: Rows) -> Sequence[StreamHealth]:
    """Return the health of all streams that were ever read."""
    read = rows.reader(StreamHealth)
    return [read(row) for row in connection.execute(select(*COLUMNS).order_by(STREAM.c.stream_id))]
