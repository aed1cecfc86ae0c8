"""Alerts as they are kept: raised once, cleared once, told once each, however often and late somebody looks."""

from datetime import timedelta

from sqlalchemy import Connection

from hub.mirror import alerts
from hub.mirror.alerts import Noted, Patience, Which
from hub.mirror.database import Database
from hub.mirror.tables import ALERT
from tests.settable_clock import SettableClock

STUCK, STALE = Which("BihuanStuck", "credit"), Which("BihuanStale", "grid")
PATIENCE = {
    "BihuanStuck": Patience(timedelta(), timedelta(seconds=60)),
    "BihuanStale": Patience(timedelta(seconds=30), timedelta()),
}


async def look(database: Database, clock: SettableClock, *held: Which, telling: bool = True) -> Noted:
    return await database.write(alerts.note, dict.fromkeys(held, 2.0), PATIENCE, clock(), telling=telling)


async def waiting(database: Database, clock: SettableClock) -> list[tuple[Which, bool]]:
    return [(one.which, one.cleared_at is not None) for one in await database.read(alerts.untold, clock())]


async def test_a_condition_is_raised_when_it_has_held_for_long_enough(database: Database, clock: SettableClock) -> None:
    assert await look(database, clock, STUCK, STALE) == Noted([STUCK], [])
    clock.advance(15)
    assert await look(database, clock, STUCK, STALE) == Noted([], [])
    clock.advance(15)
    assert await look(database, clock, STUCK, STALE) == Noted([STALE], [])
    standing = await database.read(alerts.standing)
    assert [(one.which, (clock() - one.since).total_seconds()) for one in standing] == [(STUCK, 30), (STALE, 30)]


async def test_one_that_did_not_hold_for_long_enough_is_forgotten(database: Database, clock: SettableClock) -> None:
    await look(database, clock, STALE)
    clock.advance(20)
    assert await look(database, clock) == Noted([], [])
    clock.advance(20)
    assert await look(database, clock, STALE) == Noted([], [])


async def test_what_comes_and_goes_is_raised_and_cleared_once(database: Database, clock: SettableClock) -> None:
    raised = cleared = 0
    for number in range(20):
        noted = await look(database, clock, *([STUCK] if number % 3 == 0 else []))
        raised, cleared = raised + len(noted.raised), cleared + len(noted.cleared)
        clock.advance(15)
    assert (raised, cleared) == (1, 0)
    clock.advance(60)
    assert await look(database, clock) == Noted([], [STUCK])


async def test_what_nobody_was_told_of_is_told_later_with_its_end(database: Database, clock: SettableClock) -> None:
    await look(database, clock, STUCK)
    (one,) = await database.read(alerts.untold, clock())
    await database.write(alerts.not_told, one, clock() + timedelta(seconds=300))
    assert await waiting(database, clock) == []
    assert await database.read(alerts.untold_count) == 1
    clock.advance(100)
    await look(database, clock)
    assert await database.read(alerts.standing) == []
    assert await waiting(database, clock) == [(STUCK, True)]
    (over,) = await database.read(alerts.untold, clock())
    await database.write(alerts.told, over, clock())
    assert await database.read(alerts.untold_count) == 0


async def test_a_condition_that_holds_again_while_its_end_is_told_is_told_once_more(
    database: Database, clock: SettableClock
) -> None:
    await look(database, clock, STUCK)
    (one,) = await database.read(alerts.untold, clock())
    await database.write(alerts.told, one, clock())
    clock.advance(100)
    await look(database, clock)
    (over,) = await database.read(alerts.untold, clock())
    await look(database, clock, STUCK)  # before anybody noted that the end was told
    await database.write(alerts.told, over, clock())
    assert await waiting(database, clock) == [(STUCK, False)]


async def test_without_anybody_to_tell_nothing_is_kept_behind_the_end(database: Database, clock: SettableClock) -> None:
    await look(database, clock, STUCK, telling=False)
    clock.advance(100)
    assert await look(database, clock, telling=False) == Noted([], [STUCK])
    assert await database.read(_rows) == 0


def _rows(connection: Connection) -> int:
    return len(connection.execute(ALERT.select()).all())
