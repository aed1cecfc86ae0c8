"""A network between hub and platforms that loses, delays and refuses, and is cut for a while. All by one random source.

A request that its sender gave up may still arrive, within 30 s (the platforms' common rules); an answer may come too late or never.
"""

import asyncio
import json
import random
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import httpx

from hub.simulation.clock import simulated_now
from hub.simulation.network import Exchange, Network
from tests.chaos.trace import short

DROPPED_SECONDS = 30.0
"""An unanswered call was carried out by then, or never will be."""


class Roughness(NamedTuple):
    """What befalls the requests of one way; shares from 0 to 1, seconds."""

    slow: float = 0.0
    """Each request, and each answer, takes up to this long."""
    lost: float = 0.0
    """Share of requests that never arrive, and of answers."""
    late: float = 0.0
    """Share of requests that arrive after their sender has given up."""
    cut_off: float = 0.0
    """Share of calls whose connection breaks: before the request arrives, or after."""
    refused: float = 0.0
    """Share of calls that a gateway refuses for now, with a word on when to come again."""


class Cut(NamedTuple):
    """A way is cut between two moments (seconds since the beginning): refused at once, or silent."""

    way: str
    begins: float
    ends: float
    silent: bool


class _Fate(NamedTuple):
    """What befalls one request, drawn when it is sent."""

    there: float
    back: float
    end: str | None


class RoughNetwork(Network):
    """The network of a swarm. `calm` ends all faults."""

    def __init__(self, rng: random.Random, ways: Mapping[str, Roughness], cuts: Sequence[Cut], note: Callable[[str], None]) -> None:
        super().__init__()
        self._rng = rng
        self._ways = ways
        self._cuts = cuts
        self._note = note
        self._number = 0
        self._begins = simulated_now()
        self.sent: dict[str, list[float]] = {}
        """Way -> when each request left, in seconds since the beginning."""

    def calm(self) -> None:
        """From now on everything arrives at once."""
        self._ways, self._cuts = {}, ()

    async def carry(self, way: str, request: httpx.Request, behind: Exchange) -> httpx.Response:
        """Bring a request to the other side, or not; its fate is drawn now."""
        self._number += 1
        number, passed = self._number, (simulated_now() - self._begins).total_seconds()
        self.sent.setdefault(way, []).append(passed)
        self._note(f"{number} {way} {request.method} {request.url.raw_path.decode()} {short(request.content)}")
        try:
            answer = await self._carried(way, request, behind, self._fate(way, passed))
            await answer.aread()
        except httpx.TransportError as error:
            self._note(f"{number} {type(error).__name__}")
            raise
        except asyncio.CancelledError:
            self._note(f"{number} given up")
            raise
        self._note(f"{number} {answer.status_code} {short(answer.content)}")
        return answer

    def _fate(self, way: str, passed: float) -> _Fate:
        for cut in self._cuts:
            if cut.way == way and cut.begins <= passed < cut.ends:
                return _Fate(0.0, 0.0, "silence" if cut.silent else "no connection")
        rough, rng = self._ways.get(way), self._rng
        if rough is None:
            return _Fate(0.0, 0.0, None)
        there, back = rng.uniform(0, rough.slow), rng.uniform(0, rough.slow)
        if rng.random() < rough.late:
            return _Fate(rng.uniform(8.0, DROPPED_SECONDS - 1.0), back, None)
        for end, share in (("lost", rough.lost), ("unheard", rough.lost), ("broken", rough.cut_off), ("refused", rough.refused)):
            if rng.random() < share:
                return _Fate(there, back, "cut before" if end == "broken" and rng.random() < 0.5 else end)
        return _Fate(there, back, None)

    async def _carried(self, way: str, request: httpx.Request, behind: Exchange, fate: _Fate) -> httpx.Response:
        if fate.end == "no connection":
            raise httpx.ConnectError("the way is cut", request=request)
        if fate.end in {"silence", "lost"}:
            await _nothing(request)
        if fate.end == "cut before":
            await asyncio.sleep(fate.there)
            raise httpx.WriteError("the connection broke", request=request)
        if fate.end == "refused":
            await asyncio.sleep(fate.there)
            return _not_now(way, self._rng)

        async def arriving(request: httpx.Request) -> httpx.Response:
            await asyncio.sleep(fate.there)
            return await behind(request)

        answer = await self.deliver(request, arriving)
        await asyncio.sleep(fate.back)
        if fate.end == "unheard":
            await _nothing(request)
        if fate.end == "broken":
            raise httpx.ReadError("the connection broke", request=request)
        return answer


async def _nothing(request: httpx.Request) -> None:
    """Nothing comes: the sender's own patience ends it."""
    await asyncio.sleep(300.0)
    raise httpx.ReadTimeout("nothing came", request=request)


def _not_now(way: str, rng: random.Random) -> httpx.Response:
    """Return the word of a gateway that is overrun: nothing was done (the platforms' pages, by platform)."""
    wait = rng.choice((1, 3, 20))
    if way == "hub>approval":
        body = {"code": "42901", "msg": "too many calls", "data": {"retryAfterMs": wait * 1000}}
        return httpx.Response(200, json=body)
    if way == "hub>enforcement":
        return httpx.Response(429, headers={"X-RateLimit-Reset": str(wait)}, text="<html>slow down</html>")
    if way == "hub>credit":
        status, problem = rng.choice((429, 503)), json.dumps({"type": "about:blank", "title": "not now"})
        return httpx.Response(status, headers={"Retry-After": str(wait), "content-type": "application/problem+json"}, text=problem)
    return httpx.Response(503, headers={"Retry-After": str(wait)}, text="<html>busy</html>")
