"""The primary database is killed under load and its synchronous standby promoted; the hub goes on without a restart."""

import asyncio
import random
import tempfile
from dataclasses import dataclass
from pathlib import Path

from tests.chaos.deployment import Place, deployed
from tests.chaos.histories import IN_MEMORY
from tests.chaos.shown import Form, Shown
from tests.chaos.town import COPIES, Town, town
from tests.cluster import Cluster, cluster
from tests.e2e.eventually import eventually
from tests.e2e.processes import quick

SEED = 20190903


@dataclass(frozen=True)
class Scale:
    """How often a primary is killed, each time another cluster's, and how much happens meanwhile."""

    rounds: int
    approvals: int
    commands: tuple[str, ...]
    pause: float
    within: float


SCALES = {
    Form.SHORT: Scale(1, 16, ("serve", "work"), 0.1, 120),
    Form.FULL: Scale(10, 200, ("serve", "serve", "work", "work"), 0.2, 600),
}


async def failed_over(scale: Scale, number: int) -> tuple[list[str], int]:
    """Kill the primary once; return what was lost, and how often a delivery had to be sent again."""
    rng = random.Random(f"{SEED}{number}")
    with tempfile.TemporaryDirectory(prefix="failover-", dir=IN_MEMORY) as name:
        folder = Path(name)
        async with cluster(synchronous=True) as pair, town(folder / "house", scale.approvals, SEED + number) as lives:
            lives.pause = scale.pause
            settings = quick(lives.stage, pair.url, visible_after=0.5, WORKER_INSIDE="false")
            async with deployed(scale.commands, settings, folder) as places:
                living = asyncio.create_task(lives.live([place.address for place in places if place.address]))
                under_way = await _lose_the_primary(pair, lives, rng)
                lives.pause = 0.0
                await asyncio.wait_for(living, scale.within)
                lost = await lives.losses(pair.standby.url, within=scale.within)
                lost += _not_shown(places, lives, under_way)
    return [f"round {number}: {each}" for each in lost], lives.refused


async def _lose_the_primary(pair: Cluster, lives: Town, rng: random.Random) -> bool:
    """Kill the primary in the middle of everything, and promote the standby; return whether something was under way."""
    half = lives.approvals // 2
    tasks, records = lives.stage.enforcement.store.all("task"), lives.stage.credit.store.all("record")
    enough = rng.uniform(0.1, 0.9) * half
    await eventually(lambda: len(tasks) > enough, within=120, or_say="tasks on the platform")
    lives.second_half.set()
    await eventually(lambda: len(lives.acknowledged) > half * COPIES, within=120, or_say="deliveries of the second half")
    under_way = len(records) < lives.approvals and len(lives.acknowledged) < lives.approvals * COPIES
    await pair.primary.kill()
    await asyncio.sleep(rng.uniform(0.5, 2))
    await pair.standby.promote()
    return under_way


def _not_shown(places: list[Place], lives: Town, under_way: bool) -> list[str]:
    """Return what would make the round prove nothing."""
    ended = [place.command for place in places if place.starts > 1 or place.running.process.returncode is not None]
    return [
        *(f"bihuan {command} did not go on by itself" for command in ended),
        *([] if under_way else ["the primary was killed too late: nothing was under way"]),
        *([] if lives.refused else ["no delivery was refused while there was no database"]),
    ]


async def _rounds(scale: Scale) -> tuple[list[str], int]:
    losses, again = list[str](), 0
    for number in range(scale.rounds):
        lost, refused = await failed_over(scale, number)
        losses, again = [*losses, *lost], again + refused
    return losses, again


def show(form: Form) -> Shown:
    """Kill primaries; nothing acknowledged may be lost, every obligation closes, nothing is doubled, no process is restarted."""
    scale = SCALES[form]
    losses, again = asyncio.run(_rounds(scale))
    return Shown(
        f"{scale.rounds} primaries killed, standbys promoted; {scale.approvals * COPIES} deliveries each",
        f"{len(losses)} acknowledged lost, missing, doubled or restarted; {again} deliveries not acknowledged and sent again",
        losses,
    )
