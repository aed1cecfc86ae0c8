"""What operators see of platforms, and what they can do."""

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import update

from hub.mirror.tables import TABLES
from schema.context import PlatformHealth
from schema.entities import AuditEntry, Delivery, Obligation, ObligationState, StreamHealth
from tests.unit.graph.city import City
from tests.unit.graph.records import NOW, made


async def act(city: City, mutation: str) -> Any:
    (payload,) = (await city.data(f"mutation {{ {mutation} }}")).values()
    return payload


async def test_platforms_show_their_health_and_their_streams(city: City) -> None:
    city.hub.health = (
        PlatformHealth("approval", NOW, 12.5, 3, 1, NOW + timedelta(minutes=1)),
        PlatformHealth("credit", None, None, 0, 0, None),
    )
    await city.put(*(made(StreamHealth, stream_id=f"approval/{name}", platform="approval", stream=name) for name in ("b", "a")))
    found = await city.data(
        "{ platforms { name lastSuccess lagSeconds backlog stuck breakerOpenUntil streams { stream recordsSeen } } }"
    )
    assert found["platforms"] == [
        {
            "name": "approval",
            "lastSuccess": "2019-09-11T01:00:00+00:00",
            "lagSeconds": 12.5,
            "backlog": 3,
            "stuck": 1,
            "breakerOpenUntil": "2019-09-11T01:01:00+00:00",
            "streams": [{"stream": "a", "recordsSeen": 1}, {"stream": "b", "recordsSeen": 1}],
        },
        {
            "name": "credit",
            "lastSuccess": None,
            "lagSeconds": None,
            "backlog": 0,
            "stuck": 0,
            "breakerOpenUntil": None,
            "streams": [],
        },
    ]
    assert len(city.statements) == 1


async def test_retrying_shows_what_was_done_and_what_was_refused_by_type(city: City) -> None:
    await city.put(made(Obligation, key="o/1", state=ObligationState.DUE), made(Obligation, key="o/2", state=ObligationState.DUE))
    payload = await act(
        city,
        """retryObligations(input: {keys: ["o/2", "no-1", "o/1"], reason: "they are back"}) {
            obligations { key state } userErrors { __typename message path ... on UnknownObligation { key } } }""",
    )
    assert payload == {
        "obligations": [{"key": "o/2", "state": "DUE"}, {"key": "o/1", "state": "DUE"}],
        "userErrors": [
            {"__typename": "UnknownObligation", "message": "no obligation 'no-1'", "path": ["keys", "1"], "key": "no-1"}
        ],
    }
    assert city.hub.calls == [("retry", ["o/2", "no-1", "o/1"], "they are back", "console")]
    assert len(city.statements) == 1


async def test_a_mutation_shows_the_record_as_it_stands_afterwards(city: City) -> None:
    await city.put(made(Obligation, key="o/1", state=ObligationState.STUCK))

    async def act_twice() -> None:
        state = "SETTLED" if len(city.hub.calls) == 1 else "WAIVED"
        await city.database.write(lambda connection: connection.execute(update(TABLES["Obligation"]).values(state=state)))

    city.hub.on_call = act_twice
    given = await city.data(
        """mutation { a: settleObligation(input: {key: "o/1", reason: "x"}) { obligation { state } }
                      b: waiveObligation(input: {key: "o/1", reason: "x"}) { obligation { state } userErrors { message } } }"""
    )
    assert given["a"] == {"obligation": {"state": "SETTLED"}}
    assert given["b"] == {"obligation": {"state": "WAIVED"}, "userErrors": []}


async def test_a_blank_reason_is_refused_before_the_engine_is_asked(city: City) -> None:
    for mutation, name in (
        ('waiveObligation(input: {key: "o", reason: " "})', "reason"),
        ('settleObligation(input: {key: "o", reason: ""})', "reason"),
        ('resolveOpsItem(input: {itemId: "o", resolution: "\\n"})', "resolution"),
    ):
        payload = await act(city, f"{mutation} {{ userErrors {{ __typename message path }} }}")
        message = f"{name} is blank: say why, for the record"
        assert payload == {"userErrors": [{"__typename": "ReasonMissing", "message": message, "path": [name]}]}
    assert city.hub.calls == []


async def test_too_many_keys_are_refused_with_the_limit(city: City) -> None:
    query = "mutation($k: [String!]!) { retryObligations(input: {keys: $k}) { userErrors { ... on TooMany { limit path } } } }"
    found = await city.data(query, {"k": ["o"] * 201})
    assert found["retryObligations"]["userErrors"] == [{"limit": 200, "path": ["keys"]}]
    assert city.hub.calls == []


async def test_deliveries_are_replayed_by_id_or_by_platform_and_time(city: City) -> None:
    await city.put(made(Delivery, delivery_id="d1"))
    by_id = await act(city, 'replayDeliveries(input: {deliveryIds: ["d1"]}) { replayed deliveries { deliveryId } }')
    assert by_id == {"replayed": 1, "deliveries": [{"deliveryId": "d1"}]}
    await act(city, 'replayDeliveries(input: {platform: "grid", since: "2019-09-11T09:00:00+08:00"}) { replayed }')
    assert city.hub.calls == [
        ("replay", ["d1"], "console"),
        ("replay_since", "grid", datetime(2019, 9, 11, 1, tzinfo=UTC), "console"),
    ]


async def test_a_replay_that_names_nothing_or_both_is_refused(city: City) -> None:
    for wrong in ("{}", '{platform: "grid"}', '{deliveryIds: ["d"], platform: "grid", since: "2019-09-11T09:00:00Z"}'):
        payload = await act(city, f"replayDeliveries(input: {wrong}) {{ replayed userErrors {{ __typename }} }}")
        assert payload == {"replayed": 0, "userErrors": [{"__typename": "InputMissing"}]}
    assert city.hub.calls == []


async def test_resolving_and_resyncing_reach_the_engine(city: City) -> None:
    await act(city, 'resolveOpsItem(input: {itemId: "i", resolution: "called them"}) { opsItem { itemId } userErrors { message } }')
    await act(city, 'resync(input: {platform: "credit", stream: "records"}) { userErrors { message } }')
    assert city.hub.calls == [("resolve", "i", "called them", "console"), ("resync", "credit", "records", "console")]


async def test_what_people_did_is_shown_to_operators_with_what_it_was_done_to_and_masked(city: City) -> None:
    await city.put(
        made(Obligation, key="o/1", state=ObligationState.WAIVED),
        made(AuditEntry, entry_id="e1", actor="lou", action="waiveObligation", target="o/1", reason="called 13857912345"),
        made(AuditEntry, entry_id="e2", actor="chen", action="resync", target="credit/records"),
    )
    query = (
        '{ auditEntries(where: {actor: {eq: "lou"}}) { edges { node { action reason obligation { key audit { totalCount } } } } } }'
    )
    (edge,) = (await city.data(query))["auditEntries"]["edges"]
    assert edge["node"]["obligation"] == {"key": "o/1", "audit": {"totalCount": 1}}
    assert edge["node"]["reason"].startswith("called 138")
    assert "13857912345" not in edge["node"]["reason"]
    refused = await city.ask("{ auditEntries { totalCount } }", scopes=frozenset({"graph:read"}))
    assert refused.data == {"auditEntries": None}
    assert [error.extensions["code"] for error in refused.errors if error.extensions] == ["FORBIDDEN"]
