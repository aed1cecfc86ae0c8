"""What applying records changes, told one by one: for real, or in a savepoint that is rolled back. Used by hub/backfill.py.

The same apply and the same rules run in both cases; only the end differs.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection

from connectors.base import Connector, Item, Quarantined
from hub.intake.apply import Applier
from hub.mirror import ledger, records
from hub.mirror.database import Database
from hub.mirror.ports import Derive
from hub.mirror.rows import Rows
from schema.backfill import Foreseen, ForeseenRecord
from schema.entity import Tombstone, key_of
from schema.identifiers import redact


class Changed(NamedTuple):
    """What became of some records, and the keys of the obligations that came of them."""

    records: list[ForeseenRecord]
    obligations: list[str]


def _outcome(item: records.Seen) -> Foreseen:
    match item.outcome:
        case records.Outcome.APPLIED:
            return Foreseen.NEW if item.held_version is None else Foreseen.NEWER
        case records.Outcome.UNCHANGED:
            return Foreseen.UNCHANGED
        case records.Outcome.STALE:
            return Foreseen.OLDER
        case records.Outcome.CONFLICT:
            return Foreseen.CONFLICT


def told_of(connection: Connection, items: Sequence[Item]) -> list[ForeseenRecord]:
    """Return what becomes of items beside what is held now; nothing is written."""
    usable = iter(records.foresee(connection, [item for item in items if not isinstance(item, Quarantined)]))
    told = []
    for item in items:
        if isinstance(item, Quarantined):
            why = redact(f"{item.reason}: {item.detail}")
            told.append(_record(item.entity, item.key, None, None, Foreseen.QUARANTINED, why))
            continue
        seen = next(usable)
        name = item.entity if isinstance(item, Tombstone) else type(item.record).__name__
        key = item.key if isinstance(item, Tombstone) else key_of(item.record)
        version = item.version if isinstance(item, Tombstone) else item.record.version
        told.append(_record(name, key, version, seen.held_version, _outcome(seen), None))
    return told


def _record(
    entity: str | None, key: str | None, version: int | None, held: int | None, outcome: Foreseen, detail: str | None
) -> ForeseenRecord:
    return ForeseenRecord(entity=entity, key=key, version=version, held_version=held, outcome=outcome, detail=detail)


class Rehearsal:
    """Applies records and tells what came of it."""

    def __init__(self, database: Database, rows: Rows, connectors: dict[str, Connector], derive: Derive) -> None:
        self._database, self._rows, self._connectors, self._derive = database, rows, connectors, derive

    async def apply(
        self, platform: str, stream: str, items: Sequence[Item], now: datetime, *, delivery_id: str | None = None, dry_run: bool
    ) -> Changed:
        """Apply items in one transaction, at the moment `now`; with `dry_run` nothing of it stays."""
        return await self._database.write(self._apply, platform, stream, items, now, delivery_id, dry_run)

    def _apply(
        self,
        connection: Connection,
        platform: str,
        stream: str,
        items: Sequence[Item],
        now: datetime,
        delivery_id: str | None,
        dry_run: bool,
    ) -> Changed:
        applier = Applier(self._database, self._rows, self._connectors, self._derive, clock=lambda: now, after=_nobody)
        others = set(ledger.keys_made_at(connection, now))
        with connection.begin_nested() as inside:
            told = told_of(connection, items)
            applier.write(connection, platform, stream, items, delivery_id)
            made = [key for key in ledger.keys_made_at(connection, now) if key not in others]
            if dry_run:
                inside.rollback()
        return Changed(told, made)


def _nobody() -> None:
    """Wake nobody: whoever asked does, once the transaction is committed."""
