"""The stage of an end-to-end test: the mock platforms as HTTP servers on loopback ports, and hubs beside them.

Hubs are built from settings alone, as the command line builds them. Time is the stage's own: see hasty_clock.py.
"""

import contextlib
import random
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import httpx
import msgspec

from hub.app import Hub
from hub.demo_household import Household
from hub.mirror import inbox, ledger
from hub.parts import World
from hub.settings import load_settings
from hub.web.serving import address_of, listen, serving
from mocks.approval import ApprovalPlatform
from mocks.config import Config, built_platforms, complete_settings
from mocks.credit import CreditPlatform
from mocks.enforcement import EnforcementPlatform
from mocks.grid import GridPlatform
from mocks.platform import Clock, Platform
from mocks.selfgov import SelfgovPlatform
from mocks.server import serve
from mocks.sms import SmsPlatform
from mocks.store import Document
from tests.e2e.hasty_clock import HastyClock

P = TypeVar("P", bound=Platform)
SEED = 7
QUICK = {
    "APPROVAL_HISTORY_SINCE": "2019-08-01",  # the stage's city begins on 2 September 2019
    **{f"{name}_DROPPED_AFTER_SECONDS": "10" for name in ("APPROVAL", "CREDIT", "ENFORCEMENT", "GRID", "SELFGOV")},
}
"""What a hub on the stage is told beside its household's settings: the platforms there drop nothing after more than that."""


@dataclass
class RunningHub:
    """A hub that serves at `address`; `client` shows its application key, which has every scope."""

    hub: Hub
    address: str
    client: httpx.AsyncClient

    async def ask(self, query: str, **variables: Any) -> dict[str, Any]:
        """Return the data of a GraphQL answer that has no errors."""
        answer = await self.client.post("/graphql", json={"query": query, "variables": variables})
        told = answer.json()
        assert answer.status_code == 200, told
        assert "errors" not in told, told["errors"]
        data: dict[str, Any] = told["data"]
        return data

    async def counts(self) -> dict[tuple[str, str], int]:
        """Return the number of obligations by platform and state."""
        return await self.hub.database.read(ledger.backlog)

    async def open_ends(self) -> list[object]:
        """Return what is neither closed nor applied: empty once every loop is closed."""
        waiting = await self.hub.database.read(inbox.waiting)
        return [*await self.hub.database.read(ledger.open_keys), *waiting.items()]


@dataclass
class Stage:
    """The platforms, their addresses, and the household that holds everybody's secrets."""

    household: Household
    clock: Clock
    sleep: Any
    approval: ApprovalPlatform
    credit: CreditPlatform
    enforcement: EnforcementPlatform
    grid: GridPlatform
    selfgov: SelfgovPlatform
    sms: SmsPlatform
    urls: dict[str, str]
    _served: contextlib.AsyncExitStack
    own_settings: dict[str, str] = field(default_factory=lambda: dict(QUICK))
    transports: dict[str, httpx.AsyncBaseTransport] = field(default_factory=dict)
    """By platform, what hubs call it through, where that is not the network."""

    @property
    def platforms(self) -> Sequence[Platform]:
        return (self.approval, self.credit, self.enforcement, self.grid, self.selfgov, self.sms)

    def faults(self, **faults: Any) -> None:
        """Let every platform go wrong in these ways."""
        for platform in self.platforms:
            platform.faults = platform.faults.changed(faults)

    def environment(self, **settings: str) -> dict[str, str]:
        """Return the hub's settings: the household's, then the stage's, then these (`HUB_` is put before each name)."""
        own = {f"HUB_{name}": value for name, value in {**self.own_settings, **settings}.items()}
        return {**self.household.environment(self.urls), **own}

    async def shut_platforms(self) -> None:
        """Switch all platforms off: nothing listens at their addresses any more."""
        await self._served.aclose()

    @contextlib.asynccontextmanager
    async def hub(self, **settings: str) -> AsyncIterator[RunningHub]:
        """Serve a hub with its worker inside, on a free port that the platforms are told."""
        world = World(clock=self.clock, sleep=self.sleep, rng=random.Random(SEED), transports=self.transports)
        hub = Hub(load_settings(self.environment(**settings)), world)
        with listen("127.0.0.1", 0) as listening:
            address = address_of(listening)
            for platform in self.platforms:
                platform.set_hub(address)
            key = {"x-api-key": self.household.secrets["api_key"]}
            async with (
                serving(hub.web(), listening),
                httpx.AsyncClient(base_url=address, headers=key, trust_env=False, timeout=20) as client,
            ):
                yield RunningHub(hub, address, client)

    def tasks_for(self, ref: str) -> list[Document]:
        """Return the enforcement platform's tasks that a record of another platform caused."""
        return [task for task in self.enforcement.store.all("task").values() if (task["origin"] or {}).get("ref") == ref]

    def records_for(self, task_id: str) -> list[Document]:
        """Return the credit platform's records that stand on a task."""
        return [one for one in self.credit.store.all("record").values() if one["evidence"].get("ref") == task_id]

    def twins(self) -> dict[str, int]:
        """Return our numbers that stand on more than one task or record: always empty."""
        numbers = [task["externalNo"] for task in self.enforcement.store.all("task").values()]
        numbers += [record["bizNo"] for record in self.credit.store.all("record").values()]
        return {number: count for number, count in Counter(numbers).items() if number is not None and count > 1}


@contextlib.asynccontextmanager
async def staged(folder: Path, clock: HastyClock | None = None, **config: Any) -> AsyncIterator[Stage]:
    """Serve the platforms; `config` is laid over the household's configuration of them, platform by platform."""
    household = Household.of(folder)
    given = household.platforms_config("http://127.0.0.1:9", SEED) | {"data_dir": None, "time_scale": 1.0}
    for name, own in config.items():
        given[name] = {**given[name], **own} if isinstance(own, dict) else own
    clock = clock or HastyClock()
    settings = complete_settings(msgspec.convert(given, Config))
    platforms = built_platforms(settings, clock=clock, sleep=clock.sleep, seed=SEED)
    async with contextlib.AsyncExitStack() as served:
        urls = await served.enter_async_context(serve(platforms))
        yield Stage(
            household,
            clock,
            clock.sleep,
            _one(platforms, ApprovalPlatform),
            _one(platforms, CreditPlatform),
            _one(platforms, EnforcementPlatform),
            _one(platforms, GridPlatform),
            _one(platforms, SelfgovPlatform),
            _one(platforms, SmsPlatform),
            urls,
            served,
        )


def _one(platforms: Sequence[Platform], kind: type[P]) -> P:
    return next(platform for platform in platforms if isinstance(platform, kind))
