"""The hub's own alerts, durable: which stand, and of which it is still to be told. Written by hub/alerts/desk.py.

There is one row for a condition and a platform at most, so that however long nobody can be told, it does not grow.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, Row, and_, delete, func, or_, select, update

from hub.mirror.rows import micros, moment
from hub.mirror.tables import ALERT

MOST_TRIES = 1_000_000


class Which(NamedTuple):
    """An alert's name, and the platform that it is about; empty where it is about none."""

    name: str
    platform: str


class Patience(NamedTuple):
    """How long a condition must hold until its alert is raised, and not hold until it is cleared."""

    before: timedelta
    behind: timedelta


class Standing(NamedTuple):
    """An alert that was raised. `cleared_at` is set where its end is still to be told."""

    which: Which
    since: datetime
    raised_at: datetime
    cleared_at: datetime | None
    number: float
    raise_told: bool
    tries: int


class Noted(NamedTuple):
    """What changed at one look."""

    raised: Sequence[Which]
    cleared: Sequence[Which]


NO_PATIENCE = Patience(timedelta(), timedelta())


def note(
    connection: Connection, held: Mapping[Which, float], patience: Mapping[str, Patience], now: datetime, *, telling: bool
) -> Noted:
    """Bring the alerts in line with which conditions hold now, each with its number; `telling`: ends are kept until told."""
    raised, cleared = list[Which](), list[Which]()
    known = {Which(row.name, row.platform): row for row in connection.execute(select(ALERT))}
    for which, number in sorted(held.items()):
        row, long_enough = known.get(which), patience.get(which.name, NO_PATIENCE).before
        since = now if row is None else moment(row.since)
        up = row is not None and row.raised_at is not None
        values = {"seen_at": micros(now), "number": number, "cleared_at": None}
        if not up and abs(now - since) >= long_enough:
            values["raised_at"] = micros(now)
            raised.append(which)
        if row is None:
            fresh = {"since": micros(now), "raised_at": None, "raise_told_at": None, "tries": 0, "next_try_at": 0}
            connection.execute(ALERT.insert().values(**which._asdict(), **{**fresh, **values}))
        else:
            connection.execute(update(ALERT).where(_is(which)).values(values))
    for which, row in sorted(known.items(), key=lambda each: each[0]):
        if which in held or row.cleared_at is not None:
            continue
        if row.raised_at is None:
            connection.execute(delete(ALERT).where(_is(which)))
        elif abs(now - moment(row.seen_at)) >= patience.get(which.name, NO_PATIENCE).behind:
            cleared.append(which)
            over = update(ALERT).where(_is(which)).values(cleared_at=micros(now), tries=0, next_try_at=0)
            connection.execute(over if telling else delete(ALERT).where(_is(which)))
    return Noted(raised, cleared)


def standing(connection: Connection) -> list[Standing]:
    """Return the alerts that are raised now, the oldest first."""
    here = ALERT.c.raised_at.is_not(None) & ALERT.c.cleared_at.is_(None)
    ordered = select(ALERT).where(here).order_by(ALERT.c.raised_at, ALERT.c.name, ALERT.c.platform)
    return [_read(row) for row in connection.execute(ordered)]


def standing_by_name(connection: Connection) -> dict[str, int]:
    """Return how many alerts of each name are raised now."""
    here = ALERT.c.raised_at.is_not(None) & ALERT.c.cleared_at.is_(None)
    grouped = select(ALERT.c.name, func.count()).where(here).group_by(ALERT.c.name)
    return {row[0]: row[1] for row in connection.execute(grouped)}


_UNTOLD = and_(ALERT.c.raised_at.is_not(None), or_(ALERT.c.raise_told_at.is_(None), ALERT.c.cleared_at.is_not(None)))


def untold_count(connection: Connection) -> int:
    """Return how many raised or cleared alerts are still to be told of."""
    return int(connection.execute(select(func.count()).where(_UNTOLD)).scalar_one())


def untold(connection: Connection, now: datetime) -> list[Standing]:
    """Return the alerts of which it is to be told now, the oldest first."""
    here = _UNTOLD & (ALERT.c.next_try_at <= micros(now))
    return [_read(row) for row in connection.execute(select(ALERT).where(here).order_by(ALERT.c.raised_at, ALERT.c.name))]


def told(connection: Connection, one: Standing, now: datetime) -> None:
    """Note that somebody was told: of its beginning, or of its end, with which it is forgotten; what changed since is told next."""
    same = _is(one.which) & (ALERT.c.raised_at == micros(one.raised_at))
    if one.cleared_at is not None:
        over = connection.execute(delete(ALERT).where(same, ALERT.c.cleared_at == micros(one.cleared_at))).rowcount
        if over:
            return
        # It holds again since: who heard of the end must hear of the beginning once more.
        again = {"raised_at": micros(now), "raise_told_at": None, "tries": 0, "next_try_at": 0}
        connection.execute(update(ALERT).where(same).values(again))
        return
    connection.execute(update(ALERT).where(same).values(raise_told_at=micros(now), tries=0, next_try_at=0))


def not_told(connection: Connection, one: Standing, again_at: datetime) -> None:
    """Note that nobody could be told, and when to try again."""
    later = {"tries": min(one.tries + 1, MOST_TRIES), "next_try_at": micros(again_at)}
    connection.execute(update(ALERT).where(_is(one.which)).values(later))


def _is(which: Which) -> ColumnElement[bool]:
    return (ALERT.c.name == which.name) & (ALERT.c.platform == which.platform)


def _read(row: Row[Any]) -> Standing:
    return Standing(
        Which(row.name, row.platform),
        moment(row.since),
        moment(row.raised_at),
        None if row.cleared_at is None else moment(row.cleared_at),
        row.number,
        row.raise_told_at is not None,
        row.tries,
    )
