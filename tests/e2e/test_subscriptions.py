"""Subscribers of two processes on one PostgreSQL: what one process applies the other tells, also to who comes back elsewhere."""

from pathlib import Path
from typing import Any

from schema.changes import write_position
from schema.subscription import OBLIGATIONS as OBLIGATIONS_ORDER
from schema.subscription import RECORDS
from tests.e2e.hasty_clock import true_clock
from tests.e2e.processes import bihuan, quick, serves, start_bihuan
from tests.e2e.stage import staged
from tests.servers import PostgreSQLServer
from tests.unit.web.subscribers import Client, client

APPROVALS = "subscription($after: String) { recordChanges(types: [APPROVAL], after: $after) { cursor kind key } }"
OBLIGATIONS = "subscription($after: String) { obligationChanges(after: $after) { cursor kind key state } }"
GRANTED = 12


async def test_what_one_process_applies_is_told_by_another_and_who_was_cut_off_goes_on_elsewhere(
    postgresql: PostgreSQLServer, tmp_path: Path
) -> None:
    async with postgresql.fresh() as url, staged(tmp_path / "house", true_clock()) as stage:
        settings = quick(stage, url, SEAL_SECONDS="0.1", IDLE_SECONDS="30")  # whoever is not woken finds nothing in time
        key = stage.household.secrets["api_key"]
        dying = await start_bihuan("serve", settings=settings | {"HUB_WORKER_INSIDE": "false"}, log=tmp_path / "other.log")
        async with bihuan("serve", settings=settings, log=tmp_path / "first.log") as first:
            address = f"{await serves(first)}/graphql"
            elsewhere = f"{await serves(dying)}/graphql"
            for platform in stage.platforms:
                platform.set_hub(address.removesuffix("/graphql"))
            async with client(elsewhere) as one:
                await one.greet(key)
                await one.subscribe(APPROVALS, "records", after=write_position(RECORDS, 0))
                await one.subscribe(OBLIGATIONS, "obligations", after=write_position(OBLIGATIONS_ORDER, 0))
                granted = [stage.approval.grant(procedure="1") for _ in range(GRANTED)]
                seen = await _hear(one, {"records": GRANTED // 2, "obligations": 3})
                await dying.kill()
            async with client(address) as again:
                await again.greet(key)
                for name, query in (("records", APPROVALS), ("obligations", OBLIGATIONS)):
                    await again.subscribe(query, name, after=seen[name][-1]["cursor"])
                while not _complete(seen, granted):
                    heard = await again.hear()
                    assert heard["type"] == "next", heard
                    (event,) = heard["payload"]["data"].values()
                    seen[heard["id"]].append(event)
    created = [each["key"] for each in seen["records"] if each["kind"] == "CREATED"]
    assert sorted(created) == sorted(granted)  # each once
    assert all(len({each["cursor"] for each in events}) == len(events) for events in seen.values())
    made = [each["key"] for each in seen["obligations"] if each["kind"] == "CREATED"]
    assert len(made) == len(set(made)) >= GRANTED


async def _hear(one: Client, wanted: dict[str, int]) -> dict[str, list[Any]]:
    """Return events of each operation, at least so many."""
    seen: dict[str, list[Any]] = {name: [] for name in wanted}
    while any(len(seen[name]) < count for name, count in wanted.items()):
        heard = await one.hear()
        assert heard["type"] == "next", heard
        (event,) = heard["payload"]["data"].values()
        seen[heard["id"]].append(event)
    return seen


def _complete(seen: dict[str, list[Any]], granted: list[str]) -> bool:
    """Return whether each approval was seen, and the task that follows from it."""
    made = [each for each in seen["obligations"] if each["kind"] == "CREATED"]
    return {each["key"] for each in seen["records"]} >= set(granted) and len(made) >= GRANTED
