"""What a process does regularly for what is kept: the change history is sealed, and what was kept long enough is removed.

Scheduled by app.py, one process at a time; removing is also `bihuan db prune`. Two that do it at once do no harm.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from hub.mirror import audit, audit_pruning, audit_sealing, obligation_changes, retention
from hub.mirror.audit import Entry
from hub.mirror.audit_check import PRUNED
from hub.mirror.database import Database
from hub.mirror.retention import BEGINNING, Kind, Place
from hub.mirror.rows import Rows

BATCH = 200
"""Rows of one transaction."""

log = structlog.get_logger()


@dataclass(frozen=True)
class Keeping:
    """Keeps the record of what happened. `days` says how long each kind is kept; 0, or no word, is for ever."""

    database: Database
    rows: Rows
    clock: Callable[[], datetime]
    days: Mapping[str, int]
    """By kind: deliveries, attempts, quarantine, ops_items, drift, changes, audit, obligation_changes."""
    shells: Sequence[str]
    """Platforms whose signatures never get old: their deliveries stay as empty shells."""

    async def seal(self) -> int:
        """Seal every change that is committed, and place those of obligations; return how many.

        Raises DatabaseUnavailable; what is sealed stays sealed.
        """
        done = 0
        while count := await self.database.write(audit_sealing.seal, self.clock()):
            done += count
        while count := await self.database.write(obligation_changes.place, self.clock()):
            done += count
        return done

    async def prune(self, by: str = "retention", *, dry_run: bool = False) -> dict[str, int]:
        """Remove what was kept long enough; return how many rows of each kind went, or would go.

        Raises DatabaseUnavailable: what is done is done, and the rest goes the next time. `by` stands in the audit.
        """
        now, went = self.clock(), dict[str, int]()
        for kind in retention.kinds(self.rows, self.shells).values():
            if (before := self._before(now, "deliveries" if kind.name == "shells" else kind.name)) is None:
                continue
            if dry_run:
                went[kind.name] = await self.database.read(retention.count, kind, before)
            else:
                went[kind.name] = await self._remove(kind, before, by)
        went["changes"] = await self._prune_changes(now, by, dry_run)
        if (before := self._before(now, "obligation_changes")) is not None:
            went["obligation_changes"] = await self._forget_obligation_changes(before, dry_run)
        if any(went.values()) and not dry_run:
            log.info("removed what was kept long enough", **went)
        return went

    def _before(self, now: datetime, kind: str) -> datetime | None:
        days = self.days.get(kind, 0)
        return now - timedelta(days=days) if days else None

    async def _remove(self, kind: Kind, before: datetime, by: str) -> int:
        removed = 0
        following: Place | None = BEGINNING
        while following is not None:
            count, following = await self.database.write(retention.remove, self.rows, kind, before, following, BATCH)
            removed += count
        if removed:
            outcome = f"{removed} from before {before.isoformat()} {'deleted' if kind.values is None else 'emptied'}"
            await self._note(Entry(at=self.clock(), by=by, action="pruneTable", kind="Table", target=kind.name, outcome=outcome))
        return removed

    async def _forget_obligation_changes(self, before: datetime, dry_run: bool) -> int:
        """They are no evidence: nothing of it is in the audit."""
        if dry_run:
            return await self.database.read(obligation_changes.count, before)
        went = 0
        while count := await self.database.write(obligation_changes.remove, before, BATCH):
            went += count
        return went

    async def _prune_changes(self, now: datetime, by: str, dry_run: bool) -> int:
        """Go through the sealed history from its beginning to where it is too young, a batch of positions at a time."""
        versions = await self.database.read(audit_pruning.bound, self._before(now, "changes"))
        entries = await self.database.read(audit_pruning.bound, self._before(now, "audit"))
        end, went, told = max(versions, entries), 0, False
        for place in range(0, end.position, BATCH):
            going = await self.database.read(audit_pruning.count_changes, versions, entries, place, BATCH)
            if going and not dry_run:
                if not told:
                    await self._tell_pruned(end.block, by)
                    told = True
                going = await self.database.write(audit_pruning.remove_changes, versions, entries, place, BATCH)
            went += going
        return went

    async def _tell_pruned(self, block: int, by: str) -> None:
        """Say that changes may be missing up to a block, and seal that word before the first one is."""
        block = max(block, await self.database.read(audit_pruning.last_word))
        outcome = "old versions of records, and old entries of the audit, are deleted up to this block"
        await self._note(Entry(at=self.clock(), by=by, action=PRUNED, kind="Block", target=str(block), outcome=outcome))
        await self.seal()

    async def _note(self, entry: Entry) -> None:
        await self.database.write(audit.note, self.rows, entry)
