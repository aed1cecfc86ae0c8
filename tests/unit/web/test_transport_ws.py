"""Subscriptions over graphql-transport-ws: a real server, a real client, and every way to be refused."""

import asyncio
import json
from typing import Any

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus
from websockets.typing import Origin

from hub.access.application_keys import Keyring
from hub.access.door import Door
from hub.mirror import ledger
from hub.mirror.database import Database, SQLiteDatabase
from hub.mirror.rows import Rows
from hub.web.open_connections import Openings, Patience
from schema.context import PlatformHealth
from schema.entities import ObligationState
from tests.builders import approval, obligation
from tests.unit.web.subscribers import KEYS, LONG, PROTOCOL, Graph, client, small_client

APPROVALS = (
    "subscription($after: String) { recordChanges(types: [APPROVAL], after: $after)"
    " { cursor kind type key record { ... on Approval { approvalNo applicantName address freshness { version } } } } }"
)
OBLIGATIONS = (
    "subscription($after: String) { obligationChanges(after: $after) { cursor kind key state obligation { state rule } } }"
)


@pytest.fixture
def graph(database: Database, rows: Rows) -> Graph:
    return Graph(database, rows)


@pytest.fixture
def on_sqlite(sqlite_database: SQLiteDatabase, rows: Rows) -> Graph:
    return Graph(sqlite_database, rows)


async def test_a_client_hears_of_each_change_and_goes_on_behind_the_last_one_that_it_saw(graph: Graph) -> None:
    await graph.say(approval(approval_no="before"))
    async with graph.served():
        async with client(graph.address) as first:
            await first.greet("k-app")
            await first.subscribe(APPROVALS)
            await first.say(type="ping")
            assert await first.hear() == {"type": "pong"}  # what was asked before is being answered
            await _listening(graph, 1)
            await graph.say(approval(approval_no="a", version=1))
            await graph.say(approval(approval_no="a", version=2), approval(approval_no="b"))
            heard = [await first.event("recordChanges") for _ in range(3)]
        assert [(each["key"], each["kind"]) for each in heard] == [("a", "CREATED"), ("a", "CHANGED"), ("b", "CREATED")]
        assert [each["record"]["freshness"]["version"] for each in heard] == ["1", "2", "1"]
        await _listening(graph, 0)
        await graph.say(approval(approval_no="c"))
        async with client(graph.address) as second:
            await second.greet("k-app")
            await second.subscribe(APPROVALS, after=heard[1]["cursor"])
            assert [(await second.event("recordChanges"))["key"] for _ in range(2)] == ["b", "c"]
            await graph.say(approval(approval_no="d"))
            assert (await second.event("recordChanges"))["key"] == "d"
            await second.say(type="complete", id="1")
            await _listening(graph, 0)
            await graph.say(approval(approval_no="e"))
            await second.subscribe("{ __typename }", "1")
            assert await second.event("__typename") == "Query"
            assert await second.hear() == {"id": "1", "type": "complete"}


async def test_who_says_nothing_holds_a_few_connections_only_and_keeps_nobody_known_out(on_sqlite: Graph) -> None:
    on_sqlite.openings = Openings(most=50, patience=Patience(first_word=LONG, beat=LONG, slow=LONG), of_stranger=2)
    async with on_sqlite.served(), client(on_sqlite.address) as known, client(on_sqlite.address) as silent:
        await known.greet()
        async with client(on_sqlite.address):
            with pytest.raises(InvalidStatus) as full:
                await connect(on_sqlite.address.replace("http", "ws"), subprotocols=[PROTOCOL], proxy=None)
            assert full.value.response.status_code == 503
            await silent.greet()
            async with client(on_sqlite.address) as next_one:
                await next_one.greet()
    assert not on_sqlite.openings._strangers


async def test_an_operation_that_meets_a_fault_of_ours_gets_an_error_and_the_others_go_on(
    on_sqlite: Graph, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any) -> Any:
        raise RuntimeError("broken")

    async with on_sqlite.served(), client(on_sqlite.address) as one:
        await one.greet()
        with monkeypatch.context() as patched:
            patched.setattr("hub.graph.compiled.documents.check_limits", broken)
            await one.subscribe("{ __typename }", "a")
            heard = await one.hear()
        assert (heard["id"], heard["type"]) == ("a", "error")
        assert heard["payload"][0]["extensions"] == {"code": "INTERNAL", "correlationId": "c-1"}
        await one.subscribe("{ __typename again: __typename }", "a")
        assert await one.event("again", "a") == "Query"


