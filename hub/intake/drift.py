"""Compares what we hold with what platforms say that they hold, by their digests, and reads anew what differs.

A difference counts only where the stream was read to its end long after the platform's change: what changed a moment ago is on
its way. What the platform has newer is applied; what only we have is marked as gone once the platform's own digest, or a live
read, proves it (tombstones.py). Calls are spaced out so that they take a share of the platform's quota and no more. Streams of
platforms without digests are read from their beginning now and then instead (full_read.py).
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta

import msgspec
import structlog
from sqlalchemy import Connection

from connectors.base import Connector, Item, Sleep, Stream
from connectors.buckets import Buckets, Digest, Line
from connectors.errors import ConnectorError, TransientError
from hub.intake.apply import Applier
from hub.intake.full_read import due_before, is_settled, lacking, repaired
from hub.intake.pauses import stop_if_paused
from hub.intake.poller import Poller
from hub.intake.tombstones import CarriedOut, Tombstones
from hub.mirror import controls, drift, held
from hub.mirror.database import Database
from hub.mirror.drift import Compared, Seen
from hub.mirror.held import Held
from hub.mirror.rows import Rows
from schema.entities import DriftKind, DriftMethod, DriftState
from schema.entity import Observation, key_of
from schema.identifiers import redact

log = structlog.get_logger()
DAYS_AT_ONCE = 31
KEYS_AT_ONCE = 50
TRY_AGAIN = timedelta(minutes=10)
"""After a comparison that failed."""


class Look(msgspec.Struct):
    """Buckets that differ, and what the platform has shown of them so far."""

    kind: Buckets
    due: datetime
    ours: Mapping[str, Mapping[str, Held]]
    theirs: dict[str, Digest]
    shown: dict[str, dict[str, int]]

    def explained(self, bucket: str) -> bool:
        """Return whether what was shown is all that the platform's digest speaks of."""
        shown, theirs = self.shown[bucket], self.theirs[bucket]
        return len(shown) == theirs.count and self.kind.digest(Line(*one) for one in shown.items()) == theirs

    def our_digest(self, bucket: str) -> Digest:
        """Return the digest of what we held when the look began."""
        return self.kind.digest(Line(key, one.version) for key, one in self.ours[bucket].items())

    def seen(self, bucket: str, one: Seen) -> Seen:
        """Return a difference with its evidence."""
        return msgspec.structs.replace(one, bucket=bucket, ours=self.our_digest(bucket), theirs=self.theirs[bucket])


