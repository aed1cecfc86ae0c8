"""A hub with its door open: webhooks are taken in and applied, nothing is polled and nothing is sent. For the tests of intake."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import Connection, func, select

from hub.app import Hub
from hub.demo_household import Household
from hub.mirror import inbox
from hub.mirror.database import DatabaseUnavailable
from hub.mirror.tables import TABLES
from hub.settings import load_settings
from schema.entities import DeliveryState
from tests.e2e.signed import Webhook, signed

NOWHERE = dict.fromkeys(("approval", "credit", "grid", "enforcement", "sms"), "http://127.0.0.1:9")
PATIENCE_SECONDS = 60.0


def now() -> datetime:
    """Return the present moment: these tests run on the machine's own time."""
    return datetime.now(UTC)


@dataclass
class Knocker:
    """Who posts webhooks, signed as the platforms sign them."""

    household: Household
    client: httpx.AsyncClient
    clock: Callable[[], datetime] = now

    async def post(self, webhook: Webhook) -> httpx.Response:
        """Post a webhook."""
        return await self.client.post(webhook.path, headers=webhook.headers, content=webhook.body)

    def profile(self, number: int, padding: int = 0) -> Webhook:
        """Return a webhook of the credit platform: a person's profile, each number another person's."""
        body = f"""{{"type": "subject.updated", "timestamp": "2019-08-15T09:00:00+08:00", "data": {{
            "code": "RID-{number:064x}", "codeType": "RESIDENT_ID", "name": "陈某", "score": 90.0, "grade": "A",
            "regulatoryPoints": 0.0, "version": 1, "updatedAt": "2019-08-15T09:00:00+08:00", "oldCodes": [],
            "remark": "{"x" * padding}"}}}}"""
        return signed(self, "credit", body.encode(), nonce=f"{number:06d}")


@dataclass(kw_only=True)
class Door(Knocker):
    """The hub, and who knocks: in the same process, through its whole web application."""

    hub: Hub

    async def all_applied(self) -> None:
        """Return when nothing that was kept waits to be applied."""
        async with asyncio.timeout(PATIENCE_SECONDS * 10):
            while True:
                with contextlib.suppress(DatabaseUnavailable):
                    if not await self.hub.database.read(inbox.waiting):
                        return
                await asyncio.sleep(0.05)

    async def profiles(self) -> set[int]:
        """Return the numbers of the profiles in the mirror."""
        codes = await self.hub.database.read(lambda connection: connection.execute(_PROFILES).scalars().all())
        return {int(code.removeprefix("RID-"), 16) for code in codes}

    async def states(self) -> dict[DeliveryState, int]:
        """Return how many deliveries are in each state."""
        return await self.hub.database.read(_states)

    async def again(self, what: str, attempt: Callable[[], Any]) -> None:
        """Repeat until it succeeds; raise AssertionError naming what never did."""
        for _ in range(int(PATIENCE_SECONDS / 0.1)):
            if await attempt():
                return
            await asyncio.sleep(0.1)
        raise AssertionError(f"{what}: not within {PATIENCE_SECONDS:.0f} s")


_PROFILES = select(TABLES["CreditProfile"].c.code)


def _states(connection: Connection) -> dict[DeliveryState, int]:
    table = TABLES["Delivery"]
    grouped = select(table.c.state, func.count()).group_by(table.c.state)
    return {DeliveryState(state): count for state, count in connection.execute(grouped)}


@contextlib.asynccontextmanager
async def open_door(folder: Path, **settings: str) -> AsyncIterator[Door]:
    """Run a hub whose files are in `folder`; `settings` are its own, without HUB_."""
    household = Household.of(folder)
    own = {"POLL": "false", **settings}
    hub = Hub(load_settings(household.environment(NOWHERE) | {f"HUB_{name}": value for name, value in own.items()}))
    key = {"x-api-key": household.secrets["api_key"]}
    transport = httpx.ASGITransport(hub.web())
    async with (
        hub.opened(upgrading=True),
        hub.running(work=False),
        httpx.AsyncClient(transport=transport, base_url="http://hub", headers=key, timeout=60) as client,
    ):
        yield Door(household, client, hub=hub)


async def knock(
    door: Knocker, numbers: range, *, padding: int = 0, at_once: int = 20
) -> tuple[set[int], dict[int, httpx.Response]]:
    """Post profiles, so many at once; return the numbers that were acknowledged, and the other answers."""
    acknowledged, others = set[int](), dict[int, httpx.Response]()
    waiting = iter(numbers)

    async def client() -> None:
        for number in waiting:
            answer = await door.post(door.profile(number, padding))
            if answer.is_success:
                acknowledged.add(number)
            else:
                others[number] = answer

    await asyncio.gather(*(client() for _ in range(at_once)))
    return acknowledged, others


def not_refused_well(others: dict[int, httpx.Response]) -> list[str]:
    """Return what is wrong with answers that had to be: not stored, come again."""
    return [
        f"profile {number}: {answer.status_code}, Retry-After {answer.headers.get('retry-after')}: {answer.text[:100]}"
        for number, answer in others.items()
        if answer.status_code != 503 or not answer.headers.get("retry-after")
    ]
