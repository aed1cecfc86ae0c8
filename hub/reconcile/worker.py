"""The loop that makes obligations come true: claim, call, complete; for each platform on its own.

A slow or absent platform holds only its own obligations: it is postponed as a whole while its breaker is open.
"""

import asyncio
import random
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta

import structlog
from sqlalchemy import Connection

from connectors.base import Connector, Sleep
from connectors.errors import ConnectorError, PermanentError, TransientError, UnknownOutcome
from hub.mirror import ledger
from hub.mirror.database import Database, DatabaseUnavailable
from hub.mirror.ledger import Completion
from hub.mirror.rows import Rows, micros
from hub.reconcile.derive import Derivation
from hub.reconcile.pace import Pace
from schema.commands import decode_command
from schema.entities import AttemptOutcome, Obligation, ObligationState
from schema.identifiers import redact

log = structlog.get_logger()


class Worker:
    """Discharges the obligations of all platforms. `wake` may be called by anyone who made some due."""

    def __init__(
        self,
        database: Database,
        rows: Rows,
        connectors: Mapping[str, Connector],
        derivation: Derivation,
        pace: Pace,
        *,
        clock: Callable[[], datetime],
        sleep: Sleep,
        rng: random.Random,
    ) -> None:
        self._database = database
        self._rows = rows
        self._connectors = connectors
        self._derivation = derivation
        self._pace = pace
        self._clock = clock
        self._sleep = sleep
        self._rng = rng
        self._wakes = {platform: asyncio.Event() for platform in connectors}
        self._done: list[tuple[Obligation, Completion]] = []
        self._committing = asyncio.Lock()

    def wake(self) -> None:
        """Look for due obligations now."""
        for event in self._wakes.values():
            event.set()

    async def run(self) -> None:
        """Work until cancelled. Calls under way are ended; what became of them is looked up by whoever claims them next."""
        async with asyncio.TaskGroup() as group:
            for platform in self._connectors:
                group.create_task(self._run_platform(platform), name=f"worker:{platform}")
            group.create_task(self._run_rescue(), name="worker:rescue")

    async def _run_platform(self, platform: str) -> None:
        connector, running = self._connectors[platform], set[asyncio.Task[None]]()
        room = connector.settings.max_in_flight * 2
        async with asyncio.TaskGroup() as group:
            while True:
                self._wakes[platform].clear()
                claimed: Sequence[Obligation] = ()
                if len(running) <= room // 2 and not self._postponed(connector):
                    claimed = await self._claim(platform, room - len(running))
                for one in claimed:
                    task = group.create_task(self._discharge(connector, one), name=one.key)
                    running.add(task)
                    task.add_done_callback(running.discard)
                if len(running) > room // 2:
                    await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
                elif not claimed:
                    await self._idle(platform)

    def _postponed(self, connector: Connector) -> bool:
        return connector.open_until is not None and connector.open_until > self._clock()

    async def _idle(self, platform: str) -> None:
        """Wait until woken, but no longer than the idle time."""
        waiting = {asyncio.ensure_future(self._sleep(self._pace.idle_seconds)), asyncio.ensure_future(self._wakes[platform].wait())}
        try:
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for each in waiting:
                each.cancel()

    async def _claim(self, platform: str, limit: int) -> Sequence[Obligation]:
        lease = timedelta(seconds=self._pace.lease_seconds)
        try:
            due = await self._database.read(ledger.next_due_at, platform)
            if due is None or due > micros(self._clock()):
                return ()
            return await self._database.write(ledger.claim, self._rows, platform, limit, self._clock(), lease)
        except DatabaseUnavailable as error:
            log.warning("cannot claim", platform=platform, error=str(error))
            return ()

    async def work_once(self, platform: str, limit: int = 100) -> int:
        """Claim and discharge what is due now; return how many. For tests and `bihuan reconcile`."""
        claimed = await self._claim(platform, limit)
        await asyncio.gather(*(self._discharge(self._connectors[platform], one) for one in claimed))
        return len(claimed)

    async def _discharge(self, connector: Connector, one: Obligation) -> None:
        completion = await self._call(connector, one)
        await self._commit(one, completion)

    async def _call(self, connector: Connector, one: Obligation) -> Completion:
        """Carry one obligation out; return what became of it, whatever happens."""
        if one.lease_until is None or one.lease_until <= self._clock() + timedelta(seconds=connector.settings.deadline_seconds):
            return self._failed(one, TransientError(connector.platform, "LEASE_OVER", "the lease ended before the call", 0.0))
        try:
            receipt = await connector.ensure(decode_command(one.payload), one.key, unknown_since=one.unknown_since)
        except ConnectorError as error:
            return self._failed(one, error)
        except Exception as error:  # outermost: one obligation's trouble must not stop the others
            log.exception("a connector failed unexpectedly", key=one.key, error=type(error).__name__)
            text = f"unexpected {type(error).__name__} in the connector; the log has it"
            return self._failed(one, UnknownOutcome(connector.platform, "UNEXPECTED", text, self._clock()))
        now = self._clock()
        return Completion(
            key=one.key,
            fence=one.fence,
            attempt_id=ledger.attempt_id(one),
            at=now,
            outcome=AttemptOutcome.ACCEPTED,
            state=ObligationState.CLOSED if receipt.proof else ObligationState.SENT,
            next_at=now + timedelta(seconds=self._pace.echo_seconds),
            detail="it was there already" if receipt.repeated else None,
            receipt=receipt.reference,
        )

    def _failed(self, one: Obligation, error: ConnectorError) -> Completion:
        now, tries = self._clock(), one.tries + 1
        permanent = isinstance(error, PermanentError)
        unknown = isinstance(error, UnknownOutcome)
        wait = self._pace.backoff(tries, getattr(error, "retry_after", None), self._rng)
        log.info(
            "not discharged", key=one.key, platform=error.platform, code=error.code, again_in=None if permanent else round(wait, 1)
        )
        return Completion(
            key=one.key,
            fence=one.fence,
            attempt_id=ledger.attempt_id(one),
            at=now,
            outcome=AttemptOutcome.REFUSED if permanent else AttemptOutcome.UNKNOWN if unknown else AttemptOutcome.FAILED,
            state=ObligationState.STUCK if permanent else ObligationState.DUE,
            next_at=now + timedelta(seconds=wait),
            detail=redact(f"{error.code}: {error}"),
            unknown_since=max(filter(None, (one.unknown_since, error.sent_at)))
            if isinstance(error, UnknownOutcome)
            else one.unknown_since,
            tries=tries,
        )

    async def _commit(self, one: Obligation, completion: Completion) -> None:
        """Write completions; those that come while one commit runs share the next."""
        self._done.append((one, completion))
        async with self._committing:
            batch, self._done = self._done, []
            if not batch:
                return
            while True:
                try:
                    await self._database.write(self._write_completions, batch)
                    break
                except DatabaseUnavailable as error:
                    log.warning("cannot write completions", waiting=len(batch), error=str(error))
                    await self._sleep(self._pace.idle_seconds)
        self.wake()

    def _write_completions(self, connection: Connection, batch: Sequence[tuple[Obligation, Completion]]) -> None:
        stood = set(ledger.complete(connection, self._rows, [completion for _, completion in batch]))
        by_rule: dict[str, set[str]] = {}
        for one, _ in batch:
            if one.key in stood:
                by_rule.setdefault(one.rule, set()).add(one.cause)
        for rule, causes in by_rule.items():
            self._derivation.settle_causes(connection, rule, sorted(causes), self._clock())

    async def _run_rescue(self) -> None:
        while True:
            try:
                await self.rescue()
            except DatabaseUnavailable as error:
                log.warning("cannot rescue", error=str(error))
            await self._sleep(self._pace.rescue_seconds)

    async def rescue(self) -> None:
        """Put back what dead processes had claimed, and what was accepted but never seen."""
        now = self._clock()
        lost = await self._database.write(ledger.rescue, self._rows, now)
        unseen = await self._database.write(ledger.reopen_unseen, self._rows, now)
        if lost or unseen:
            log.info("put back", lost=lost, unseen=unseen)
            self.wake()
