"""Webhooks that never come: one reading of the streams closes every gap, and the next one writes nothing.

Nothing is polled meanwhile, so that only webhooks bring what happens; a share of them is dropped for good, repetitions and all.
"""

import asyncio
import random
import tempfile
from datetime import datetime
from pathlib import Path

from hub.simulation.clock import in_simulated_time
from hub.simulation.stage import Stage, staged
from mocks.people import make_uscc
from tests.chaos.shown import Form, Shown
from tests.chaos.there import KINDS, changes, gaps

BEGINS = datetime.fromisoformat("2019-09-02T09:00:00+08:00")
SHARE = 0.05
NUMBER = {Form.SHORT: 200, Form.FULL: 10_000}
AT_ONCE = 100
NEVER = 10_000_000.0
"""Seconds between two polls: none falls into a test."""
DUE = "2019-12-30T18:00:00+08:00"


class City:
    """Makes records on the platforms that post webhooks, and changes them; each time one webhook is due."""

    def __init__(self, stage: Stage, rng: random.Random) -> None:
        self.stage, self.rng = stage, rng
        self.keys: dict[str, list[str]] = {entity: [] for entity in KINDS}
        self.dropped = 0

    def happen(self) -> None:
        """Let one thing happen, and drop its webhook in a share of cases."""
        entity, drop = self.rng.choice(list(KINDS)), self.rng.random() < SHARE
        (platform,) = (one for one in self.stage.platforms if one.name == KINDS[entity][0])
        before = platform.faults
        platform.faults = before.changed({"callbacks_off": drop})
        self.dropped += drop
        keys = self.keys[entity]
        if keys and self.rng.random() < 0.5:
            self._change(entity, self.rng.choice(keys))
        else:
            keys.append(self._make(entity))
        platform.faults = before

    def _make(self, entity: str) -> str:
        city = self.stage.platforms
        match entity:
            case "Approval":
                return city.approval.accept()
            case "CreditProfile":
                code = make_uscc(self.rng)
                city.credit.add_subject(code, "义乌市某公司")
                return code
            case "GridEvent":
                return str(city.grid.report(category="JT-03", title="杂草", town="佛堂镇")["no"])
        subjects = [{"code": make_uscc(self.rng), "name": "义乌市某公司"}]
        made = city.enforcement.make_task(subjects=subjects, department="SCJG", due_at=DUE)
        return str(city.enforcement.dispatch(made["taskId"])["taskId"])

    def _change(self, entity: str, key: str) -> None:
        city = self.stage.platforms
        match entity:
            case "Approval":
                city.approval.change(key, {"LXDH": f"139{self.rng.randrange(10**8):08d}"})
            case "CreditProfile":
                city.credit.set_score(key, float(city.credit.subject(key)["score"]) - 0.5)
            case "GridEvent":
                city.grid.edit(key, content=f"第{self.rng.randrange(10**6)}次")
            case _:
                if city.enforcement.tasks.current(key)["status"] == "DISPATCHED":
                    city.enforcement.accept(key)


async def sync(stage: Stage) -> list[str]:
    """Read every stream to its present end, once; return those that could not be read."""
    streams = [(name, each.name) for name, connector in stage.hub.connectors.items() for each in connector.streams]
    read = {stream: await stage.hub.poller.read_on(*stream) for stream in streams}
    return [f"{'/'.join(stream)} could not be read" for stream, applied in read.items() if applied is None]


async def _play(number: int, folder: Path) -> Shown:
    async with staged(folder, 11, NEVER, POLL="false") as stage:
        losses = await sync(stage)
        city = City(stage, random.Random(5))
        for done in range(0, number, AT_ONCE):
            for _ in range(min(AT_ONCE, number - done)):
                city.happen()
            await asyncio.sleep(20)
        await asyncio.sleep(900)  # what was not dropped has come, what was committed late is to be seen
        before = [gap for entity in KINDS for gap in await gaps(stage, entity)]
        losses += await sync(stage)
        after = [gap for entity in KINDS for gap in await gaps(stage, entity)]
        written = await changes(stage)
        await asyncio.sleep(900)
        losses += await sync(stage)
        again = await changes(stage) - written
    losses += [f"after one sync: {gap}" for gap in after]
    losses += [f"a second sync wrote {again} versions"] if again else []
    if not city.dropped or not before:
        losses.append(f"nothing was missing before the sync: {city.dropped} dropped, {len(before)} gaps")
    said = f"{len(before)} gaps before, {len(after)} after one sync; a second: {again} writes"
    return Shown(f"{number} webhooks of {len(KINDS)} platforms, {city.dropped} dropped for good", said, losses)


def show(form: Form) -> Shown:
    """Drop webhooks, and read on."""
    with tempfile.TemporaryDirectory() as folder:
        return in_simulated_time(_play(NUMBER[form], Path(folder)), BEGINS)
