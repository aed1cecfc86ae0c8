"""Gives every committed change its place in the one public order, and closes blocks over them. Called by hub/keeping.py.

On PostgreSQL sequences are no order of commits: a row of a lower sequence may become visible later. So a change gets its position
after its commit, from whoever seals, in the order in which it was found; none is ever skipped, and none ever comes in between.
Changes of one record keep their order: who writes the second waits for the first.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Table, bindparam, select, type_coerce, update
from sqlalchemy.types import NullType

from hub.mirror.audit_chain import GENESIS, Block, Change, Head, close, digest_of
from hub.mirror.database import lock_names
from hub.mirror.rows import micros
from hub.mirror.tables import AUDIT_BLOCK, CHANGE

MOST = 1000
"""Changes in one block."""


def raw(table: Table, names: tuple[str, ...]) -> list[Any]:
    """Return columns to select as the driver gives them: nothing is converted, so that nothing tampered is smoothed over."""
    return [type_coerce(table.c[name], NullType()).label(name) for name in names]


def seal(connection: Connection, now: datetime, limit: int = MOST) -> int:
    """Give positions to changes that have none, at most `limit`, and close a block over them; return how many.

    One at a time seals: another one waits, and then sees what the first one left.
    """
    lock_names(connection, ["audit chain"])
    unsealed = select(*raw(CHANGE, Change._fields)).where(CHANGE.c.position.is_(None)).order_by(CHANGE.c.sequence).limit(limit)
    found = connection.execute(unsealed).all()
    if not found:
        return 0
    last = last_block(connection)
    number, first, previous = (last.number + 1, last.last + 1, last.hash) if last else (1, 1, GENESIS)
    rows = [Change(*row)._replace(position=first + at) for at, row in enumerate(found)]
    placed = update(CHANGE).where(CHANGE.c.sequence == bindparam("b_sequence")).values(position=bindparam("b_position"))
    connection.execute(placed, [{"b_sequence": row.sequence, "b_position": row.position} for row in rows])
    block = close(number, first, [digest_of(row) for row in rows], previous, micros(now))
    connection.execute(AUDIT_BLOCK.insert(), block._asdict())
    return len(rows)


def last_block(connection: Connection) -> Block | None:
    """Return the newest block, None before the first."""
    newest = select(*raw(AUDIT_BLOCK, Block._fields)).order_by(AUDIT_BLOCK.c.number.desc()).limit(1)
    row = connection.execute(newest).first()
    return None if row is None else Block(*row)


def head(connection: Connection) -> Head | None:
    """Return the head of the chain, None before the first block."""
    last = last_block(connection)
    return None if last is None else Head(last.number, last.hash)
