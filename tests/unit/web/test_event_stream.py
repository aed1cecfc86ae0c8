"""Subscriptions as event streams: distinct connections mode of GraphQL over SSE, on a real server."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from hub.access.application_keys import Keyring
from hub.access.door import Door
from hub.mirror.database import SQLiteDatabase
from hub.mirror.rows import Rows
from hub.web.open_connections import Openings, Patience
from tests.builders import approval
from tests.unit.web.subscribers import KEYS, LONG, Graph, events_of

EVENTS = {"accept": "text/event-stream", "authorization": "Bearer k-ops"}
APPROVALS = "subscription($after: String) { recordChanges(types: [APPROVAL], after: $after) { cursor key } }"


@pytest.fixture
def graph(sqlite_database: SQLiteDatabase, rows: Rows) -> Graph:
    return Graph(sqlite_database, rows)


class Stream:
    """Events as they come."""

    def __init__(self, response: httpx.Response) -> None:
        self.response = response
        self._lines = response.aiter_lines()

    async def event(self) -> tuple[str, Any]:
        """Return the next event: name and data; comments are passed over."""
        block = ""
        async with asyncio.timeout(20):
            async for line in self._lines:
                block += f"{line}\n"
                if line == "":
                    if found := list(events_of(block)):
                        return found[0]
                    block = ""
        raise AssertionError("the stream ended")


@contextlib.asynccontextmanager
async def streaming(graph: Graph, query: str, method: str = "POST", **variables: Any) -> AsyncIterator[Stream]:
    told: dict[str, Any] = {"json": {"query": query, "variables": variables}}
    if method == "GET":
        told = {"params": {"query": query, "variables": json.dumps(variables)}}
    async with (
        httpx.AsyncClient(trust_env=False, timeout=20) as http,
        http.stream(method, graph.address, headers=EVENTS, **told) as response,
    ):
        yield Stream(response)


async def _listening(graph: Graph, count: int) -> None:
    async with asyncio.timeout(20):
        while graph.feeds.listeners != count:  # noqa: ASYNC110  (in the server)
            await asyncio.sleep(0.005)


@pytest.mark.parametrize("method", ["POST", "GET"])
async def test_a_client_hears_of_each_change_and_goes_on_behind_the_last_one_that_it_saw(graph: Graph, method: str) -> None:
    async with graph.served():
        async with streaming(graph, APPROVALS, method) as one:
            assert one.response.headers["content-type"] == "text/event-stream; charset=utf-8"
            assert one.response.headers["cache-control"] == "no-store"
            await _listening(graph, 1)
            await graph.say(approval(approval_no="a"), approval(approval_no="b"))
            (name, first), (_, second) = await one.event(), await one.event()
        assert name == "next"
        assert [each["data"]["recordChanges"]["key"] for each in (first, second)] == ["a", "b"]
        await _listening(graph, 0)  # who hangs up is not fed any more
        async with streaming(graph, APPROVALS, method, after=first["data"]["recordChanges"]["cursor"]) as again:
            assert (await again.event())[1] == second


@pytest.mark.parametrize("method", ["POST", "GET"])
async def test_a_query_has_one_answer_which_is_a_plans_and_then_it_is_complete(graph: Graph, method: str) -> None:
    async with graph.served(), streaming(graph, "{ approvals { totalCount } }", method) as one:
        assert await one.event() == ("next", {"data": {"approvals": {"totalCount": 0}}})
        assert await one.event() == ("complete", None)
        assert graph.compiled == 1


@pytest.mark.parametrize(
    "query", ["subscription { nonsense }", "subscription {", "subscription { recordChanges(types: []) { key } }"]
)
async def test_what_is_wrong_with_an_operation_is_told_in_the_stream(graph: Graph, query: str) -> None:
    async with graph.served(), streaming(graph, query) as one:
        assert one.response.status_code == 200
        name, told = await one.event()
        assert name == "next"
        assert told["errors"][0]["extensions"]["code"]
        assert await one.event() == ("complete", None)


async def test_what_is_refused_before_it_is_looked_at_has_its_status(graph: Graph) -> None:
    async with graph.served(), httpx.AsyncClient(trust_env=False) as http:
        wrong_key = await http.post(graph.address, json={"query": "{ a }"}, headers=EVENTS | {"authorization": "Bearer wrong"})
        assert (wrong_key.status_code, wrong_key.json()["errors"][0]["extensions"]["code"]) == (401, "UNAUTHENTICATED")
        no_json = await http.post(graph.address, content=b"{", headers=EVENTS | {"content-type": "application/json"})
        assert no_json.status_code == 400
        mutation = await http.get(graph.address, params={"query": "mutation { __typename }"}, headers=EVENTS)
        ((_, told), (last, _)) = events_of(mutation.text)
        assert (told["errors"][0]["extensions"]["code"], "data" in told, last) == ("METHOD_NOT_ALLOWED", False, "complete")
        assert graph.openings.connections.held == 0


async def test_one_stream_more_than_there_may_be_is_503(sqlite_database: SQLiteDatabase, rows: Rows) -> None:
    graph = Graph(sqlite_database, rows, openings=Openings(1, 1, Patience(LONG, LONG, LONG)))
    async with graph.served(), streaming(graph, APPROVALS), streaming(graph, APPROVALS) as refused:
        assert refused.response.status_code == 503
        assert refused.response.headers["retry-after"] == "5"


async def test_a_stream_shows_signs_of_life_and_ends_with_its_key(sqlite_database: SQLiteDatabase, rows: Rows) -> None:
    graph = Graph(sqlite_database, rows, openings=Openings(patience=Patience(LONG, 0.05, LONG)))
    async with graph.served(), streaming(graph, APPROVALS) as one:
        beats = 0
        async with asyncio.timeout(20):
            async for line in one.response.aiter_lines():
                beats += line == ":"
                if beats == 3:
                    object.__setattr__(graph.endpoint, "door", Door(Keyring([KEYS[0]])))
                if line.startswith("data: "):
                    assert json.loads(line.removeprefix("data: "))["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
                    break
        assert beats >= 3


async def test_a_hub_that_stops_says_so(graph: Graph) -> None:
    async with graph.served() as server, streaming(graph, APPROVALS) as one:
        await _listening(graph, 1)
        server.should_exit = True
        name, told = await one.event()
        assert (name, told["errors"][0]["extensions"]["code"]) == ("next", "UNAVAILABLE")
        assert await one.event() == ("complete", None)


async def test_who_falls_out_of_the_window_is_told_the_cursor_to_go_on_behind(sqlite_database: SQLiteDatabase, rows: Rows) -> None:
    graph = Graph(sqlite_database, rows, window=400)
    many = [approval(approval_no=f"{at}", address="x" * 2_000) for at in range(1_200)]
    query = "subscription { recordChanges(types: [APPROVAL]) { cursor key record { ... on Approval { address } } } }"
    last = 'subscription { recordChanges(types: [APPROVAL], filter: {keys: ["last"]}) { key } }'
    async with graph.served(), streaming(graph, query) as slow, streaming(graph, last) as quick:
        await _listening(graph, 2)
        await graph.say(*many, approval(approval_no="last"))
        await quick.event()  # now all are read, and whoever took nothing meanwhile is behind
        seen = 0
        while "errors" not in (told := (await slow.event())[1]):
            seen += 1
        (error,) = told["errors"]
        assert error["extensions"]["code"] == "TOO_SLOW"
        assert seen < 1_200
        assert await slow.event() == ("complete", None)
        async with streaming(graph, APPROVALS, after=error["extensions"]["after"]) as again:
            assert (await again.event())[1]["data"]["recordChanges"]["key"] == str(seen)
