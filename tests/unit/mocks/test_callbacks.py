"""Deliveries of the mock platforms."""

import asyncio
import random
from collections import Counter
from collections.abc import Callable

import httpx
import pytest

from mocks.callbacks import Callbacks, Sending
from mocks.faults import Faults


class Wire:
    """A hub for callbacks: counts what arrives and answers with the statuses laid ready, then 200."""

    def __init__(self, *statuses: int | Exception) -> None:
        self.bodies: list[bytes] = []
        self.slept: list[float] = []
        self.counters: Counter[str] = Counter()
        self._statuses = list(statuses)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.bodies.append(request.content)
        status = self._statuses.pop(0) if self._statuses else 200
        if isinstance(status, Exception):
            raise status
        return httpx.Response(status)

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        await asyncio.sleep(0)

    def callbacks(self, faults: Callable[[], Faults] = Faults, time_scale: float = 1.0) -> Callbacks:
        return Callbacks(
            faults=faults,
            counters=self.counters,
            rng=random.Random(7),
            sleep=self.sleep,
            time_scale=time_scale,
            transport=httpx.MockTransport(self),
        )


def deliver(callbacks: Callbacks) -> None:
    callbacks.deliver(
        lambda attempt: Sending("http://hub/x", {}, str(attempt).encode()),
        schedule=(60.0, 300.0),
        acknowledged=lambda answer: answer.status_code == 200,
        within=5.0,
        last=lambda answer: answer.status_code == 410,
    )


async def test_a_delivery_is_made_anew_for_each_attempt_on_a_scaled_schedule() -> None:
    wire = Wire(500, httpx.ReadTimeout("slow"))
    callbacks = wire.callbacks(time_scale=0.1)
    deliver(callbacks)
    await callbacks.settled()
    assert wire.bodies == [b"0", b"1", b"2"]
    assert wire.slept == [6.0, 30.0]
    assert (wire.counters["callbacks.unanswered"], wire.counters["callbacks.acknowledged"]) == (1, 1)
    await callbacks.aclose()


@pytest.mark.parametrize(("statuses", "sent"), [((500, 500, 500, 500), 3), ((410,), 1)])
async def test_a_delivery_is_given_up(statuses: tuple[int, ...], sent: int) -> None:
    wire = Wire(*statuses)
    callbacks = wire.callbacks()
    deliver(callbacks)
    await callbacks.settled()
    assert (len(wire.bodies), wire.counters["callbacks.given_up"], callbacks.pending) == (sent, 1, 0)
    await callbacks.aclose()


@pytest.mark.parametrize(
    ("faults", "bodies"),
    [
        (Faults(callbacks_lost=1), []),
        (Faults(callbacks_doubled=1), [b"0", b"0"]),
        (Faults(callbacks_off=True), []),
    ],
)
async def test_faults_lose_double_and_suppress_deliveries(faults: Faults, bodies: list[bytes]) -> None:
    wire = Wire()
    callbacks = wire.callbacks(lambda: faults)
    deliver(callbacks)
    await callbacks.settled()
    assert wire.bodies == bodies
    await callbacks.aclose()


async def test_shuffled_callbacks_begin_after_a_random_delay() -> None:
    wire = Wire()
    callbacks = wire.callbacks(lambda: Faults(callbacks_shuffled=5))
    deliver(callbacks)
    await callbacks.settled()
    (delay,) = wire.slept
    assert 0 < delay < 5
    await callbacks.aclose()


def test_a_delivery_asked_for_before_a_loop_runs_waits_for_the_start() -> None:
    wire = Wire()
    callbacks = wire.callbacks()
    deliver(callbacks)
    assert callbacks.pending == 1

    async def run() -> None:
        await callbacks.start()
        await callbacks.settled()
        await callbacks.aclose()

    asyncio.run(run())
    assert wire.bodies == [b"0"]
