"""Several processes on PostgreSQL share the job, and one of them may die or stand still in the middle of it."""

import random
import signal
from collections.abc import Sequence
from pathlib import Path

import httpx
import pytest

from hub.mirror import ledger
from hub.mirror.database import PostgreSQLDatabase
from tests.e2e.city_life import BROKEN_PROMISE
from tests.e2e.eventually import eventually
from tests.e2e.hasty_clock import true_clock
from tests.e2e.late import Late, answers_late
from tests.e2e.processes import STARTS_WITHIN, bihuan, quick, serves, works
from tests.e2e.stage import Stage, staged
from tests.servers import PostgreSQLServer

APPROVALS = 40
VISIBLE_AFTER = 5.0
"""Seconds, longer than a lease: what the killed worker had made last cannot be seen yet when its claims fall to the other."""
KILLED_AFTER = 16
"""Tasks on the platform when one worker is killed: half of the job, and as answers come late, nobody knows of them yet."""


async def test_two_workers_share_the_job_and_one_killed_in_the_middle_leaves_nothing_missing_and_nothing_doubled(
    postgresql: PostgreSQLServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = {
        "enforcement": {"visible_after": VISIBLE_AFTER},
        "approval": {"calls_per_second": 200},
        "credit": {"calls_per_second": 200},
    }
    async with postgresql.fresh() as url, staged(tmp_path / "house", true_clock(), **config) as stage:
        settings = quick(stage, url, visible_after=VISIBLE_AFTER, WORKER_INSIDE="false", LEASE_SECONDS="3")
        async with (
            bihuan("work", settings=settings, log=tmp_path / "first.log") as first,
            bihuan("work", settings=settings, log=tmp_path / "second.log") as second,
            bihuan("serve", settings=settings, log=tmp_path / "serve.log") as serve,
        ):
            address = await serves(serve)
            for platform in stage.platforms:
                platform.set_hub(address)
            for worker in (first, second):
                await eventually(works, worker, within=STARTS_WITHIN, or_say="bihuan work")
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


async def test_what_a_process_doubles_that_was_stopped_for_longer_than_its_lease_is_cancelled(
    postgresql: PostgreSQLServer, tmp_path: Path
) -> None:
    """As a machine that is suspended: it wakes with calls under way whose claims are another's by then, and may still send them."""
    rates = {name: {"calls_per_second": 200} for name in ("approval", "credit")}
    async with postgresql.fresh() as url, staged(tmp_path / "house", true_clock(), **rates) as stage:
        settings = quick(stage, url, WORKER_INSIDE="false")
        answers_late(stage.enforcement, random.Random(1), share=1.0, seconds=0.4)
        async with (
            bihuan("work", settings=settings, log=tmp_path / "first.log") as first,
            bihuan("serve", settings=settings, log=tmp_path / "serve.log") as serve,
        ):
            address = await serves(serve)
            await eventually(works, first, within=STARTS_WITHIN, or_say="bihuan work")
            for platform in stage.platforms:
                platform.set_hub(address)
            serials = [stage.approval.grant(procedure="1") for _ in range(APPROVALS)]
            tasks = stage.enforcement.store.all("task")
            await eventually(lambda: len(tasks) >= KILLED_AFTER, within=240, or_say="the first tasks")
            first.process.send_signal(signal.SIGSTOP)
            assert len(tasks) < APPROVALS, "it was stopped too late to prove anything"
            async with bihuan("work", settings=settings, log=tmp_path / "second.log"):
                for serial in serials:
                    await eventually(stage.tasks_for, serial, within=240, or_say=f"the task of {serial}")
                taken_over = "{ obligations(first: 200) { edges { node { history { edges { node { outcome } } } } } } }"

                async def was_taken_over() -> bool:
                    return '"UNKNOWN"' in await _ask(stage, address, taken_over)

                await eventually(was_taken_over, within=90, or_say="a call that was under way when it was stopped, taken over")
                first.process.send_signal(signal.SIGCONT)
                for serial in serials:
                    (task,) = stage.tasks_for(serial)
                    stage.enforcement.finish(task["taskId"], BROKEN_PROMISE)
                await _all_closed(url, {"enforcement": 2, "approval": 2, "credit": 1, "selfgov": 1})
                await eventually(lambda: _standing(stage, serials) == dict.fromkeys(serials, 1), within=90, or_say="one task each")
            assert "a completion came too late: the claim is another's" in first.said
    assert len(stage.credit.store.all("record")) == APPROVALS


def _standing(stage: Stage, serials: Sequence[str]) -> dict[str, int]:
    """Return how many tasks of each approval were not cancelled."""
    return {serial: sum(task["status"] != "CANCELLED" for task in stage.tasks_for(serial)) for serial in serials}


async def _all_closed(url: str, of_each: dict[str, int]) -> None:
    database = PostgreSQLDatabase(url, connections=1)

    async def closed() -> bool:
        counts = await database.read(ledger.backlog)
        enough = all(counts.get((platform, "CLOSED"), 0) >= count * APPROVALS for platform, count in of_each.items())
        return enough and {state for _, state in counts} == {"CLOSED"}

    try:
        await eventually(closed, within=240, or_say="all obligations closed")
    except AssertionError as late:
        told = f"{await database.read(ledger.open_keys)} are open, of {await database.read(ledger.backlog)}"
        raise AssertionError(f"{late}: {told}") from late
    finally:
        await database.close()


async def _ask(stage: Stage, address: str, query: str) -> str:
    key = {"x-api-key": stage.household.secrets["api_key"]}
    async with httpx.AsyncClient(trust_env=False, headers=key) as client:
        return (await client.post(f"{address}/graphql", json={"query": query})).text
