"""Figures that the database gives and no fault of a platform makes: a sweep that is missed, a silence, what fails beside it."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Connection

from hub.app import Hub
from hub.domain.silence import HOURS_KEPT, hour_of
from hub.mirror import measures, streams
from hub.mirror.rows import micros
from hub.mirror.tables import PLATFORM_CONDITION, PLATFORM_HOUR
from tests.settable_clock import SettableClock
from tests.unit.test_app import new_hub

GRID = {"platform": "grid"}


@pytest.fixture
async def hub(tmp_path: Path, clock: SettableClock) -> AsyncIterator[Hub]:
    made = new_hub(tmp_path, clock, HUB_DISK_LOW_BYTES="0")
    async with made.opened():
        yield made


async def standing(hub: Hub) -> set[tuple[str, str | None]]:
    await hub.alerts.look()
    return {(each.name, each.platform) for each in await hub.alerts.standing()}


async def test_a_sweep_that_is_missed_three_times_is_told_and_the_next_one_clears_it(hub: Hub, clock: SettableClock) -> None:
    await hub.database.write(measures.ran, "full-sweep", clock())
    clock.advance(3 * 3600)
    assert await standing(hub) == set()
    clock.advance(1)
    assert await standing(hub) == {("BihuanSweepMissed", None)}
    await hub.database.write(measures.ran, "full-sweep", clock())
    clock.advance(60)
    assert await standing(hub) == set()


async def test_a_platform_is_silent_only_while_all_its_streams_are_read(hub: Hub, clock: SettableClock) -> None:
    def always_told(connection: Connection) -> None:
        hours = [{**GRID, "hour": hour_of(clock()) - back, "told": 5} for back in range(4, HOURS_KEPT)]
        connection.execute(PLATFORM_HOUR.insert(), hours)
        connection.execute(PLATFORM_CONDITION.insert().values(**GRID, told_at=micros(clock() - timedelta(hours=3))))

    await hub.database.write(always_told)
    assert ("BihuanSilent", "grid") in await standing(hub)
    assert hub.metrics.registry.get_sample_value("bihuan_platform_silent_seconds", GRID) == 3 * 3600

    def fails(connection: Connection) -> None:
        reading = streams.begin(connection, hub.rows, "grid", "events", clock(), timedelta(seconds=60))
        assert reading is not None
        streams.finish(connection, hub.rows, reading, clock(), "no answer")

    await hub.database.write(fails)
    clock.advance(60)
    assert ("BihuanSilent", "grid") not in await standing(hub), "one trouble, told twice"
