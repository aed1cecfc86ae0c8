"""Far more webhooks than fit, at a hub in a process of its own whose database is held up: refused in time, memory stays bounded."""

import asyncio
import re
import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path

import httpx

from hub.demo_household import Household
from tests.chaos.door import NOWHERE, Knocker, knock, not_refused_well
from tests.chaos.shown import Form, Shown
from tests.e2e.eventually import eventually
from tests.e2e.processes import bihuan

POSTED = {Form.SHORT: 600, Form.FULL: 10_000}
PADDING = 150_000
MEGABYTE = 1_000_000
ROOM = 4 * MEGABYTE
GROWTH = 40 * MEGABYTE
"""Bytes that the process may grow by: the room twice (coming in, waiting), copies of it, and what Python keeps."""

PATIENCE = 60
"""Seconds within which everything acknowledged is applied, on a machine that does much else."""


def show(form: Form) -> Shown:
    """Post webhooks of many times the size that there is room for, while somebody holds the database's lock."""
    losses, said = asyncio.run(_overloaded(POSTED[form]))
    scale = f"{POSTED[form]:,} webhooks, {POSTED[form] * PADDING // MEGABYTE:,} MB, at a hub with room for {ROOM // MEGABYTE} MB"
    return Shown(scale, said, losses)


async def _overloaded(count: int) -> tuple[list[str], str]:
    with tempfile.TemporaryDirectory(prefix="chaos-") as name:
        folder = Path(name)
        household = Household.of(folder)
        own = {"POLL": "false", "PORT": "0", "WEBHOOK_SECONDS": "2", "WEBHOOK_WAITING_BYTES": f"{ROOM}", "PRODUCTION": "true"}
        settings = household.environment(NOWHERE) | {f"HUB_{key}": value for key, value in own.items()}
        async with bihuan("serve", settings=settings, log=folder / "log") as running:
            address = await eventually(lambda: running.address, within=90, or_say="a hub that serves")
            key = {"x-api-key": household.secrets["api_key"]}
            async with httpx.AsyncClient(base_url=address, headers=key, trust_env=False, timeout=60) as client:
                door = Knocker(household, client)
                first, refused = await knock(door, range(20))
                losses = [f"{len(refused)} were refused before there was a load"] if refused else []
                before = _most_memory(running.process.pid)
                with closing(sqlite3.connect(folder / "hub.db", isolation_level=None)) as database:
                    database.execute("BEGIN IMMEDIATE")
                    under, others = await knock(door, range(20, 20 + count), padding=PADDING, at_once=100)
                    database.execute("ROLLBACK")
                losses += [f"profile {number} was acknowledged while nothing could be stored" for number in sorted(under)[:5]]
                losses += not_refused_well(others)[:5]
                if (grown := _most_memory(running.process.pid) - before) > GROWTH:
                    losses.append(f"the process grew by {grown // MEGABYTE} MB, more than {GROWTH // MEGABYTE}")

                async def taken() -> bool:
                    return (await door.post(door.profile(20 + count))).is_success

                await eventually(taken, within=60, or_say="a webhook taken again")
                acknowledged = first | {20 + count}
                losses += await _lost(client, acknowledged)
    said = f"{len(others):,} refused with Retry-After, {grown // MEGABYTE} MB grown, {len(acknowledged)} acknowledged and applied"
    return losses, said


async def _lost(client: httpx.AsyncClient, acknowledged: set[int]) -> list[str]:
    """Return who was acknowledged and is not in the graph."""

    async def missing() -> list[str]:
        codes = ", ".join(f'p{number}: subject(code: "RID-{number:064x}") {{ code }}' for number in sorted(acknowledged))
        told = (await client.post("/graphql", json={"query": f"{{ {codes} }}"})).json()["data"]
        return [name for name, found in told.items() if found is None]

    for _ in range(PATIENCE):
        if not (left := await missing()):
            return []
        await asyncio.sleep(1)
    return [f"{name} was acknowledged and is not in the graph {PATIENCE} s later" for name in left]


def _most_memory(pid: int) -> int:
    """Return the most bytes of memory that a process has had so far."""
    (kilobytes,) = re.findall(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    return int(kilobytes) * 1024
