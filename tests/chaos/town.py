"""A town for tests that kill: approvals are granted and told of by webhooks until acknowledged, officers check and find breaches.

And what must be true in the end: by the platforms' own word, and by the hub's database for what it acknowledged.
"""

import asyncio
import contextlib
import random
import secrets
from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path
from typing import Any

import httpx
import msgspec
from sqlalchemy import Connection, select

from hub.mirror import inbox, ledger
from hub.mirror.database import Database, DatabaseUnavailable, open_database
from hub.mirror.inbox import DELIVERY
from mocks.checker import Checker
from tests.e2e.city_life import BROKEN_PROMISE
from tests.e2e.eventually import eventually
from tests.e2e.hasty_clock import true_clock
from tests.e2e.late import answers_late
from tests.e2e.signed import signed
from tests.e2e.stage import SEED, Stage, staged

COPIES = 4
"""Deliveries of each approval, each a message of its own."""
OWED = 6
"""Of each approval: task, result, blacklist entry; record; two list entries (enforcement 2, approval 2, credit 1, selfgov 1)."""
SENDERS = 6
CONFIG: dict[str, dict[str, Any]] = {
    "enforcement": {"visible_after": 0.5, "calls_per_second": 400},
    "approval": {"calls_per_second": 400},
    "credit": {"calls_per_second": 400},
}


class Town:
    """Approvals, and the webhooks that tell of them."""

    def __init__(self, stage: Stage, rng: random.Random, approvals: int) -> None:
        self.stage = stage
        self.rng = rng
        self.approvals = approvals
        self.serials: dict[int, str] = {}
        self.acknowledged: set[str] = set()
        self.refused = 0
        self.pause = 0.0
        """Longest pause of a sender between two deliveries, seconds."""
        self.second_half = asyncio.Event()
        """Deliveries of the second half of the approvals wait for it."""

    async def live(self, addresses: Sequence[str]) -> None:
        """Grant all approvals, and tell of each several times, until every word is acknowledged by one of the addresses."""
        waiting = iter(range(self.approvals * COPIES))
        for platform, address in zip(self.stage.platforms, list(addresses) * len(self.stage.platforms), strict=False):
            platform.set_hub(address)
        self.stage.approval.faults = self.stage.approval.faults.changed({"callbacks_off": True})
        async with httpx.AsyncClient(trust_env=False, timeout=5) as client, asyncio.TaskGroup() as group:
            for _ in range(SENDERS):
                group.create_task(self._send_all(client, waiting, addresses))

    async def _send_all(self, client: httpx.AsyncClient, waiting: Iterator[int], to: Sequence[str]) -> None:
        for number in waiting:
            if number >= self.approvals * COPIES // 2:
                await self.second_half.wait()
            await asyncio.sleep(self.rng.uniform(0, self.pause))
            body = self._body(number)
            while not await self._acknowledged(client, self.rng.choice(to), body):
                self.refused += 1
                await asyncio.sleep(0.2)
            self.acknowledged.add(f"TOWN{number:08d}")

    def _body(self, number: int) -> bytes:
        """Return a message on the approval that is its turn; the first one on it grants it."""
        if number // COPIES not in self.serials:
            self.serials[number // COPIES] = self.stage.approval.grant(procedure="1")
        told = {"msgId": f"TOWN{number:08d}", "ywlx": "BJ", "sj": "2026-01-01 00:00:00"}
        return msgspec.json.encode({**told, "data": self.stage.approval.record(self.serials[number // COPIES])})

    async def _acknowledged(self, client: httpx.AsyncClient, address: str, body: bytes) -> bool:
        webhook = signed(self.stage, "approval", body, nonce=secrets.token_hex(8))
        with contextlib.suppress(httpx.TransportError):
            answer = await client.post(f"{address}{webhook.path}", headers=webhook.headers, content=webhook.body)
            return answer.status_code == 200 and answer.json()["code"] == "0"
        return False

    async def officers(self) -> None:
        """Finish every task as soon as it is there, with a breach; until cancelled."""
        finished: set[str] = set()
        while True:
            tasks = self.stage.enforcement.store.all("task")
            for number in [each for each in tasks if each not in finished]:
                self.stage.enforcement.finish(number, BROKEN_PROMISE)
                finished.add(number)
            await asyncio.sleep(0.05)

    async def losses(self, url: str, *, within: float) -> list[str]:
        """Wait until every loop is closed, and return what must not be: a sentence each."""
        database = open_database(url)
        try:
            lost = []
            try:
                await eventually(self._all_closed, database, within=within)
            except AssertionError:
                open_keys = list(await database.read(ledger.open_keys, 10))
                lost += [f"not closed: {await database.read(ledger.backlog)}, {open_keys}"]
            kept = await database.read(_applied)
            lost += [f"acknowledged and lost: {each}" for each in sorted(self.acknowledged - kept)]
        finally:
            await database.close()
        judged = await Checker.from_config(self._config(), self.stage.urls).run()
        lost += [*judged.problems, *(f"our number {number} stands {count} times" for number, count in self.stage.twins().items())]
        held = judged.approvals_granted, judged.tasks_for_approvals, judged.records
        if held != (self.approvals,) * 3:
            lost.append(f"granted, tasks, records: {held}, wanted {self.approvals} of each")
        return lost

    async def _all_closed(self, database: Database) -> bool:
        with contextlib.suppress(DatabaseUnavailable):
            counts = await database.read(ledger.backlog)
            ours = sum(count for (platform, _), count in counts.items() if platform != "sms")
            done = {state for _, state in counts} == {"CLOSED"} and ours == OWED * self.approvals
            return done and not await database.read(inbox.waiting)
        return False

    def _config(self) -> dict[str, Any]:
        given = self.stage.household.platforms_config("", SEED)
        return {**given, **{name: {**given[name], **own} for name, own in CONFIG.items()}}


def _applied(connection: Connection) -> set[str]:
    return set(connection.execute(select(DELIVERY.c.message_id).where(DELIVERY.c.state == "APPLIED")).scalars())


@contextlib.asynccontextmanager
async def town(folder: Path, approvals: int, seed: int) -> AsyncIterator[Town]:
    """Yield a town on platforms that answer a third of what they create late; its officers are at work."""
    rng = random.Random(seed)
    async with staged(folder, true_clock(), **CONFIG) as stage:
        for platform in stage.platforms:
            answers_late(platform, rng, share=0.3, seconds=0.3)
        lives = Town(stage, rng, approvals)
        officers = asyncio.create_task(lives.officers())
        try:
            yield lives
        finally:
            officers.cancel()
            await asyncio.gather(officers, return_exceptions=True)
