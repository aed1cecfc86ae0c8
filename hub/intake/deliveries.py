"""Webhooks: verified on raw bytes, kept, committed, then acknowledged; many requests share one commit. Called by web/webhooks.py.

Not stored means not acknowledged. A replayed signature or message stores nothing and gets the same acknowledgement.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

import structlog

from connectors.base import Answer, Connector, Delivery
from hub.intake.room import NoRoom, Room
from hub.mirror import inbox
from hub.mirror.database import Database, DatabaseUnavailable
from hub.mirror.rows import Rows
from hub.tracing import OFF, Tracing, within
from schema.entities import Delivery as KeptDelivery

log = structlog.get_logger()

TOGETHER = 8
"""Deliveries of one commit from which on much comes in at once."""
PRESSING_SECONDS, LATELY_SECONDS = 0.1, 1.0
"""How long after such a commit, and after any delivery, whoever else writes leaves room for more of them."""


class _Waiting(NamedTuple):
    """A delivery, and who waits to hear whether it is stored."""

    kept: KeptDelivery
    stored: asyncio.Future[bool]

    @property
    def size(self) -> int:
        return len(self.kept.body) + len(self.kept.headers)


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
        most_bytes: int = 64_000_000,
        batch: int = 500,
        verified_by: Callable[[str, int], None] = lambda platform, position: None,
        tracing: Tracing = OFF,
    ) -> None:
        self._database = database
        self._rows = rows
        self._connectors = connectors
        self._clock = clock
        self._after = after
        self.room = Room(most_waiting, most_bytes)
        self._waiting: deque[_Waiting] = deque()
        self._news = asyncio.Event()
        self._batch = batch
        self._storing: deque[_Waiting] = deque()
        self._ended = False
        self._verified_by = verified_by
        self._tracing = tracing
        self._pressing_until = self._lately_until = 0.0

    @property
    def pressing(self) -> bool:
        """Return whether so much comes in that whoever else writes should let it go first."""
        return asyncio.get_running_loop().time() < self._pressing_until

    @property
    def lately(self) -> bool:
        """Return whether something came in just now, so that more may be waiting soon."""
        return asyncio.get_running_loop().time() < self._lately_until

    async def take(self, delivery: Delivery) -> Answer:
        """Verify, keep and acknowledge; raise BadSignature. The answer is an acknowledgement only after the commit.

        Raise NoRoom at once where as much is waiting as may.
        """
        with within(self._tracing, "webhook", platform=delivery.platform) as here:
            return await self._take(delivery, None if here is None else here.place)

    async def _take(self, delivery: Delivery, trace: str | None) -> Answer:
        connector = self._connectors[delivery.platform]
        verified = connector.verify(delivery)
        self._verified_by(delivery.platform, verified.secret_index)
        claimed = connector.claimed_id(delivery) if verified.message_id is None else None
        kept = inbox.kept(delivery, verified, 0, claimed, trace)
        one = _Waiting(kept, asyncio.get_running_loop().create_future())
        if self._ended:
            return connector.acknowledge(delivery, stored=False)
        if not self.room.take(one.size):
            raise NoRoom
        self._waiting.append(one)
        self._news.set()
        return connector.acknowledge(delivery, stored=await one.stored)

    async def run(self) -> None:
        """Commit what was handed over, all that is waiting at a time, until cancelled; from then on nothing is taken."""
        self._ended = False
        try:
            while True:
                await self._news.wait()
                while self._waiting and len(self._storing) < self._batch:
                    self._storing.append(self._waiting.popleft())
                if not self._waiting:
                    self._news.clear()
                self._note(len(self._storing))
                await self._store([each.kept for each in self._storing])
        finally:
            self._ended = True
            self._news.clear()
            self._storing.extend(self._waiting)
            self._waiting.clear()
            self._tell(len(self._storing), False)

    def _note(self, together: int) -> None:
        now = asyncio.get_running_loop().time()
        self._lately_until = now + LATELY_SECONDS
        if together >= TOGETHER:
            self._pressing_until = now + PRESSING_SECONDS

    async def _store(self, kept: Sequence[KeptDelivery]) -> None:
        """Commit deliveries together, and tell everybody who waits; one by one when one of them cannot be kept."""
        try:
            await self._database.write_first(inbox.store, self._rows, kept)
        except DatabaseUnavailable as error:
            log.warning("deliveries could not be stored", count=len(kept), error=str(error))
            self._tell(len(kept), False)
        except Exception:  # outermost: who is not acknowledged sends again
            log.exception("deliveries could not be stored", ids=[one.delivery_id for one in kept][:5], count=len(kept))
            if len(kept) == 1:
                self._tell(1, False)
                return
            for one in kept:
                await self._store([one])
        else:
            self._after()
            self._tell(len(kept), True)

    def _tell(self, count: int, stored: bool) -> None:
        """Tell those who have waited longest, and give their room back."""
        for _ in range(count):
            told = self._storing.popleft()
            self.room.give_back(told.size)
            if not told.stored.done():
                told.stored.set_result(stored)
