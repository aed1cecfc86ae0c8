"""How far each stream has been read: cursor, lease and health in one row, committed with the page. Used by intake/poller.py."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import Connection, or_, select, update

from hub.mirror.database import insert_into
from hub.mirror.rows import Rows, micros
from hub.mirror.tables import TABLES
from schema.declare import declared
from schema.entities import StreamHealth

STREAM = TABLES["StreamHealth"]
COLUMNS = [STREAM.c[name] for name in declared(StreamHealth).fields]


class Reading(NamedTuple):
    """The right to read a stream on, from a cursor."""

    stream_id: str
    cursor: str | None
    fence: int


def begin(connection: Connection, rows: Rows, platform: str, stream: str, now: datetime, lease: timedelta) -> Reading | None:
    """Take the lease of a stream; None while another process holds it."""
    stream_id = f"{platform}/{stream}"
    new = StreamHealth(
        stream_id=stream_id,
        platform=platform,
        stream=stream,
        last_success_at=None,
        last_record_at=None,
        last_failure_at=None,
        failure=None,
        records_seen=0,
        cursor=None,
        lease_until=None,
        fence=0,
    )
    connection.execute(
        insert_into(connection, STREAM).values(rows.as_row(new)).on_conflict_do_nothing(index_elements=["stream_id"])
    )
    free = or_(STREAM.c.lease_until.is_(None), STREAM.c.lease_until < micros(now))
    taken = (
        update(STREAM)
        .where(STREAM.c.stream_id == stream_id, free)
        .values(fence=STREAM.c.fence + 1, lease_until=micros(now + lease))
        .returning(STREAM.c.cursor, STREAM.c.fence)
    )
    row = connection.execute(taken).first()
    return None if row is None else Reading(stream_id, row.cursor, row.fence)


def advance(connection: Connection, reading: Reading, cursor: str, seen: int, now: datetime, lease: timedelta) -> bool:
    """Keep a page's cursor in the page's own transaction; False when the lease went to another process meanwhile."""
    values = {"cursor": cursor, "lease_until": micros(now + lease), "records_seen": STREAM.c.records_seen + seen}
    if seen:
        values["last_record_at"] = micros(now)
    mine = (STREAM.c.stream_id == reading.stream_id) & (STREAM.c.fence == reading.fence)
    return bool(connection.execute(update(STREAM).where(mine).values(values)).rowcount)


def finish(
    connection: Connection, rows: Rows, reading: Reading, now: datetime, failure: str | None, *, restart: bool = False
) -> None:
    """Give the lease back and say how it went; `restart` forgets the cursor, so that the next reading begins anew."""
    if failure is None:
        values = rows.values(StreamHealth, last_success_at=now, failure=None, lease_until=None)
    else:
        values = rows.values(StreamHealth, last_failure_at=now, failure=failure, lease_until=None)
    if restart:
        values["cursor"] = None
    mine = (STREAM.c.stream_id == reading.stream_id) & (STREAM.c.fence == reading.fence)
    connection.execute(update(STREAM).where(mine).values(values))


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
