"""The peers from npm: each a program in tests/node, on the same version of Node, in a process of its own."""

import asyncio
import contextlib
import functools
import json
from collections.abc import AsyncIterator

from sqlalchemy.engine import make_url

from tests.bench.peers.question import OVER_REST, from_items, from_tenths
from tests.bench.peers.stage import Endpoint, Missing, Peer, Running, Stage, process
from tests.node.packages import CannotInstall, fetched, newer_node


@contextlib.asynccontextmanager
async def _script(topic: str, script: str, *arguments: str) -> AsyncIterator[Running]:
    """Run a script that prints its URL; raise Missing where its packages cannot be had."""
    try:
        folder = await asyncio.to_thread(fetched, topic)
        node = await asyncio.to_thread(newer_node)
    except CannotInstall as error:
        raise Missing(str(error)) from error
    production = {"NODE_ENV": "production", "GRAPHILE_ENV": "production"}
    async with process((node, script, *arguments), _url, folder, production) as running:
        yield running


def _url(line: str) -> str | None:
    if not line.startswith('{"url"'):
        return None
    url: str = json.loads(line)["url"]
    return url


@contextlib.asynccontextmanager
async def _in_memory(script: str, stage: Stage) -> AsyncIterator[Endpoint]:
    async with _script("memory", script, str(stage.records)) as running:
        yield Endpoint(running.said, (running.pid,))


@contextlib.asynccontextmanager
async def _postgraphile(stage: Stage) -> AsyncIterator[Endpoint]:
    at = make_url(stage.postgresql)
    given = {"host": at.query.get("host") or at.host, "database": at.database, "user": at.username}
    async with _script("postgraphile", "postgraphile.mjs", json.dumps(given)) as running:
        yield Endpoint(running.said, (running.pid,) if stage.server is None else (running.pid, stage.server))


@contextlib.asynccontextmanager
async def _hive(stage: Stage) -> AsyncIterator[Endpoint]:
    async with (
        _script("hive", "rest.mjs", str(stage.records)) as platforms,
        _script("hive", "gateway.mjs", platforms.said) as gateway,
    ):
        yield Endpoint(gateway.said, (gateway.pid, platforms.pid))


POSTGRAPHILE = Peer("PostGraphile 5", "the same tables", _postgraphile, normalised=from_tenths)
MERCURIUS = Peer("Mercurius with JIT", "records in memory", functools.partial(_in_memory, "mercurius.mjs"))
YOGA = Peer("GraphQL Yoga", "memory, DataLoader", functools.partial(_in_memory, "yoga.mjs"))
HIVE = Peer("Hive Gateway", "REST, batched", _hive, OVER_REST, from_items)