async def test_steps_of_obligations_are_told_one_by_one(graph: Graph, rows: Rows) -> None:
    async with graph.served(), client(graph.address) as one:
        await one.greet()
        await one.subscribe(OBLIGATIONS)
        await _listening(graph, 1)
        await graph.database.write(ledger.insert, rows, [obligation(key="o/1"), obligation(key="o/2", platform="credit")])
        await graph.place()
        heard = [await one.event("obligationChanges") for _ in range(2)]
        assert [(each["key"], each["kind"], each["state"]) for each in heard] == [
            ("o/1", "CREATED", "DUE"),
            ("o/2", "CREATED", "DUE"),
        ]
        await graph.database.write(ledger.insert, rows, [obligation(key="o/1")])  # it exists: nothing changes
        await graph.database.write(lambda it: ledger.change(it, rows, "o/2", state=ObligationState.STUCK))
        await graph.place()
        last = await one.event("obligationChanges")
        assert (last["key"], last["kind"], last["state"], last["obligation"]["state"]) == ("o/2", "CHANGED", "STUCK", "STUCK")


async def test_personal_data_is_masked_and_edges_are_as_they_are_now(on_sqlite: Graph) -> None:
    query = "subscription { recordChanges(types: [APPROVAL]) { record { ... on Approval { phone tasks { totalCount } } } } }"
    async with on_sqlite.served(), client(on_sqlite.address) as one:
        await one.greet()
        await one.subscribe(query)
        await _listening(on_sqlite, 1)
        await on_sqlite.say(approval(phone="13800001234"))
        record = (await one.event("recordChanges"))["record"]
        assert record["phone"] != "13800001234"
        assert record["phone"].startswith("138**")
        assert record["tasks"] == {"totalCount": 0}


async def test_a_query_is_answered_by_a_plan_where_it_has_one(on_sqlite: Graph) -> None:
    async with on_sqlite.served(), client(on_sqlite.address) as one:
        await one.greet("k-app")
        await one.subscribe("{ approvals { totalCount } }")
        assert await one.event("approvals") == {"totalCount": 0}
        assert await one.hear() == {"id": "1", "type": "complete"}
        assert on_sqlite.compiled == 1
        await one.subscribe("{ obligations { totalCount } }")
        heard = await one.hear()
        assert (heard["payload"]["errors"][0]["extensions"]["code"], on_sqlite.compiled) == ("FORBIDDEN", 1)


async def test_the_platforms_health_is_told_when_it_changes(sqlite_database: SQLiteDatabase, rows: Rows) -> None:
    graph = Graph(sqlite_database, rows, look_again=0.01)
    well = PlatformHealth("approval", None, None, 0, 0, None)
    graph.show_health(well, PlatformHealth("credit", None, None, 0, 0, None))
    async with graph.served(), client(graph.address) as one:
        await one.greet()
        await one.subscribe("subscription { syncHealth { platforms { name stuck } } }")
        assert [each["name"] for each in (await one.event("syncHealth"))["platforms"]] == ["approval", "credit"]
        graph.show_health(well, PlatformHealth("credit", None, 12.0, 0, 3, None))
        assert (await one.event("syncHealth"))["platforms"] == [{"name": "credit", "stuck": 3}]


INIT: dict[str, Any] = {"type": "connection_init", "payload": {"Authorization": "Bearer k-app"}}
ASK: dict[str, Any] = {"type": "subscribe", "id": "1", "payload": {"query": "subscription { syncHealth { at } }"}}


@pytest.mark.parametrize(
    ("messages", "code"),
    [
        ([{"type": "connection_init"}], 4401),
        ([{"type": "connection_init", "payload": {"authorization": "Bearer wrong"}}], 4403),
        ([{"type": "connection_init", "payload": {"authorization": "Basic k-app"}}], 4403),
        ([{"type": "connection_init", "payload": "k-app"}], 4400),
        ([ASK], 4401),
        ([INIT, INIT], 4429),
        ([INIT, {"type": "nonsense"}], 4400),
        ([INIT, {"id": "1"}], 4400),
        ([INIT, ["subscribe"]], 4400),
        ([INIT, "{"], 4400),
        ([INIT, b"\x00"], 4400),
        ([INIT, ASK | {"id": ""}], 4400),
        ([INIT, ASK | {"id": 7}], 4400),
        ([INIT, {"type": "subscribe", "id": "1"}], 4400),
        ([INIT, ASK | {"payload": {"query": 7}}], 4400),
        ([INIT, ASK | {"payload": {"query": " "}}], 4400),
        ([INIT, ASK | {"payload": {"query": "{ a }" + " " * 5_000}}], 4400),
    ],
)
async def test_what_breaks_the_protocol_or_shows_no_good_key_is_closed_with_its_code(
    on_sqlite: Graph, messages: list[Any], code: int
) -> None:
    async with on_sqlite.served(), client(on_sqlite.address) as one:
        for message in messages:
            await one.socket.send(message if isinstance(message, str | bytes) else json.dumps(message))
        closed, reason = await one.closed()
        assert closed == code, reason
        assert reason
    assert on_sqlite.openings.connections.held == 0


