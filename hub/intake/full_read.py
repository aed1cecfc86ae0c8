"""Reading a stream from its beginning beside everything else: what was missed comes, and what is gone is noticed.

The poller reads (poller.py); here is noted what was shown, page by page in the page's own transaction, and judged in the end. A
reading that breaks off goes on from its last page, or begins anew: before its end nothing is marked as gone. An old page never
overwrites a newer record, because versions see to it (hub/mirror/records.py).
"""

from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from datetime import datetime, timedelta
from functools import partial

import msgspec
from sqlalchemy import Connection

from connectors.base import Connector, Item, Quarantined, Stream
from hub.intake.apply import Applied
from hub.intake.tombstones import Hold, Tombstones
from hub.mirror import drift, held, streams
from hub.mirror.database import Database
from hub.mirror.drift import Compared, Seen
from hub.mirror.rows import Rows
from hub.mirror.streams import Reading
from schema.entities import DriftKind, DriftMethod, DriftState
from schema.entity import Mirrored, Observation, key_of

AT_ONCE = 2000
"""Records that are judged or forgotten in one transaction."""
TRY_AGAIN = timedelta(minutes=10)
"""After a comparison that failed."""


class FullReads:
    """`every` is the time until the next one; `grace` is how much later than it says a change may come to us at the most."""

    def __init__(
        self,
        database: Database,
        rows: Rows,
        tombstones: Tombstones,
        *,
        clock: Callable[[], datetime],
        grace: timedelta,
        every: timedelta,
    ) -> None:
        self._database = database
        self._rows = rows
        self._tombstones = tombstones
        self._clock = clock
        self._grace = grace
        self._every = every

    async def begin(self, platform: str, stream: Stream, since: datetime) -> None:
        """Say in the reports that a full read has begun."""
        for entity in stream.whole:
            await self._database.write(drift.begin, self._rows, Compared(platform, entity, DriftMethod.FULL_READ), since)

    def commit(
        self,
        connection: Connection,
        platform: str,
        stream: Stream,
        reading: Reading,
        items: Sequence[Item],
        write: Callable[[], Applied],
    ) -> Applied:
        """Write a page, note what it has shown, and what of it should have been here for long."""
        due = due_before(connection, platform, stream, self._grace)
        lacked = {entity: list(self._lacked(connection, entity, items, due)) for entity in stream.whole}
        result = write()
        for entity, seen in lacked.items():
            now_held = held.versions(connection, entity, [one.key for one in seen])
            told = [repaired(one, now_held.get(one.key)) for one in seen]
            drift.note(connection, self._rows, Compared(platform, entity, DriftMethod.FULL_READ), told, self._clock())
        if reading.full_since is not None:
            held.note_shown(connection, reading.stream_id, _shown(stream, items), reading.full_since)
        return result

    def _lacked(self, connection: Connection, entity: str, items: Sequence[Item], due: datetime | None) -> Iterator[Seen]:
        records = [item.record for item in items if isinstance(item, Observation) and type(item.record).__name__ == entity]
        records = [record for record in records if is_settled(record, due)]
        versions = held.versions(connection, entity, map(key_of, records))
        for record in records:
            if (seen := lacking(record, versions.get(key_of(record)))) is not None:
                yield seen

    async def judge(self, connector: Connector, stream: Stream, reading: Reading, hold: Hold, *, restart: bool) -> None:
        """Mark as gone, or ask about, what a full read that reached its end did not show. Raises TransientError, LeaseLost.

        Every step holds the reading. What was shown is forgotten once nobody can judge it any more: whoever goes on after a
        crash finds all of it, or a reading that is over. `restart` is as in streams.py.
        """
        if (since := reading.full_since) is None:
            return
        for entity in stream.whole:
            await self._database.write(hold)
            compared = Compared(connector.platform, entity, DriftMethod.FULL_READ)
            asked = (connector.platform, reading.stream_id, entity, since)
            missing = partial(self._missing, *asked)
            number, doubtful = await self._database.read(held.shown, reading.stream_id, entity, since)
            if doubtful and entity not in connector.fetchable:
                # A record whose key cannot be read may be any of them, and the platform cannot be asked for one.
                async for some in missing():
                    await self._database.write(self._note, compared, some, hold)
            else:
                number_missing = await self._database.read(held.count_not_shown, *asked)
                await self._tombstones.bury(connector, compared, number_missing, missing, hold)
            await self._database.write(self._end, compared, since, number, hold)
        await self._database.write(streams.judged, reading, restart=restart)
        while await self._database.write(self._forget, reading.stream_id, since, hold) == AT_ONCE:
            pass

    async def failed(self, connector: Connector, stream: Stream, reading: Reading, failure: str) -> None:
        """Say in the reports that a full read failed for a reason of ours; it goes on later."""
        if reading.full_since is not None:
            for entity in stream.whole:
                compared = Compared(connector.platform, entity, DriftMethod.FULL_READ)
                await self._database.write(self._fail, compared, reading.full_since, failure)

    def _fail(self, connection: Connection, compared: Compared, since: datetime, failure: str) -> None:
        now = self._clock()
        progress = drift.Progress(since, 0, 0, None)
        drift.end(connection, self._rows, compared, now, next_at=now + TRY_AGAIN, progress=progress, failure=failure)

    async def _missing(self, platform: str, stream_id: str, entity: str, since: datetime) -> AsyncIterator[Sequence[Seen]]:
        """Yield what a full read did not show, some at a time: it may be all that there is."""
        missing, behind = Seen(key="", kind=DriftKind.MISSING_THERE, state=DriftState.OPEN), ""
        while some := await self._database.read(held.not_shown, platform, stream_id, entity, since, behind, AT_ONCE):
            yield [msgspec.structs.replace(missing, key=key, our_version=version) for key, version in some]
            behind = some[-1].key

    def _note(self, connection: Connection, compared: Compared, missing: Sequence[Seen], hold: Hold) -> None:
        hold(connection)
        drift.note(connection, self._rows, compared, missing, self._clock())

    def _forget(self, connection: Connection, stream_id: str, since: datetime, hold: Hold) -> int:
        hold(connection)
        return held.forget_shown(connection, stream_id, since, AT_ONCE)

    def _end(self, connection: Connection, compared: Compared, since: datetime, checked: int, hold: Hold) -> None:
        hold(connection)
        now = self._clock()
        progress = drift.Progress(since, checked, 0, None)
        drift.end(connection, self._rows, compared, now, next_at=now + self._every, progress=progress)
        self._tombstones.close_answered(connection, compared)


