"""Parsed items into the mirror and on to the rules, in one transaction. Called for deliveries, polled pages and live reads.

Applying is idempotent and free of order (hub/mirror/records.py). A bad record is quarantined; its neighbours go on.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

import structlog
from sqlalchemy import Connection

from connectors.base import Connector, Item, Quarantined
from hub.mirror import inbox
from hub.mirror.database import Database
from hub.mirror.ports import Derive
from hub.mirror.records import Outcome, release_quarantine, upsert
from hub.mirror.rows import Rows, content_of
from hub.mirror.subjects import know_subjects
from schema.entities import Delivery, DeliveryState
from schema.entity import Observation, Tombstone, key_of
from schema.identifiers import redact

log = structlog.get_logger()


class Applied(NamedTuple):
    """How many items were new or newer, and how many were bad."""

    applied: int
    quarantined: int


class Applier:
    """Writes what connectors parsed."""

    def __init__(
        self,
        database: Database,
        rows: Rows,
        connectors: Mapping[str, Connector],
        derive: Derive,
        *,
        clock: Callable[[], datetime],
        after: Callable[[], None],
    ) -> None:
        self._database = database
        self._rows = rows
        self._connectors = connectors
        self._derive = derive
        self._clock = clock
        self._after = after

    def write(
        self, connection: Connection, platform: str, stream: str, items: Sequence[Item], delivery_id: str | None = None
    ) -> Applied:
        """Upsert, derive and quarantine inside the caller's transaction; `after` must be called once it is committed."""
        now = self._clock()
        bad = [item for item in items if isinstance(item, Quarantined)]
        changes = upsert(connection, self._rows, [item for item in items if not isinstance(item, Quarantined)])
        bad += [_conflict(item) for item, outcome in changes if outcome is Outcome.CONFLICT and isinstance(item, Observation)]
        applied = [item for item, outcome in changes if outcome is Outcome.APPLIED]
        know_subjects(connection, self._rows, [item for item in applied if isinstance(item, Observation)])
        if applied:
            release_quarantine(connection, [_key(item) for item in applied], now)
            self._derive(connection, changes, now)
        if bad:
            inbox.quarantine(connection, self._rows, platform, stream, bad, now, delivery_id)
            log.warning(
                "quarantined", platform=platform, stream=stream, reasons=sorted({one.reason for one in bad}), count=len(bad)
            )
        return Applied(len(applied), len(bad))

    async def apply(self, platform: str, stream: str, items: Sequence[Item]) -> Applied:
        """Apply items in a transaction of their own."""
        result = await self._database.write(self.write, platform, stream, items)
        if result.applied:
            self._after()
        return result

    async def apply_deliveries(self, limit: int = 200) -> int:
        """Apply kept deliveries, in order of arrival; return how many. One that cannot be applied is marked, the others go on."""
        try:
            count, changed = await self._database.write(self._deliveries, limit)
        except Exception:  # outermost: find the one that fails, and go on with the others
            log.exception("a batch of deliveries failed; they are applied one by one")
            count, changed = await self._one_by_one(limit)
        if changed:
            self._after()
        return count

    def _deliveries(self, connection: Connection, limit: int) -> tuple[int, bool]:
        waiting = inbox.pending(connection, self._rows, limit)
        changed = False
        for delivery in waiting:
            changed |= self._delivery(connection, delivery)
        return len(waiting), changed

    def _delivery(self, connection: Connection, delivery: Delivery) -> bool:
        items = self._connectors[delivery.platform].parse(inbox.raw_of(delivery))
        result = self.write(connection, delivery.platform, "webhook", items, delivery.delivery_id)
        state = DeliveryState.APPLIED if not result.quarantined else DeliveryState.PARTLY
        inbox.mark(connection, self._rows, [delivery.delivery_id], state, self._clock())
        return bool(result.applied)

    async def _one_by_one(self, limit: int) -> tuple[int, bool]:
        waiting = await self._database.read(inbox.pending, self._rows, limit)
        changed = False
        for delivery in waiting:
            try:
                changed |= await self._database.write(self._delivery, delivery)
            except Exception as error:  # this one stays, named, with its reason; the others go on
                log.exception("a delivery could not be applied", delivery_id=delivery.delivery_id)
                detail = redact(f"{type(error).__name__}: {error}")[:500]
                now = self._clock()
                await self._database.write(inbox.mark, self._rows, [delivery.delivery_id], DeliveryState.FAILED, now, detail)
        return len(waiting), changed


def _key(item: Observation | Tombstone) -> str:
    return item.key if isinstance(item, Tombstone) else key_of(item.record)


def _conflict(item: Observation) -> Quarantined:
    record = item.record
    return Quarantined(
        reason="VERSION_CONFLICT",
        detail=f"{type(record).__name__} {key_of(record)}: version {record.version} came with other content before; that stays",
        content=content_of(record, item.parts),
        entity=type(record).__name__,
        key=key_of(record),
    )