async def test_an_id_that_is_under_way_is_4409(on_sqlite: Graph) -> None:
    async with on_sqlite.served(), client(on_sqlite.address) as one:
        await one.greet()
        await one.subscribe(APPROVALS)
        await one.subscribe(APPROVALS)
        assert await one.closed() == (4409, "Subscriber for 1 already exists")


async def test_who_never_says_a_word_is_4408(sqlite_database: SQLiteDatabase, rows: Rows) -> None:
    graph = Graph(sqlite_database, rows, openings=Openings(patience=Patience(first_word=0.05, beat=LONG, slow=LONG)))
    async with graph.served(), client(graph.address) as one:
        assert await one.closed() == (4408, "Connection initialisation timeout")


async def test_another_subprotocol_is_4406(on_sqlite: Graph) -> None:
    async with on_sqlite.served(), client(on_sqlite.address, subprotocols=None) as one:
        assert (await one.closed())[0] == 4406


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("subscription { nonsense }", "GRAPHQL_VALIDATION_FAILED"),
        ("subscription {", "GRAPHQL_PARSE_FAILED"),
        ("subscription { syncHealth { at } }", "FORBIDDEN"),
        ("subscription { obligationChanges { key } }", "FORBIDDEN"),
        ("subscription { recordChanges(types: []) { key } }", "BAD_USER_INPUT"),
        ('subscription { recordChanges(types: [MATTER], filter: {subject: "x"}) { key } }', "BAD_USER_INPUT"),
        ('subscription { recordChanges(types: [APPROVAL], after: "x") { key } }', "BAD_CURSOR"),
        ('subscription { recordChanges(types: [APPROVAL], after: "b2JsaWdhdGlvbkNoYW5nZXM6MQ") { key } }', "BAD_CURSOR"),
        ('subscription { recordChanges(types: [APPROVAL], after: "cmVjb3JkQ2hhbmdlczo5") { key } }', "BAD_CURSOR"),
        ("subscription A { syncHealth { at } } subscription B { syncHealth { at } }", "OPERATION_RESOLUTION_FAILURE"),
    ],
)
async def test_an_operation_that_is_refused_is_told_so_and_the_connection_stands(on_sqlite: Graph, query: str, code: str) -> None:
    async with on_sqlite.served(), client(on_sqlite.address) as one:
        await one.greet("k-app")
        await one.subscribe(query)
        heard = await one.hear()
        assert (heard["type"], heard["id"]) == ("error", "1")
        assert [each["extensions"]["code"] for each in heard["payload"]] == [code]
        await one.subscribe("{ __typename }")
        assert await one.event("__typename") == "Query"


async def test_one_operation_more_than_a_connection_or_the_hub_may_have_is_refused(
    sqlite_database: SQLiteDatabase, rows: Rows
) -> None:
    graph = Graph(sqlite_database, rows, openings=Openings(3, 2, Patience(LONG, LONG, LONG)))
    async with graph.served(), client(graph.address) as one, client(graph.address) as two:
        for each in (one, two):
            await each.greet()
        for number in "123":
            await one.subscribe(APPROVALS, number)
        assert await _refusal(one) == ("3", "SUBSCRIPTION_LIMIT", 2)
        for number in "12":
            await two.subscribe(APPROVALS, number)
        assert await _refusal(two) == ("2", "SUBSCRIPTION_LIMIT", 3)
        await one.say(type="complete", id="1")
        await one.say(type="complete", id="2")
        await _listening(graph, 1)
        await two.subscribe(APPROVALS, "2")
        await _listening(graph, 2)
        async with client(graph.address) as _third:
            with pytest.raises(InvalidStatus) as refused:
                async with client(graph.address):
                    pass
        assert refused.value.response.status_code == 503


