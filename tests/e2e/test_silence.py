"""Green but silent, on the simulated clock: a platform that answers well and tells nothing, in hours in which it always did."""

import asyncio
from datetime import datetime, timedelta
from pathlib import Path

from hub.cases.play import BEIJING
from hub.simulation.clock import in_simulated_time, simulated_now
from hub.simulation.stage import Stage, staged
from tests.e2e.alarms import standing

FIRST = datetime(2019, 7, 10, 10, 0, tzinfo=BEIJING)
"""A Wednesday, as the four after it; no holiday among them."""
SILENT = ("BihuanSilent", "approval")
PAUSE = """mutation ($platform: String!) {
  pausePlatform(input: {platform: $platform, reason: "an unplanned day off"}) { userErrors { message } } }"""
RESUME = PAUSE.replace("pausePlatform", "resumePlatform")
TOLD = ("approval", "enforcement")
"""Who always told something in that hour: what the second holds follows from the first."""


async def busy_hour(stage: Stage, beginning: datetime) -> None:
    """Let six approvals be granted in an hour, and the hub do what follows."""
    await stage.until(beginning)
    for _ in range(6):
        stage.platforms.approval.grant(procedure="1")
        await asyncio.sleep(300.0)
    await stage.settled(within=7200.0)


def test_a_platform_that_tells_nothing_in_hours_in_which_it_always_did_is_told_within_a_minute(tmp_path: Path) -> None:
    async def play() -> None:
        async with staged(tmp_path, 7, 300.0, ALERT_SECONDS="30", SEAL_SECONDS="30", STALE_SECONDS="1800") as stage:
            for week in range(4):
                await busy_hour(stage, FIRST + timedelta(weeks=week))
            fifth = FIRST + timedelta(weeks=4)
            await stage.until(fifth - timedelta(minutes=30))
            while simulated_now() < fifth + timedelta(hours=1):  # the hour in which it used to speak is not over
                await asyncio.sleep(60.0)
                assert SILENT not in await standing(stage), f"too soon: {simulated_now()}"
            await asyncio.sleep(60.0)
            silent = {("BihuanSilent", name) for name in TOLD}
            assert await standing(stage) == silent, "all is green but silent"
            (shown,) = (each for each in await stage.hub.operator.alerts() if each.platform == "approval")
            assert "has told nothing new for 7 d" in shown.text
            for name in TOLD:
                await stage.ask(PAUSE, platform=name)
            await asyncio.sleep(120.0)
            assert await standing(stage) == set(), "who is paused is not silent"
            for name in TOLD:
                await stage.ask(RESUME, platform=name)
            await asyncio.sleep(60.0)
            assert await standing(stage) == silent
            stage.platforms.approval.grant(procedure="1")
            await stage.settled(within=3600.0)
            await asyncio.sleep(120.0)
            assert await standing(stage) == set()

    in_simulated_time(play(), FIRST - timedelta(hours=1))
