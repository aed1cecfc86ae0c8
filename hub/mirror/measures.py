"""What is measured in the database for metrics and alerts: named reads, each one statement. Used by hub/gauges.py."""

from datetime import datetime, timedelta

from sqlalchemy import Connection, case, func, select

from hub.mirror.database import insert_into
from hub.mirror.inbox import DELIVERY, QUARANTINE
from hub.mirror.ledger import OBLIGATION, OPEN
from hub.mirror.rows import micros, moment
from hub.mirror.tables import LEASE, PLATFORM_CONDITION, QUOTA

ONE_BREAK = timedelta(minutes=10)
"""A breaker whose process never told that it closed (it died) is believed for so long behind its last word."""

FULL_SWEEP = "full-sweep"
"""Name of the regular work that asks all rules about everything."""


def overdue(connection: Connection, now: datetime) -> dict[str, tuple[int, float]]:
    """Return, by platform, how many obligations are open and late, and by how many seconds the one that is so most.

    One that was derived when it was late already is late since then.
    """
    since = case((OBLIGATION.c.created_at > OBLIGATION.c.due_at, OBLIGATION.c.created_at), else_=OBLIGATION.c.due_at)
    here = OBLIGATION.c.state.in_(OPEN) & (OBLIGATION.c.due_at < micros(now))
    grouped = select(OBLIGATION.c.platform, func.count(), func.min(since)).where(here).group_by(OBLIGATION.c.platform)
    return {
        platform: (count, max(0.0, (micros(now) - earliest) / 1_000_000))
        for platform, count, earliest in connection.execute(grouped)
    }


def oldest_waiting(connection: Connection) -> dict[str, datetime]:
    """Return when the oldest delivery of each platform came that is not yet applied."""
    here = DELIVERY.c.state == "STORED"
    grouped = select(DELIVERY.c.platform, func.min(DELIVERY.c.received_at)).where(here).group_by(DELIVERY.c.platform)
    return {platform: moment(received) for platform, received in connection.execute(grouped)}


def quarantined_since(connection: Connection, since: datetime) -> dict[str, int]:
    """Return how many records of each platform were quarantined since then, without a good version since."""
    here = QUARANTINE.c.released_at.is_(None) & (QUARANTINE.c.quarantined_at >= micros(since))
    grouped = select(QUARANTINE.c.platform, func.count()).where(here).group_by(QUARANTINE.c.platform)
    return {row[0]: row[1] for row in connection.execute(grouped)}


def broken(connection: Connection, now: datetime) -> set[str]:
    """Return the platforms that a process leaves alone after failures in a row."""
    condition = PLATFORM_CONDITION.c
    here = condition.broken_until > micros(now - ONE_BREAK)
    return set(connection.execute(select(condition.platform).where(here)).scalars())


def quota_ends(connection: Connection) -> dict[str, datetime]:
    """Return up to when each platform's quota is given away."""
    return {platform: moment(at) for platform, at in connection.execute(select(QUOTA.c.platform, QUOTA.c.next_slot_at))}


def last_runs(connection: Connection) -> dict[str, datetime]:
    """Return when regular work was last done, by its name; only what is noted (`ran`)."""
    here = select(LEASE.c.name, LEASE.c.last_run_at).where(LEASE.c.last_run_at > 0)
    return {name: moment(at) for name, at in connection.execute(here)}


def ran(connection: Connection, name: str, now: datetime) -> None:
    """Note that regular work was done."""
    insert = insert_into(connection, LEASE).values(name=name, until=0, last_run_at=micros(now))
    connection.execute(insert.on_conflict_do_update(index_elements=["name"], set_={"last_run_at": micros(now)}))
