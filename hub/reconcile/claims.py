"""What this process has claimed, under leases that last as long as its calls. Used by worker.py.

A lease begins when its transaction runs. Where commits are slow, a good part of it is over before the call can begin: then it is
renewed right before the call, and the next ones are given so much more. A claim that is another's by then is dropped.
"""

import asyncio
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

import structlog
from sqlalchemy import Connection

from connectors.base import Sleep
from hub.mirror import controls, ledger
from hub.mirror.database import Database, DatabaseUnavailable
from hub.mirror.rows import Rows, micros
from schema.entities import Obligation

T = TypeVar("T")
MOST_MORE = timedelta(minutes=5)
"""However long a commit seemed to take (a machine was suspended, a clock was set), a lease gets no more than this on top."""

log = structlog.get_logger()


@dataclass
class Held:
    """An obligation that this process has claimed, and until when; None: the claim is another's by now."""

    one: Obligation
    until: datetime | None


class Claims:
    """Takes claims and keeps them. `pause` is how many seconds to wait for a database that is away."""

    def __init__(
        self, database: Database, rows: Rows, *, clock: Callable[[], datetime], sleep: Sleep, lease_seconds: float, pause: float
    ) -> None:
        self._database = database
        self._rows = rows
        self._clock = clock
        self._sleep = sleep
        self._length = timedelta(seconds=lease_seconds)
        self._pause = pause
        self._commit_takes = timedelta()
        self._held: dict[str, Held] = {}
        """By the id of the attempt that the claim began."""
        self._some_held = asyncio.Event()
        self._too_short: dict[str, Held] = {}
        """Those whose calls wait for a longer lease."""
        self._renewing = asyncio.Lock()

    async def take(self, platform: str, limit: int) -> Sequence[Obligation]:
        """Claim what is due for a platform, unless it is paused; raise DatabaseUnavailable."""
        due = await self._database.read(_next_due_at, platform)
        if due is None or due > micros(self._clock()):
            return ()
        taken, until = await self._leasing(lambda connection, now, until: self._take(connection, platform, limit, now, until))
        self._held.update({ledger.attempt_id(one): Held(one, until) for one in taken})
        if taken:
            self._some_held.set()
        return taken

    def _take(self, connection: Connection, platform: str, limit: int, now: datetime, until: datetime) -> Sequence[Obligation]:
        """Claim, unless the platform was paused since we looked: in this transaction, so that no claim follows a pause."""
        if controls.is_paused(connection, platform):
            return ()
        return ledger.claim(connection, self._rows, platform, limit, now, until - now)

    async def lasts(self, one: Obligation, seconds: float) -> bool:
        """Return whether a claim is ours for so many seconds from now, renewed where it must be; no call may follow a False.

        Those that must be renewed at the same time share a transaction. Waits for a database that is away.
        """
        claim, needed = ledger.attempt_id(one), timedelta(seconds=seconds)
        held = self._held[claim]
        while held.until is not None and held.until <= self._clock() + needed:
            self._too_short[claim] = held
            async with self._renewing:
                await self._renew_too_short()
        if held.until is None:
            await self._drop(one)
        return held.until is not None

    def until(self, one: Obligation) -> datetime | None:
        """Return until when a claim lasts as far as this process knows; None: it is another's by now."""
        held = self._held.get(ledger.attempt_id(one))
        return None if held is None else held.until

    async def run(self) -> None:
        """Renew all claims three times a lease while there are any, until cancelled."""
        while True:
            if not self._held:
                self._some_held.clear()
                await self._some_held.wait()
            await self._sleep(self._length.total_seconds() / 3)
            try:
                await self.renew()
            except DatabaseUnavailable as error:
                log.warning("cannot renew claims", held=len(self._held), error=str(error))

    async def renew(self) -> None:
        """Renew all claims, so that nobody takes over what this process is at; raise DatabaseUnavailable."""
        await self._renew(list(self._held.values()))

    def over(self, one: Obligation) -> None:
        """Forget a claim, for its call has ended."""
        claim = ledger.attempt_id(one)
        self._held.pop(claim, None)
        self._too_short.pop(claim, None)

    async def _renew_too_short(self) -> None:
        """Renew all that wait for it; none do where those who came before us renewed ours along with theirs."""
        some, self._too_short = list(self._too_short.values()), {}
        try:
            await self._renew(some)
        except DatabaseUnavailable as error:
            log.warning("cannot renew claims", waiting=len(some), error=str(error))
            await self._sleep(self._pause)

    async def _renew(self, some: Collection[Held]) -> None:
        if not some:
            return
        claims = [(held.one.key, held.one.fence) for held in some]
        stood, until = await self._leasing(lambda connection, _now, until: ledger.renew(connection, claims, until))
        for held in some:
            if held.one.key not in stood:
                held.until = None
            elif held.until is not None:
                held.until = max(held.until, until)

    async def _drop(self, one: Obligation) -> None:
        """Write that nothing was sent under a claim; its obligation is another's, and no try is counted."""
        log.warning("dropped before its call: the claim is another's by now", key=one.key, fence=one.fence)
        try:
            await self._database.write(ledger.abandon, self._rows, one, self._clock())
        except DatabaseUnavailable as error:
            log.warning("cannot write that nothing was sent", key=one.key, error=str(error))

    async def _leasing(self, work: Callable[[Connection, datetime, datetime], T]) -> tuple[T, datetime]:
        """Run `work(connection, now, until)` in a transaction; return what it returned, and until when the lease is."""
        began = until = self._clock()

        def leased(connection: Connection) -> T:
            nonlocal began, until
            began = self._clock()  # behind all that waited for the database before us
            until = began + self._length + min(2 * self._commit_takes, MOST_MORE)
            return work(connection, began, until)

        done = await self._database.write(leased)
        self._commit_takes = max(self._clock() - began, timedelta())
        return done, until


def _next_due_at(connection: Connection, platform: str) -> int | None:
    return None if controls.is_paused(connection, platform) else ledger.next_due_at(connection, platform)
