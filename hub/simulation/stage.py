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
from sqlalchemy import Connection

from hub.app import Hub
from hub.demo_household import Household
from hub.mirror import inbox, ledger
from hub.parts import World
from hub.settings import load_settings
from hub.simulation.clock import simulated_now
from hub.simulation.disk import Disk, SimulatedDatabase
from hub.simulation.mortality import Mortality
from hub.simulation.network import Door, Exchange, MortalWire, Network, Wire
from hub.simulation.process import Process
from hub.tracing import Tracing
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
    "ALERT_SECONDS": "3600",
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

    processes: list[Process]
    """The processes of the hub, on one disk; as a rule one."""
    platforms: Platforms
    household: Household
    wires: Mapping[str, Wire]
    """The way from the hub to each platform."""
    _client: httpx.AsyncClient = field(repr=False)
    _build: Callable[[], Process] = field(repr=False)

    @property
    def hub(self) -> Hub:
        """The hub's first process."""
        return self.processes[0].hub

    async def stop(self, number: int = 0) -> None:
        """End a process in order: what it knows of calls that it cuts off is written. It does not answer until `start`."""
        await self.processes[number].stop()

    async def kill(self, number: int = 0) -> None:
        """End a process as a power failure does: from this moment on it writes and sends nothing, and does not answer."""
        await self.processes[number].kill()

    def rebuilt(self) -> Hub:
        """Return a hub on the database that the one before it left: for a command that is run while none is up."""
        return self._build().hub

    async def start(self, number: int = 0) -> None:
        """Start a new process in the place of one that ended, on the database that it left."""
        self.processes[number] = self._build()
        await self.processes[number].begin()

    async def until(self, moment: datetime) -> None:
        """Let time pass until a moment; return at once where it has passed.

        Where nothing is under way the hub rests meanwhile, as over a night in which nothing happens, and then looks at everything.
        """
        rest = (moment - simulated_now()).total_seconds()
        if rest < RESTS_FROM or await self.hub.database.read(_under_way):
            await asyncio.sleep(max(0.0, rest))
            return
        resting = [process for process in self.processes if process.answers]
        for process in resting:
            await process.rest()
        await asyncio.sleep(rest)
        for process in resting:
            await process.work()

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

    async def answer(self, query: str, **variables: Any) -> dict[str, Any]:
        """Return the whole answer of the graph, errors and data."""
        told: dict[str, Any] = (await self._client.post("/graphql", json={"query": query, "variables": variables})).json()
        return told

    async def ask(self, query: str, **variables: Any) -> dict[str, Any]:
        """Return the data of a graph query, asked as a front end would; raise NeverHappened with its errors."""
        answer = await self.answer(query, **variables)
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


@dataclass(frozen=True)
class Ground:
    """What a stage stands on: its network, the disk, how many processes share it, when they die, who hears of each commit."""

    network: Network = field(default_factory=Network)
    disk: Disk | None = None
    """Without one the hub's database is a file, `hub.db` in the stage's folder, and of one process."""
    processes: int = 1
    dies: Callable[[str], bool] | None = None
    wrote: Callable[[str], None] = lambda work: None
    refuses: Callable[[], bool] = lambda: False
    """Whether a transaction fails now."""
    wires: Mapping[str, httpx.AsyncBaseTransport] = field(default_factory=dict)
    """Ways of the hub to others than the platforms: `alerts`."""
    tracing: Tracing | None = None
    """Where traces go."""


@contextlib.asynccontextmanager
async def staged(folder: Path, seed: int, poll_seconds: float = 600.0, **settings: str) -> AsyncIterator[Stage]:
    """Run hub and platforms in the running simulated loop, their files in `folder`; `settings` are the hub's, without HUB_."""
    async with staged_on(Ground(), folder, seed, poll_seconds, **settings) as stage:
        yield stage


@contextlib.asynccontextmanager
async def staged_on(ground: Ground, folder: Path, seed: int, poll_seconds: float, **settings: str) -> AsyncIterator[Stage]:
    """Do as `staged`, on another network or disk, with more processes, or with such as die."""
    household = Household.of(folder)
    given = household.platforms_config(HUB, seed) | {"data_dir": None, "time_scale": 1.0}
    given["sms"] |= QUIET_HOURS
    door = Door(ground.network)
    platforms = built_platforms(
        complete_settings(msgspec.convert(given, Config)), clock=simulated_now, sleep=asyncio.sleep, seed=seed, transport=door
    )
    urls = {platform.name: f"http://{platform.name}.simulated" for platform in platforms}
    own = {
        **UNHURRIED,
        "APPROVAL_HISTORY_SINCE": "2019-01-01",
        **{f"SMS_{name.upper()}": at for name, at in QUIET_HOURS.items()},
        **{f"{name.upper()}_POLL_SECONDS": f"{poll_seconds}" for name in urls},
    }
    environment = household.environment(urls) | {f"HUB_{name}": value for name, value in {**own, **settings}.items()}
    wires = {platform.name: Wire(platform.name, httpx.ASGITransport(platform.app), ground.network) for platform in platforms}
    loaded, chance = load_settings(environment), random.Random(seed)

    def build() -> Process:
        mortality = Mortality(ground.dies)
        own_wires = {name: MortalWire(wire, mortality) for name, wire in wires.items()}
        rng = random.Random(chance.random())
        ways = {**own_wires, **ground.wires}
        world = World(
            simulated_now,
            asyncio.sleep,
            rng,
            ways,
            inline_database=True,
            tracing=ground.tracing,
            database=_database(ground, mortality),
        )
        return Process(Hub(loaded, world), mortality)

    async with contextlib.AsyncExitStack() as stack:
        stack.push_async_callback(ground.network.close)
        for platform in platforms:
            await platform.start()
            stack.push_async_callback(platform.stop)
        key = {"x-api-key": household.secrets["api_key"]}
        client = await stack.enter_async_context(httpx.AsyncClient(transport=door, base_url=HUB, headers=key, timeout=60))
        stage = Stage([build() for _ in range(ground.processes)], platforms, household, wires, client, build)

        def choose() -> Exchange | None:
            living = [process for process in stage.processes if process.answers]
            return chance.choice(living).answer if living else None

        door.choose = choose
        for process in stage.processes:
            await process.begin()
        try:
            yield stage
        finally:
            for process in stage.processes:
                await process.stop()


def _database(ground: Ground, mortality: Mortality) -> SimulatedDatabase | None:
    if ground.disk is None:
        return None
    return SimulatedDatabase(ground.disk, mortality, shared=ground.processes > 1, wrote=ground.wrote, refuses=ground.refuses)
