"""The hub's database is put back to what it was an hour ago, while the platforms went on: everything heals, nothing is doubled.

A random history (history.py) goes on; at some moment a backup is made of the running hub, and later the process dies and the backup
takes the database's place, in the way that docs/backup.md says. In the end the oracle asks the platforms. What front ends asked the
hub itself for within the lost time is lost with it, so that these histories hold no such requests.
"""

import tempfile
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import structlog
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from hub.mirror.backup import back_up, restore
from hub.mirror.database import SQLiteDatabase
from hub.mirror.restored import mark_restored
from hub.simulation.clock import in_simulated_time, simulated_now
from hub.simulation.stage import staged
from tests.chaos.histories import ALWAYS, IN_MEMORY, make_template
from tests.chaos.history import History, histories
from tests.chaos.life import Life, sleep_until
from tests.chaos.oracle import differences
from tests.chaos.performance import PACE, POLL_SECONDS, at_rest, keep_secrets
from tests.chaos.picture import Chronicle, take_picture
from tests.chaos.shown import Form, Shown

EXAMPLES = {Form.SHORT: 4, Form.FULL: 200}
NOT_HERE = frozenset({"hub", "request"})
"""Stories that are left out: the hub dies for our own reason, and what only the hub knew is lost."""


class Loss(NamedTuple):
    """When the backup is made (a part of the history's time), how much later it is put back, and how."""

    at: float
    seconds: int
    down: int
    syncs: bool
    """Whether streams are read before anything is sent; the page says so, and it must not matter."""


NOTHING = Loss(0, 0, 0, False)
LOSSES = st.builds(
    Loss,
    at=st.floats(0, 0.95),
    seconds=st.sampled_from((20, 300, 3600, 3600, 3600, 7200, 86400)),
    down=st.sampled_from((0, 60, 1800)),
    syncs=st.booleans(),
)


@dataclass
class Rewound(Life):
    """A city whose hub loses some time."""

    loss: Loss = NOTHING
    folder: Path = Path()
    lost: bool = False
    _down: bool = False
    _plan: list[tuple[datetime, Callable[[], Awaitable[None]]]] = field(default_factory=list)

    async def go(self) -> None:
        """Live through the whole history, in the end after the restore."""
        last = self.history.steps[-1]
        made = simulated_now() + self.loss.at * timedelta(days=last.day, seconds=last.second)
        dies = made + timedelta(seconds=self.loss.seconds)
        back = dies + timedelta(seconds=self.loss.down)
        self._plan = [(made, self._back_up), (dies, self._kill), (back, self._restore)]
        await super().go()
        await self._until(max(back, simulated_now()))

    async def _until(self, moment: datetime) -> None:
        while self._plan and self._plan[0][0] <= moment:
            at, act = self._plan.pop(0)
            await self._pass(at)
            await act()
        await self._pass(moment)

    async def _pass(self, moment: datetime) -> None:
        await (sleep_until(moment) if self._down else super()._until(moment))

    async def _back_up(self) -> None:
        back_up(self.folder / "hub.db", self.folder / "backup.db")

    async def _kill(self) -> None:
        await self.stage.kill()
        self._down = True

    async def _restore(self) -> None:
        restore(self.folder / "backup.db", self.folder / "hub.db", self.folder / "hub.db.before")
        database = SQLiteDatabase(str(self.folder / "hub.db"), inline=True)
        await database.write(mark_restored, self.stage.hub.rows, "the test", simulated_now())
        await database.close()
        if self.loss.syncs:
            await self._sync()
        await self.stage.start()
        self._down, self.lost = False, True

    async def _sync(self) -> None:
        hub = self.stage.rebuilt()
        async with hub.opened():
            for connector in hub.connectors.values():
                for stream in connector.streams:
                    await hub.poller.read_on(connector.platform, stream.name)


def check(history: History, loss: Loss, template: Path) -> Sequence[str]:
    """Carry a history out with such a loss; return what differs from the oracle's word."""
    kept = tuple(step for step in history.steps if history.stories[step.story].kind not in NOT_HERE)
    history = history._replace(steps=kept)
    with tempfile.TemporaryDirectory(prefix="restore-", dir=IN_MEMORY) as name:
        folder = Path(name)
        keep_secrets(folder, history.seed)
        (folder / "hub.db").write_bytes(template.read_bytes())
        return in_simulated_time(_lived(history, loss, folder), datetime.fromisoformat(history.begins))


async def _lived(history: History, loss: Loss, folder: Path) -> Sequence[str]:
    async with staged(folder, history.seed, POLL_SECONDS, **PACE) as stage:
        chronicle, life = Chronicle(stage.platforms), Rewound(stage, history, loss=loss, folder=folder)
        await life.go()
        await at_rest(stage)
        found = list(differences(await take_picture(stage, life, chronicle, strict=False)))
        return found if life.lost else [*found, "nothing was restored"]


def show(form: Form) -> Shown:
    """Live through so many histories with a loss each."""
    losses: list[str] = []
    count = 0
    with tempfile.TemporaryDirectory(prefix="restores-") as folder, structlog.testing.capture_logs():
        template = make_template(Path(folder) / "template.db")

        @settings(
            max_examples=EXAMPLES[form],
            derandomize=form is Form.SHORT,
            deadline=None,
            database=None,
            phases=(Phase.generate,),
            suppress_health_check=ALWAYS,
        )
        @given(histories(), LOSSES)
        def each(history: History, loss: Loss) -> None:
            nonlocal count
            found = check(history, loss, template)
            count += 1
            losses.extend(f"{said} [{history!r}, {loss!r}]" for said in found)

        each()
    return Shown(f"{count} histories, a backup of each put back", f"{len(losses)} missing, doubled or wrong", losses)
