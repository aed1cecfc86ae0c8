"""Webhooks: verified on raw bytes, kept, committed, then acknowledged; many requests share one commit. Called by web/webhooks.py.

Not stored means not acknowledged. A replayed signature or message stores nothing and gets the same acknowledgement.
"""

import asyncio
from collections.abc import Callable, Mapping
from datetime import datetime

import structlog

from connectors.base import Answer, Connector, Delivery
from hub.mirror import inbox
from hub.mirror.database import Database, DatabaseUnavailable
from hub.mirror.rows import Rows
from schema.entities import Delivery as KeptDelivery

log = structlog.get_logger()
Waiting = tuple[KeptDelivery, asyncio.Future[bool]]
"""A delivery, and who waits to hear whether it is stored."""


class Deliveries:
    """Takes deliveries in. `run` must be running: it commits what `take` hands over.

    `verified_by` is told of each: platform, and which of its secrets it was.
    """

    def __init__(
        self,
        database: Database,
        rows: Rows,
        connectors: Mapping[str, Connector],
        *,
        clock: Callable[[], datetime],
        after: Callable[[], None],
        most_waiting: int = 2000,
        batch: int = 500,
        verified_by: Callable[[str, int], None] = lambda platform, position: None,
    ) -> None:
        self._database = database
        self._rows = rows
        self._connectors = connectors
        self._clock = clock
        self._after = after
        self._queue: asyncio.Queue[Waiting] = asyncio.Queue(most_waiting)
        self._batch = batch
        self._ended = False
        self._verified_by = verified_by

    async def take(self, delivery: Delivery) -> Answer:
        """Verify, keep and acknowledge; raise BadSignature. The answer is an acknowledgement only after the commit."""
        connector = self._connectors[delivery.platform]
        verified = connector.verify(delivery)
        self._verified_by(delivery.platform, verified.secret_index)
        kept = inbox.kept(delivery, verified, 0, connector.claimed_id(delivery) if verified.message_id is None else None)
        stored: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        if self._ended:
            return connector.acknowledge(delivery, stored=False)
        try:
            self._queue.put_nowait((kept, stored))
        except asyncio.QueueFull:
            return connector.acknowledge(delivery, stored=False)
        return connector.acknowledge(delivery, stored=await stored)

    async def run(self) -> None:
        """Commit what was handed over, all that is waiting at a time, until cancelled; from then on nothing is taken."""
        waiting: list[Waiting] = []
        self._ended = False
        try:
            while True:
                waiting = [await self._queue.get()]
                while len(waiting) < self._batch and not self._queue.empty():
                    waiting.append(self._queue.get_nowait())
                await self._store(waiting)
        finally:
            self._ended = True
            while not self._queue.empty():
                waiting.append(self._queue.get_nowait())
            self._tell(waiting, False)

    async def _store(self, waiting: list[Waiting]) -> None:
        """Commit deliveries together, and tell everybody who waits; one by one when one of them cannot be kept."""
        try:
            await self._database.write(inbox.store, self._rows, [kept for kept, _ in waiting])
        except DatabaseUnavailable as error:
            log.warning("deliveries could not be stored", count=len(waiting), error=str(error))
            self._tell(waiting, False)
        except Exception:  # outermost: who is not acknowledged sends again
            log.exception("deliveries could not be stored", ids=[kept.delivery_id for kept, _ in waiting][:5], count=len(waiting))
            if len(waiting) == 1:
                self._tell(waiting, False)
                return
            for one in waiting:
                await self._store([one])
        else:
            self._after()
            self._tell(waiting, True)

    @staticmethod
    def _tell(waiting: list[Waiting], stored: bool) -> None:
        for _, future in waiting:
            if not future.done():
                future.set_result(stored)
