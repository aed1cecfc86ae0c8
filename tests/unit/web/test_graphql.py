"""GraphQL over HTTP to the letter: methods, media types, status codes, parameters, keys."""

import asyncio
import dataclasses
import ipaddress
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.routing import Route

from hub.access.application_keys import ApplicationKey, Keyring, hash_key
from hub.access.door import Door
from hub.access.rates import Rates
from hub.graph.loaders import Loaders
from hub.graph.schema import HubSchema, build_schema
from hub.graph.trusted import Trusted, document_id
from hub.intake.room import Room
from hub.mirror.database import SQLiteDatabase
from hub.mirror.rows import Rows
from hub.web.graphql import GraphQLEndpoint
from hub.web.open_connections import Openings
from schema.context import Caller, Context
from tests.unit.access.provider import rsa, running_provider
from tests.unit.graph.records import FakeHub

NEW, OLD = "application/graphql-response+json", "application/json"
DOOR = Door(Keyring([ApplicationKey("app", hash_key("k-app"), frozenset({"graph:read", "ops:act"}))]), frozenset({"graph:read"}))


@pytest.fixture(scope="module")
def schema() -> HubSchema:
    return build_schema()


@pytest.fixture
def hub() -> FakeHub:
    return FakeHub()


@pytest.fixture
def endpoint(sqlite_database: SQLiteDatabase, rows: Rows, schema: HubSchema, hub: FakeHub) -> GraphQLEndpoint:
    def context_for(caller: Caller, correlation_id: str) -> Context:
        return Context(Loaders(sqlite_database, rows, caller), hub, caller, correlation_id)

    return GraphQLEndpoint(schema, DOOR, context_for, lambda: "c-7", body_limit=2_000)


@pytest.fixture
async def client(endpoint: GraphQLEndpoint) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(Starlette(routes=[Route("/graphql", endpoint)]))
    async with httpx.AsyncClient(transport=transport, base_url="http://hub") as client:
        yield client


async def post(client: httpx.AsyncClient, body: Any, accept: str | None = NEW, **headers: str) -> httpx.Response:
    return await client.post("/graphql", json=body, headers={**({"accept": accept} if accept else {}), **headers})


def code(response: httpx.Response) -> str:
    (error,) = response.json()["errors"]
    return str(error["extensions"]["code"])


@pytest.mark.parametrize(
    ("accept", "media_type"),
    [
        (None, OLD),
        ("*/*", OLD),
        ("application/*", OLD),
        (OLD, OLD),
        (NEW, NEW),
        (f"{NEW}, {OLD};q=0.9", NEW),
        (f"{OLD}, {NEW}", NEW),
        (f"{NEW};q=0.5, {OLD}", OLD),
        (f"{NEW.upper()};charset=utf-8", NEW),
        (f"{NEW};q=0, */*", OLD),
        (f"text/html, {OLD};q=0, */*;q=0.1", NEW),
        (f"{NEW};q=x, {OLD}", OLD),
    ],
)
async def test_the_answer_has_the_media_type_that_the_client_likes_best(
    client: httpx.AsyncClient, accept: str | None, media_type: str
) -> None:
    client.headers.pop("accept")
    response = await post(client, {"query": "{ __typename }"}, accept)
    assert response.status_code == 200
    assert response.headers["content-type"] == f"{media_type}; charset=utf-8"
    assert response.json() == {"data": {"__typename": "Query"}}
    assert response.headers["cache-control"] == "no-store"
    assert response.headers["x-correlation-id"] == "c-7"


async def test_a_client_that_accepts_neither_is_told_so(client: httpx.AsyncClient) -> None:
    response = await post(client, {"query": "{ __typename }"}, "text/html")
    assert (response.status_code, code(response)) == (406, "NOT_ACCEPTABLE")


@pytest.mark.parametrize("accept", [NEW, OLD])
@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"query": "{ nonsense }"}, "GRAPHQL_VALIDATION_FAILED"),
        ({"query": "{"}, "GRAPHQL_PARSE_FAILED"),
        ({"query": "query A { __typename } query B { __typename }"}, "OPERATION_RESOLUTION_FAILURE"),
        ({"query": "query A { __typename }", "operationName": "B"}, "OPERATION_RESOLUTION_FAILURE"),
        ({"query": "query($n: Int!) { approvals(first: $n) { totalCount } }"}, "BAD_USER_INPUT"),
        ({"query": "subscription { x }"}, "OPERATION_RESOLUTION_FAILURE"),
    ],
)
async def test_what_cannot_be_executed_is_400_for_new_clients_and_200_for_old_ones_without_data(
    client: httpx.AsyncClient, accept: str, body: dict[str, Any], expected: str
) -> None:
    response = await post(client, body, accept)
    assert response.status_code == (400 if accept == NEW else 200)
    assert code(response) == expected
    assert "data" not in response.json()


