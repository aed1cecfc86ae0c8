"""A simulated city whose mirror grows old: the hub rests and hears nothing, and its wires can be held or lied on."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from hub.simulation.clock import in_simulated_time
from hub.simulation.stage import Stage, staged
from tests.settable_clock import START

ERROR = ("code", "platform", "retryable", "reason", "records")


@dataclass
class LiveWire(httpx.AsyncBaseTransport):
    """The way to a platform: notes what goes to where, may hang, answer something else, or keep on telling the past."""

    behind: httpx.AsyncBaseTransport
    sent: list[tuple[str, bytes]] = field(default_factory=list)
    hangs: bool = False
    answers: Callable[[], httpx.Response] | None = None
    takes: float = 0.0
    """Seconds of each call."""
    remembers: dict[bytes, httpx.Response] | None = None
    """Answers that are given once more to equal questions."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        body = await request.aread()
        self.sent.append((request.url.raw_path.decode(), body))
        if self.hangs:
            await asyncio.Event().wait()
        await asyncio.sleep(self.takes)
        if self.answers is not None:
            return self.answers()
        if self.remembers is None:
            return await self.behind.handle_async_request(request)
        question = request.url.raw_path + body
        if question not in self.remembers:
            self.remembers[question] = await self.behind.handle_async_request(request)
            await self.remembers[question].aread()
        before = self.remembers[question]
        return httpx.Response(before.status_code, headers=before.headers, content=before.content)

    def calls(self, to: str) -> int:
        """Return how many calls went to an address, or held a word, since `forget`."""
        return sum(to in path or to.encode() in body for path, body in self.sent)


@dataclass
class LiveCity:
    """The stage and its wires; `answer` asks the graph."""

    stage: Stage
    wires: dict[str, LiveWire]

    async def grow_old(self, seconds: float = 600.0) -> None:
        """Let the city settle, the hub rest (it answers, and does nothing else), and time pass; forget which calls were made."""
        await asyncio.sleep(60)
        await self.stage.settled()
        for process in self.stage.processes:
            await process.rest()
        for platform in self.stage.platforms:
            platform.faults = platform.faults.changed({"callbacks_off": True})
        await asyncio.sleep(seconds)
        for wire in self.wires.values():
            wire.sent.clear()

    async def answer(self, query: str, **variables: Any) -> tuple[dict[str, Any], list[tuple[Any, ...]], float]:
        """Return data, errors as (path, code, platform, retryable, ...), and the seconds that it took."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        told = await self.stage.answer(query, **variables)
        errors = [
            (error["path"], *(error["extensions"][name] for name in ERROR if name in error["extensions"]))
            for error in told.get("errors", ())
        ]
        return told["data"], errors, round(loop.time() - began, 3)

    async def data(self, query: str, **variables: Any) -> dict[str, Any]:
        """Return the data of an answer that has to be without errors."""
        data, errors, _ = await self.answer(query, **variables)
        assert errors == []
        return data


@contextlib.asynccontextmanager
async def live_city(folder: Path, **settings: str) -> AsyncIterator[LiveCity]:
    async with staged(folder, 7, 60.0, **settings) as stage:
        wires = {name: LiveWire(wire.behind) for name, wire in stage.wires.items()}
        for name, wire in stage.wires.items():
            wire.behind = wires[name]
        yield LiveCity(stage, wires)


def played(folder: Path, story: Callable[[LiveCity], Awaitable[None]], **settings: str) -> None:
    """Play a story in simulated time."""

    async def play() -> None:
        async with live_city(folder, **settings) as city:
            await story(city)

    work: Coroutine[Any, Any, None] = play()
    in_simulated_time(work, START)
