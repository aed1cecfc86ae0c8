"""Another process holds the database's lock: nobody is acknowledged meanwhile, and afterwards all goes on by itself."""

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator
from pathlib import Path

from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from tests.chaos.both_databases import on_both
from tests.chaos.door import Door, knock, not_refused_well, open_door
from tests.chaos.shown import Form, Shown

EACH = {Form.SHORT: 40, Form.FULL: 400}
HOLDS = """
import sqlite3, sys
database = sqlite3.connect(sys.argv[1], isolation_level=None, timeout=30)
database.execute("BEGIN EXCLUSIVE")
print("held", flush=True)
sys.stdin.read()
database.execute("ROLLBACK")
"""


def show(form: Form) -> Shown:
    """Run on both databases."""
    each = EACH[form]

    async def test(folder: Path, settings: dict[str, str]) -> list[str]:
        async with open_door(folder, WEBHOOK_SECONDS="0.5", **settings) as door:
            return await _locked(door, each, folder, settings.get("DATABASE_URL"))

    losses = on_both(test)
    said = "0 acknowledged while locked, 0 acknowledged lost, taken again without a restart"
    return Shown(f"{each} webhooks before, under and after a lock, SQLite and PostgreSQL", said, losses)


async def _locked(door: Door, each: int, folder: Path, url: str | None) -> list[str]:
    before, refused = await knock(door, range(each))
    losses = [f"{len(refused)} were refused before there was a lock"] if refused else []
    await door.all_applied()
    async with _lock(folder / "hub.db") if url is None else _lock_table(url):
        under, others = await knock(door, range(each, 2 * each))
        losses += [f"profile {number} was acknowledged under the lock" for number in sorted(under)[:5]]
        losses += not_refused_well(others)[:5]

    async def taken() -> bool:
        return (await door.post(door.profile(2 * each))).is_success

    await door.again("a webhook after the lock", taken)
    after, refused = await knock(door, range(each, 3 * each))
    losses += [f"{len(refused)} were refused after the lock"] if refused else []
    await door.all_applied()
    lost = (before | under | after) - await door.profiles()
    return losses + [f"profile {number} was acknowledged and is lost" for number in sorted(lost)[:5]]


@contextlib.asynccontextmanager
async def _lock(path: Path) -> AsyncIterator[None]:
    """Have another process hold the file."""
    pipe = asyncio.subprocess.PIPE
    holder = await asyncio.create_subprocess_exec(sys.executable, "-c", HOLDS, str(path), stdin=pipe, stdout=pipe)
    assert holder.stdout is not None
    try:
        assert (await holder.stdout.readline()).strip() == b"held"
        yield
    finally:
        await holder.communicate(b"")


@contextlib.asynccontextmanager
async def _lock_table(url: str) -> AsyncIterator[None]:
    """Hold the table of deliveries, so that nobody may even read it."""
    engine = create_async_engine(url.replace("postgresql:", "postgresql+asyncpg:"))
    async with engine.begin() as connection:
        await connection.execute(text("LOCK TABLE delivery IN ACCESS EXCLUSIVE MODE"))
        yield
    await engine.dispose()
