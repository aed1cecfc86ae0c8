"""Who does what only one process should do at a time: a lease by name, in one row. Used by hub/schedules.py.

What runs under a lease must do no harm when two do it for a moment (a paused process): leases spare work, fences guard data.
"""

from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import Connection, select, update

from hub.mirror.database import insert_into
from hub.mirror.rows import micros
from hub.mirror.tables import LEASE


class Lease(NamedTuple):
    """The right to do something until a moment, microseconds; it is ours as long as the row still says so."""

    name: str
    until: int


def take(connection: Connection, name: str, now: datetime, length: timedelta) -> Lease | int:
    """Return the lease, or the moment (microseconds) at which whoever holds it must have renewed it."""
    new = insert_into(connection, LEASE).values(name=name, until=0, last_run_at=0)
    connection.execute(new.on_conflict_do_nothing(index_elements=["name"]))
    until = micros(now + length)
    free = (LEASE.c.name == name) & (LEASE.c.until < micros(now))
    if connection.execute(update(LEASE).where(free).values(until=until)).rowcount:
        return Lease(name, until)
    return int(connection.execute(select(LEASE.c.until).where(LEASE.c.name == name)).scalar_one())


def renew(connection: Connection, lease: Lease, now: datetime, length: timedelta) -> Lease | None:
    """Return the lease lengthened; None when it is another's by now."""
    until = micros(now + length)
    mine = (LEASE.c.name == lease.name) & (LEASE.c.until == lease.until)
    return Lease(lease.name, until) if connection.execute(update(LEASE).where(mine).values(until=until)).rowcount else None


def give_back(connection: Connection, lease: Lease) -> None:
    """Let another process take it at once."""
    mine = (LEASE.c.name == lease.name) & (LEASE.c.until == lease.until)
    connection.execute(update(LEASE).where(mine).values(until=0))
