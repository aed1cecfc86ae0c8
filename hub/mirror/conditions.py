"""What processes notice of platforms as they call them, durable: clocks, closures, secrets. Written by hub/conditions.py."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import Connection, select

from hub.mirror.database import insert_into
from hub.mirror.rows import micros, moment
from hub.mirror.tables import PLATFORM_CONDITION, SECRET_USE

ONE_CLOSURE = timedelta(minutes=10)


class ClockReading(NamedTuple):
    """A platform's clock against ours; seconds, the median of some answers."""

    ahead_seconds: float
    """Positive: the platform's clock is ahead of ours."""
    within_seconds: float
    samples: int
    measured_at: datetime


class Closure(NamedTuple):
    """A platform asked to be left alone (503 with Retry-After): first then, and at last until then."""

    since: datetime
    until: datetime


class SecretUse(NamedTuple):
    """Which secret of a platform, and what for."""

    platform: str
    purpose: str
    fingerprint: str


def note_clock(connection: Connection, platform: str, reading: ClockReading) -> None:
    """Keep a reading in place of the last one."""
    values = {
        "ahead": round(reading.ahead_seconds * 1_000_000),
        "within": round(reading.within_seconds * 1_000_000),
        "samples": reading.samples,
        "measured_at": micros(reading.measured_at),
    }
    _note(connection, platform, values)


def note_closure(connection: Connection, platform: str, closure: Closure | None) -> None:
    """Keep until when a platform asked to be left alone; None where it answers again.

    Asked again soon after the end of a closure, by whichever process, it is still in the same one.
    """
    if closure is None:
        _note(connection, platform, {"closed_since": None, "closed_until": None})
        return
    condition = PLATFORM_CONDITION.c
    here = select(condition.closed_since).where(
        condition.platform == platform, condition.closed_until > micros(closure.since - ONE_CLOSURE)
    )
    before = connection.execute(here).scalar()
    since = micros(closure.since) if before is None else min(before, micros(closure.since))
    _note(connection, platform, {"closed_since": since, "closed_until": micros(closure.until)})


def note_broken(connection: Connection, platform: str, until: datetime | None) -> None:
    """Keep until when a process leaves a platform alone after failures in a row; None: its breaker is closed."""
    _note(connection, platform, {"broken_until": None if until is None else micros(until)})


def _note(connection: Connection, platform: str, values: Mapping[str, int | None]) -> None:
    insert = insert_into(connection, PLATFORM_CONDITION).values(platform=platform, **values)
    connection.execute(insert.on_conflict_do_update(index_elements=["platform"], set_=dict(values)))


def note_use(connection: Connection, use: SecretUse, used_at: datetime) -> None:
    """Keep when a secret was last used; never an earlier time than is kept."""
    insert = insert_into(connection, SECRET_USE).values(**use._asdict(), last_used_at=micros(used_at))
    later = insert.on_conflict_do_update(
        index_elements=["platform", "purpose", "fingerprint"],
        set_={"last_used_at": insert.excluded.last_used_at},
        where=SECRET_USE.c.last_used_at < insert.excluded.last_used_at,
    )
    connection.execute(later)


def clocks(connection: Connection) -> dict[str, ClockReading]:
    """Return the last reading of each platform's clock."""
    condition = PLATFORM_CONDITION.c
    here = select(condition.platform, condition.ahead, condition.within, condition.samples, condition.measured_at)
    return {
        row.platform: ClockReading(row.ahead / 1_000_000, row.within / 1_000_000, row.samples, moment(row.measured_at))
        for row in connection.execute(here.where(condition.measured_at.is_not(None)))
    }


def closures(connection: Connection, now: datetime) -> dict[str, Closure]:
    """Return which platforms asked to be left alone until later than now."""
    condition = PLATFORM_CONDITION.c
    here = select(condition.platform, condition.closed_since, condition.closed_until).where(condition.closed_until > micros(now))
    return {row.platform: Closure(moment(row.closed_since), moment(row.closed_until)) for row in connection.execute(here)}


def uses(connection: Connection) -> dict[SecretUse, datetime]:
    """Return when each secret was last used."""
    return {
        SecretUse(row.platform, row.purpose, row.fingerprint): moment(row.last_used_at)
        for row in connection.execute(select(SECRET_USE))
    }
