"""Compares what we hold with what platforms say that they hold, as often as settings say or an operator asks.

By their digests where there are any (comparison.py); the streams of other platforms are read from their beginning instead
(full_read.py).
"""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

import structlog
from sqlalchemy import Connection

from connectors.base import Connector, Stream
from connectors.buckets import Buckets
from connectors.errors import ConnectorError
from hub.intake.comparison import Comparer, Comparison, TakenOver
from hub.intake.full_read import TRY_AGAIN
from hub.intake.poller import Poller
from hub.intake.tombstones import CarriedOut, Tombstones
from hub.mirror import controls, drift
from hub.mirror.database import Database, DatabaseUnavailable
from hub.mirror.drift import Compared
from hub.mirror.rows import Rows
from schema.entities import DriftMethod
from schema.identifiers import redact

log = structlog.get_logger()


class Drift:
    """`digest_every` and `read_every` say how often comparisons are made, zero: never by themselves."""

    def __init__(
        self,
        database: Database,
        rows: Rows,
        connectors: Mapping[str, Connector],
        comparer: Comparer,
        poller: Poller,
        tombstones: Tombstones,
        *,
        clock: Callable[[], datetime],
        digest_every: timedelta,
        read_every: timedelta,
    ) -> None:
        self._database = database
        self._rows = rows
        self._connectors = connectors
        self._comparer = comparer
        self._poller = poller
        self._tombstones = tombstones
        self._clock = clock
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
            done += [await self._whole(name, kind) for kind in connector.digests]
            done += [await self.read_again(name, each.name) for each in connector.streams if set(each.whole) - digested]
        return all(done)

    async def _whole(self, platform: str, kind: Buckets) -> bool:
        """Compare everything as it is now: a comparison that had broken off is brought to its end first."""
        compared = Compared(platform, kind.entity, DriftMethod.DIGEST)
        if await self._database.read(drift.is_broken_off, compared) and not await self.compare(platform, kind):
            return False
        return await self.compare(platform, kind)

    async def read_again(self, platform: str, stream: str) -> bool:
        """Read a stream from its beginning; return whether it reached its end. What came of it stands in the reports."""
        return await self._poller.read_again(platform, stream, self._comparer.pause(self._connectors[platform])) is not None

    async def compare(self, platform: str, kind: Buckets) -> bool:
        """Compare all buckets of an entity, or, where that broke off, those that are left; return whether that could be done.

        What came of it stands in the report.
        """
        connector, compared = self._connectors[platform], Compared(platform, kind.entity, DriftMethod.DIGEST)
        progress = await self._database.write(drift.begin, self._rows, compared, self._clock())
        comparison, failure = Comparison(connector, kind, compared, progress), None
        try:
            await self._comparer.carry_out(comparison)
        except TakenOver:
            log.info("compared by another process", platform=platform, entity=kind.entity)
            return False
        except ConnectorError as error:
            failure = redact(f"{error.code}: {error}")
            log.warning("not compared", platform=platform, entity=kind.entity, code=error.code)
        except DatabaseUnavailable:
            raise
        except Exception as error:  # outermost of a comparison: those behind it are made all the same
            failure = f"UNEXPECTED: {type(error).__name__}; the log has it"
            log.exception("not compared", platform=platform, entity=kind.entity)
        return await self._database.write(self._end, comparison, failure) and failure is None

    def _end(self, connection: Connection, comparison: Comparison, failure: str | None) -> bool:
        now, compared = self._clock(), comparison.compared
        next_at = now + ((self._digest_every or TRY_AGAIN) if failure is None else TRY_AGAIN)
        ended = drift.end(connection, self._rows, compared, now, next_at=next_at, progress=comparison.progress, failure=failure)
        self._tombstones.close_answered(connection, compared)
        return ended
