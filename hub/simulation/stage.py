"""The stage of a simulated city: its platforms and the hub in one process, speaking to each other without a network.

Every request goes through the real web applications of both sides, with real signatures; only the wires are missing. What
happens is played by whoever holds the stage: `bihuan demo --case`, `bihuan demo --city`, and tests.
"""

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import msgspec
from sqlalchemy import Connection, event

from hub.app import Hub
from hub.demo_household import Household
from hub.mirror import inbox, ledger
from hub.mirror.database import DatabaseUnavailable, SQLiteDatabase
from hub.parts import World
from hub.settings import load_settings
from hub.simulation.clock import simulated_now
from mocks.config import Config, Platforms, built_platforms, complete_settings

RESTS_FROM = 1800.0
"""Seconds of quiet over which the hub rests."""

HUB = "http://hub.simulated"
UNHURRIED: Mapping[str, str] = {
    "IDLE_SECONDS": "600",
    "WAITING_SECONDS": "3600",
    "SWEEP_SECONDS": "21600",
    "FULL_SWEEP_SECONDS": "21600",
    "SCORE_SECONDS": "21600",
    "SCORE_PATIENCE_SECONDS": "7200",
    "RESCUE_SECONDS": "900",
    "SEAL_SECONDS": "3600",
    "ECHO_SECONDS": "7200",
    "STALE_SECONDS": "86400",
    "DRIFT_SECONDS": "0",
    "FULL_READ_SECONDS": "0",
}
"""The hub's times where months pass: webhooks wake it at once, everything else looks now and then."""

QUIET_HOURS: Mapping[str, str] = {"quiet_from": "22:00", "quiet_until": "07:00"}


class NeverHappened(Exception):
    """What somebody waited for did not come in time; the message names it."""


@dataclass
class Stage:
    """Hub and platforms, running. Times are Beijing's or carry their zone; nothing here waits in real time."""

    hub: Hub
    platforms: Platforms
    household: Household
    wires: Mapping[str, "Wire"]
    """The way from the hub to each platform."""
    _client: httpx.AsyncClient = field(repr=False)
    _build: Callable[[], Hub] = field(repr=False)
    _gate: "_Gate" = field(repr=False)
    _opened: contextlib.AsyncExitStack = field(repr=False)
    _running: contextlib.AsyncExitStack = field(repr=False)

    async def stop(self) -> None:
        """End the hub's process in order: what it knows of calls that it cuts off is written. Nobody answers until `start`."""
        self._gate.behind = None
        await self._running.aclose()
        await self._opened.aclose()

    async def kill(self) -> None:
        """End the hub's process as a power failure does: from this moment on nothing is written, and nobody answers."""
        self._gate.behind = None
        if isinstance(self.hub.database, SQLiteDatabase):
            event.listen(self.hub.database.engine, "begin", _refuse)
        await self._running.aclose()
        await self._opened.aclose()

    def rebuilt(self) -> Hub:
        """Return a hub on the database that the one before it left: for a command that is run while none is up."""
        return self._build()

    async def start(self) -> None:
        """Start a new process of the hub on the database that the one before it left."""
        self.hub = self._build()
        await self.begin()

    async def begin(self) -> None:
        """Let the hub's first process answer and run."""
        self._gate.behind = httpx.ASGITransport(self.hub.web())
        await self._opened.enter_async_context(self.hub.opened())
        await self._running.enter_async_context(self.hub.running())

    async def until(self, moment: datetime) -> None:
        """Let time pass until a moment; return at once where it has passed.

        Where nothing is under way the hub rests meanwhile, as over a night in which nothing happens, and then looks at everything.
        """
        rest = (moment - simulated_now()).total_seconds()
        if rest < RESTS_FROM or await self.hub.database.read(_under_way):
            await asyncio.sleep(max(0.0, rest))
            return
        await self._running.aclose()
        await asyncio.sleep(rest)
        await self._running.enter_async_context(self.hub.running())

    async def seen(self, what: str, look: Callable[[], Any], within: float = 7200.0) -> Any:
        """Return what `look` finds as soon as it finds something; raise NeverHappened naming `what` after so many seconds."""
        for pause in _pauses(within):
            if found := look():
                return found
            await asyncio.sleep(pause)
        raise NeverHappened(f"{what}: not seen within {within:.0f} s; it is {simulated_now():%Y-%m-%d %H:%M}")

    async def settled(self, within: float = 86400.0, expected: Callable[[str], bool] = lambda key: False) -> None:
        """Return when nothing is owed and no delivery waits, `expected` obligations apart; raise NeverHappened naming what is."""
        for pause in _pauses(within):
            await asyncio.sleep(pause)
            left = [f"{key} {state}" for key, state, _ in await self.hub.database.read(ledger.open_keys) if not expected(key)]
            waiting = sum((await self.hub.database.read(inbox.waiting)).values())
            if not left and not waiting and not any(platform.callbacks.pending for platform in self.platforms):
                return
        raise NeverHappened(f"still owed after {within:.0f} s: {', '.join(left[:5])}{' ...' if len(left) > 5 else ''}")

    async def ask(self, query: str, **variables: Any) -> dict[str, Any]:
        """Return the data of a graph query, asked as a front end would; raise NeverHappened with its errors."""
        answer = (await self._client.post("/graphql", json={"query": query, "variables": variables})).json()
        if answer.get("errors"):
            raise NeverHappened(f"the graph refused: {'; '.join(error['message'] for error in answer['errors'])}")
        data: dict[str, Any] = answer["data"]
        return data

    async def counted(self, query: str, within: float = 7200.0) -> dict[str, Any]:
        """Return the data of a query of `statistics { uncounted ... }` once every change has been counted."""
        for pause in _pauses(within):
            data = await self.ask(query)
            if not data["statistics"]["uncounted"]:
                return data
            await asyncio.sleep(pause)
        raise NeverHappened(f"statistics: not everything was counted within {within:.0f} s")


