"""The protocols' own clients from npm, graphql-ws and graphql-sse, against the hub; skipped where npm is not to be had."""

import asyncio
import json
from typing import Any

import pytest

from hub.mirror.database import SQLiteDatabase
from hub.mirror.rows import Rows
from tests.builders import approval
from tests.node.packages import installed
from tests.unit.web.subscribers import Graph

QUERY = "subscription { recordChanges(types: [APPROVAL]) { cursor key kind } }"


@pytest.fixture
def graph(sqlite_database: SQLiteDatabase, rows: Rows) -> Graph:
    return Graph(sqlite_database, rows)


async def subscribed(graph: Graph, way: str, key: str, query: str, *numbers: str) -> dict[str, Any]:
    """Return what a client printed that took an event of each of these approvals, told once it listens."""
    folder = await asyncio.to_thread(installed, "subscriptions")
    process = await asyncio.create_subprocess_exec(
        "node", "subscribe.mjs", way, graph.address, key, query, str(len(numbers) or 1),
        cwd=folder, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        async with asyncio.timeout(60):
            while numbers and not graph.feeds.listeners and process.returncode is None:  # noqa: ASYNC110  (in the server)
                await asyncio.sleep(0.01)
            if numbers:
                await graph.say(*(approval(approval_no=number) for number in numbers))
            out, err = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert process.returncode == 0, err.decode()
    told: dict[str, Any] = json.loads(out)
    return told


@pytest.mark.parametrize("way", ["ws", "sse"])
async def test_it_subscribes_and_hears(graph: Graph, way: str) -> None:
    async with graph.served():
        got = await subscribed(graph, way, "k-app", QUERY, "a", "b", "c")
        assert got["error"] is None
        assert [each["data"]["recordChanges"]["key"] for each in got["events"]] == ["a", "b", "c"]


@pytest.mark.parametrize(("key", "code"), [("", 4401), ("wrong", 4403)])
async def test_without_a_key_it_is_refused_with_4401_and_with_a_wrong_one_with_4403(graph: Graph, key: str, code: int) -> None:
    async with graph.served():
        got = await subscribed(graph, "ws", key, QUERY)
        assert (got["events"], got["closed"]["code"]) == ([], code)


@pytest.mark.parametrize("way", ["ws", "sse"])
async def test_a_query_gets_its_one_answer(graph: Graph, way: str) -> None:
    async with graph.served():
        got = await subscribed(graph, way, "k-app", "{ __typename }")
        assert got["events"] == [{"data": {"__typename": "Query"}}]
