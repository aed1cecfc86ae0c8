"""The hub as a subgraph: composed with a foreign one by Apollo's composition, and asked through Apollo's gateway."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import strawberry
from starlette.applications import Starlette
from starlette.routing import Mount
from strawberry.asgi import GraphQL
from strawberry.federation import Schema
from strawberry.federation import type as federated_type

from hub.web.serving import address_of, listen, serving
from tests.e2e.city_life import all_closed, begin, obligations_of, officers_work
from tests.e2e.stage import Stage
from tests.node.packages import installed

WHOLE = """query($no: String!) { approval(approvalNo: $no) { matterName tasks { edges { node { status } } }
    subject { name profile { score } parkingPermits { number } } } }"""
BACK = "{ allPermits { number holder { code name profile { score grade } creditRecords { totalCount } } } }"


@federated_type(keys=["code"], name="Subject")
class ParkingSubject:
    """What the parking office knows of a subject: its code."""

    code: str

    @strawberry.field
    def parking_permits(self) -> list["Permit"]:
        return [permit_of(self)]

    @classmethod
    def resolve_reference(cls, code: str) -> "ParkingSubject":
        return cls(code=code)


@federated_type(keys=["number"])
class Permit:
    """A parking permit (停车证)."""

    number: str
    holder: ParkingSubject


def permit_of(subject: ParkingSubject) -> Permit:
    """Return the one permit that each subject has."""
    return Permit(number=f"浙G-{subject.code[-4:]}", holder=subject)


def parking_office(codes: list[str]) -> Schema:
    """Return another department's subgraph."""

    @strawberry.type
    class Query:
        @strawberry.field
        def all_permits(self) -> list[Permit]:
            return [permit_of(ParkingSubject(code=code)) for code in codes]

    return Schema(query=Query, types=[ParkingSubject], federation_version="2.9")


@contextlib.asynccontextmanager
async def gateway(folder: Path, key: str, **subgraphs: str) -> AsyncIterator[httpx.AsyncClient]:
    """Run the gateway over subgraphs (name -> URL), and lend a client of it."""
    named = [f"{name}={url}" for name, url in subgraphs.items()]
    pipe = asyncio.subprocess.PIPE
    command = ("node", "gateway.mjs", key, *named)
    process = await asyncio.create_subprocess_exec(*command, cwd=folder, stdin=pipe, stdout=pipe, stderr=pipe)
    assert process.stdout is not None
    assert process.stdin is not None
    assert process.stderr is not None
    try:
        line = await asyncio.wait_for(process.stdout.readline(), 120)
        assert line, (await process.stderr.read()).decode()[-3000:]
        async with httpx.AsyncClient(base_url=json.loads(line)["url"], trust_env=False, timeout=30) as client:
            yield client
    finally:
        process.stdin.close()
        await process.wait()


async def asked(client: httpx.AsyncClient, query: str, **variables: Any) -> dict[str, Any]:
    """Return the data of an answer that has no errors."""
    answer = (await client.post("", json={"query": query, "variables": variables})).json()
    assert "errors" not in answer, answer["errors"]
    data: dict[str, Any] = answer["data"]
    return data


async def test_a_gateway_joins_the_hub_with_another_departments_graph(stage: Stage) -> None:
    folder = await asyncio.to_thread(installed, "gateway")
    async with stage.hub() as running:
        morning = begin(stage)
        await officers_work(stage, morning)
        await all_closed(running, obligations_of(morning))
        found = await running.ask("{ subjects(first: 200) { edges { node { code name } } } }")
        names = {each["node"]["code"]: each["node"]["name"] for each in found["subjects"]["edges"]}
        with listen("127.0.0.1", 0) as listening:
            parking = Starlette(routes=[Mount("/", GraphQL[None, None](parking_office(sorted(names))))])
            urls = {"hub": f"{running.address}/graphql", "parking": address_of(listening)}
            async with (
                serving(parking, listening),
                gateway(folder, stage.household.secrets["api_key"], **urls) as client,
            ):
                whole = (await asked(client, WHOLE, no=morning.granted[0].serial))["approval"]
                back = (await asked(client, BACK))["allPermits"]

    assert whole["tasks"]["edges"] == [{"node": {"status": "DONE"}}]
    assert whole["subject"]["name"] in names.values()
    assert whole["subject"]["parkingPermits"][0]["number"].startswith("浙G-")
    assert {each["holder"]["code"]: each["holder"]["name"] for each in back} == names
    assert sum(each["holder"]["creditRecords"]["totalCount"] for each in back) == sum(len(one.records) for one in morning.granted)