def due_before(connection: Connection, platform: str, stream: Stream, grace: timedelta) -> datetime | None:
    """Return the moment before which every change must be here: the stream was read to its end well after it.

    None where it never was: then nothing is late.
    """
    last = streams.last_success(connection, platform, stream.name)
    return None if last is None else last - stream.settling - grace


def is_settled(record: Mirrored, due: datetime | None) -> bool:
    """Return whether a record changed so long ago that it must be here; of one that does not say when, nobody knows."""
    changed: datetime | None = getattr(record, "updated_at", None) or getattr(record, "created_at", None)
    return due is not None and changed is not None and changed < due


def lacking(record: Mirrored, version: int | None) -> Seen | None:
    """Return how what we hold of a record falls short of what the platform shows; None where it does not."""
    if version is not None and version >= record.version:
        return None
    kind = DriftKind.MISSING_HERE if version is None else DriftKind.OUTDATED_HERE
    return Seen(key=key_of(record), kind=kind, state=DriftState.OPEN, our_version=version, their_version=record.version)


def repaired(seen: Seen, version: int | None) -> Seen:
    """Return a difference as it stands once we hold that version."""
    done = version is not None and version >= (seen.their_version or 0)
    return msgspec.structs.replace(seen, state=DriftState.REPAIRED if done else DriftState.OPEN)


def _shown(stream: Stream, items: Sequence[Item]) -> Iterator[tuple[str, str]]:
    """Yield entity and key of all that a page shows, what cannot be used as well."""
    for item in items:
        if isinstance(item, Observation):
            entity, key = type(item.record).__name__, key_of(item.record)
            if entity in stream.whole:
                yield entity, key
        elif isinstance(item, Quarantined):
            for entity in stream.whole if item.entity is None else (item.entity,):
                yield entity, item.key or held.UNREADABLE
