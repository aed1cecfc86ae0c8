"""The loop that makes obligations come true: claim, call, complete; for each platform on its own.

A slow or absent platform holds only its own obligations: it is postponed as a whole while its breaker is open, or while an operator
has paused it.
"""

import asyncio
import random
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

import structlog
from sqlalchemy import Connection

from connectors.base import Connector, Sleep
from connectors.lease import sends_under
from hub.mirror import lapsed
from hub.mirror.database import Database, DatabaseUnavailable
from hub.mirror.ledger import Completion
from hub.mirror.ports import Apply
from hub.mirror.rows import Rows
from hub.reconcile.call import Call
from hub.reconcile.claims import Claims
from hub.reconcile.completions import Completions, Done
from hub.reconcile.derive import Derivation
from hub.reconcile.pace import Pace
from hub.reconcile.transcript import Transcript
from hub.tracing import OFF, Tracing, within
from schema.entities import Obligation

AT_ONCE = 50
"""Obligations of each kind that are put back in one transaction: it holds their causes, and nobody shall wait for it long."""

Settle = Callable[[Connection, Sequence[Obligation], datetime], None]
"""Settles the causes of obligations that were put back."""

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
        apply: Apply,
        *,
        clock: Callable[[], datetime],
        sleep: Sleep,
        rng: random.Random,
        tracing: Tracing = OFF,
    ) -> None:
        self._database = database
        self._rows = rows
        self._connectors = connectors
        self._derivation = derivation
        self._pace = pace
        self._apply = apply
        self._clock = clock
        self._sleep = sleep
        self._wakes = {platform: asyncio.Event() for platform in connectors}
        self._calls = {platform: Call(connector, pace, clock=clock, rng=rng) for platform, connector in connectors.items()}
        self._claims = Claims(database, rows, clock=clock, sleep=sleep, lease_seconds=pace.lease_seconds, pause=pace.idle_seconds)
        self._completions = Completions(database, rows, derivation, clock=clock, sleep=sleep, pause=pace.idle_seconds)
        self._cut_off: list[Done] = []
        self._tracing = tracing

    def wake(self) -> None:
        """Look for due obligations now."""
        for event in self._wakes.values():
            event.set()

    async def run(self) -> None:
        """Work until cancelled. Calls under way are cut off; what became of them is looked up by whoever claims them next."""
        try:
            async with asyncio.TaskGroup() as group:
                for platform in self._connectors:
                    group.create_task(self._run_platform(platform), name=f"worker:{platform}")
                group.create_task(self._run_rescue(), name="worker:rescue")
                group.create_task(self._claims.run(), name="worker:claims")
        finally:
            cut_off, self._cut_off = self._cut_off, []
            await self._completions.give_back(cut_off)

    async def _run_platform(self, platform: str) -> None:
        room, running = self._connectors[platform].settings.max_in_flight * 2, set[asyncio.Task[None]]()
        async with asyncio.TaskGroup() as group:
            while True:
                self._wakes[platform].clear()
                claimed: Sequence[Obligation] = ()
                if len(running) <= room // 2:
                    claimed = await self._claim(platform, room - len(running))
                for one in claimed:
                    task = group.create_task(self._discharge(platform, one), name=one.key)
                    running.add(task)
                    task.add_done_callback(running.discard)
                if len(running) > room // 2:
                    await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
                elif not claimed:
                    await self._idle(platform)

    async def _idle(self, platform: str) -> None:
        """Wait until woken, but no longer than the idle time."""
        waiting = {asyncio.ensure_future(self._sleep(self._pace.idle_seconds)), asyncio.ensure_future(self._wakes[platform].wait())}
        try:
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for each in waiting:
                each.cancel()

    async def _claim(self, platform: str, limit: int) -> Sequence[Obligation]:
        """Take what is due, unless the platform is left alone for now; nothing, where that cannot be done."""
        open_until = self._connectors[platform].open_until
        if open_until is not None and open_until > self._clock():
            return ()
        try:
            return await self._claims.take(platform, limit)
        except DatabaseUnavailable as error:
            log.warning("cannot claim", platform=platform, error=str(error))
        except Exception:  # outermost: what is wrong with one platform's obligations must not end the work for the others
            log.exception("cannot claim", platform=platform)
        return ()

    async def work_once(self, platform: str, limit: int = 100) -> int:
        """Claim and discharge what is due now; return how many. For tests and `bihuan reconcile`."""
        claimed = await self._claim(platform, limit)
        await asyncio.gather(*(self._discharge(platform, one) for one in claimed))
        return len(claimed)

    async def _discharge(self, platform: str, one: Obligation) -> None:
        completion, transcript = None, Transcript()
        try:
            if not await self._claims.lasts(one, self._connectors[platform].settings.deadline_seconds):
                return
            with within(self._tracing, "attempt", one.trace, key=one.key, platform=platform, number=one.attempts) as here:
                with sends_under(lambda: self._claims.until(one)):
                    completion = await self._calls[platform](one, transcript)
                if here is not None:
                    here.note("outcome", completion.outcome.value)
            await self._completions.commit(one, completion)
            if completion.shows:
                await self._mirror(platform, completion)
        except asyncio.CancelledError:
            self._cut_off.append(Done(one, completion or self._calls[platform].cut_off(one, transcript)))
            raise
        finally:
            self._claims.over(one)
        self.wake()

    async def _mirror(self, platform: str, completion: Completion) -> None:
        """Hand what an answer showed to the mirror. Where that fails it is not seen, and so looked up again later."""
        try:
            await self._apply(platform, "answer", completion.shows)
        except DatabaseUnavailable as error:
            log.warning("cannot apply what an answer showed", key=completion.key, error=str(error))
        except Exception:  # outermost: the obligation is SENT, and comes back when it was not seen in time
            log.exception("cannot apply what an answer showed", key=completion.key)

    async def _run_rescue(self) -> None:
        while True:
            try:
                await self.rescue()
            except DatabaseUnavailable as error:
                log.warning("cannot rescue", error=str(error))
            except Exception:  # outermost: it is tried again, and the work goes on meanwhile
                log.exception("cannot rescue")
            await self._sleep(self._pace.rescue_seconds)

    async def rescue(self) -> None:
        """Renew the leases of calls under way; put back what dead processes had claimed, and what was accepted and never seen."""
        now = self._clock()
        await self._claims.renew()
        put_back = AT_ONCE
        while put_back >= AT_ONCE:  # else there may be more
            found = await self._database.read(lapsed.lapsed, self._rows, now, AT_ONCE)
            lost, unseen = await self._put_back(found, now) if found else (0, 0)
            put_back = max(lost, unseen)
            if lost or unseen:
                log.info("put back", lost=lost, unseen=unseen)
                self.wake()

    async def _put_back(self, found: Sequence[Obligation], now: datetime) -> tuple[int, int]:
        """Put these back, and return how many were lost and how many unseen; one whose rule fails holds up no other."""
        try:
            return await self._database.write(self._write_back, found, now, self._derivation.settle_obligations)
        except DatabaseUnavailable:
            raise
        except Exception:  # outermost: the others must not wait for one
            log.exception("cannot settle what is put back", count=len(found), first=found[0].key)
        if len(found) == 1:  # it is tried again as it stands; the sweep settles it when its rule can
            return await self._database.write(self._write_back, found, now, _unsettled)
        apart = [await self._put_back([one], now) for one in found]
        return sum(lost for lost, _ in apart), sum(unseen for _, unseen in apart)

    def _write_back(self, connection: Connection, found: Sequence[Obligation], now: datetime, settle: Settle) -> tuple[int, int]:
        # Causes before obligations, as everybody does: the other way round two processes wait for each other.
        self._derivation.hold(connection, found)
        keys = [one.key for one in found]
        lost = lapsed.rescue(connection, self._rows, now, keys)
        unseen = lapsed.reopen_unseen(connection, self._rows, now, keys)
        # Their cause may have been corrected while they were leased: what is not owed any more must not be sent.
        settle(connection, [*lost, *unseen], now)
        return len(lost), len(unseen)


def _unsettled(connection: Connection, put_back: Sequence[Obligation], now: datetime) -> None:
    """Leave them as they were put back."""
