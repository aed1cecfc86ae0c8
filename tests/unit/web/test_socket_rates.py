"""WebSockets and the operations on them count against the rate of their client, as requests do."""

from contextlib import AsyncExitStack

import pytest

from hub.access.rates import Rates
from hub.mirror.database import SQLiteDatabase
from hub.mirror.rows import Rows
from tests.unit.web.subscribers import Client, Graph, client

QUERY = "{ __typename }"


class Seconds:
    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def seconds() -> Seconds:
    return Seconds()


@pytest.fixture
def graph(sqlite_database: SQLiteDatabase, rows: Rows, seconds: Seconds) -> Graph:
    return Graph(sqlite_database, rows, rates=Rates(0.5, 3, seconds))


async def answered(one: Client, operation: str) -> None:
    await one.subscribe(QUERY, operation)
    assert await one.event("__typename", operation) == "Query"
    assert await one.hear() == {"id": operation, "type": "complete"}


async def test_an_operation_too_many_is_refused_and_the_others_go_on(graph: Graph, seconds: Seconds) -> None:
    async with graph.served(), client(graph.address) as one, client(graph.address) as other:
        await one.greet("k-app")
        await one.subscribe("subscription { recordChanges(types: [APPROVAL]) { key } }", "stands")
        await answered(one, "1")
        await one.subscribe(QUERY, "2")
        refused = await one.hear()
        assert (refused["id"], refused["type"]) == ("2", "error")
        (error,) = refused["payload"]
        assert (error["extensions"]["code"], error["extensions"]["retryAfter"]) == ("RATE_LIMIT", 2)
        assert "come again in 2.0 s" in error["message"]
        await other.greet("k-ops")  # another client has a bucket of its own
        await answered(other, "1")
        seconds.now += 2
        await answered(one, "2")
        await one.say(type="complete", id="stands")


async def test_a_connection_too_many_is_closed_with_4429(graph: Graph, seconds: Seconds) -> None:
    async with graph.served(), AsyncExitStack() as open_:
        for _ in range(3):
            await (await open_.enter_async_context(client(graph.address))).greet("k-app")
        async with client(graph.address) as refused:
            await refused.say(type="connection_init", payload={"X-Api-Key": "k-app"})
            code, reason = await refused.closed()
        assert (code, reason) == (4429, "RATE_LIMIT: more connections than this client may begin; come again in 2.0 s")
        seconds.now += 2
        async with client(graph.address) as later:
            await later.greet("k-app")


async def test_who_tries_keys_is_known_by_the_address(graph: Graph) -> None:
    codes = []
    async with graph.served():
        for at in range(4):
            async with client(graph.address) as guessing:
                await guessing.say(type="connection_init", payload={"X-Api-Key": f"guess-{at}"})
                codes.append((await guessing.closed())[0])
        async with client(graph.address) as known:
            await known.greet("k-app")
    assert codes == [4403, 4403, 4403, 4429]