@pytest.mark.parametrize("accept", [NEW, OLD])
@pytest.mark.parametrize(
    "body",
    [
        b"", b"{", b"\xff{}", b'"x"', b"7", b"null", b"{}", b'{"query": null}', b'{"query": 7}', b'{"query": " "}',
        b'[{"query": "{ a }"}]', b'{"query": "{ a }", "variables": "x"}', b'{"query": "{ a }", "variables": [1]}',
        b'{"query": "{ a }", "operationName": 7}', b'{"query": "{ a }", "extensions": "x"}', b'{"query": "\\ud800"}',
    ],
)  # fmt: skip
async def test_a_body_that_is_no_request_is_400_in_json(client: httpx.AsyncClient, accept: str, body: bytes) -> None:
    response = await client.post("/graphql", content=body, headers={"content-type": "application/json", "accept": accept})
    assert (response.status_code, code(response)) == (400, "BAD_REQUEST")
    assert response.headers["content-type"].startswith(accept)
    assert set(response.json()) == {"errors"}


async def test_deep_json_is_refused(endpoint: GraphQLEndpoint) -> None:
    body = b'{"query": "{ __typename }", "variables": {"a": ' + b"[" * 900_000 + b"]" * 900_000 + b"}}"
    roomy = dataclasses.replace(endpoint, body_limit=2_000_000)
    transport = httpx.ASGITransport(Starlette(routes=[Route("/graphql", roomy)]))
    async with httpx.AsyncClient(transport=transport, base_url="http://hub") as client:
        response = await client.post("/graphql", content=body, headers={"content-type": "application/json"})
    assert (response.status_code, code(response)) == (400, "BAD_REQUEST")


@pytest.mark.parametrize("accept", [NEW, "text/event-stream"])
async def test_who_sends_slowly_takes_room_from_bodies_and_from_nothing_that_is_under_way(
    endpoint: GraphQLEndpoint, accept: str
) -> None:
    small = dataclasses.replace(endpoint, room=Room(1), reading=Room(2, 10_000), openings=Openings(most=1))
    transport = httpx.ASGITransport(Starlette(routes=[Route("/graphql", small)]))
    begins, goes_on = asyncio.Event(), asyncio.Event()

    async def slow() -> AsyncIterator[bytes]:
        yield b'{"query": '
        begins.set()
        await goes_on.wait()
        yield b'"{ __typename }"}'

    headers = {"content-type": "application/json", "accept": accept}
    async with httpx.AsyncClient(transport=transport, base_url="http://hub") as client:
        slowly = asyncio.create_task(client.post("/graphql", content=slow(), headers=headers))
        await begins.wait()
        assert (small.room.held, small.openings.connections.held, small.reading.held) == (0, 0, 1)
        assert (await post(client, {"query": "{ __typename }"})).status_code == 200
        with small.reading.inside():
            response = await post(client, {"query": "{ __typename }"}, accept)
        assert (response.status_code, code(response)) == (503, "UNAVAILABLE")
        goes_on.set()
        assert (await slowly).status_code == 200
    assert small.reading.held == 0


@pytest.mark.parametrize("accept", [NEW, OLD])
@pytest.mark.parametrize("where", ["hub.graph.gate.check_limits", "hub.access.door.Door.caller"])
async def test_a_fault_of_ours_is_answered_as_the_graph_answers(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch, accept: str, where: str
) -> None:
    def broken(*_: Any) -> Any:
        raise RuntimeError("broken")

    monkeypatch.setattr(where, broken)
    response = await post(client, {"query": "{ approvals { totalCount } }"}, accept)
    assert (response.status_code, code(response)) == (500, "INTERNAL")
    assert response.headers["content-type"].startswith(accept)
    assert response.headers["x-correlation-id"] == "c-7"


async def test_one_request_more_than_may_be_under_way_is_503_and_says_when_to_come_again(endpoint: GraphQLEndpoint) -> None:
    full = dataclasses.replace(endpoint, room=Room(1))
    transport = httpx.ASGITransport(Starlette(routes=[Route("/graphql", full)]))
    async with httpx.AsyncClient(transport=transport, base_url="http://hub") as client:
        with full.room.inside():
            refused = await post(client, {"query": "{ __typename }"})
        assert (refused.status_code, code(refused), refused.headers["retry-after"]) == (503, "UNAVAILABLE", "5")
        assert (await post(client, {"query": "{ __typename }"})).status_code == 200


async def test_empty_and_unknown_parameters_do_not_matter(client: httpx.AsyncClient) -> None:
    body = {"query": "{ __typename }", "operationName": None, "variables": None, "extensions": None, "id": 7}
    assert (await post(client, body)).json() == {"data": {"__typename": "Query"}}
    assert (await post(client, {**body, "operationName": "", "variables": {}, "extensions": {"a": 1}})).status_code == 200


