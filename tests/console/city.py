"""A city for the console: a morning whose loops are closed, and a joint inspection that is stuck, for its pool is too small."""

import contextlib
import hashlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx

from tests.e2e.city_life import Morning, begin, obligations_of, officers_work
from tests.e2e.eventually import eventually
from tests.e2e.hasty_clock import true_clock
from tests.e2e.processes import Running, bihuan, quick, serves
from tests.e2e.stage import Stage, staged

READER, WATCHER, STRANGER = "a key that reads only", "a key that sees what operators see", "a key of nobody"
STUCK = "campaign:SSJ-1"
FACTORIES = ("91330782MA2E4K7B4C", "92330782MA28D19X9T", "91330782MA28D5K77N")
LATE = 240.0
"""Seconds that may pass until something is so; a busy machine takes its time."""
REQUEST = """mutation($input: RequestCampaignInput!) { requestCampaign(input: $input) { userErrors { message } } }"""
STATE = "query($key: String!) { obligation(key: $key) { state } }"
ON_THE_LIST = "query($about: String!) { opsItems(where: {cause: {eq: $about}}) { totalCount } }"
OPEN = "{ obligations(where: {state: {in: [WAITING, DUE, LEASED, SENT]}}) { totalCount } all: obligations { totalCount } }"


@dataclass
class ConsoleCity:
    """The platforms, the process of the hub, and who may ask it."""

    stage: Stage
    morning: Morning
    running: Running
    settings: dict[str, str]
    address: str
    key: str
    folder: Path

    async def ask(self, query: str, **variables: Any) -> dict[str, Any]:
        """Return the data of an answer without errors."""
        async with httpx.AsyncClient(base_url=self.address, trust_env=False, timeout=60) as client:
            asked = {"query": query, "variables": variables}
            told = (await client.post("/graphql", json=asked, headers={"x-api-key": self.key})).json()
        assert "errors" not in told, told
        data: dict[str, Any] = told["data"]
        return data

    async def until(self, predicate: Callable[[dict[str, Any]], bool], query: str, **variables: Any) -> None:
        """Wait until an answer is as it should be."""

        async def so() -> bool:
            return predicate(await self.ask(query, **variables))

        await eventually(so, within=LATE, or_say=query)

    async def state_of(self, key: str, state: str) -> None:
        """Wait until an obligation stands there."""
        await self.until(lambda told: told["obligation"] is not None and told["obligation"]["state"] == state, STATE, key=key)

    async def order_inspection(self, number: str, *pool: str) -> None:
        """Ask for a joint inspection of two subjects of an industry that has only these: what is owed is stuck."""
        self.grow_pool(number, *pool)
        due = (self.stage.clock() + timedelta(days=3)).isoformat()
        plain = {"requestNo": number, "title": "锅炉双随机", "departments": ["HB", "ZJ"], "industry": number, "subjects": 2}
        await self.ask(REQUEST, input={**plain, "officersPerTask": 2, "dueAt": due})
        await self.state_of(f"campaign:{number}", "STUCK")

    async def cancel_a_task(self) -> str:
        """Let a department cancel a task that we ordered: only a person can settle what becomes of the check. Return its number."""
        serial = self.stage.approval.grant(procedure="1")
        (task,) = await eventually(self.stage.tasks_for, serial, within=LATE, or_say=f"a task for {serial}")
        number = str(task["taskId"])
        self.stage.enforcement.cancel(number)
        await self.until(lambda told: told["opsItems"]["totalCount"] == 1, ON_THE_LIST, about=number)
        return number

    def grow_pool(self, industry: str, *codes: str) -> None:
        """Let there be these subjects in an industry."""
        plain = {"address": "佛堂镇", "industry": industry, "town": "佛堂镇", "grade": "C"}
        self.stage.enforcement.add_pool([{"code": code, "name": f"锅炉厂{at}", **plain} for at, code in enumerate(codes)])


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()


@contextlib.asynccontextmanager
async def console_city(folder: Path) -> AsyncIterator[ConsoleCity]:
    """Let the morning happen, and everything but the joint inspection come to its end."""
    async with staged(folder / "house", true_clock()) as stage:
        key = stage.household.secrets["api_key"]
        keys = f"operator:{_digest(key)}:graph:read+ops:read+ops:act,reader:{_digest(READER)}:graph:read"
        keys += f",watcher:{_digest(WATCHER)}:ops:read"
        own = {"API_KEYS": keys, "GRAPH_ANONYMOUS": "false", "EXPLORER": "true"}
        settings = quick(stage, f"sqlite:///{folder / 'hub.db'}", visible_after=0.0, **own)
        async with bihuan("serve", settings=settings, log=folder / "serve.log") as running:
            address = await serves(running)
            for platform in stage.platforms:
                platform.set_hub(address)
            morning = begin(stage)
            city = ConsoleCity(stage, morning, running, settings, address, key, folder)
            await officers_work(stage, morning, within=LATE)
            owed = obligations_of(morning)
            await city.until(lambda told: told["obligations"]["totalCount"] == 0 and told["all"]["totalCount"] >= owed, OPEN)
            await city.order_inspection("SSJ-1", FACTORIES[0])
            try:
                yield city
            finally:
                await city.running.stop()  # a test may have put another in its place
