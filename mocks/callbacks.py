"""Outgoing deliveries of a mock platform: signed anew at each repetition, repeated as the page says, then given up."""

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import TypeAlias

import httpx
import msgspec

from mocks.faults import Faults

Sleep: TypeAlias = Callable[[float], Awaitable[None]]


class Sending(msgspec.Struct, frozen=True):
    """One signed HTTP request to the hub."""

    url: str
    headers: dict[str, str]
    content: bytes


Prepare: TypeAlias = Callable[[int], Sending]
"""Makes the n-th attempt (from 0): called at the moment of sending, so that time, nonce and signature are fresh."""
Acknowledged: TypeAlias = Callable[[httpx.Response], bool]


class Callbacks:
    """Sends and repeats; knows nothing of what is sent.

    Counters are kept under `callbacks.*`: begun, sent, lost, doubled, acknowledged, unanswered (no connection or no
    answer in time), refused (an answer that is no acknowledgement), given_up, suppressed (while callbacks are off).
    """

    def __init__(
        self,
        *,
        faults: Callable[[], Faults],
        counters: Counter[str],
        rng: random.Random,
        sleep: Sleep,
        time_scale: float = 1.0,
        transport: httpx.AsyncBaseTransport | None = None,
        at_once: int = 16,
    ) -> None:
        self._faults = faults
        self._counters = counters
        self._rng = rng
        self._sleep = sleep
        self.time_scale = time_scale
        # The hub is on this machine or a configured address: proxies of the environment have no say.
        self._client = httpx.AsyncClient(transport=transport, trust_env=False)
        self._slots = asyncio.Semaphore(at_once)
        self._tasks: set[asyncio.Task[None]] = set()
        self._backlog: list[Awaitable[None]] = []

    @property
    def pending(self) -> int:
        """How many deliveries are neither acknowledged nor given up."""
        return len(self._tasks) + len(self._backlog)

    def deliver(
        self,
        prepare: Prepare,
        *,
        schedule: Sequence[float],
        acknowledged: Acknowledged,
        within: float,
        last: Callable[[httpx.Response], bool] | None = None,
    ) -> None:
        """Begin a delivery: one attempt now, one more after each pause of the schedule (seconds, before `time_scale`);
        the hub has `within` seconds for each answer.

        Ends at the first acknowledged answer, at one for which `last` is true (nothing further, by the platform's rules),
        or when the schedule is used up. May be called with no event loop running: it then waits for `start`.
        """
        if self._faults().callbacks_off:
            self._counters["callbacks.suppressed"] += 1
            return
        self._counters["callbacks.begun"] += 1
        self.spawn(self._repeat(prepare, schedule, acknowledged, within, last))

    def spawn(self, work: Awaitable[None]) -> None:
        """Run work beside everything else, now or, with no event loop running, at `start`; `aclose` ends it."""
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            self._backlog.append(work)
            return
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def start(self) -> None:
        """Begin what was asked for before an event loop ran."""
        backlog, self._backlog = self._backlog, []
        for work in backlog:
            self.spawn(work)

    async def _repeat(
        self,
        prepare: Prepare,
        schedule: Sequence[float],
        acknowledged: Acknowledged,
        within: float,
        last: Callable[[httpx.Response], bool] | None,
    ) -> None:
        await self.shuffle()
        for attempt, pause in enumerate((0.0, *schedule)):
            if pause:
                await self._sleep(pause * self.time_scale)
            answer = await self.post(partial(prepare, attempt), within=within)
            if answer is None:
                continue
            if acknowledged(answer):
                self._counters["callbacks.acknowledged"] += 1
                return
            self._counters["callbacks.refused"] += 1
            if last is not None and last(answer):
                break
        self._counters["callbacks.given_up"] += 1

    async def shuffle(self) -> None:
        """Wait the random delay that the faults ask for."""
        delay = self._faults().callbacks_shuffled
        if delay:
            await self._sleep(self._rng.uniform(0, delay))

    async def post(self, make: Callable[[], Sending], *, within: float) -> httpx.Response | None:
        """Send once, subject to the faults; return the answer, or None where there was none within so many seconds."""
        async with self._slots:
            faults = self._faults()
            while faults.outage:
                await self._sleep(0.05)
                faults = self._faults()
            if faults.callbacks_lost and self._rng.random() < faults.callbacks_lost:
                self._counters["callbacks.lost"] += 1
                return None
            sending = make()
            answer = await self._send(sending, within)
            if faults.callbacks_doubled and self._rng.random() < faults.callbacks_doubled:
                self._counters["callbacks.doubled"] += 1
                second = await self._send(sending, within)
                answer = answer if second is None else second
            return answer

    async def _send(self, sending: Sending, within: float) -> httpx.Response | None:
        self._counters["callbacks.sent"] += 1
        try:
            async with asyncio.timeout(within):  # httpx's own timeouts are for each step, the page's is for the whole
                return await self._client.post(sending.url, headers=sending.headers, content=sending.content, timeout=within)
        except (httpx.HTTPError, TimeoutError):
            self._counters["callbacks.unanswered"] += 1
            return None

    def drop(self) -> None:
        """Give up every other delivery that is under way or pending; the one that calls this goes on to its own end."""
        current = asyncio.current_task()
        for task in self._tasks:
            if task is not current:
                task.cancel()

    async def settled(self) -> None:
        """Wait until every delivery is acknowledged or given up (for tests with a scaled schedule or a fake sleep)."""
        while self._tasks:
            await asyncio.gather(*self._tasks)

    async def aclose(self) -> None:
        """Drop what is pending and close the connections."""
        await self.start()  # a coroutine that never ran would complain
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._client.aclose()
