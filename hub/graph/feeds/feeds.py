"""All that there is to subscribe to, of one process: implements schema/changes.py. Built by parts.py, run by loops.py."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from sqlalchemy import Connection

from connectors.base import Sleep
from hub.graph import sql
from hub.graph.feeds.feed import Ends, Feed, Pace, Page
from hub.graph.feeds.health import HealthFeed
from hub.graph.shape import shaper
from hub.graph.sql import Owners
from hub.mirror import identities, obligation_changes, record_changes
from hub.mirror.database import Database
from hub.mirror.record_changes import Kept
from hub.mirror.rows import Rows
from schema.changes import ChangeKind, ObligationChanged, RecordChanged
from schema.context import OPS_READ, Caller, PlatformHealth
from schema.declare import declared
from schema.entities import Obligation
from schema.entity import Mirrored
from schema.subscription import OBLIGATIONS, RECORDS

FEED = Caller("feed", frozenset({OPS_READ}))
"""Reads for all subscribers at once; which of them sees a row is asked of each (schema/subscribers.py)."""


@dataclass
class TellableRecord:
    """A change of a record; opened when the first listener looks into it, and then for all."""

    rows: Rows
    kept: Kept

    @property
    def position(self) -> int:
        """Return its place."""
        return self.kept.position

    @property
    def entity(self) -> str:
        """Return the entity's name."""
        return self.kept.entity

    @property
    def key(self) -> str:
        """Return the record's key."""
        return self.kept.key

    @property
    def at(self) -> datetime:
        """Return when the hub saw it."""
        return self.kept.at

    @property
    def kind(self) -> ChangeKind:
        """Return what happened."""
        if self.kept.deleted:
            return ChangeKind.DELETED
        return ChangeKind.CREATED if self.kept.created else ChangeKind.CHANGED

    @cached_property
    def record(self) -> Mirrored | None:
        """Return the record as it was said."""
        return record_changes.record_of(self.rows, self.kept)


class LiveFeeds:
    """Reads each order once for all listeners of this process."""

    def __init__(
        self,
        database: Database,
        rows: Rows,
        platforms: Callable[[], Awaitable[Sequence[PlatformHealth]]],
        *,
        sleep: Sleep,
        window: int,
        look_again_seconds: float,
    ) -> None:
        self._database = database
        self._rows = rows
        pace = Pace(window, look_again_seconds)
        self._records = Feed[RecordChanged](RECORDS, self._read_records, lambda: database.read(_ends_of_records), pace)
        self._obligations = Feed[ObligationChanged](
            OBLIGATIONS, self._read_obligations, lambda: database.read(_ends_of_obligations), pace
        )
        self._health = HealthFeed(platforms, sleep, look_again_seconds)

    @property
    def listeners(self) -> int:
        """Return how many subscriptions are fed now."""
        return self._records.listeners + self._obligations.listeners + self._health.listeners

    def look(self) -> None:
        """Look now: changes have got their places."""
        self._records.look()
        self._obligations.look()

    async def run(self) -> None:
        """Feed whoever listens, until cancelled."""
        async with asyncio.TaskGroup() as group:
            for each in (self._records, self._obligations, self._health):
                group.create_task(each.run())

    def records(
        self, after: int | None, entities: Collection[str], wanted: Callable[[RecordChanged], bool]
    ) -> AsyncGenerator[RecordChanged, None]:
        """Yield changes of some entities."""
        return self._records.behind(after, lambda change: change.entity in entities and wanted(change), entities)

    def obligations(
        self, after: int | None, wanted: Callable[[ObligationChanged], bool]
    ) -> AsyncGenerator[ObligationChanged, None]:
        """Yield changes of obligations."""
        return self._obligations.behind(after, wanted)

    def health(self) -> AsyncGenerator[Sequence[PlatformHealth], None]:
        """Yield all platforms, then whichever changed."""
        return self._health.told()

    async def identifiers_of(self, subject: str) -> frozenset[str]:
        """Return every identifier by which a subject is known now."""
        return await self._database.read(identities.identifiers_of, subject)

    async def _read_records(self, after: int, limit: int, entities: Collection[str] | None) -> Page[RecordChanged]:
        return await self._database.read(_records_behind, self._rows, after, limit, entities)

    async def _read_obligations(self, after: int, limit: int, _: Collection[str] | None) -> Page[ObligationChanged]:
        return await self._database.read(_obligations_behind, self._rows, after, limit)


def _ends_of_records(connection: Connection) -> Ends:
    return Ends(record_changes.newest(connection), record_changes.pruned_to(connection))


def _ends_of_obligations(connection: Connection) -> Ends:
    return Ends(obligation_changes.newest(connection), obligation_changes.pruned_to(connection))


def _records_behind(
    connection: Connection, rows: Rows, after: int, limit: int, entities: Collection[str] | None
) -> Page[RecordChanged]:
    newest = max(after, record_changes.newest(connection))
    found: list[RecordChanged] = [TellableRecord(rows, one) for one in record_changes.after(connection, after, limit, entities)]
    return Page(found, found[-1].position if len(found) == limit else newest)


def _obligations_behind(connection: Connection, rows: Rows, after: int, limit: int) -> Page[ObligationChanged]:
    """Return changes, each with its obligation as it is now."""
    noted = obligation_changes.after(connection, after, limit)
    entity, owners = declared(Obligation), Owners("key")
    shape, keys = shaper(rows, entity), sorted({one.key for one in noted})
    now = {row[-1]: shape(row) for row in connection.execute(sql.by_values(rows, FEED, entity, owners, keys))} if keys else {}
    found = [
        ObligationChanged(
            one.position,
            one.key,
            ChangeKind.CREATED if one.created else ChangeKind.CHANGED,
            one.state,
            one.at,
            now.get(one.key),
        )
        for one in noted
    ]
    return Page(found, found[-1].position if found else after)