class Drift:
    """`share` is the part of a platform's quota that comparisons may take; `digest_every` and `read_every` say how often they
    are made, zero: never by themselves."""

    def __init__(
        self,
        database: Database,
        rows: Rows,
        connectors: Mapping[str, Connector],
        applier: Applier,
        poller: Poller,
        tombstones: Tombstones,
        *,
        clock: Callable[[], datetime],
        sleep: Sleep,
        after: Callable[[], None],
        grace: timedelta,
        share: float,
        digest_every: timedelta,
        read_every: timedelta,
    ) -> None:
        self._database = database
        self._rows = rows
        self._connectors = connectors
        self._applier = applier
        self._poller = poller
        self._tombstones = tombstones
        self._clock = clock
        self._sleep = sleep
        self._after = after
        self._grace = grace
        self._share = share
        self._digest_every = digest_every
        self._read_every = read_every

    async def look(self) -> None:
        """Carry out what operators have approved, and make the comparisons that are due. One platform holds no other up."""
        for error in (await self.carry_out()).waiting:
            log.warning("approved tombstones wait", platform=error.platform, code=error.code)
        next_at = {one.report_id: one.next_at for one in await self._database.read(drift.reports, self._rows)}
        for connector in self._connectors.values():
            if await self._database.read(controls.is_paused, connector.platform):
                continue
            for kind in connector.digests if self._digest_every else ():
                compared = Compared(connector.platform, kind.entity, DriftMethod.DIGEST)
                if await self._is_due(compared, next_at, self._digest_every):
                    await self.compare(connector.platform, kind)
            for stream in connector.streams if self._read_every else ():
                if await self._is_read_due(connector, stream, next_at):
                    await self.read_again(connector.platform, stream.name)

    async def _is_due(self, compared: Compared, next_at: Mapping[str, datetime], every: timedelta) -> bool:
        now = self._clock()
        if (due := next_at.get(compared.report_id)) is None:
            # It begins as if it had just been made: everything has just been read for the first time.
            await self._database.write(drift.known, self._rows, compared, now + every)
            return False
        return due <= now

    async def _is_read_due(self, connector: Connector, stream: Stream, next_at: Mapping[str, datetime]) -> bool:
        digested = {kind.entity for kind in connector.digests}
        reports = [Compared(connector.platform, each, DriftMethod.FULL_READ) for each in stream.whole if each not in digested]
        due = [await self._is_due(compared, next_at, self._read_every) for compared in reports]
        return any(due)

    async def carry_out(self) -> CarriedOut:
        """Mark as gone what operators have approved; return what came of it."""
        return await self._tombstones.carry_out()

    async def everything(self, platform: str | None = None, *, full: bool = False) -> bool:
        """Make all comparisons now, of one platform or of all; return whether all could be made.

        What a platform gives no digests of is read from its beginning, with `full` everything is.
        """
        done = []
        for name, connector in self._connectors.items():
            if platform not in {None, name}:
                continue
            digested = set() if full else {kind.entity for kind in connector.digests}
            done += [await self.compare(name, kind) for kind in connector.digests]
            done += [await self.read_again(name, each.name) for each in connector.streams if set(each.whole) - digested]
        return all(done)

    async def read_again(self, platform: str, stream: str) -> bool:
        """Read a stream from its beginning; return whether it reached its end. What came of it stands in the reports."""
        return await self._poller.read_again(platform, stream, self._pause(self._connectors[platform])) is not None

    async def compare(self, platform: str, kind: Buckets) -> bool:
        """Compare all buckets of an entity; return whether that could be done. What came of it stands in the report."""
        connector, compared = self._connectors[platform], Compared(platform, kind.entity, DriftMethod.DIGEST)
        started, failure, checked, differing = self._clock(), None, 0, 0
        await self._database.write(drift.begin, self._rows, compared, started)
        try:
            checked, differing = await self._compare(connector, kind, compared)
        except ConnectorError as error:
            failure = redact(f"{error.code}: {error}")
            log.warning("not compared", platform=platform, entity=kind.entity, code=error.code)
        await self._database.write(self._end, compared, started, checked, differing, failure)
        return failure is None

    def _end(
        self, connection: Connection, compared: Compared, started: datetime, checked: int, differing: int, failure: str | None
    ) -> None:
        now = self._clock()
        pause = (self._digest_every or TRY_AGAIN) if failure is None else TRY_AGAIN
        drift.end(
            connection,
            self._rows,
            compared,
            now,
            started_at=started,
            next_at=now + pause,
            checked=checked,
            differing=differing,
            failure=failure,
        )
        self._tombstones.close_answered(connection, compared)

    async def _compare(self, connector: Connector, kind: Buckets, compared: Compared) -> tuple[int, int]:
        """Return how many buckets were compared, and how many of them differ for good."""
        stream = next(each for each in connector.streams if each.name == kind.stream)
        due = await self._database.read(due_before, connector.platform, stream, self._grace)
        if due is None:
            code, way_out = "NOT_READ_YET", "what is not here may be on its way"
            raise TransientError(connector.platform, code, f"stream {stream.name} was never read to its end: {way_out}")
        names = await self._names(connector, kind)
        suspects = list[str]()
        for some in _chunks(names, DAYS_AT_ONCE if kind.day_of else len(names)):
            await stop_if_paused(self._database, connector.platform)
            suspects += await self._differing(connector, kind, some)
        differing = await self._differing(connector, kind, suspects)  # once more, one right after the other
        gone = list[Seen]()
        for group in [[bucket] for bucket in differing] if kind.day_of else [list(differing)] if differing else []:
            gone += await self._look_into(connector, compared, kind, {bucket: differing[bucket] for bucket in group}, due)
        await self._tombstones.bury(connector, compared, gone)
        return len(names), len(differing)

    async def _names(self, connector: Connector, kind: Buckets) -> list[str]:
        now = self._clock()
        if kind.day_of is None:
            return list(kind.names(now.date(), now))
        first = connector.history_since or await self._database.read(held.earliest_day, connector.platform, kind)
        return [] if first is None else list(kind.names(first, now))

    async def _differing(self, connector: Connector, kind: Buckets, buckets: Sequence[str]) -> dict[str, Digest]:
        """Return the platform's digests of those buckets in which it differs from us."""
        if not buckets:
            return {}
        ours = await self._database.read(held.digests, connector.platform, kind, buckets)
        found: dict[str, Digest] = {}
        for bucket in buckets:
            theirs = await connector.digest(kind.entity, bucket)
            if theirs != ours[bucket]:
                found[bucket] = theirs
            await self._sleep(self._pause(connector))
        return found

    async def _look_into(
        self, connector: Connector, compared: Compared, kind: Buckets, differing: dict[str, Digest], due: datetime
    ) -> list[Seen]:
        """Read what differs, repair what can be repaired, show the rest; return what is here and not there."""
        ours = await self._database.read(held.lines, connector.platform, kind, list(differing))
        look = Look(kind, due, ours, dict(differing), {bucket: {} for bucket in differing})
        if kind.day_of is not None and kind.entity in connector.fetchable:
            for keys in _chunks([key for lines in ours.values() for key in lines], KEYS_AT_ONCE):
                await self._take(connector, compared, look, await connector.fetch(kind.entity, keys))
                await self._sleep(self._pause(connector))
        if not all(map(look.explained, differing)):
            async for items in connector.contents(kind.entity, next(iter(differing))):
                await self._take(connector, compared, look, items)
                if kind.day_of is not None and all(map(look.explained, differing)):
                    break
                await self._sleep(self._pause(connector))
        still = [bucket for bucket in differing if not look.explained(bucket)]
        for bucket in still:
            look.theirs[bucket] = await connector.digest(kind.entity, bucket)
            await self._sleep(self._pause(connector))
        await self._database.write(self._show, compared, look, differing)
        return [seen for bucket in differing for seen in self._missing_there(connector, look, bucket)]

    async def _take(self, connector: Connector, compared: Compared, look: Look, items: Sequence[Item]) -> None:
        """Note what was shown of these buckets; apply what should have been here."""
        short: list[tuple[Observation, Seen]] = []
        for item in items:
            if not isinstance(item, Observation) or (bucket := look.kind.bucket_of(item.record)) not in look.shown:
                continue
            key, shown = key_of(item.record), look.shown[bucket]
            shown[key] = max(item.record.version, shown.get(key, 0))
            mine = look.ours[bucket].get(key)
            seen = lacking(item.record, None if mine is None else mine.version)
            if seen is not None and is_settled(item.record, look.due):
                short.append((item, look.seen(bucket, seen)))
        if short:
            await self._database.write(self._repair, compared, look.kind.stream, short)
            self._after()

    def _repair(self, connection: Connection, compared: Compared, stream: str, short: Sequence[tuple[Observation, Seen]]) -> None:
        self._applier.write(connection, compared.platform, stream, [item for item, _ in short])
        versions = held.versions(connection, compared.entity, [seen.key for _, seen in short])
        told = [repaired(seen, versions.get(seen.key)) for _, seen in short]
        drift.note(connection, self._rows, compared, told, self._clock())

    def _show(self, connection: Connection, compared: Compared, look: Look, before: Mapping[str, Digest]) -> None:
        """Keep what nobody can repair: what is newer here, and buckets that held still and that no record explains."""
        told = []
        for bucket, lines in look.ours.items():
            shown = look.shown[bucket]
            for key, mine in lines.items():
                if key in shown and mine.version > shown[key] and mine.observed_at < look.due:
                    newer = Seen(key=key, kind=DriftKind.NEWER_HERE, state=DriftState.OPEN, our_version=mine.version)
                    told.append(look.seen(bucket, msgspec.structs.replace(newer, their_version=shown[key])))
            if not look.explained(bucket) and look.theirs[bucket] == before[bucket]:
                told.append(look.seen(bucket, Seen(key=bucket, kind=DriftKind.UNEXPLAINED, state=DriftState.OPEN)))
        drift.note(connection, self._rows, compared, told, self._clock())

    def _missing_there(self, connector: Connector, look: Look, bucket: str) -> Iterator[Seen]:
        # What can be asked for by key is asked for again before it is marked; of the rest the platform's digest must be proof.
        if not look.explained(bucket) and look.kind.entity not in connector.fetchable:
            return
        for key, mine in look.ours[bucket].items():
            if key not in look.shown[bucket] and mine.observed_at < look.due:
                gone = Seen(key=key, kind=DriftKind.MISSING_THERE, state=DriftState.OPEN, our_version=mine.version)
                yield look.seen(bucket, gone)

    def _pause(self, connector: Connector) -> float:
        return 1 / (connector.settings.quota_per_second * self._share)


def _chunks(values: Sequence[str], size: int) -> Iterator[list[str]]:
    for start in range(0, len(values), max(1, size)):
        yield list(values[start : start + size])
