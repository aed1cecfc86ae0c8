"""Platforms that do what they are asked and do not say so: the worst that their pages allow of calls without a known outcome.

An unanswered call has been carried out or dropped 30 s after it was sent (platforms/README.md): so some are carried out at once and
never answered, some late, after the caller gave up, and some not at all; some are answered 504 by a gateway meanwhile; others are
answered just before the deadline. Reads pass untouched. The self-governance system is a database: there commits lose their answer.
"""

import asyncio
import random
import re
from collections import Counter
from collections.abc import Callable, Coroutine, Mapping
from typing import Any

import httpx
from sqlalchemy import Connection
from sqlalchemy.exc import OperationalError

from connectors.selfgov import SelfgovConnector
from connectors.selfgov_sessions import Commitment, Sessions
from hub.simulation.stage import Stage

UNKNOWN_SHARE = 0.3
DROPPED_SHARE = 0.05
SLOW_SHARE = 0.1
CARRIED_OUT_AFTER = 30.0
"""Seconds after which nobody carries an unanswered call out any more."""
DEADLINE = 10.0
"""Of the hub, seconds; a slow answer comes before it."""
NEVER = 86400.0
WAKES = (1.0, 3.0, 11.0, 13.0, 17.0, 22.0, 28.0)
"""Seconds after an unknown outcome at which the hub is woken: whoever repeats too early is caught, however rarely it looks."""

METHOD = re.compile(rb"<method>(\w+)</method>")
CREATES: Mapping[str, Callable[[httpx.Request], bool]] = {
    "approval": lambda request: request.url.path in {"/api/hmd/add", "/api/hcjg/push"},
    "credit": lambda request: request.url.path.startswith("/v2/") and request.method != "GET",
    "grid": lambda request: (found := METHOD.search(request.content)) is not None and not found[1].startswith((b"Query", b"Get")),
    "enforcement": lambda request: request.method != "GET",
    "sms": lambda request: request.url.path == "/send",
}
"""Which requests make or change something, by platform."""


class Silence:
    """What was done to the calls of one city; `counts` are creations by platform, and what became of them."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(f"silence {seed}")
        self.creations: Counter[str] = Counter()
        self.fates: Counter[str] = Counter()
        self.wake: Callable[[], None] = lambda: None
        self._running = set[asyncio.Task[None]]()

    def falls_on(self, stage: Stage) -> None:
        """Put it between the hub and all six platforms."""
        self.wake = stage.hub.worker.wake
        for name, wire in stage.wires.items():
            if name in CREATES:
                wire.behind = SilentWire(wire.behind, CREATES[name], self, name)
        selfgov = stage.hub.connectors["selfgov"]
        assert isinstance(selfgov, SelfgovConnector)
        selfgov.database.sessions = SilentSessions(selfgov.database.sessions, self)

    def fate(self, platform: str) -> str:
        """Draw what becomes of a creation, and count it."""
        self.creations[platform] += 1
        drawn = self.rng.random()
        fate = "answered"
        if drawn < UNKNOWN_SHARE:
            fate = self.rng.choice(("done, silent", "done late, silent", "done, 504", "done late, 504"))
        elif drawn < UNKNOWN_SHARE + DROPPED_SHARE:
            fate = self.rng.choice(("dropped, silent", "dropped, 504"))
        elif drawn < UNKNOWN_SHARE + DROPPED_SHARE + SLOW_SHARE:
            fate = "slow"
        self.fates[fate] += 1
        if fate not in {"answered", "slow"}:
            self._run(self._tempt())
        return fate

    async def _tempt(self) -> None:
        for before, after in zip((0.0, *WAKES), WAKES, strict=False):
            await asyncio.sleep(after - before)
            self.wake()

    def _run(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    @property
    def unknown(self) -> int:
        """Return how many creations were carried out and never heard of."""
        return sum(count for fate, count in self.fates.items() if fate.startswith("done"))


class SilentWire(httpx.AsyncBaseTransport):
    """The way to one platform."""

    def __init__(
        self, behind: httpx.AsyncBaseTransport, creates: Callable[[httpx.Request], bool], silence: Silence, name: str
    ) -> None:
        self._behind, self._creates, self._silence, self._name = behind, creates, silence, name
        self._late = set[asyncio.Task[object]]()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Pass a request on, now, later or never; tell of it or not."""
        await request.aread()
        fate = self._silence.fate(self._name) if self._creates(request) else "answered"
        rng = self._silence.rng
        if fate in {"answered", "slow"}:
            answer = await self._behind.handle_async_request(request)
            await asyncio.sleep(rng.uniform(0, DEADLINE * 0.9) if fate == "slow" else 0)
            return answer
        if fate.startswith("done"):
            delay = rng.uniform(0, CARRIED_OUT_AFTER * 0.99) if "late" in fate else 0.0
            self._carry_out(request, delay)
        if fate.endswith("504"):
            await asyncio.sleep(rng.uniform(0, DEADLINE * 0.9))
            return httpx.Response(504, content=b"<html>Gateway Time-out</html>", request=request)
        await asyncio.sleep(NEVER)
        raise httpx.ReadTimeout("nobody ever answered", request=request)

    def _carry_out(self, request: httpx.Request, delay: float) -> None:
        async def work() -> None:
            await asyncio.sleep(delay)
            answer = await self._behind.handle_async_request(request)
            await answer.aread()

        task: asyncio.Task[object] = asyncio.create_task(work(), name=f"late:{self._name}")
        self._late.add(task)
        task.add_done_callback(self._late.discard)


class SilentSessions(Sessions):
    """Commits to the exchange database whose answer is lost."""

    def __init__(self, behind: Sessions, silence: Silence) -> None:
        self._behind, self._silence = behind, silence

    async def run(self, work: Callable[[Connection], Any], commitment: Commitment | None) -> Any:
        """Run a transaction; of one that writes the answer to the commit may be lost, after it was carried out."""
        if commitment is None:
            return await self._behind.run(work, None)
        fate = self._silence.fate("selfgov")
        if fate.startswith("dropped"):
            raise OperationalError("BEGIN", {}, ConnectionError("the connection was refused"))
        result = await self._behind.run(work, commitment)
        if fate.startswith("done"):
            raise OperationalError("COMMIT", {}, ConnectionError("the connection was lost while a commit was answered"))
        return result

    async def close(self) -> None:
        """Close what is behind."""
        await self._behind.close()
