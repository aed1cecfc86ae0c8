"""SIGKILL of `bihuan serve` and `bihuan work` at random moments, restarted at once, with deliveries all the while."""

import asyncio
import random
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.chaos.deployment import Place, deployed
from tests.chaos.histories import IN_MEMORY
from tests.chaos.shown import Form, Shown
from tests.chaos.town import COPIES, Town, town
from tests.e2e.processes import quick
from tests.servers import postgresql_server

SEED = 20190902


@dataclass(frozen=True)
class Scale:
    """How much is killed, and how much happens meanwhile, on each database."""

    kills: int
    approvals: int
    many: tuple[str, ...]
    """The processes on PostgreSQL; on SQLite it is one `serve` with its worker inside."""
    pause: float
    """Longest pause of a sender between two deliveries, so that they last as long as the kills."""
    within: float
    """Seconds for what is left after the last kill."""


SCALES = {
    Form.SHORT: Scale(3, 12, ("serve", "work", "work"), 0.5, 120),
    Form.FULL: Scale(500, 2500, ("serve", "serve", "work", "work"), 3.0, 1800),
}
MOST_SECONDS_UP = 1.5
"""A process is killed at a random moment within so many seconds after it was ready."""


async def killed(name: str, url: str, commands: Sequence[str], folder: Path, scale: Scale) -> tuple[list[str], int]:
    """Kill and start processes of one deployment; return what was lost, and how often a delivery had to be sent again."""
    rng = random.Random(f"{SEED}{name}")
    async with town(folder / "house", scale.approvals, SEED) as lives:
        lives.pause = scale.pause
        lives.second_half.set()
        settings = quick(lives.stage, url, visible_after=0.5, WORKER_INSIDE=str(len(commands) == 1).lower())
        async with deployed(commands, settings, folder) as places:
            addresses = [place.address for place in places if place.address]
            living = asyncio.create_task(lives.live(addresses))
            await _kill(places, scale.kills, rng)
            lives.pause = 0.0
            await asyncio.wait_for(living, scale.within)
            await asyncio.gather(*(place.ready() for place in places))
            lost = await lives.losses(url, within=scale.within)
            lost += _not_done(lives, places, scale)
    return [f"{name}: {each}" for each in lost], lives.refused


async def _kill(places: list[Place], kills: int, rng: random.Random) -> None:
    for _ in range(kills):
        place = rng.choice(places)
        await place.ready()
        await asyncio.sleep(rng.uniform(0, MOST_SECONDS_UP))
        await place.kill_and_start()


def _not_done(lives: Town, places: list[Place], scale: Scale) -> list[str]:
    """Return what would make the test prove nothing."""
    done = {
        "kills": (sum(place.starts - 1 for place in places), scale.kills),
        "acknowledged deliveries": (len(lives.acknowledged), scale.approvals * COPIES),
    }
    return [f"{what}: {there} and not {wanted}" for what, (there, wanted) in done.items() if there != wanted]


async def both(scale: Scale) -> tuple[list[str], int]:
    """Kill on both databases at the same time."""
    with tempfile.TemporaryDirectory(prefix="kills-", dir=IN_MEMORY) as name, postgresql_server() as server:
        folder = Path(name)
        for each in ("embedded", "many"):
            (folder / each).mkdir()
        async with server.fresh() as url:
            ends = await asyncio.gather(
                killed("SQLite", f"sqlite:///{folder / 'hub.db'}", ["serve"], folder / "embedded", scale),
                killed("PostgreSQL", url, scale.many, folder / "many", scale),
            )
    return [loss for lost, _ in ends for loss in lost], sum(again for _, again in ends)


def show(form: Form) -> Shown:
    """Kill processes; nothing acknowledged may be lost, no effect missing or doubled."""
    scale = SCALES[form]
    losses, again = asyncio.run(both(scale))
    return Shown(
        f"{scale.kills} kills over {scale.approvals * COPIES} deliveries on each of SQLite and PostgreSQL",
        f"{len(losses)} acknowledged lost, missing or doubled; {again} times a delivery was not acknowledged and sent again",
        losses,
    )
