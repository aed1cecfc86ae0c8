"""A dry run of a backfill or a replay: what it would change, and no trace of it. Made by backfill.py.

What becomes of each record is foreseen as it is read, beside what the mirror holds and what came before it; nothing is locked for
that. Those that change something are then applied together, rules included, in a transaction that is rolled back and in which
nobody is called. Where they are too many for one, obligations are those of each part by itself, and the answer says so.
"""

from collections.abc import Callable, Sequence
from datetime import datetime

from connectors.base import Item
from hub.intake.difference import Tally
from hub.intake.rehearsal import Pending, Rehearsal, told_of
from hub.mirror.database import Database
from hub.mirror.records import Foreseen as Held
from schema.backfill import Difference, Foreseen

TOGETHER = 1000
"""Records of one transaction that is rolled back, so that nobody waits long for it."""
IDLE = frozenset({Foreseen.UNCHANGED, Foreseen.QUARANTINED})
"""What no rule is asked about."""


class DryRun:
    """One dry run. Items come in the order in which the real run would take them."""

    def __init__(self, database: Database, rehearsal: Rehearsal, clock: Callable[[], datetime], skip: int) -> None:
        self.tally = Tally(dry_run=True, skip=skip)
        self._database = database
        self._rehearsal = rehearsal
        self._clock = clock
        self._earlier: Held = {}
        self._pending: list[Pending] = []
        self._rehearsed = False

    async def add(self, platform: str, stream: str, items: Sequence[Item]) -> None:
        """Foresee what becomes of these."""
        told = await self._database.read(told_of, items, self._earlier)
        self.tally.add(told)
        pairs = zip(items, told, strict=True)
        self._pending += [Pending(platform, stream, item, line) for item, line in pairs if line.outcome not in IDLE]
        while len(self._pending) > TOGETHER:
            self.tally.exact = False
            await self._rehearse()

    async def difference(self) -> Difference:
        """Ask the rules about what is left, and return the answer."""
        await self._rehearse()
        return self.tally.difference()

    async def _rehearse(self) -> None:
        some, self._pending = self._pending[:TOGETHER], self._pending[TOGETHER:]
        if not some:
            return
        made, failed = await self._rehearsal.foresee(some, self._clock())
        self.tally.owe(made)
        for place, line in failed.items():
            self.tally.correct(some[place].told, line)
