"""Reads the platforms' streams on, page by page: what makes the mirror right when webhooks are lost. Started by app.py.

A page and its cursor are committed together; the lease of a stream lets many processes share the work.
"""

import asyncio
import contextlib
import random
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial

import structlog
from sqlalchemy import Connection

from connectors.base import Connector, Item, Page, Sleep, Stream
from connectors.errors import ConnectorError, CursorExpired, PlatformDown
from hub.intake.apply import Applied, Applier
from hub.intake.full_read import FullReads
from hub.mirror import controls, streams
from hub.mirror.database import Database, DatabaseUnavailable
from hub.mirror.rows import Rows
from hub.mirror.streams import LeaseLost, Reading
from schema.identifiers import redact

log = structlog.get_logger()


LEASE_LOST = "LEASE_LOST: another process took the stream over, or it was told to begin anew; what was not committed is read again"


class PlatformPaused(Exception):
    """An operator paused the platform; what was read is committed."""


class Poller:
    """Keeps all streams of all platforms read."""

    def __init__(
        self,
        database: Database,
        rows: Rows,
        connectors: Mapping[str, Connector],
        applier: Applier,
        full_reads: FullReads,
        *,
        clock: Callable[[], datetime],
        sleep: Sleep,
        rng: random.Random,
        after: Callable[[], None],
        lease_seconds: float = 60.0,
        wait: Sleep = asyncio.sleep,
    ) -> None:
        """`sleep` makes pauses; `wait` is what goes by beside a page that is slow."""
        self._database = database
        self._rows = rows
        self._connectors = connectors
        self._applier = applier
        self._full_reads = full_reads
        self._clock = clock
        self._sleep = sleep
        self._rng = rng
        self._after = after
        self._lease = timedelta(seconds=lease_seconds)
        self._wait = wait

    async def run(self) -> None:
        """Poll every stream at its own pace until cancelled; where no platform has any there is nothing to do until then."""
        async with asyncio.TaskGroup() as group:
            group.create_task(asyncio.Event().wait(), name="poller: until cancelled")
            for connector in self._connectors.values():
                for stream in connector.streams:
                    group.create_task(self._run_stream(connector, stream), name=f"poller:{connector.platform}/{stream.name}")

    async def _run_stream(self, connector: Connector, stream: Stream) -> None:
        pause = connector.settings.poll_seconds * stream.poll_factor
        while True:
            try:
                await self.read_on(connector.platform, stream.name)
            except DatabaseUnavailable as error:
                log.warning("cannot poll", platform=connector.platform, stream=stream.name, error=str(error))
            except Exception:  # outermost of a stream: the others go on, and this one tries again
                log.exception("cannot poll", platform=connector.platform, stream=stream.name)
            await self._sleep(pause * self._rng.uniform(0.9, 1.1))

    async def read_on(self, platform: str, stream: str) -> Applied | None:
        """Read a stream to its present end; return what came of it.

        None while another process reads it, while its platform is paused, or where it failed.
        """
        return await self._read(platform, stream)

    async def read_again(self, platform: str, stream: str, pause: float) -> Applied | None:
        """Read a stream from its beginning to its present end, beside the reading that goes on, `pause` seconds between pages.

        One that broke off goes on where it was. What is here and was not shown is judged in the end (full_read.py).
        """
        return await self._read(platform, stream, pause)

    async def _read(self, platform: str, name: str, pause: float | None = None) -> Applied | None:
        connector, again = self._connectors[platform], pause is not None
        stream = next(each for each in connector.streams if each.name == name)
        reading = await self._database.write(self._begin, platform, name, again)
        if reading is None:
            return None
        total, failure, restart = Applied(0, 0), None, False
        results = self._results(connector, stream, reading, pause)
        try:
            async with self._kept(reading):
                async for result in results:
                    total = total.plus(result)
                await self._full_reads.judge(connector, stream, reading, partial(self._hold, reading=reading), restart=again)
            restart = again
        except LeaseLost:
            log.warning("stream not read: its lease was lost", platform=platform, stream=name)
            await self._database.write(streams.lost, self._rows, reading, self._clock(), LEASE_LOST)
            return None
        except PlatformPaused:
            await self._database.write(streams.release, reading)  # it goes on from here once it is resumed
            return None
        except asyncio.CancelledError:
            # With the database away the lease ends by itself; whoever is cancelled ends all the same.
            with contextlib.suppress(DatabaseUnavailable):
                await self._database.write(streams.release, reading)
            raise
        except CursorExpired as error:
            failure, restart = f"{error.code}: {error}", True
            log.warning("stream starts over", platform=platform, stream=name, code=error.code)
        except PlatformDown as error:
            failure = f"{error.code}: {error}"
        except ConnectorError as error:
            failure = f"{error.code}: {error}"
            log.warning("stream not read", platform=platform, stream=name, code=error.code, error=redact(str(error)))
        except DatabaseUnavailable:
            raise
        except Exception as error:  # outermost of a stream: the others go on
            failure = f"UNEXPECTED: {type(error).__name__} in the connector; the log has it"
            log.exception("stream not read", platform=platform, stream=name)
            await self._full_reads.failed(connector, stream, reading, failure)
        finally:
            await results.aclose()
        detail = None if failure is None else redact(failure)
        await self._database.write(streams.finish, self._rows, reading, self._clock(), detail, restart=restart)
        return total if failure is None else None

    def _begin(self, connection: Connection, platform: str, stream: str, again: bool) -> Reading | None:
        if controls.is_paused(connection, platform):
            return None
        return streams.begin(connection, self._rows, platform, stream, self._clock(), self._lease, again=again)

    def _hold(self, connection: Connection, reading: Reading) -> None:
        streams.hold(connection, reading, self._clock(), self._lease)

    @contextlib.asynccontextmanager
    async def _kept(self, reading: Reading) -> AsyncIterator[None]:
        """Lengthen a lease three times over while it lasts, however long a page or its judgement takes."""
        keeping = asyncio.create_task(self._keep(reading), name=f"poller:{reading.stream_id}: lease")
        try:
            yield
        finally:
            keeping.cancel()
            await asyncio.gather(keeping, return_exceptions=True)

    async def _keep(self, reading: Reading) -> None:
        while True:
            await self._wait(self._lease.total_seconds() / 3)
            try:
                await self._database.write(self._hold, reading)
            except LeaseLost:
                return  # what is committed next says so
            except DatabaseUnavailable as error:
                log.warning("cannot renew the lease of a stream", stream=reading.stream_id, error=str(error))

    async def _results(
        self, connector: Connector, stream: Stream, reading: Reading, pause: float | None
    ) -> AsyncGenerator[Applied, None]:
        """Commit page after page; yield what came of each. Raises PlatformPaused behind the page after which that was seen."""
        if reading.full_since is not None and reading.cursor is None:
            await self._full_reads.begin(connector.platform, stream, reading.full_since)
        pages = connector.changes(stream.name, reading.cursor)
        try:
            async for page in pages:
                result = await self._commit_page(connector.platform, stream, page, reading)
                if result.applied:
                    self._after()
                yield result
                if page.more and await self._database.read(controls.is_paused, connector.platform):
                    raise PlatformPaused(connector.platform)
                if pause:
                    await self._sleep(pause)
        finally:
            if isinstance(pages, AsyncGenerator):
                await pages.aclose()

    async def _commit_page(self, platform: str, stream: Stream, page: Page, reading: Reading) -> Applied:
        """Commit a page; where one of its records cannot be applied, name that one and go on with its neighbours."""
        try:
            return await self._database.write(self._commit, platform, stream, page, reading)
        except (LeaseLost, DatabaseUnavailable):
            raise
        except Exception:  # find the one that fails: it must not hold the stream for ever
            log.exception("a page failed; its records are applied one by one", platform=platform, stream=stream.name)
        total, bad = await self._applier.one_by_one(platform, stream.name, page.items)
        return total.plus(await self._database.write(self._commit, platform, stream, page, reading, bad))

    def _commit(
        self,
        connection: Connection,
        platform: str,
        stream: Stream,
        page: Page,
        reading: Reading,
        bad: Sequence[Item] | None = None,
    ) -> Applied:
        def write() -> Applied:
            return self._applier.write(connection, platform, stream.name, page.items if bad is None else bad)

        full = reading.full_since is not None
        result = self._full_reads.commit(connection, platform, stream, reading, page.items, write) if full else write()
        if not streams.advance(connection, reading, page.cursor, len(page.items), self._clock(), self._lease):
            raise LeaseLost(reading.stream_id)
        return result
