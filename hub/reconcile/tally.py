"""Keeps statistics in line with the mirror: counts what changed, and recounts everything little by little.

Started by app.py. Any number of processes may do so at once: one at a time counts, the others find nothing left to do.
"""

from typing import NamedTuple

import structlog

from hub.mirror.database import Database, DatabaseUnavailable
from hub.mirror.statistics import counting, due, recount
from hub.mirror.statistics.due import Target
from hub.mirror.statistics.sources import SOURCES
from schema.figures import Kind

BATCH = 100
"""Entries or records of one transaction."""
AT_ONCE = 20_000
"""Records that one round of recounting looks at, so that a large mirror is gone through in many rounds."""

ENTITIES = tuple(SOURCES)
BEGINNING = Target(ENTITIES[0], "")

log = structlog.get_logger()


class Tally:
    """Counts and recounts. Where the next round of recounting goes on is kept in memory only: one begun anew harms nothing."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._place = BEGINNING

    async def count(self) -> int:
        """Count what changed until nothing waits; return how many entries that were. Raises DatabaseUnavailable."""
        counted = 0
        while taken := await self._take(BATCH):
            counted += taken
        return counted

    async def _take(self, limit: int) -> int:
        """Count some entries; where that fails, ever fewer, so that one that cannot be counted holds no other."""
        ids, targets = await self._database.read(due.waiting, 1)
        try:
            return await self._database.write(counting.count_due, limit)
        except DatabaseUnavailable:
            raise
        except Exception:  # outermost: what cannot be counted is named and put aside, everything else goes on
            if limit > 1:
                return await self._take(limit // 2)
            for target in targets:
                await self._count_apart(target)
            await self._database.write(due.take_off, ids)
            return len(ids)

    async def _count_apart(self, target: Target) -> None:
        """Count a record and those that depend on it each for itself, and name those that cannot be counted."""
        try:
            concerned = await self._database.read(counting.concerned, target)
        except DatabaseUnavailable:
            raise
        except Exception:  # it is the record itself that cannot be counted; it is named below
            concerned = [target]
        for each in concerned:
            try:
                await self._database.write(counting.bring_alone, each.entity, [each.key])
            except DatabaseUnavailable:
                raise
            except Exception:  # outermost, as above
                log.exception("cannot count; a recount tries again", entity=each.entity, key=each.key)

    async def recount_some(self) -> int:
        """Recount the next records, about AT_ONCE, and all cells whenever all records were; return how many were wrong."""
        looked = wrong = 0
        while looked < AT_ONCE:
            found = await self._recount_next()
            looked, wrong = looked + found.looked, wrong + found.wrong
            if found.last:
                return wrong + await self.repair_cells()
        return wrong

    async def everything(self) -> int:
        """Count what changed, then recount everything from the beginning; return how many records and cells were wrong."""
        await self.count()
        self._place, wrong = BEGINNING, 0
        while not (found := await self._recount_next()).last:
            wrong += found.wrong
        return wrong + found.wrong + await self.repair_cells()

    async def repair_cells(self) -> int:
        """Bring every cell to what the facts say, a month of a kind a transaction; return how many were wrong."""
        wrong = 0
        for kind in Kind:
            month = -1
            while (found := await self._database.read(recount.next_month, kind.value, month)) is not None:
                month, right = found
                differed = 0 if right else await self._database.write(recount.repair_month, kind.value, month)
                wrong += differed
                if differed:
                    log.warning("statistics differed from their facts; repaired", kind=kind.value, month=month, cells=differed)
        return wrong

    async def _recount_next(self) -> "Recounted":
        """Recount a batch behind the place, and go on to the next entity at the end of one."""
        entity, after = self._place
        keys = await self._database.read(recount.keys_after, entity, after, BATCH)
        wrong = await self._recount(entity, keys)
        if len(keys) == BATCH:
            self._place = Target(entity, keys[-1])
            return Recounted(len(keys), wrong, last=False)
        later = ENTITIES[ENTITIES.index(entity) + 1 :]
        self._place = Target(later[0], "") if later else BEGINNING
        return Recounted(len(keys), wrong, last=not later)

    async def _recount(self, entity: str, keys: list[str]) -> int:
        """Return how many of these records differed without being on their way; one that cannot be counted holds no other."""
        try:
            differing, settled = await self._database.read(recount.differing, entity, keys)
            if differing:
                await self._database.write(counting.bring_alone, entity, differing)
        except DatabaseUnavailable:
            raise
        except Exception:  # outermost, as above
            if len(keys) > 1:
                return sum([await self._recount(entity, [key]) for key in keys])
            log.exception("cannot recount", entity=entity, key=keys[0])
            return 0
        if not (differing and settled):
            return 0
        log.warning("statistics differed from the mirror; repaired", entity=entity, records=len(differing), first=differing[0])
        return len(differing)


class Recounted(NamedTuple):
    """How many records a batch looked at, how many were wrong, and whether it was the last one of all."""

    looked: int
    wrong: int
    last: bool
