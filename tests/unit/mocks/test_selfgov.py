"""mocks/selfgov.py, selfgov_exchange.py: the system behaves as selfgov.md says, its late rows and locks included."""

import asyncio
import contextlib
import os
import random
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import NullPool

from mocks.people import is_uscc
from mocks.selfgov import SelfgovPlatform, SelfgovSettings
from mocks.server import serve
from tests.servers import PostgreSQLServer
from tests.unit.mocks.city_clock import CityClock


def platform_at(url: str, clock: CityClock, **settings: Any) -> SelfgovPlatform:
    given = {"database_url": url, "late_commit_share": 0.0, "hole_share": 0.0, **settings}
    return SelfgovPlatform(SelfgovSettings(**given), clock=clock, rng=random.Random(7), sleep=clock.sleep)


@pytest.fixture
def clock() -> CityClock:
    return CityClock()


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'exchange.sqlite'}"


@pytest.fixture
async def system(url: str, clock: CityClock) -> AsyncIterator[SelfgovPlatform]:
    made = platform_at(url, clock)
    yield made
    await made.stop()


def mark(url: str, statement: str) -> None:
    """Write as the hub does."""
    engine = create_engine(url, poolclass=NullPool)
    with engine.begin() as connection:
        connection.execute(text(statement))
    engine.dispose()


def ids(system: SelfgovPlatform) -> list[int]:
    return [row["id"] for row in system.rows("zz_result")]


def test_each_way_has_its_own_code_and_a_row_as_the_page_has_it(system: SelfgovPlatform) -> None:
    numbers = [make() for make in (system.self_check, system.self_report, system.study, system.exam)]
    assert [system.result(number)["lx"] for number in numbers] == ["1", "2", "3", "4"]
    row = system.result(numbers[0])
    assert is_uscc(row["tyshxydm"])
    assert (row["shzt"], row["clbz"], row["clsm"], row["jf_bizno"], row["xffs"]) == ("0", "0", None, None, None)
    assert (row["wcsj"], row["gxsj"]) == ("2019-08-15 09:00:00", "2019-08-15 09:00:00")


def test_figures_and_what_is_to_be_repaired_are_written_as_they_are_given(system: SelfgovPlatform) -> None:
    number = system.self_report(code="91330782147664100G", figures='{"典当余额": 1}', repairs="BR1", points=2.5, item="JR-001")
    row = system.result(number)
    assert (row["sbnr"], row["jf_bizno"], row["xffs"], row["sxbm"]) == ('{"典当余额": 1}', "BR1", 2.5, "JR-001")


def test_a_change_makes_gxsj_grow_by_a_second_at_least_and_takes_the_mark_back(
    system: SelfgovPlatform, url: str, clock: CityClock
) -> None:
    number = system.study()
    system.approve(number)
    mark(url, "UPDATE zz_result SET clbz = '9', clsm = 'zu spät'")
    system.refuse(number)
    row = system.result(number)
    assert (row["gxsj"], row["shzt"], row["clbz"], row["clsm"]) == ("2019-08-15 09:00:02", "2", "0", None)
    clock.advance(60)
    system.change(number, ztmc="新名称")
    assert (system.result(number)["gxsj"], system.result(number)["ztmc"]) == ("2019-08-15 09:01:00", "新名称")


def test_a_late_row_appears_after_its_time_and_behind_newer_ones(system: SelfgovPlatform, clock: CityClock) -> None:
    late, prompt = system.study(late=45), system.study()
    assert ids(system) == [prompt]
    clock.advance(44)
    assert system.commit_due() == 1
    clock.advance(1)
    assert system.commit_due() == 0
    assert ids(system) == [late, prompt]
    assert system.result(late)["gxsj"] == "2019-08-15 09:00:00"


def test_a_change_of_a_row_that_is_not_committed_waits_for_it(system: SelfgovPlatform) -> None:
    late = system.study(late=45)
    system.approve(late)
    assert (system.result(late)["shzt"], system.result(late)["gxsj"]) == ("1", "2019-08-15 09:00:01")
    assert system.commit_due() == 0


