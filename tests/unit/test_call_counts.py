"""Calls and quota as the graph shows them: the same from every process, whoever called."""

from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

import pytest
from sqlalchemy import Connection, select

from hub.app import Hub
from hub.call_counts import CallCounts
from hub.domain.calendar import BEIJING
from hub.mirror import platform_calls
from hub.mirror.database import Database, DatabaseUnavailable, SQLiteDatabase
from hub.mirror.platform_calls import Calls, Lately
from hub.mirror.quota import reserve
from hub.mirror.tables import PLATFORM_CALLS
from hub.parts import World
from hub.settings import load_settings
from tests.settable_clock import SettableClock
from tests.unit.test_app import ask
from tests.unit.test_settings import complete

T = TypeVar("T")
HOUR = timedelta(hours=1)
SHOWN = "{ platforms { name calls { lastHour { made failed } today { made failed } } quota { perSecond used waitSeconds } } }"


@pytest.fixture
async def processes(tmp_path: Path, clock: SettableClock) -> AsyncIterator[tuple[Hub, Hub]]:
    """Two processes on one database; nothing of theirs runs by itself."""
    environment = complete() | {"HUB_DATABASE_URL": f"sqlite:///{tmp_path / 'hub.db'}", "HUB_GRID_QUOTA_PER_SECOND": "5"}
    one, other = (Hub(load_settings(environment), World(clock=clock, sleep=clock.sleep)) for _ in range(2))
    async with one.opened(), other.opened():
        yield one, other


async def shown(hub: Hub, platform: str) -> dict[str, Any]:
    found: Any = await ask(hub, SHOWN)
    return next(each for each in found["platforms"] if each["name"] == platform)


async def test_the_calls_of_all_processes_are_added_up_whoever_is_asked(processes: tuple[Hub, Hub], clock: SettableClock) -> None:
    one, other = processes
    for outcome in ("OK", "TIMEOUT", "OK", "CANCELLED"):
        one.observing.call("grid", "events", outcome, 0.1)
    other.observing.call("grid", "events", "HTTP_500", 0.1)
    await other.operator.refresh()
    told = {"lastHour": {"made": 5, "failed": 2}, "today": {"made": 5, "failed": 2}}
    assert (await shown(one, "grid"))["calls"] == told
    assert (await shown(other, "grid"))["calls"] == told
    assert (await shown(one, "credit"))["calls"]["today"] == {"made": 0, "failed": 0}
    clock.advance(2 * 3600)
    assert (await shown(other, "grid"))["calls"] == told | {"lastHour": {"made": 0, "failed": 0}}


async def test_the_share_of_the_quota_is_what_all_processes_were_given(processes: tuple[Hub, Hub], clock: SettableClock) -> None:
    one, other = processes
    assert (await shown(one, "grid"))["quota"] == {"perSecond": 5.0, "used": 0.0, "waitSeconds": 0.0}
    for hub, calls in ((one, 30), (other, 45)):
        await hub.database.write(reserve, "grid", calls, 200_000, clock, 0)
    told = await shown(one, "grid")
    assert told["quota"] == {"perSecond": 5.0, "used": 0.25, "waitSeconds": 15.0}
    assert (await shown(other, "grid"))["quota"] == told["quota"]
    clock.advance(90)  # half of the next minute is over: half of what was given in this one is older than a minute
    assert (await shown(one, "grid"))["quota"] == {"perSecond": 5.0, "used": 0.125, "waitSeconds": 0.0}
    await one.database.write(reserve, "grid", 15, 200_000, clock, 0)
    assert (await shown(one, "grid"))["quota"]["used"] == pytest.approx(0.175)
    clock.advance(600)
    assert (await shown(one, "grid"))["quota"]["used"] == 0.0


async def test_what_a_process_counted_is_kept_when_it_ends(tmp_path: Path, clock: SettableClock) -> None:
    environment = complete() | {"HUB_DATABASE_URL": f"sqlite:///{tmp_path / 'hub.db'}"}

    def process() -> Hub:
        return Hub(load_settings(environment), World(clock=clock, sleep=clock.sleep))

    async with process().opened() as ending:
        ending.observing.call("sms", "send", "OK", 0.1)
        await ending.operator.refresh()
        ending.observing.call("sms", "send", "OK", 0.1)  # no quarter of a minute later
        assert (await shown(ending, "sms"))["calls"]["today"]["made"] == 1
    async with process().opened() as following:
        assert (await shown(following, "sms"))["calls"]["today"]["made"] == 2


async def test_what_could_not_be_kept_is_kept_the_next_time(clock: SettableClock, sqlite_database: SQLiteDatabase) -> None:
    class Away(SQLiteDatabase):
        async def write(self, work: Callable[..., T], *args: Any, **kwargs: Any) -> T:
            if clock() < back:
                raise DatabaseUnavailable("away")
            return await sqlite_database.write(work, *args, **kwargs)

        async def read(self, work: Callable[..., T], *args: Any, **kwargs: Any) -> T:
            return await sqlite_database.read(work, *args, **kwargs)

    back = clock() + timedelta(seconds=30)
    counts = CallCounts(Away(":memory:", inline=True), clock)
    counts.note("grid", "TIMEOUT")
    with pytest.raises(DatabaseUnavailable):
        await counts.keep()
    counts.note("grid", "OK")
    clock.advance(30)
    await counts.keep()
    assert (await counts.lately())["grid"].hour == Calls(2, 1)
    await counts.keep(at_once=True)
    assert (await counts.lately())["grid"].hour == Calls(2, 1), "nothing is added twice"


async def test_a_day_begins_in_beijing_and_two_days_are_kept(database: Database, clock: SettableClock) -> None:
    midnight = clock().astimezone(BEIJING).replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    spans = {
        midnight - timedelta(days=3): 1000,
        midnight - timedelta(minutes=66): 100,
        midnight - timedelta(minutes=1): 10,
        midnight: 1,
    }
    for at, made in spans.items():
        await database.write(platform_calls.add, {("grid", platform_calls.span_of(at)): Calls(made, made)}, at)
    now = midnight + timedelta(seconds=30)
    assert (await database.read(platform_calls.lately, now))["grid"] == Lately(hour=Calls(11, 11), today=Calls(1, 1))
    assert (await database.read(platform_calls.lately, now - HOUR))["grid"].hour.made == 111
    assert await database.read(platform_calls.lately, midnight + timedelta(days=2)) == {}

    def kept(connection: Connection) -> set[int]:
        return set(connection.execute(select(PLATFORM_CALLS.c.made)).scalars())

    assert await database.read(kept) == {100, 10, 1}