@pytest.mark.parametrize(
    "content_type",
    ["", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/json; charset=gbk"],
)
async def test_a_body_of_another_type_is_415(client: httpx.AsyncClient, content_type: str) -> None:
    response = await client.post(
        "/graphql", content=b'{"query": "{ __typename }"}', headers={"content-type": content_type} if content_type else {}
    )
    assert (response.status_code, code(response)) == (415, "UNSUPPORTED_MEDIA_TYPE")


@pytest.mark.parametrize("content_type", ["application/json; charset=utf-8", 'Application/JSON;charset="UTF-8"'])
async def test_json_in_utf_8_is_read(client: httpx.AsyncClient, content_type: str) -> None:
    body = json.dumps({"query": '{ subject(code: "䶮") { name } }'}, ensure_ascii=False).encode()
    response = await client.post("/graphql", content=body, headers={"content-type": content_type})
    assert response.json() == {"data": {"subject": None}}


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "HEAD", "OPTIONS"])
async def test_other_methods_are_405_and_say_which_are_allowed(client: httpx.AsyncClient, method: str) -> None:
    response = await client.request(method, "/graphql")
    assert response.status_code == 405
    assert response.headers["allow"] == "GET, POST"


async def test_a_query_may_be_asked_by_get(client: httpx.AsyncClient) -> None:
    query = "query A($n: Int!) { approvals(first: $n) { edges { cursor } } } query B { __typename }"
    asked = {"query": query, "operationName": "A", "variables": '{"n": 3}', "extensions": "{}"}
    response = await client.get("/graphql", params=asked, headers={"accept": NEW})
    assert response.json() == {"data": {"approvals": {"edges": []}}}


@pytest.mark.parametrize(
    "params",
    [
        {}, {"query": ""}, {"query": "{ a }", "variables": "{"},
        {"query": ["{ a }", "{ b }"]}, {"query": "{ a }", "extensions": "7"},
    ],
)  # fmt: skip
async def test_a_get_that_is_no_request_is_400(client: httpx.AsyncClient, params: dict[str, Any]) -> None:
    response = await client.get("/graphql", params=params)
    assert (response.status_code, code(response)) == (400, "BAD_REQUEST")


async def test_a_mutation_by_get_is_405_and_changes_nothing(client: httpx.AsyncClient, hub: FakeHub) -> None:
    query = 'mutation { resync(input: {platform: "credit"}) { userErrors { message } } }'
    response = await client.get("/graphql", params={"query": query}, headers={"x-api-key": "k-app"})
    assert (response.status_code, code(response)) == (405, "METHOD_NOT_ALLOWED")
    assert response.headers["allow"] == "POST"
    assert hub.calls == []
    assert (await post(client, {"query": query}, NEW, **{"x-api-key": "k-app"})).status_code == 200
    assert hub.calls == [("resync", "credit", None, "app")]


async def test_a_body_that_is_too_large_is_413(client: httpx.AsyncClient) -> None:
    response = await post(client, {"query": "{ __typename }" + " " * 2_000})
    assert (response.status_code, code(response)) == (413, "BODY_TOO_LARGE")


async def test_a_wrong_key_is_401_and_no_key_is_nobody(client: httpx.AsyncClient) -> None:
    response = await post(client, {"query": "{ __typename }"}, NEW, authorization="Bearer nope")
    assert (response.status_code, code(response)) == (401, "UNAUTHENTICATED")
    assert response.headers["www-authenticate"] == 'Bearer realm="bihuan", error="invalid_token", error_description="KEY_UNKNOWN"'
    assert response.json()["errors"][0]["extensions"]["reason"] == "KEY_UNKNOWN"
    response = await post(client, {"query": "{ obligations { totalCount } }"})
    assert (response.status_code, code(response)) == (200, "UNAUTHENTICATED")
    assert response.json()["data"] == {"obligations": None}


async def test_a_token_lets_in_and_one_that_does_not_hold_is_told_why(endpoint: GraphQLEndpoint) -> None:
    async with running_provider() as provider:
        provider.status = 500
        door = dataclasses.replace(endpoint, door=Door(Keyring([]), tokens=provider.tokens()))
        transport = httpx.ASGITransport(Starlette(routes=[Route("/graphql", door)]))
        async with httpx.AsyncClient(transport=transport, base_url="http://hub") as client:
            key = rsa("k")
            provider.shown = [key]
            token, query = provider.token(key), {"query": "{ approvals { totalCount } obligations { totalCount } }"}
            response = await post(client, query, authorization=f"Bearer {token}")
            assert (response.status_code, code(response), response.headers["retry-after"]) == (503, "UNAVAILABLE", "5")
            assert response.json()["errors"][0]["extensions"]["reason"] == "KEYS_UNAVAILABLE"
            provider.status = 200
            provider.later(60)
            response = await post(client, query, authorization=f"Bearer {token}")
            assert (response.status_code, code(response)) == (200, "FORBIDDEN")
            assert response.json()["data"] == {"approvals": {"totalCount": 0}, "obligations": None}
            provider.later(600)
            response = await post(client, query, authorization=f"Bearer {token}")
            assert (response.status_code, code(response)) == (401, "UNAUTHENTICATED")
            assert response.headers["www-authenticate"].endswith('error="invalid_token", error_description="TOKEN_EXPIRED"')
        await door.door.close()


