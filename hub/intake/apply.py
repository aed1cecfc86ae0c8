"""Parsed items into the mirror and on to the rules, in one transaction. Called for deliveries, polled pages and live reads.

Applying is idempotent and free of order (hub/mirror/records.py). A bad record is quarantined; its neighbours go on.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

import msgspec
import structlog
from sqlalchemy import Connection

from connectors.base import Connector, Item, Quarantined
from hub.mirror import inbox
from hub.mirror.database import Database, DatabaseUnavailable
from hub.mirror.ports import Derive
from hub.mirror.records import Outcome, Upserted, release_quarantine, upsert
from hub.mirror.rows import Rows, content_of
from hub.mirror.subjects import know_subjects
from hub.tracing import OFF, Tracing, within
from schema.entities import Delivery, DeliveryState
from schema.entity import Observation, Tombstone, key_of
from schema.identifiers import redact

log = structlog.get_logger()


class NotPending(Exception):
    """Another process applied the delivery meanwhile, or is at it."""


class Applied(NamedTuple):
    """How many items were new or newer, and how many were bad."""

    applied: int
    quarantined: int

    def plus(self, other: "Applied") -> "Applied":
        """Return both together."""
        return Applied(self.applied + other.applied, self.quarantined + other.quarantined)


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
        tracing: Tracing = OFF,
    ) -> None:
        self._database = database
        self._rows = rows
        self._connectors = connectors
        self._derive = derive
        self._clock = clock
        self._after = after
        self._tracing = tracing

    def write(
        self, connection: Connection, platform: str, stream: str, items: Sequence[Item], delivery_id: str | None = None
    ) -> Applied:
        """Upsert, derive and quarantine inside the caller's transaction; `after` must be called once it is committed."""
        with within(self._tracing, "apply", lazy=True, platform=platform, stream=stream):
            (result,) = self._write(connection, platform, stream, [(delivery_id, items)])
        return result

    def _write(
        self,
        connection: Connection,
        platform: str,
        stream: str,
        groups: Sequence[tuple[str | None, Sequence[Item]]],
        kept: Sequence[Delivery] = (),
    ) -> list[Applied]:
        """Write the items of several deliveries in one go; return what became of each delivery.

        With traces on the rules are asked for each of `kept` by itself, so that what follows from it is in its trace. By then all
        records of all of them are held, so that two processes never wait for each other in a circle.
        """
        now = self._clock()
        usable = [item for _, items in groups for item in items if not isinstance(item, Quarantined)]
        changes = upsert(connection, self._rows, usable)
        # Of two contents under one version only the first tells of subjects; an outdated version does so too (subjects.py).
        told = [item for item, outcome in changes if isinstance(item, Observation) and outcome is not Outcome.CONFLICT]
        know_subjects(connection, self._rows, told)
        applied = [item for item, outcome in changes if outcome is Outcome.APPLIED]
        if applied:
            release_quarantine(connection, platform, [_key(item) for item in applied], now)
        if kept and self._tracing.on:
            self._derive_traced(connection, kept, groups, changes, now)
        elif applied:
            self._derive(connection, changes, now)
        outcomes = iter(changes)
        results = []
        for delivery_id, items in groups:
            good, bad = 0, list[Quarantined]()
            for item in items:
                if isinstance(item, Quarantined):
                    bad.append(item)
                elif (change := next(outcomes)).outcome is Outcome.APPLIED:
                    good += 1
                elif change.outcome is Outcome.CONFLICT and isinstance(item, Observation):
                    bad.append(_conflict(item))
            if bad:
                self._quarantine(connection, platform, stream, bad, now, delivery_id)
            results.append(Applied(good, len(bad)))
        return results

    def _derive_traced(
        self,
        connection: Connection,
        kept: Sequence[Delivery],
        groups: Sequence[tuple[str | None, Sequence[Item]]],
        changes: Sequence[Upserted],
        now: datetime,
    ) -> None:
        outcomes = iter(changes)
        for delivery, (_, items) in zip(kept, groups, strict=True):
            own = [next(outcomes) for item in items if not isinstance(item, Quarantined)]
            with within(self._tracing, "apply", delivery.trace, platform=delivery.platform, delivery=delivery.delivery_id):
                if any(outcome is Outcome.APPLIED for _, outcome in own):
                    self._derive(connection, own, now)

    def _quarantine(
        self, connection: Connection, platform: str, stream: str, bad: Sequence[Quarantined], now: datetime, delivery_id: str | None
    ) -> None:
        inbox.quarantine(connection, self._rows, platform, stream, bad, now, delivery_id)
        log.warning("quarantined", platform=platform, stream=stream, reasons=sorted({one.reason for one in bad}), count=len(bad))

    async def apply(self, platform: str, stream: str, items: Sequence[Item]) -> Applied:
        """Apply items in a transaction of their own."""
        result = await self._database.write(self.write, platform, stream, items)
        if result.applied:
            self._after()
        return result

    async def one_by_one(self, platform: str, stream: str, items: Sequence[Item]) -> tuple[Applied, list[Item]]:
        """Apply items that cannot be written together, each in a transaction of its own.

        Return what came of it, and for the caller to write what is left: what is to be quarantined, those that could not be
        applied as well, each with its reason. Where all of several fail it is not the records: then the last error is raised, and
        nothing may be passed over. Raises DatabaseUnavailable.
        """
        total, left = Applied(0, 0), [item for item in items if isinstance(item, Quarantined)]
        usable = [item for item in items if not isinstance(item, Quarantined)]
        failed = list[Item]()
        for item in usable:
            try:
                total = total.plus(await self.apply(platform, stream, [item]))
            except DatabaseUnavailable:
                raise
            except Exception as error:
                log.exception("a record could not be applied", platform=platform, stream=stream, key=_key(item))
                failed.append(not_applied(item, error))
                if len(failed) == len(usable) > 1:
                    raise
        return total, [*failed, *left]

    async def apply_deliveries(self, limit: int = 200) -> int:
        """Do as `apply_of` for all platforms, and wait for the last of them; return how many. For tests and commands."""
        waiting = await self.platforms_waiting()
        done = await asyncio.gather(*(self.apply_of(platform, limit) for platform in waiting), return_exceptions=True)
        for failure in done:
            if isinstance(failure, BaseException):
                raise failure
        return sum(count for count in done if isinstance(count, int))

    async def platforms_waiting(self) -> Sequence[str]:
        """Return the platforms of which deliveries wait to be applied; raise DatabaseUnavailable."""
        return await self._database.read(inbox.platforms_waiting, sorted(self._connectors))

    async def apply_of(self, platform: str, limit: int = 200) -> int:
        """Apply kept deliveries of a platform, at most so many, in order of arrival and in one transaction; return how many.

        One that cannot be applied is marked, the others go on. Where all of several cannot be it is not the deliveries: then they
        wait as they were, and the last one's error is raised. Raises DatabaseUnavailable, in the same way.
        """
        try:
            count, changed = await self._database.write(self._deliveries, platform, limit)
        except DatabaseUnavailable:
            raise
        except Exception:  # outermost: find the one that fails, and go on with the others
            log.exception("a batch of deliveries failed; they are applied one by one", platform=platform)
            count, changed = await self._each_alone(platform, limit)
        if changed:
            self._after()
        return count

    def _deliveries(self, connection: Connection, platform: str, limit: int) -> tuple[int, bool]:
        waiting = inbox.pending(connection, self._rows, platform, limit)
        return len(waiting), bool(waiting) and self._apply_kept(connection, platform, waiting)

    def _apply_kept(
        self, connection: Connection, platform: str, kept: Sequence[Delivery], said: Sequence[Sequence[Item]] | None = None
    ) -> bool:
        """Apply deliveries of one platform, and say what became of each; return whether anything was new.

        `said` is what each is read as, where somebody has read them before.
        """
        if said is None:
            said = [self._connectors[platform].parse(inbox.raw_of(delivery)) for delivery in kept]
        groups = [(delivery.delivery_id, items) for delivery, items in zip(kept, said, strict=True)]
        results = self._write(connection, platform, "webhook", groups, kept)
        for state in (DeliveryState.APPLIED, DeliveryState.PARTLY):
            ids = [
                delivery.delivery_id
                for delivery, result in zip(kept, results, strict=True)
                if (state is DeliveryState.PARTLY) == bool(result.quarantined)
            ]
            inbox.mark(connection, self._rows, ids, state, self._clock())
        return any(result.applied for result in results)

    async def _each_alone(self, platform: str, limit: int) -> tuple[int, bool]:
        count, changed, details, last = 0, False, dict[str, str](), Exception()
        for delivery_id in await self._database.read(inbox.pending_ids, platform, limit):
            count += 1
            try:
                changed |= await self._alone(platform, delivery_id)
            except NotPending:
                count -= 1
            except DatabaseUnavailable:
                raise
            except Exception as error:  # this one stays, named, with its reason; the others go on
                log.exception("a delivery could not be applied", delivery_id=delivery_id)
                details[delivery_id] = redact(f"{type(error).__name__}: {error}")[:500]
                last = error
        if len(details) == count > 1:
            raise last  # it is not the deliveries: none is given up
        if details:
            await self._database.write(inbox.fail, self._rows, details, self._clock())
        return count, changed

    async def _alone(self, platform: str, delivery_id: str) -> bool:
        """Apply a delivery by itself; where one of its records cannot be applied, name that one and go on with its neighbours."""
        try:
            return await self._database.write(self._one, delivery_id)
        except (DatabaseUnavailable, NotPending):
            raise
        except Exception:
            found = await self._database.read(inbox.kept_deliveries, self._rows, [delivery_id], None, None, 1)
            items = [item for one in found for item in self._connectors[platform].parse(inbox.raw_of(one))]
            if sum(not isinstance(item, Quarantined) for item in items) < 2:
                raise
            log.exception("a delivery failed; its records are applied one by one", delivery_id=delivery_id)
        with within(self._tracing, "apply", found[0].trace, platform=platform, delivery=delivery_id):
            result, left = await self.one_by_one(platform, "webhook", items)
        return await self._database.write(self._one, delivery_id, left) or bool(result.applied)

    def _one(self, connection: Connection, delivery_id: str, left: Sequence[Item] | None = None) -> bool:
        """Apply a delivery, or what is `left` of it."""
        delivery = inbox.pending_one(connection, self._rows, delivery_id)
        if delivery is None:
            raise NotPending(delivery_id)
        return self._apply_kept(connection, delivery.platform, [delivery], None if left is None else [left])


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


def not_applied(item: Item, error: Exception) -> Quarantined:
    """Return a record that parsed well and still could not be applied, for the quarantine."""
    if isinstance(item, Quarantined):
        return item
    known = Quarantined(reason="NOT_APPLIED", detail=redact(f"{type(error).__name__}: {error}")[:500], content=b"", key=_key(item))
    if isinstance(item, Tombstone):
        return msgspec.structs.replace(known, entity=item.entity, content=msgspec.json.encode(item))
    return msgspec.structs.replace(known, entity=type(item.record).__name__, content=content_of(item.record, item.parts))
