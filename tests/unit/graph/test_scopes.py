"""Who may read what: each way to an entity asks for the entity's scope."""

import pytest

from schema.declare import declared
from schema.entities import Approval, Obligation, StreamHealth
from schema.global_id import global_id
from tests.unit.graph.city import OPERATOR, READER, City
from tests.unit.graph.records import made

WAYS = [
    "{ obligations { totalCount } }",
    '{ obligation(key: "o") { state } }',
    f'{{ node(id: "{global_id(declared(Obligation), "o")}") {{ id }} }}',
    '{ _entities(representations: [{__typename: "Obligation", key: "o"}]) { ... on Obligation { state } } }',
    '{ approval(approvalNo: "A") { obligations { totalCount } } }',
    "{ platforms { name } }",
    '{ delivery(deliveryId: "d") { state } }',
]


@pytest.mark.parametrize("query", WAYS)
async def test_every_way_to_what_operators_see_asks_for_their_scope(city: City, query: str) -> None:
    await city.put(made(Approval, approval_no="A"), made(Obligation, key="o", cause="A"))
    given = await city.ask(query, scopes=READER)
    (error,) = given.errors
    assert error.extensions == {"code": "FORBIDDEN", "scope": "ops:read"}
    assert error.message == "this asks for the scope 'ops:read', which 'console' does not have"
    assert not (await city.ask(query, scopes=OPERATOR)).errors


async def test_a_refused_edge_leaves_its_neighbours_alone(city: City) -> None:
    await city.put(made(Approval, approval_no="A", region="330782"))
    given = await city.ask('{ approval(approvalNo: "A") { region obligations { totalCount } } }', scopes=READER)
    assert given.data == {"approval": {"region": "330782", "obligations": None}}


async def test_someone_without_a_key_is_told_how_to_show_one(city: City) -> None:
    code, message = await city.error("{ approvals { totalCount } }", name=None, scopes=frozenset())
    assert code == "UNAUTHENTICATED"
    assert (
        message
        == "this asks for the scope 'graph:read': send a key or token, as Authorization: Bearer <key or token> or X-Api-Key: <key>"
    )


@pytest.mark.parametrize(
    "mutation",
    [
        'retryObligations(input: {keys: ["o"]})',
        'waiveObligation(input: {key: "o", reason: "r"})',
        'settleObligation(input: {key: "o", reason: "r"})',
        'resolveOpsItem(input: {itemId: "o", resolution: "r"})',
        'resync(input: {platform: "credit"})',
        'replayDeliveries(input: {deliveryIds: ["d"]})',
    ],
)
async def test_every_mutation_asks_for_the_right_to_act_before_anything_happens(city: City, mutation: str) -> None:
    given = await city.ask(
        f"mutation {{ {mutation} {{ userErrors {{ message }} }} }}", scopes=frozenset({"graph:read", "ops:read"})
    )
    assert [error.extensions for error in given.errors] == [{"code": "FORBIDDEN", "scope": "ops:act"}]
    assert city.hub.calls == []


async def test_what_a_mutation_shows_asks_for_the_right_to_read_it(city: City) -> None:
    await city.put(made(StreamHealth, stream_id="credit", platform="credit"))
    query = 'mutation { resync(input: {platform: "credit"}) { userErrors { message } streams { platform } } }'
    given = await city.ask(query, scopes=frozenset({"ops:act"}))
    assert given.data == {"resync": {"userErrors": [], "streams": None}}
    assert [error.extensions for error in given.errors] == [{"code": "FORBIDDEN", "scope": "ops:read"}]