async def test_who_takes_nothing_is_cut_off_with_a_reason_and_leaves_nothing_behind(
    sqlite_database: SQLiteDatabase, rows: Rows
) -> None:
    graph = Graph(sqlite_database, rows, openings=Openings(patience=Patience(LONG, LONG, slow=0.2)))
    async with graph.served() as server, small_client(graph.address) as slow, client(graph.address) as quick:
        for each in (slow, quick):
            await each.greet()
            await each.subscribe(APPROVALS)
        await _listening(graph, 2)
        slow.socket.transport.pause_reading()
        told = 0
        while graph.openings.connections.held > 1:  # until the buffers of both systems are full
            await graph.say(*(approval(approval_no=f"{told + at}", address="x" * 2_000) for at in range(100)))
            for _ in range(100):
                assert (await quick.event("recordChanges"))["key"] == str(told)
                told += 1
            assert told < 5_000, "nobody was cut off"
        await _listening(graph, 1)
        slow.socket.transport.resume_reading()
        code, reason = await slow.closed()
        assert code == 4413
        assert reason.startswith("TOO_SLOW: nothing was taken for 0.2 s")
        assert (await _connected(server, 1)) == 1


async def test_who_falls_out_of_the_window_is_cut_off_while_others_hear_everything(
    sqlite_database: SQLiteDatabase, rows: Rows
) -> None:
    graph = Graph(sqlite_database, rows, window=400)
    last = 'subscription { recordChanges(types: [APPROVAL], filter: {keys: ["last"]}) { key } }'
    async with graph.served(), small_client(graph.address) as slow, client(graph.address) as quick:
        for each, query in ((slow, APPROVALS), (quick, last)):
            await each.greet()
            await each.subscribe(query)
        await _listening(graph, 2)
        slow.socket.transport.pause_reading()
        many = [approval(approval_no=f"{at}", address="x" * 2_000) for at in range(1_200)]
        await graph.say(*many, approval(approval_no="last"))
        assert (await quick.event("recordChanges"))["key"] == "last"
        slow.socket.transport.resume_reading()
        code, reason = await slow.closed()
        assert (code, reason.partition(":")[0]) == (4413, "TOO_SLOW")


async def test_a_key_that_is_taken_away_ends_the_connection(sqlite_database: SQLiteDatabase, rows: Rows) -> None:
    graph = Graph(sqlite_database, rows, openings=Openings(patience=Patience(LONG, 0.05, LONG)))
    async with graph.served(), client(graph.address) as one, client(graph.address) as two:
        await one.greet("k-app")
        await two.greet("k-ops")
        object.__setattr__(graph.endpoint, "door", Door(Keyring([KEYS[1]])))
        code, reason = await one.closed()
        assert (code, reason.partition(":")[0]) == (4403, "the key is not known here; ask the operators of the hub for one")
        await two.subscribe("{ __typename }")
        assert await two.event("__typename") == "Query"


async def test_a_hub_that_stops_says_so(on_sqlite: Graph) -> None:
    async with on_sqlite.served() as server, client(on_sqlite.address) as one:
        await one.greet()
        await one.subscribe(APPROVALS)
        await _listening(on_sqlite, 1)
        server.should_exit = True
        code, reason = await one.closed()
        assert (code, reason.partition(":")[0]) == (1001, "UNAVAILABLE")


async def _refusal(one: Any) -> tuple[str, str, int]:
    heard = await one.hear()
    assert heard["type"] == "error"
    (error,) = heard["payload"]
    return heard["id"], error["extensions"]["code"], error["extensions"]["limit"]


async def _listening(graph: Graph, count: int) -> None:
    """Return when so many listen to changes."""
    async with asyncio.timeout(20):
        while graph.feeds.listeners != count:  # noqa: ASYNC110  (in the server)
            await asyncio.sleep(0.005)


async def _connected(server: Any, count: int) -> int:
    """Return how many connections the server has, once it has no more than so many."""
    async with asyncio.timeout(20):
        while len(server.server_state.connections) > count:  # noqa: ASYNC110  (in the server)
            await asyncio.sleep(0.01)
    return len(server.server_state.connections)


@pytest.mark.parametrize(
    ("origin", "opens"),
    [(None, True), ("own", True), ("https://desk.example", True), ("https://evil.example", False), ("null", False)],
)
async def test_pages_of_other_origins_open_nothing_unless_they_are_named(
    sqlite_database: SQLiteDatabase, rows: Rows, origin: str | None, opens: bool
) -> None:
    graph = Graph(sqlite_database, rows, origins=("https://desk.example",))
    async with graph.served():
        named = None if origin is None else Origin(graph.address.removesuffix("/graphql") if origin == "own" else origin)
        opening = connect(graph.address.replace("http", "ws"), subprotocols=[PROTOCOL], origin=named, proxy=None)
        if opens:
            async with opening:
                return
        with pytest.raises(InvalidStatus, match="403"):
            await opening