async def test_a_key_with_too_little_is_a_graph_error_beside_the_rest(client: httpx.AsyncClient) -> None:
    query = "{ obligations { totalCount } approvals { totalCount } }"
    response = await post(client, {"query": query}, NEW, authorization="Bearer k-app")
    assert (response.status_code, code(response)) == (200, "FORBIDDEN")
    assert response.json()["data"] == {"obligations": None, "approvals": {"totalCount": 0}}


async def test_a_fault_of_ours_before_execution_is_500_and_shows_no_text(
    client: httpx.AsyncClient, schema: HubSchema, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any, **__: Any) -> Any:
        raise RuntimeError("secret")

    monkeypatch.setattr(schema, "_get_execute_function", lambda: broken)
    for accept in (NEW, OLD):
        response = await post(client, {"query": "{ __typename }"}, accept)
        assert (response.status_code, code(response)) == (500, "INTERNAL")
        assert "secret" not in response.text
        assert "c-7" in response.json()["errors"][0]["message"]


async def test_a_trusted_document_is_asked_by_its_id_and_nothing_else_where_that_is_the_rule(endpoint: GraphQLEndpoint) -> None:
    known = "query Known($n: Int!) { approvals(first: $n) { totalCount } }"
    strict = dataclasses.replace(endpoint, trusted=Trusted({document_id(known): known}, only=True))
    transport = httpx.ASGITransport(Starlette(routes=[Route("/graphql", strict)]))
    async with httpx.AsyncClient(transport=transport, base_url="http://hub") as client:
        named: list[dict[str, Any]] = [
            {"documentId": document_id(known)},
            {"documentId": f"sha256:{document_id(known)}", "query": ""},
            {"extensions": {"persistedQuery": {"version": 1, "sha256Hash": document_id(known)}}},
            {"query": known},
        ]
        for each in named:
            response = await post(client, each | {"variables": {"n": 3}})
            assert (response.status_code, response.json()) == (200, {"data": {"approvals": {"totalCount": 0}}})
        response = await client.get("/graphql", params={"documentId": document_id(known), "variables": '{"n": 3}'})
        assert response.json() == {"data": {"approvals": {"totalCount": 0}}}
        response = await post(client, {"query": "{ __typename }"})
        assert (response.status_code, code(response)) == (400, "DOCUMENT_NOT_TRUSTED")
        for accept, status in ((NEW, 400), (OLD, 200)):
            response = await post(client, {"documentId": document_id("{ x }")}, accept)
            assert (response.status_code, code(response)) == (status, "PERSISTED_QUERY_NOT_FOUND")


async def test_each_client_is_limited_by_its_name_and_who_has_none_by_the_address(endpoint: GraphQLEndpoint) -> None:
    proxies = (ipaddress.ip_network("127.0.0.1"),)
    limited = dataclasses.replace(endpoint, rates=Rates(1, 2, lambda: 0.0), proxies=proxies)
    transport = httpx.ASGITransport(Starlette(routes=[Route("/graphql", limited)]), client=("127.0.0.1", 9))
    async with httpx.AsyncClient(transport=transport, base_url="http://hub") as client:

        async def ask(**headers: str) -> httpx.Response:
            return await post(
                client, {"query": "{ __typename }"}, NEW, **{name.replace("_", "-"): it for name, it in headers.items()}
            )

        assert [(await ask(x_api_key="k-app")).status_code for _ in range(3)] == [200, 200, 429]
        refused = await ask(x_api_key="k-app", x_forwarded_for="192.0.2.1")
        assert (refused.status_code, code(refused)) == (429, "RATE_LIMIT")
        assert (refused.headers["retry-after"], refused.headers["ratelimit"]) == ("1", '"client";r=0;t=1')
        assert refused.headers["content-type"].startswith(NEW)
        assert [(await ask(x_forwarded_for="192.0.2.1")).status_code for _ in range(3)] == [200, 200, 429]
        other = await ask(x_forwarded_for="203.0.113.9, 192.0.2.2")
        assert (other.status_code, other.headers["ratelimit"]) == (200, '"client";r=1;t=0')
        assert [(await ask(x_api_key=f"guess-{at}", x_forwarded_for="192.0.2.3")).status_code for at in range(3)] == [401, 401, 429]
