"""Which obligations changed, in an order of its own that subscribers resume on. Written by ledger.py with each change it makes.

The order is given as that of records is (audit_sealing.py): behind the commit, by one at a time, without holes. It is no evidence
and is not sealed: what is owed follows from records, which are. What a change says is the key and the state; the rest is read now.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection, bindparam, delete, func, insert, select, update

from hub.mirror.database import lock_names
from hub.mirror.rows import micros, moment
from hub.mirror.tables import OBLIGATION_CHANGE, TABLES
from schema.entities import ObligationState

OBLIGATION = TABLES["Obligation"]
CHUNK, MOST = 500, 1000
NOTED = insert(OBLIGATION_CHANGE).from_select(
    ["key", "state", "created"],
    select(OBLIGATION.c.key, OBLIGATION.c.state, bindparam("created", type_=OBLIGATION_CHANGE.c.created.type)).where(
        OBLIGATION.c.key.in_(bindparam("keys", expanding=True))
    ),
)
"""Made once, as in ledger.py."""


class Noted(NamedTuple):
    """A change of an obligation, as it was placed in the order."""

    position: int
    key: str
    state: ObligationState
    created: bool
    at: datetime
    """When it was placed."""


def note(connection: Connection, keys: Sequence[str], *, created: bool = False) -> None:
    """Note that obligations changed, as they are now in this transaction."""
    ordered = sorted(set(keys))
    for start in range(0, len(ordered), CHUNK):
        connection.execute(NOTED, {"keys": ordered[start : start + CHUNK], "created": created})


def place(connection: Connection, now: datetime, limit: int = MOST) -> int:
    """Give places to changes that have none, at most `limit`; return how many. One at a time places."""
    lock_names(connection, ["obligation changes"])
    unplaced = select(OBLIGATION_CHANGE.c.sequence).where(OBLIGATION_CHANGE.c.position.is_(None))
    found = list(connection.execute(unplaced.order_by(OBLIGATION_CHANGE.c.sequence).limit(limit)).scalars())
    if found:
        last = newest(connection)
        placed = update(OBLIGATION_CHANGE).where(OBLIGATION_CHANGE.c.sequence == bindparam("b_sequence"))
        placed = placed.values(position=bindparam("b_position"), placed_at=micros(now))
        connection.execute(placed, [{"b_sequence": each, "b_position": last + at} for at, each in enumerate(found, 1)])
    return len(found)


def newest(connection: Connection) -> int:
    """Return the last position, 0 before the first."""
    return int(connection.execute(select(func.coalesce(func.max(OBLIGATION_CHANGE.c.position), 0))).scalar_one())


def pruned_to(connection: Connection) -> int:
    """Return the last position that was removed, 0 if none was."""
    oldest = connection.execute(select(func.min(OBLIGATION_CHANGE.c.position))).scalar()
    return 0 if oldest is None else int(oldest) - 1


def after(connection: Connection, position: int, limit: int) -> list[Noted]:
    """Return the next `limit` changes behind a position."""
    told = OBLIGATION_CHANGE.c
    columns = (told.position, told.key, told.state, told.created, told.placed_at)
    statement = select(*columns).where(told.position > position).order_by(told.position).limit(limit)
    found = connection.execute(statement)
    return [Noted(at, key, ObligationState(state), bool(created), moment(placed)) for at, key, state, created, placed in found]


def count(connection: Connection, before: datetime) -> int:
    """Return how many changes were placed before a moment; the newest of all stays, so that positions never begin anew."""
    going = _going(connection, before)
    return connection.execute(select(func.count()).where(OBLIGATION_CHANGE.c.position <= going)).scalar_one()


def remove(connection: Connection, before: datetime, limit: int) -> int:
    """Remove at most `limit` of the changes that `count` counts, the oldest first; return how many."""
    first = select(func.min(OBLIGATION_CHANGE.c.position)).scalar_subquery()
    upto = (OBLIGATION_CHANGE.c.position <= _going(connection, before)) & (OBLIGATION_CHANGE.c.position < first + limit)
    return connection.execute(delete(OBLIGATION_CHANGE).where(upto)).rowcount


def _going(connection: Connection, before: datetime) -> int:
    """Return the last position that may go: all up to one are older, whatever a clock that was set back says."""
    young = select(func.min(OBLIGATION_CHANGE.c.position)).where(OBLIGATION_CHANGE.c.placed_at >= micros(before))
    first_young = connection.execute(young).scalar()
    end = newest(connection) if first_young is None else int(first_young)
    return end - 1
