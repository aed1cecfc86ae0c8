"""The enforcement platform's webhooks: events gathered into batches, answered one by one, put together anew when repeated."""

import random
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Final

import httpx
import msgspec

from mocks.callbacks import Callbacks, Sending, Sleep
from mocks.store import Document

_PAUSE: Final = 5 * 60.0  # enforcement.md: repeated every 5 minutes
_ROUNDS: Final = 24 * 12  # ... for 24 hours
_ANSWER_WITHIN: Final = 10.0


class _Rejected(msgspec.Struct, frozen=True):
    event_id: str = msgspec.field(name="eventId")
    reason: str


class _Answer(msgspec.Struct, frozen=True):
    """Both lists must be present; any other shape counts as no answer."""

    accepted: list[str]
    rejected: list[_Rejected]


class _Waiting(msgspec.Struct, frozen=True):
    event: Document
    round: int


class EventBatches:
    """Holds the events that the hub has not taken yet and sends them, up to `limit` at a time.

    `gather_seconds` is how long a first event waits for company. Counters: `events.made`, `events.accepted`,
    `events.rejected`, `events.repeated`, `events.given_up`, `batches.sent`.
    """

    def __init__(
        self,
        callbacks: Callbacks,
        *,
        prepare: Callable[[Sequence[Document]], Sending],
        counters: Counter[str],
        sleep: Sleep,
        rng: random.Random,
        limit: int = 100,
        gather_seconds: float = 0.02,
    ) -> None:
        """`prepare` makes one signed request, with a new batchId, of some events."""
        self._callbacks = callbacks
        self._prepare = prepare
        self._counters = counters
        self._sleep = sleep
        self._rng = rng
        self._limit = limit
        self._gather_seconds = gather_seconds
        self._ready: list[_Waiting] = []
        self._pumping = False

    def add(self, event: Document) -> None:
        """Send an event with the next batch."""
        self._counters["events.made"] += 1
        self._callbacks.spawn(self._enter(_Waiting(event, 0)))

    async def _enter(self, waiting: _Waiting) -> None:
        await self._callbacks.shuffle()
        self._ready.append(waiting)
        if not self._pumping:
            self._pumping = True
            await self._pump()

    async def _pump(self) -> None:
        try:
            while self._ready:
                await self._sleep(self._gather_seconds)
                if any(waiting.round for waiting in self._ready):
                    # what is repeated finds itself in other company and in another order
                    self._rng.shuffle(self._ready)
                batch, self._ready = self._ready[: self._limit], self._ready[self._limit :]
                await self._send(batch)
        finally:
            self._pumping = False

    async def _send(self, batch: list[_Waiting]) -> None:
        self._counters["batches.sent"] += 1
        events = [waiting.event for waiting in batch]
        answer = _parsed(await self._callbacks.post(lambda: self._prepare(events), within=_ANSWER_WITHIN))
        accepted = set() if answer is None else set(answer.accepted)
        rejected = set() if answer is None else {one.event_id for one in answer.rejected}
        for waiting in batch:
            event_id = waiting.event["eventId"]
            if event_id in accepted:
                self._counters["events.accepted"] += 1
            elif event_id in rejected:
                self._counters["events.rejected"] += 1
            elif waiting.round >= _ROUNDS:
                self._counters["events.given_up"] += 1
            else:
                self._callbacks.spawn(self._again(waiting))

    async def _again(self, waiting: _Waiting) -> None:
        await self._sleep(_PAUSE * self._callbacks.time_scale)
        self._counters["events.repeated"] += 1
        await self._enter(_Waiting(waiting.event, waiting.round + 1))


def _parsed(response: httpx.Response | None) -> _Answer | None:
    if response is None or response.status_code != 200:
        return None
    try:
        return msgspec.json.decode(response.content, type=_Answer)
    except msgspec.MsgspecError:
        return None
