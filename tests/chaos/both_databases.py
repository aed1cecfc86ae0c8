"""Runs a chaos test of intake on SQLite and on PostgreSQL, each with nothing in it."""

import asyncio
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path

from tests.servers import postgresql_server

On = Callable[[Path, dict[str, str]], Awaitable[list[str]]]
"""Is given a folder of its own and the settings that name the database; returns a sentence for every loss."""


def on_both(test: On) -> list[str]:
    """Return the losses on both databases, each named."""

    async def on_sqlite() -> list[str]:
        with tempfile.TemporaryDirectory(prefix="chaos-") as folder:
            return [f"SQLite: {loss}" for loss in await test(Path(folder), {})]

    async def on_postgresql() -> list[str]:
        with tempfile.TemporaryDirectory(prefix="chaos-") as folder:
            async with server.fresh() as url:
                return [f"PostgreSQL: {loss}" for loss in await test(Path(folder), {"DATABASE_URL": url})]

    losses = asyncio.run(on_sqlite())
    with postgresql_server() as server:
        return losses + asyncio.run(on_postgresql())
