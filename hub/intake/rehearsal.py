"""What applying records changes, told one by one: for real, or in a savepoint that is rolled back.

The same apply and the same rules run in both cases; only the end differs. Used by hub/backfill.py and hub/dry_run.py.
"""

from collections.abc import Sequence
from datetime import datetime
from itertools import groupby
from typing import NamedTuple

from sqlalchemy import Connection
from sqlalchemy.exc import OperationalError

from connectors.base import Connector, Item, Quarantined
from hub.intake.apply import Applier, not_applied
from hub.mirror import ledger, records
from hub.mirror.database import Database
from hub.mirror.ports import Derive
from hub.mirror.rows import Rows
from schema.backfill import Foreseen, ForeseenRecord
from schema.entity import Tombstone, key_of
from schema.identifiers import redact


class Pending(NamedTuple):
    """A record that was read, and what was told of it."""

    platform: str
    stream: str
    item: Item
    told: ForeseenRecord


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


def told_of(connection: Connection, items: Sequence[Item], earlier: records.Foreseen | None = None) -> list[ForeseenRecord]:
    """Return what becomes of items beside what is held now, or would be after `earlier`; nothing is written."""
    usable = iter(records.foresee(connection, [item for item in items if not isinstance(item, Quarantined)], earlier))
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

    async def apply(self, platform: str, stream: str, items: Sequence[Item], now: datetime) -> Changed:
        """Apply items in one transaction, at the moment `now`; tell what became of them."""
        return await self._database.write(self._apply, platform, stream, items, now)

    def _apply(self, connection: Connection, platform: str, stream: str, items: Sequence[Item], now: datetime) -> Changed:
        others = set(ledger.keys_made_at(connection, now))
        told = told_of(connection, items)
        self._applier(now).write(connection, platform, stream, items)
        return Changed(told, self._made(connection, now, others))

    async def foresee(self, pending: Sequence[Pending], now: datetime) -> tuple[list[str], dict[int, ForeseenRecord]]:
        """Apply records in one transaction, at the moment `now`, and take all of it back.

        Return the keys of the obligations that came of them, and, by their places, those that could not be applied.
        """
        return await self._database.write(self._foresee, pending, now)

    def _foresee(
        self, connection: Connection, pending: Sequence[Pending], now: datetime
    ) -> tuple[list[str], dict[int, ForeseenRecord]]:
        others, failed = set(ledger.keys_made_at(connection, now)), dict[int, ForeseenRecord]()
        with connection.begin_nested() as everything:
            for _, same in groupby(enumerate(pending), lambda one: one[1][:2]):
                failed |= self._tried(connection, list(same), now)
            made = self._made(connection, now, others)
            everything.rollback()
        return made, failed

    def _tried(self, connection: Connection, some: Sequence[tuple[int, Pending]], now: datetime) -> dict[int, ForeseenRecord]:
        """Apply records of one stream, together or else each by itself; return those that cannot be applied."""
        _, first = some[0]
        try:
            with connection.begin_nested():
                self._applier(now).write(connection, first.platform, first.stream, [one.item for _, one in some])
        except OperationalError:  # it is the database, not one of them
            raise
        except Exception as error:
            if len(some) == 1:
                return {place: told_of(connection, [not_applied(one.item, error)])[0] for place, one in some}
            return {place: line for each in some for place, line in self._tried(connection, [each], now).items()}
        return {}

    def _applier(self, now: datetime) -> Applier:
        return Applier(self._database, self._rows, self._connectors, self._derive, clock=lambda: now, after=_nobody)

    def _made(self, connection: Connection, now: datetime, others: set[str]) -> list[str]:
        return [key for key in ledger.keys_made_at(connection, now) if key not in others]


def _nobody() -> None:
    """Wake nobody: whoever asked does, once the transaction is committed."""