async def test_chance_makes_rows_late_by_a_minute_at_most_and_leaves_holes(url: str, clock: CityClock) -> None:
    system = platform_at(url, clock, late_commit_share=0.3, hole_share=0.3)
    for _ in range(60):
        system.study()
    assert 5 < system.counters["late commits"] < 35
    clock.advance(60)
    assert system.commit_due() == 0
    assert len(ids(system)) == 60
    assert max(ids(system)) > 70
    await system.stop()


async def test_a_second_start_goes_on_with_the_same_rows_and_higher_ids(url: str, clock: CityClock) -> None:
    first = platform_at(url, clock)
    number = first.study()
    await first.stop()
    second = platform_at(url, clock)
    assert second.exam() == number + 1
    assert len(second.rows("zz_result")) == 2
    await second.stop()


def test_a_wrong_clock_shows_in_what_it_writes(system: SelfgovPlatform) -> None:
    system.faults = system.faults.changed({"clock_skew_seconds": 3600})
    assert system.result(system.study())["gxsj"] == "2019-08-15 10:00:00"


async def test_a_lock_holds_everybody_up_until_it_is_over(system: SelfgovPlatform, url: str) -> None:
    held = asyncio.Event()

    async def sleep(seconds: float) -> None:
        await held.wait()

    system.sleep = sleep
    await system.lock(30)
    with pytest.raises(OperationalError, match="locked"):
        mark(f"{url}?timeout=0", "UPDATE zz_result SET clbz = '1'")
    held.set()
    await asyncio.sleep(0.01)
    mark(f"{url}?timeout=0", "UPDATE zz_result SET clbz = '1'")


async def test_a_database_that_is_away_comes_back_as_it_was(system: SelfgovPlatform, tmp_path: Path) -> None:
    back = asyncio.Event()

    async def sleep(seconds: float) -> None:
        await back.wait()

    system.sleep = sleep
    number = system.study()
    await system.away(30)
    assert os.listdir(tmp_path) == ["exchange.away"]
    with pytest.raises(ValueError, match="away"):
        system.exam()
    back.set()
    await asyncio.sleep(0.01)
    assert ids(system) == [number]


async def test_it_is_steered_over_its_control_interface_and_commits_late_rows_by_itself(url: str, clock: CityClock) -> None:
    system = platform_at(url, clock)
    async with serve([system]) as urls, httpx.AsyncClient(trust_env=False, base_url=urls["selfgov"]) as client:
        done = await client.post("/_control/do", json={"action": "study", "repairs": "BR1", "points": 2, "late": 5})
        assert done.json() == {"result": 1}
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(5):
                while not system.rows("zz_result"):  # noqa: ASYNC110  (the system's own task does it)
                    await asyncio.sleep(0.01)
        told = (await client.post("/_control/do", json={"action": "result", "id": 1})).json()
        assert told["result"]["jf_bizno"] == "BR1"
        state = (await client.get("/_control/state")).json()
        assert (state["databaseUrl"], state["uncommitted"]) == (url, 0)
        wrong = await client.post("/_control/do", json={"action": "approve", "id": 99})
        assert (wrong.status_code, "zz_result has no row with id 99" in wrong.text) == (400, True)
        assert (await client.get("/api")).status_code == 404


async def test_without_an_address_it_keeps_a_file_that_goes_with_it(clock: CityClock) -> None:
    system = SelfgovPlatform(SelfgovSettings(), clock=clock, rng=random.Random(7), sleep=clock.sleep)
    file = system.database_url.removeprefix("sqlite:///")
    assert os.access(file, os.W_OK)
    await system.stop()
    assert not os.access(file, os.W_OK)


async def test_it_works_on_a_server_as_well(postgresql: PostgreSQLServer, clock: CityClock) -> None:
    async with postgresql.fresh("template1") as url:
        system = platform_at(url, clock)
        system.approve(system.study(points=2.5))
        unlock = system.exchange.lock()
        unlock()
        assert [(row["shzt"], row["xffs"]) for row in system.rows("zz_result")] == [("1", 2.5)]
        with pytest.raises(ValueError, match="stopping the server"):
            await system.away(1)
        await system.stop()


def test_an_address_of_another_kind_is_refused(clock: CityClock) -> None:
    with pytest.raises(ValueError, match="not mssql"):
        platform_at("mssql+pyodbc://host/db", clock)
