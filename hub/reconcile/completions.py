"""What became of calls, written to the ledger; those that come while one commit runs share the next. Used by worker.py."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import NamedTuple

import structlog
from sqlalchemy import Connection

from connectors.base import Sleep
from hub.mirror import ledger
from hub.mirror.database import Database, DatabaseUnavailable
from hub.mirror.ledger import Completion
from hub.mirror.rows import Rows
from hub.reconcile.derive import Derivation
from schema.entities import Obligation

log = structlog.get_logger()


class Done(NamedTuple):
    """An obligation as it was claimed, and what became of it."""

    one: Obligation
    completion: Completion


class Completions:
    """Keeps completions until they are committed, however long the database is away."""

    def __init__(
        self, database: Database, rows: Rows, derivation: Derivation, *, clock: Callable[[], datetime], sleep: Sleep, pause: float
    ) -> None:
        self._database = database
        self._rows = rows
        self._derivation = derivation
        self._clock = clock
        self._sleep = sleep
        self._pause = pause
        self._done: list[Done] = []
        self._committing = asyncio.Lock()

    async def commit(self, one: Obligation, completion: Completion) -> None:
        """Return when this completion is in the ledger, or refused there because the claim is another's by now."""
        self._done.append(Done(one, completion))
        async with self._committing:
            batch, self._done = self._done, []
            if batch:
                await self._commit(batch)

    async def give_back(self, cut_off: Sequence[Done]) -> None:
        """Write, once, what is known of calls that the end of this process cut off, so that nobody waits for their leases."""
        try:
            await self._database.write(self._write, cut_off)
        except DatabaseUnavailable as error:
            log.warning("cannot give back what was cut off; its leases end by themselves", count=len(cut_off), error=str(error))

    async def _commit(self, batch: Sequence[Done]) -> None:
        while True:
            try:
                return await self._database.write(self._write, batch)
            except DatabaseUnavailable as error:
                log.warning("cannot write completions", waiting=len(batch), error=str(error))
                await self._sleep(self._pause)
            except Exception:  # outermost: what became of the others must not be lost with one
                log.exception("a completion cannot be settled", waiting=len(batch), first=batch[0].one.key)
                return await self._one_by_one(batch)

    async def _one_by_one(self, batch: Sequence[Done]) -> None:
        """Commit each for itself; of one whose rule fails keep at least what the platform said. The sweep settles it later."""
        if len(batch) > 1:
            for done in batch:
                await self._commit([done])
            return
        try:
            await self._database.write(ledger.complete, self._rows, [batch[0].completion])
        except Exception:  # outermost: its lease ends, and whoever claims it then looks it up
            log.exception("a completion is lost", key=batch[0].one.key)

    def _write(self, connection: Connection, batch: Sequence[Done]) -> None:
        self._derivation.hold(connection, [done.one for done in batch])  # in the order in which apply holds them, too
        stood = set(ledger.complete(connection, self._rows, [done.completion for done in batch]))
        for done in batch:
            if done.one.key not in stood:
                log.warning("a completion came too late: the claim is another's", key=done.one.key, fence=done.one.fence)
        settled = [done.one for done in batch if done.one.key in stood]
        self._derivation.settle_obligations(connection, settled, self._clock())
