"""A ledger that is lost as a whole, and no backup: the sweep makes it anew out of the mirror, and nothing is made twice."""

import asyncio
import copy
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, delete

from hub.cases import CASES
from hub.cases.play import BEIJING, Play
from hub.mirror import ledger
from hub.mirror.tables import TABLES
from hub.simulation.clock import in_simulated_time
from hub.simulation.stage import Stage, staged

KINDS = {
    "approval": ("record", "hmd"),
    "credit": ("subject", "record", "repair"),
    "enforcement": ("task", "campaign", "key subject"),
    "grid": ("event",),
    "sms": ("message",),
}
TABLES_OF_SELFGOV = ("zz_result", "zz_score", "zz_notice")


def held(stage: Stage) -> dict[str, Any]:
    """Return all that the platforms hold, as it stands there: a second writing of anything would show in a version or a time."""
    platforms: dict[str, Any] = {platform.name: platform for platform in stage.platforms}
    found: dict[str, Any] = {
        f"{name}/{kind}": copy.deepcopy(dict(platforms[name].store.all(kind))) for name, kinds in KINDS.items() for kind in kinds
    }
    for record in found["approval/record"].values():  # what was pushed is harmless to push again, but raises these (approval.md)
        del record["BBH"], record["GXSJ"]
    return found | {table: stage.platforms.selfgov.rows(table) for table in TABLES_OF_SELFGOV}


def forget(connection: Connection) -> int:
    connection.execute(delete(TABLES["Attempt"]))
    return connection.execute(delete(TABLES["Obligation"])).rowcount


async def lose_the_ledger(folder: Path, number: int) -> None:
    async with staged(folder, 7) as stage:
        await CASES[number].play(Play(stage, lambda _: None))
        await stage.settled()
        before = held(stage)
        assert await stage.hub.database.write(forget)
        await stage.hub.sweep.everything()
        assert sum((await stage.hub.database.read(ledger.backlog)).values())
        await asyncio.sleep(3600)
        await stage.settled()
        after = held(stage)
        assert after == before


@pytest.mark.parametrize("number", [1, 4, 5, 7, 8, 9])
def test_a_lost_ledger_is_made_anew_and_nothing_is_made_twice(number: int, tmp_path: Path) -> None:
    begins = datetime.fromisoformat(CASES[number].begins).replace(tzinfo=BEIJING)
    in_simulated_time(lose_the_ledger(tmp_path, number), begins)
