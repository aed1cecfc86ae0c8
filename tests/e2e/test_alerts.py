"""Every fault that a mock can make is told within a minute or heals silently; a quiet day raises nothing. In simulated time."""

import asyncio
import re
from collections.abc import Callable, Coroutine
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from hub.cases.play import BEIJING
from hub.simulation.clock import in_simulated_time, simulated_now
from hub.simulation.stage import Stage, staged
from mocks.faults import Faults
from tests.e2e.alarms import LATEST, PACE, POLL_SECONDS, ROUNDS, WITHIN, Fault, break_promises, live, standing

PAGE = Path(__file__).parents[2] / "docs/alerts.md"
MONDAY = datetime(2019, 9, 2, 9, 0, tzinfo=BEIJING)
FAULTS = [fault for faults in ROUNDS for fault in faults]


async def did(act: Callable[[Stage], Coroutine[Any, Any, None] | None], stage: Stage) -> None:
    """Do something, whether it takes its time or not."""
    if (doing := act(stage)) is not None:
        await doing


async def raised_within(stage: Stage, seconds: float) -> dict[tuple[str, str | None], float]:
    """Return what was raised within so many seconds, and how soon."""
    found, began = dict[tuple[str, str | None], float](), simulated_now()
    while (passed := (simulated_now() - began).total_seconds()) < seconds:
        await asyncio.sleep(5.0)
        for each in await standing(stage):
            found.setdefault(each, passed + 5.0)
    return found


@pytest.mark.parametrize("faults", ROUNDS, ids=lambda faults: ", ".join(each.platform for each in faults))
def test_a_fault_is_told_within_a_minute_and_cleared_afterwards_or_heals_silently(
    faults: tuple[Fault, ...], tmp_path: Path
) -> None:
    async def play() -> None:
        async with staged(tmp_path, 7, POLL_SECONDS, **PACE) as stage:
            living = asyncio.create_task(live(stage))
            try:
                assert await raised_within(stage, 45.0) == {}, "before anything was wrong"
                for fault in faults:
                    await did(fault.begin, stage)
                seen = await raised_within(stage, WITHIN)
                told = {(fault.alert, fault.platform) for fault in faults if fault.alert}
                assert told <= set(seen), f"not told: {told - set(seen)}; told: {seen}"
                quiet = {fault.platform for fault in faults if fault.alert is None}
                assert [each for each in seen if each[1] in quiet or each[1] is None] == [], "a false alarm"
                for fault in faults:
                    await did(fault.end, stage)
                await cleared(stage, quiet)
            finally:
                living.cancel()
            await stage.settled(within=3600.0)

    in_simulated_time(play(), MONDAY)


async def cleared(stage: Stage, quiet: set[str]) -> None:
    """Return when nothing stands any more; fail where something does for too long, or comes of what heals silently."""
    began = simulated_now()
    while left := await standing(stage):
        assert not {platform for _, platform in left} & quiet, f"a false alarm: {left}"
        assert (simulated_now() - began).total_seconds() < LATEST, f"still there after {LATEST} s: {left}"
        await asyncio.sleep(15.0)


def test_an_outage_that_lasts_makes_the_mirror_stale_and_what_is_owed_overdue(tmp_path: Path) -> None:
    async def play() -> None:
        async with staged(tmp_path, 7, POLL_SECONDS, **PACE) as stage:
            enforcement = stage.platforms.enforcement
            await asyncio.sleep(30.0)
            enforcement.faults = enforcement.faults.changed({"outage": True})
            stage.platforms.approval.grant(procedure="1")
            seen = await raised_within(stage, 720.0)
            assert 300.0 <= seen["BihuanStale", "enforcement"] <= 360.0
            assert 600.0 <= seen["BihuanOverdue", "enforcement"] <= 660.0
            await stage.ask(
                'mutation { planMaintenance(input: {platform: "enforcement", until: "2019-09-02T10:00:00+08:00", '
                'reason: "repair"}) { userErrors { message } } }'
            )
            await asyncio.sleep(90.0)
            assert await standing(stage) == set(), "it is in maintenance, and is not silent"
            enforcement.faults = Faults()
            await stage.settled(within=3600.0)

    in_simulated_time(play(), MONDAY)


def test_messages_that_an_empty_balance_holds_up_are_overdue_after_ten_minutes(tmp_path: Path) -> None:
    async def play() -> None:
        async with staged(tmp_path, 7, POLL_SECONDS, **PACE) as stage:
            await asyncio.sleep(30.0)
            stage.platforms.approval.grant(procedure="1")
            tasks = stage.platforms.enforcement.store.all("task")
            task_id = await stage.seen("its check", lambda: next(iter(tasks), None))
            stage.platforms.enforcement.dispatch(task_id)
            stage.platforms.sms.set_balance(0)
            break_promises(stage)
            seen = await raised_within(stage, 720.0)
            assert set(seen) == {("BihuanOverdue", "sms")}
            assert seen["BihuanOverdue", "sms"] >= 600.0
            stage.platforms.sms.set_balance(100)
            await stage.settled(within=3600.0)
            await asyncio.sleep(90.0)
            assert await standing(stage) == set()

    in_simulated_time(play(), MONDAY)


def test_a_quiet_day_raises_nothing(tmp_path: Path) -> None:
    """A working day with its rush, a night in which nothing happens: 24 hours, and no alarm."""

    async def play() -> None:
        pace = {**PACE, "IDLE_SECONDS": "60", "WAITING_SECONDS": "300", "RESCUE_SECONDS": "60", "SEAL_SECONDS": "30"}
        async with staged(tmp_path, 7, 240.0, **{**pace, "ALERT_SECONDS": "60", "STALE_SECONDS": "600"}) as stage:
            ends = simulated_now().timestamp() + 86_400
            while (now := simulated_now()).timestamp() < ends:
                if 9 <= now.astimezone(BEIJING).hour < 17:
                    stage.platforms.approval.grant(procedure="1")
                    stage.platforms.grid.report(category="JT-03", title="绿化遮挡视线", town="佛堂镇", send=True)
                await asyncio.sleep(1200.0)
                assert await standing(stage) == set(), f"a false alarm at {now}"
            assert len(stage.platforms.enforcement.store.all("task")) > 40, "nothing lived: nothing was shown"

    in_simulated_time(play(), MONDAY)


def test_the_page_names_what_is_told_of_every_fault() -> None:
    about = re.compile(r"\| .*\| (approval|credit|grid|enforcement|selfgov|sms) \|")
    rows = [line for line in PAGE.read_text().splitlines() if about.match(line)]
    assert sorted(rows) == sorted(fault.row for fault in FAULTS)


def test_no_knob_of_a_mock_is_left_out() -> None:
    named = {name for fault in FAULTS for name in re.findall(r"`([a-z_]+)`", fault.what)}
    assert {each.name for each in msgspec.structs.fields(Faults)} <= named
