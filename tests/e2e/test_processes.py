"""Several processes on PostgreSQL share the job, and one of them may die in the middle of it."""

import asyncio
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from hub.mirror import ledger
from hub.mirror.database import PostgreSQLDatabase
from tests.e2e.city_life import BROKEN_PROMISE
from tests.e2e.eventually import eventually
from tests.e2e.hasty_clock import true_clock
from tests.e2e.processes import Running, bihuan
from tests.e2e.stage import Stage, staged
from tests.servers import PostgreSQLServer

STARTS_WITHIN = 60.0
APPROVALS = 40
VISIBLE_AFTER = 5.0
"""Seconds, longer than a lease: what the killed worker had made last cannot be seen yet when its claims fall to the other."""
KILLED_AFTER = 16
"""Tasks on the platform when one worker is killed: half of the job, and as answers come late, nobody knows of them yet."""


class Late(Response):
    """An answer that comes well after the work was done: whoever is killed meanwhile never hears of it."""

    def __init__(self, answer: Response) -> None:
        super().__init__()
        self._answer = answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await asyncio.sleep(0.5)
        await self._answer(scope, receive, send)


def quick(stage: Stage, url: str) -> dict[str, str]:
    """Return settings whose intervals fit platforms that carry a call out at once and show it within VISIBLE_AFTER."""
    own = {
        "DATABASE_URL": url,
        "LOG_LEVEL": "info",
        "WORKER_INSIDE": "false",
        "ENFORCEMENT_MAX_IN_FLIGHT": "10",
        "PORT": "0",
        "LEASE_SECONDS": "3",
        "POLL_LEASE_SECONDS": "2",
        "RESCUE_SECONDS": "0.5",
        "ECHO_SECONDS": "5",
        "WAITING_SECONDS": "1",
        "SWEEP_SECONDS": "5",
        "FULL_SWEEP_SECONDS": "5",
        "IDLE_SECONDS": "0.2",
        "BACKOFF_SECONDS": "0.2",
        "APPROVAL_HISTORY_SINCE": f"{stage.clock() - timedelta(days=2):%Y-%m-%d}",
        "ENFORCEMENT_VISIBLE_SECONDS": f"{VISIBLE_AFTER}",
        "ENFORCEMENT_MARGIN_SECONDS": "0.2",
        "APPROVAL_UNKNOWN_MARGIN_SECONDS": "0.2",
    }
    for name in (platform.name.upper() for platform in stage.platforms):
        own |= {f"{name}_DROPPED_AFTER_SECONDS": "1.5", f"{name}_DEADLINE_SECONDS": "1.5", f"{name}_POLL_SECONDS": "0.5"}
        own |= {f"{name}_QUOTA_PER_SECOND": "100"}
    return stage.environment(**own)


async def test_two_workers_share_the_job_and_one_killed_in_the_middle_leaves_nothing_missing_and_nothing_doubled(
    postgresql: PostgreSQLServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = {
        "enforcement": {"visible_after": VISIBLE_AFTER},
        "approval": {"calls_per_second": 200},
        "credit": {"calls_per_second": 200},
    }
    async with postgresql.fresh() as url, staged(tmp_path / "house", true_clock(), **config) as stage:
        settings = quick(stage, url)
        async with (
            bihuan("work", settings=settings, log=tmp_path / "first.log") as first,
            bihuan("work", settings=settings, log=tmp_path / "second.log") as second,
            bihuan("serve", settings=settings, log=tmp_path / "serve.log") as serve,
        ):
            address = await _ready(serve)
            for platform in stage.platforms:
                platform.set_hub(address)
            for worker in (first, second):
                await eventually(_works, worker, within=STARTS_WITHIN, or_say="bihuan work")
            monkeypatch.setattr(stage.enforcement, "after_work", Late)
            serials = [stage.approval.grant(procedure="1") for _ in range(APPROVALS)]
            tasks = stage.enforcement.store.all("task")
            await eventually(lambda: len(tasks) >= KILLED_AFTER, or_say="the first tasks")
            await first.kill()
            assert len(tasks) < APPROVALS, "it was killed too late to prove anything"
            monkeypatch.undo()
            for serial in serials:
                (task,) = await eventually(stage.tasks_for, serial, within=40, or_say=f"the task of {serial}")
                stage.enforcement.finish(task["taskId"], BROKEN_PROMISE)
            # task and list entry; result and blacklist entry; record; the subject's own list
            await _all_closed(url, {"enforcement": 2, "approval": 2, "credit": 1, "selfgov": 1})
            assert first.process.returncode == -9
            assert second.process.returncode is None
            left = await _ask(
                stage, address, "{ obligations(first: 200) { edges { node { history { edges { node { detail } } } } } } }"
            )
            assert "the process that made this call ended" in left
    assert {serial: len(stage.tasks_for(serial)) for serial in serials} == dict.fromkeys(serials, 1)
    assert len(stage.credit.store.all("record")) == APPROVALS
    assert {stage.approval.record(serial)["HCJG"] for serial in serials} == {"2"}
    assert stage.twins() == {}


def _works(worker: Running) -> bool:
    return "working for approval, credit, grid, enforcement" in worker.said


async def _ready(serve: Running) -> str:
    address = await eventually(lambda: serve.address, within=STARTS_WITHIN, or_say="the address of bihuan serve")

    async def ready() -> bool:
        async with httpx.AsyncClient(trust_env=False) as client:
            try:
                return (await client.get(f"{address}/readyz")).is_success
            except httpx.TransportError:
                return False

    await eventually(ready, within=STARTS_WITHIN, or_say=f"{address}/readyz")
    return address


async def _all_closed(url: str, of_each: dict[str, int]) -> None:
    database = PostgreSQLDatabase(url, pool_size=1)

    async def closed() -> bool:
        counts = await database.read(ledger.backlog)
        closed = {platform: counts.get((platform, "CLOSED"), 0) for platform in of_each}
        return closed == {platform: count * APPROVALS for platform, count in of_each.items()} and {
            state for _, state in counts
        } == {"CLOSED"}

    try:
        await eventually(closed, within=40, or_say="all obligations closed")
    except AssertionError as late:
        raise AssertionError(f"{late}: {await database.read(ledger.open_keys)}") from late
    finally:
        await database.close()


async def _ask(stage: Stage, address: str, query: str) -> str:
    key = {"x-api-key": stage.household.secrets["api_key"]}
    async with httpx.AsyncClient(trust_env=False, headers=key) as client:
        return (await client.post(f"{address}/graphql", json={"query": query})).text
