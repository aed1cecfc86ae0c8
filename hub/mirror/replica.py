"""Reads of the graph from a standby of the database, as long as it answers and is near enough; else from the primary.

How far it is behind is known by comparing places in the log (LSN): of a moment whose place the standby has replayed it shows
everything, so that a primary at which nothing happens makes no lag. Built by app.py; `run` must be running.
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable, Coroutine
from datetime import datetime, timedelta
from typing import Any, Concatenate, NamedTuple, ParamSpec, TypeVar

import structlog
from sqlalchemy import Connection, TextClause, text
from sqlalchemy.exc import DBAPIError

from connectors.base import Clock, Sleep
from hub.mirror.database import CONNECTIONS, Database, DatabaseUnavailable, PostgreSQLDatabase, is_contended
from hub.mirror.driver import Reading

P = ParamSpec("P")
T = TypeVar("T")

CHECK_SECONDS = 1.0
ANSWERS_WITHIN = 3.0
MARKS = 600
"""Moments that the standby has not reached yet, at most; older ones are forgotten."""
AT_PRIMARY = text(
    "SELECT CASE WHEN pg_is_in_recovery() THEN NULL ELSE (pg_current_wal_flush_lsn() - '0/0')::bigint END, system_identifier"
    " FROM pg_control_system()"
)
AT_STANDBY = text(
    "SELECT CASE WHEN pg_is_in_recovery() THEN (pg_last_wal_replay_lsn() - '0/0')::bigint END, system_identifier,"
    " extract(epoch FROM clock_timestamp() - pg_last_xact_replay_timestamp())::float8 FROM pg_control_system()"
)

log = structlog.get_logger()


class ReplicaHealth(NamedTuple):
    """How the replica does: `trouble` says why it is not read, None while it is. Seconds; None where nobody knows."""

    lag_seconds: float | None
    trouble: str | None


class Replica:
    """A standby to read from, and the primary behind it."""

    def __init__(
        self,
        primary: Database,
        url: str,
        *,
        connections: int = CONNECTIONS,
        most_lag_seconds: float,
        clock: Clock,
        sleep: Sleep,
    ) -> None:
        self._primary = primary
        self._standby = PostgreSQLDatabase(url, connections=connections, wanted="any")
        self._most_lag = timedelta(seconds=most_lag_seconds)
        self._clock = clock
        self._sleep = sleep
        self._marks: deque[tuple[datetime, int]] = deque(maxlen=MARKS)
        self._shows_until: datetime | None = None
        self._trouble: str | None = "not asked yet"
        self._given_up = asyncio.Event()

    @property
    def health(self) -> ReplicaHealth:
        """Return how far it is behind by now, at most, and why it is not read."""
        lag = None if self._shows_until is None else max(0.0, (self._clock() - self._shows_until).total_seconds())
        return ReplicaHealth(lag, self._trouble)

    @property
    def behind_seconds(self) -> float:
        """Return by how much what is read now may be behind the hub's own database, at most; 0 while the primary is read."""
        return 0.0 if self._trouble else self.health.lag_seconds or 0.0

    async def read(self, work: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run `work` read-only in one snapshot; where the standby fails meanwhile, once more on the primary."""
        return await self._from_either(lambda database: database.read(work, *args, **kwargs))

    async def fetch(self, reading: Callable[[], Reading[T]], *, alone: bool = False) -> T:
        """Do as `read`, with statements of the driver."""
        return await self._from_either(lambda database: database.fetch(reading, alone=alone))

    async def _from_either(self, read: Callable[[Database], Coroutine[Any, Any, T]]) -> T:
        if self._trouble is None:
            reading = asyncio.create_task(read(self._standby))
            given_up = asyncio.create_task(self._given_up.wait())
            try:
                await asyncio.wait({reading, given_up}, return_when=asyncio.FIRST_COMPLETED)
                if reading.done():
                    return reading.result()
            except DatabaseUnavailable as error:
                self._give_up(str(error))
            except DBAPIError as error:
                if not is_contended(error):  # a long read may be in the way of what the standby must replay
                    raise
            finally:
                given_up.cancel()
                reading.add_done_callback(_seen)
                reading.cancel()
        return await read(self._primary)

    async def run(self) -> None:
        """Look again and again how far the standby is, until cancelled."""
        while True:
            await self.check()
            await self._sleep(CHECK_SECONDS)

    async def check(self) -> None:
        """Find out whether the standby may be read. One that hangs is given up, and so are the reads that wait for it."""
        try:
            async with asyncio.timeout(ANSWERS_WITHIN):
                trouble = await self._look()
        except (DatabaseUnavailable, DBAPIError) as error:
            trouble = str(error)
        except TimeoutError:
            trouble = f"no answer within {ANSWERS_WITHIN:g} s"
        if trouble is not None:
            self._give_up(trouble)
        elif self._trouble is not None:
            log.info("the read replica is read", after=self._trouble)
            self._trouble = None
            self._given_up = asyncio.Event()

    async def _look(self) -> str | None:
        asked_at = self._clock()
        place: int | None = None
        database: int | None = None
        # Without the primary the standby is still good to read from, and further behind with each second.
        with contextlib.suppress(DatabaseUnavailable, TimeoutError):
            async with asyncio.timeout(ANSWERS_WITHIN / 3):
                place, database = await self._primary.read(_asked, AT_PRIMARY)
        if place is not None:
            self._marks.append((asked_at, place))
        replayed, its_database, since = await self._standby.read(_asked, AT_STANDBY)
        if replayed is None:
            return "it is no standby"
        if database is not None and its_database != database:
            return "it is a standby of another database: look at HUB_DATABASE_READ_URL"
        while self._marks and self._marks[0][1] <= replayed:
            self._shows_until = self._marks.popleft()[0]
        if self._shows_until is None and since is not None:
            self._shows_until = asked_at - timedelta(seconds=since)
        if self._shows_until is None:
            return "how far it is behind is not known yet"
        behind = self._clock() - self._shows_until
        return f"{behind.total_seconds():.0f} s behind" if behind > self._most_lag else None

    def _give_up(self, trouble: str) -> None:
        if self._trouble is None:
            log.warning("the read replica is not read; the primary is instead", reason=trouble)
        self._trouble = trouble
        self._given_up.set()

    async def close(self) -> None:
        """Close its connections."""
        await self._standby.close()


def _asked(connection: Connection, statement: TextClause) -> tuple[Any, ...]:
    return tuple(connection.execute(statement).one())


def _seen(task: "asyncio.Task[T]") -> None:
    """That a read failed which nobody waits for any more is no news."""
    if not task.cancelled():
        task.exception()
