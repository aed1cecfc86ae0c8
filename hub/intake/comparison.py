"""A comparison of an entity by the platform's digests, bucket by bucket, and what differs read anew. Asked for by drift.py.

A difference counts only where the stream was read to its end long after the platform's change: what changed a moment ago is on
its way. What the platform has newer is applied; what only we have is marked as gone once the platform's own digest, or a live
read, proves it (tombstones.py). How far a comparison has come is committed with what it has found: one that breaks off goes on
there.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import msgspec
import structlog
from sqlalchemy import Connection

from connectors.base import Connector, Item, Sleep
from connectors.buckets import Buckets, Digest, Line
from connectors.errors import TransientError
from hub.intake.apply import Applier
from hub.intake.full_read import due_before, is_settled, lacking, repaired
from hub.intake.pauses import stop_if_paused
from hub.intake.tombstones import Tombstones
from hub.mirror import drift, held
from hub.mirror.database import Database, DatabaseUnavailable
from hub.mirror.drift import Compared, Place, Progress, Seen
from hub.mirror.held import Held
from hub.mirror.rows import Rows
from schema.entities import DriftKind, DriftState
from schema.entity import Observation, key_of

log = structlog.get_logger()
AT_ONCE = 31
"""Buckets after which the place is kept where none of them differs."""
KEYS_AT_ONCE = 50


class TakenOver(Exception):
    """Another process has begun this comparison, or gone on with it: its word counts."""


@dataclass
class Comparison:
    """One comparison under way; `progress` is what of it is committed."""

    connector: Connector
    kind: Buckets
    compared: Compared
    progress: Progress

    def passed(self, buckets: Sequence[str], *, differing: int = 0, suspects: Sequence[str] = ()) -> Progress:
        """Return the progress once these buckets are gone through."""
        known = () if self.progress.place is None else self.progress.place.suspects
        checked, found = self.progress.checked + len(buckets), self.progress.differing + differing
        return Progress(self.progress.started_at, checked, found, Place(buckets[-1], (*known, *suspects)))

    def left(self, names: Sequence[str]) -> list[str]:
        """Return which of these buckets were not gone through; they are in order, days backwards."""
        place = self.progress.place
        if place is None:
            return list(names)
        if self.kind.day_of is None:
            return [name for name in names if int(name) > int(place.behind)]
        return [name for name in names if name < place.behind]


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


@dataclass(frozen=True)
class Comparer:
    """Carries comparisons out. Calls are spaced out so that they take `share` of the platform's quota and no more."""

    database: Database
    rows: Rows
    applier: Applier
    tombstones: Tombstones
    clock: Callable[[], datetime]
    sleep: Sleep
    after: Callable[[], None]
    grace: timedelta
    share: float

    async def carry_out(self, comparison: Comparison) -> None:
        """Compare all buckets that are left. Raises TakenOver, TransientError, PermanentError: what is committed stays."""
        connector, kind, compared = comparison.connector, comparison.kind, comparison.compared
        began, due = self.clock(), await self._due(connector, kind)
        left = comparison.left(await self._names(connector, kind, comparison.progress.started_at))
        for some in chunks(left, AT_ONCE if kind.day_of else len(left)):
            ours = await self._ours(comparison, some)
            for few in chunks(some, AT_ONCE):
                await self._go_through(comparison, few, ours, due)
        place = comparison.progress.place
        if place is not None and place.suspects:
            differing = await self._differing(comparison, place.suspects, await self._ours(comparison, place.suspects))
            if differing:
                found = comparison.progress._replace(differing=len(differing))
                await self._look_into(comparison, differing, due, found)
        # What can be asked for by key is asked for once more, however long ago it was missed.
        since = comparison.progress.started_at if kind.entity in connector.fetchable else began
        gone = await self.database.read(drift.missing_there, self.rows, compared, since)
        await self.tombstones.bury_found(connector, compared, gone)

    async def _due(self, connector: Connector, kind: Buckets) -> datetime:
        stream = next(each for each in connector.streams if each.name == kind.stream)
        due = await self.database.read(due_before, connector.platform, stream, self.grace)
        if due is None:
            code, way_out = "NOT_READ_YET", "what is not here may be on its way"
            raise TransientError(connector.platform, code, f"stream {stream.name} was never read to its end: {way_out}")
        return due

    async def _names(self, connector: Connector, kind: Buckets, started_at: datetime) -> list[str]:
        if kind.day_of is None:
            return list(kind.names(started_at.date(), started_at))
        first = connector.history_since or await self.database.read(held.earliest_day, connector.platform, kind)
        return [] if first is None else list(kind.names(first, started_at))

    async def _go_through(self, comparison: Comparison, buckets: Sequence[str], ours: Mapping[str, Digest], due: datetime) -> None:
        """Compare buckets; look into those that differ, days at once, others in the end, all with one reading."""
        await stop_if_paused(self.database, comparison.connector.platform)
        suspects = await self._differing(comparison, buckets, ours)
        if comparison.kind.day_of is None:
            await self._keep(comparison, comparison.passed(buckets, suspects=list(suspects)))
            return
        # Once more, one right after the other.
        differing = await self._differing(comparison, list(suspects), await self._ours(comparison, list(suspects)))
        left = list(buckets)
        for day, theirs in differing.items():
            behind = left.index(day) + 1
            await self._look_into(comparison, {day: theirs}, due, comparison.passed(left[:behind], differing=1))
            left = left[behind:]
        if left:
            await self._keep(comparison, comparison.passed(left))

    async def _ours(self, comparison: Comparison, buckets: Sequence[str]) -> dict[str, Digest]:
        return await self.database.read(held.digests, comparison.connector.platform, comparison.kind, buckets)

    async def _differing(self, comparison: Comparison, buckets: Sequence[str], ours: Mapping[str, Digest]) -> dict[str, Digest]:
        """Return the platform's digests of those buckets in which it differs from us."""
        found: dict[str, Digest] = {}
        for bucket in buckets:
            theirs = await comparison.connector.digest(comparison.kind.entity, bucket)
            if theirs != ours[bucket]:
                found[bucket] = theirs
            await self._pause(comparison)
        return found

    async def _keep(self, comparison: Comparison, progress: Progress) -> None:
        await self.database.write(self._advance, comparison, progress)
        comparison.progress = progress

    def _advance(self, connection: Connection, comparison: Comparison, progress: Progress) -> None:
        if not drift.advance(connection, self.rows, comparison.compared, comparison.progress, progress):
            raise TakenOver(comparison.compared.report_id)

    async def _look_into(self, comparison: Comparison, differing: dict[str, Digest], due: datetime, progress: Progress) -> None:
        """Read what differs, repair what can be repaired, show the rest; keep the progress with it."""
        connector, kind = comparison.connector, comparison.kind
        ours = await self.database.read(held.lines, connector.platform, kind, list(differing))
        look = Look(kind, due, ours, dict(differing), {bucket: {} for bucket in differing})
        if kind.day_of is not None and kind.entity in connector.fetchable:
            for keys in chunks([key for lines in ours.values() for key in lines], KEYS_AT_ONCE):
                await self._take(comparison.compared, look, await connector.fetch(kind.entity, keys))
                await self._pause(comparison)
        if not all(map(look.explained, differing)):
            async for items in connector.contents(kind.entity, next(iter(differing))):
                await self._take(comparison.compared, look, items)
                if kind.day_of is not None and all(map(look.explained, differing)):
                    break
                await self._pause(comparison)
        still = [bucket for bucket in differing if not look.explained(bucket)]
        for bucket in still:
            look.theirs[bucket] = await connector.digest(kind.entity, bucket)
            await self._pause(comparison)
        await self.database.write(self._show, comparison, look, differing, progress)
        comparison.progress = progress

    async def _take(self, compared: Compared, look: Look, items: Sequence[Item]) -> None:
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
            await self._repaired(compared, look.kind.stream, short)
            self.after()

    async def _repaired(self, compared: Compared, stream: str, short: Sequence[tuple[Observation, Seen]]) -> None:
        """Apply what should have been here; one that cannot be applied is named, and does not hold up what is behind it."""
        items, seen = [item for item, _ in short], [seen for _, seen in short]
        try:
            await self.database.write(self._repair, compared, stream, items, seen)
        except DatabaseUnavailable:
            raise
        except Exception:
            log.exception("records cannot be repaired together; they are one by one", platform=compared.platform, stream=stream)
            _, bad = await self.applier.one_by_one(compared.platform, stream, items)
            await self.database.write(self._repair, compared, stream, bad, seen)

    def _repair(
        self, connection: Connection, compared: Compared, stream: str, items: Sequence[Item], short: Sequence[Seen]
    ) -> None:
        self.applier.write(connection, compared.platform, stream, items)
        versions = held.versions(connection, compared.entity, [seen.key for seen in short])
        told = [repaired(seen, versions.get(seen.key)) for seen in short]
        drift.note(connection, self.rows, compared, told, self.clock())

    def _show(
        self, connection: Connection, comparison: Comparison, look: Look, before: Mapping[str, Digest], progress: Progress
    ) -> None:
        """Keep what nobody has repaired: what is not there, what is newer here, buckets that held still and no record explains."""
        told = []
        for bucket, lines in look.ours.items():
            shown = look.shown[bucket]
            for key, mine in lines.items():
                if key in shown and mine.version > shown[key] and mine.observed_at < look.due:
                    newer = Seen(key=key, kind=DriftKind.NEWER_HERE, state=DriftState.OPEN, our_version=mine.version)
                    told.append(look.seen(bucket, msgspec.structs.replace(newer, their_version=shown[key])))
            if not look.explained(bucket) and look.theirs[bucket] == before[bucket]:
                told.append(look.seen(bucket, Seen(key=bucket, kind=DriftKind.UNEXPLAINED, state=DriftState.OPEN)))
            told += _missing_there(comparison.connector, look, bucket)
        drift.note(connection, self.rows, comparison.compared, told, self.clock())
        self._advance(connection, comparison, progress)

    async def _pause(self, comparison: Comparison) -> None:
        await self.sleep(self.pause(comparison.connector))

    def pause(self, connector: Connector) -> float:
        """Return the seconds between two calls."""
        return 1 / (connector.settings.quota_per_second * self.share)


def _missing_there(connector: Connector, look: Look, bucket: str) -> Iterator[Seen]:
    # What can be asked for by key is asked for again before it is marked; of the rest the platform's digest must be proof.
    if not look.explained(bucket) and look.kind.entity not in connector.fetchable:
        return
    for key, mine in look.ours[bucket].items():
        if key not in look.shown[bucket] and mine.observed_at < look.due:
            gone = Seen(key=key, kind=DriftKind.MISSING_THERE, state=DriftState.OPEN, our_version=mine.version)
            yield look.seen(bucket, gone)


def chunks(values: Sequence[str], size: int) -> Iterator[list[str]]:
    """Yield the values, so many at a time."""
    for start in range(0, len(values), max(1, size)):
        yield list(values[start : start + size])