def _refuse(_connection: Connection) -> None:
    raise DatabaseUnavailable("the process was killed")


def _under_way(connection: Connection) -> bool:
    return any(state in {"DUE", "LEASED", "SENT"} and count for (_, state), count in ledger.backlog(connection).items())


def _pauses(within: float) -> list[float]:
    """Return pauses that add up to `within`: short ones first, so that what comes soon is seen soon."""
    pauses, total, pause = list[float](), 0.0, 1.0
    while total < within:
        pauses.append(min(pause, within - total))
        total += pauses[-1]
        pause = min(pause * 1.5, 600.0)
    return pauses


@contextlib.asynccontextmanager
async def staged(folder: Path, seed: int, poll_seconds: float = 600.0, **settings: str) -> AsyncIterator[Stage]:
    """Run hub and platforms in the running simulated loop, their files in `folder`; `settings` are the hub's, without HUB_."""
    household = Household.of(folder)
    given = household.platforms_config(HUB, seed) | {"data_dir": None, "time_scale": 1.0}
    given["sms"] |= QUIET_HOURS
    gate = _Gate()
    platforms = built_platforms(
        complete_settings(msgspec.convert(given, Config)), clock=simulated_now, sleep=asyncio.sleep, seed=seed, transport=gate
    )
    urls = {platform.name: f"http://{platform.name}.simulated" for platform in platforms}
    own = {
        **UNHURRIED,
        "APPROVAL_HISTORY_SINCE": "2019-01-01",
        **{f"SMS_{name.upper()}": at for name, at in QUIET_HOURS.items()},
        **{f"{name.upper()}_POLL_SECONDS": f"{poll_seconds}" for name in urls},
    }
    environment = household.environment(urls) | {f"HUB_{name}": value for name, value in {**own, **settings}.items()}
    wires = {platform.name: Wire(httpx.ASGITransport(platform.app)) for platform in platforms}
    loaded, chance = load_settings(environment), random.Random(seed)

    def build() -> Hub:
        return Hub(loaded, World(simulated_now, asyncio.sleep, random.Random(chance.random()), wires, inline_database=True))

    key = {"x-api-key": household.secrets["api_key"]}
    async with contextlib.AsyncExitStack() as stack:
        for platform in platforms:
            await platform.start()
            stack.push_async_callback(platform.stop)
        opened, running = contextlib.AsyncExitStack(), contextlib.AsyncExitStack()
        await stack.enter_async_context(opened)
        await stack.enter_async_context(running)
        client = await stack.enter_async_context(httpx.AsyncClient(transport=gate, base_url=HUB, headers=key, timeout=60))
        stage = Stage(build(), platforms, household, wires, client, build, gate, opened, running)
        await stage.begin()
        yield stage


class Wire(httpx.AsyncBaseTransport):
    """The way from the hub to one platform, which may be listened to for a word that must never pass."""

    def __init__(self, behind: httpx.AsyncBaseTransport) -> None:
        self.behind = behind
        """Where requests go on; whoever holds the stage may put something in between."""
        self.listens_for: bytes | None = None
        self.heard = 0
        """How many requests held the word."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Pass a request on."""
        if self.listens_for is not None:
            self.heard += self.listens_for in request.url.raw_path or self.listens_for in request.content
        return await self.behind.handle_async_request(request)


class _Gate(httpx.AsyncBaseTransport):
    """The way to the hub; the platforms are built before there is one."""

    def __init__(self) -> None:
        self.behind: httpx.AsyncBaseTransport | None = None

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Pass a request on; raise ConnectError while there is no hub."""
        if self.behind is None:
            raise httpx.ConnectError("the hub is not there yet", request=request)
        return await self.behind.handle_async_request(request)
