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


class Deliveries:
    """Takes deliveries in. `run` must be running: it commits what `take` hands over."""

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
    ) -> None:
        self._database = database
        self._rows = rows
        self._connectors = connectors
        self._clock = clock
        self._after = after
        self._queue: asyncio.Queue[tuple[KeptDelivery, asyncio.Future[bool]]] = asyncio.Queue(most_waiting)
        self._batch = batch
        self.old_secret_used_at: dict[str, datetime] = {}

    async def take(self, delivery: Delivery) -> Answer:
        """Verify, keep and acknowledge; raise BadSignature. The answer is an acknowledgement only after the commit."""
        connector = self._connectors[delivery.platform]
        verified = connector.verify(delivery)
        if verified.secret_index:
            self.old_secret_used_at[delivery.platform] = self._clock()
        kept = inbox.kept(delivery, verified, 0)
        stored: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        try:
            self._queue.put_nowait((kept, stored))
        except asyncio.QueueFull:
            return connector.acknowledge(delivery, stored=False)
        return connector.acknowledge(delivery, stored=await stored)

    async def run(self) -> None:
        """Commit what was handed over, all that is waiting at a time, until cancelled."""
        waiting: list[tuple[KeptDelivery, asyncio.Future[bool]]] = []
        try:
            while True:
                waiting = [await self._queue.get()]
                while len(waiting) < self._batch and not self._queue.empty():
                    waiting.append(self._queue.get_nowait())
                self._tell(waiting, await self._store([kept for kept, _ in waiting]))
                waiting = []
        finally:
            while not self._queue.empty():
                waiting.append(self._queue.get_nowait())
            self._tell(waiting, False)

    async def _store(self, kept: list[KeptDelivery]) -> bool:
        try:
            await self._database.write(inbox.store, self._rows, kept)
        except DatabaseUnavailable as error:
            log.warning("deliveries could not be stored", count=len(kept), error=str(error))
            return False
        except Exception:  # outermost: nobody is acknowledged, everybody is asked to send again
            log.exception("deliveries could not be stored", count=len(kept))
            return False
        self._after()
        return True

    @staticmethod
    def _tell(waiting: list[tuple[KeptDelivery, asyncio.Future[bool]]], stored: bool) -> None:
        for _, future in waiting:
            if not future.done():
                future.set_result(stored)
