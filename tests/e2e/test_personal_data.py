"""Personal data is encrypted at rest and masked in every answer and log: no number that came in is found anywhere again."""

from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import msgspec

from mocks.people import Subject, make_uscc
from tests.e2e.eventually import eventually
from tests.e2e.hasty_clock import true_clock
from tests.e2e.processes import bihuan
from tests.e2e.signed import signed, tampered
from tests.e2e.stage import Stage, staged
from tests.e2e.traces import KnownNumbers, forms_of

STARTS_WITHIN = 60.0
OWN_LISTS = frozenset({"edges", "pageInfo"})


async def test_no_identity_or_telephone_number_stands_in_files_logs_answers_or_metrics(tmp_path: Path) -> None:
    numbers, log = KnownNumbers(seed=6), tmp_path / "serve.log"
    async with staged(
        tmp_path / "house", true_clock(), enforcement={"visible_after": 0.3}, credit={"visible_late_seconds": 0.3}
    ) as stage:
        answers: dict[str, bytes] = {}
        async with bihuan("serve", settings=_settings(stage), log=log) as serve:
            address = await eventually(lambda: serve.address, within=STARTS_WITHIN, or_say="the address of bihuan serve")
            for platform in stage.platforms:
                platform.set_hub(address)
            key = {"x-api-key": stage.household.secrets["api_key"]}
            async with httpx.AsyncClient(base_url=address, headers=key, trust_env=False, timeout=30) as client:
                await _life(stage, numbers, client)
                answers = await _everything_that_is_answered(client)
            files = {path.name: path.read_bytes() for path in stage.household.folder.glob("hub.db*")}
            assert {"hub.db", "hub.db-wal", "hub.db-shm"} <= set(files)
        files |= {f"{path.name}, closed": path.read_bytes() for path in stage.household.folder.glob("hub.db*")}
        logs = {"log": log.read_bytes()}
    assert b"quarantined" in logs["log"]  # else this would have searched in nothing
    assert b"*" * 6 in answers["approvals"]
    found = numbers.found_in(files | logs | answers)
    assert not found, "\n".join(found)


def test_the_search_finds_a_number_in_every_form_that_it_looks_for() -> None:
    numbers = KnownNumbers(seed=1)
    number = numbers.mobile("a place")
    for form, needle in forms_of(number).items():
        assert numbers.found_in({"a file": b"before" + needle + b"after"}), form
    assert numbers.found_in({"a file": b"nothing"}) == []


def _settings(stage: Stage) -> dict[str, str]:
    quick = {f"{platform.name.upper()}_POLL_SECONDS": "0.5" for platform in stage.platforms}
    since = f"{stage.clock() - timedelta(days=2):%Y-%m-%d}"
    return stage.environment(
        PORT="0", LOG_LEVEL="debug", LOG_JSON="true", WAITING_SECONDS="1", APPROVAL_HISTORY_SINCE=since, **quick
    )


async def _life(stage: Stage, numbers: KnownNumbers, client: httpx.AsyncClient) -> None:
    """Let numbers come in wherever a platform has a place for them, and see the loops closed."""
    serials = [stage.approval.grant(_person(numbers), procedure="1"), stage.approval.grant(_company(stage, numbers), procedure="2")]
    event = stage.grid.report(
        category="JT-03",
        town="佛堂镇",
        title=numbers.both("event title"),
        content=numbers.both("event content"),
        address=f"大成路{numbers.both('event address')}",
        reporter=f"吴某{numbers.mobile('reporter')}",
        reporterTel=numbers.mobile("reporterTel"),
        level=1,
        send=True,
    )["no"]
    await _what_cannot_be_used(stage, numbers, client)
    for ref in (*serials, event):
        (task,) = await eventually(stage.tasks_for, ref, within=30, or_say=f"the task of {ref}")
        stage.enforcement.finish(task["taskId"], [_result(numbers)])
    due_at = stage.clock().isoformat()
    subject = {"name": "义乌市印刷厂", "address": numbers.both("address of a subject"), "code": make_uscc(stage.enforcement.rng)}
    own = stage.enforcement.make_task(subjects=[subject], department="WH", due_at=due_at, title=numbers.both("task title"))
    stage.enforcement.transfer(own["taskId"], to=numbers.both("transferred to"), results=[{"remarks": numbers.both("transfer")}])
    await eventually(_closed, client, 3 + 2 + 2, within=40, or_say="all loops closed")
    stage.enforcement.correct(stage.tasks_for(serials[1])[0]["taskId"], [{"remarks": numbers.both("correction")}])
    items = await eventually(_ops_items, client, within=20, or_say="an item on the ops list")
    await _operators_write(numbers, client, items)


def _person(numbers: KnownNumbers) -> Subject:
    return Subject(
        "2",
        "吴𬭎",
        identity_number=numbers.identity("SFZHM"),
        telephone=numbers.mobile("LXDH"),
        address=f"佛堂镇大成路2号 {numbers.both('JYDZ')}",
    )


def _company(stage: Stage, numbers: KnownNumbers) -> Subject:
    return Subject(
        "1",
        "义乌市天䶮印刷有限公司",
        uscc=make_uscc(stage.approval.rng),
        representative=f"陈䶮{numbers.landline('FRXM')}",
        representative_number=numbers.identity("FRZJHM"),
        telephone=numbers.landline("LXDH of a company"),
        address="福田街道城店路1号",
    )


def _result(numbers: KnownNumbers) -> dict[str, Any]:
    return {
        "findings": [{"itemCode": "SCJG-001", "note": numbers.both("note")}],
        "remarks": numbers.both("remarks"),
    }


async def _what_cannot_be_used(stage: Stage, numbers: KnownNumbers, client: httpx.AsyncClient) -> None:
    """Bad records, conflicting versions and refused webhooks carry numbers, too."""
    wrong = numbers.identity("a wrong check digit")
    bad = Subject("2", numbers.both("bad name"), identity_number=wrong[:-1] + ("0" if wrong[-1] != "0" else "1"))
    stage.approval.grant(bad, procedure="1", fields={"CNNR": numbers.both("CNNR of a bad one")})
    twice = stage.approval.grant(_company(stage, numbers), procedure="2", fields={"CNNR": numbers.both("CNNR")})
    stage.approval.contradict(twice, {"CNNR": numbers.both("CNNR of a conflict"), "LXDH": numbers.mobile("LXDH of a conflict")})
    stage.approval.revoke(twice)
    body = msgspec.json.encode({"msgId": "X1", "data": numbers.both("refused webhook")})
    for webhook in (tampered("approval", signed(stage, "approval", body)), signed(stage, "approval", body)):
        await client.post(webhook.path, headers=webhook.headers, content=webhook.body)
    await client.post(f"/webhooks/{numbers.mobile('path')}", content=body)
    await client.post(f"/webhooks/grid?{numbers.mobile('query')}", content=body, headers={"x-grid-user": numbers.mobile("header")})


async def _operators_write(numbers: KnownNumbers, client: httpx.AsyncClient, items: Iterable[str]) -> None:
    resolve = "mutation($id: String!, $how: String!) { resolveOpsItem(input: {itemId: $id, resolution: $how}) { __typename } }"
    for item in items:
        await _ask(client, resolve, id=item, how=numbers.both("resolution"))
    retry = "mutation($keys: [String!]!, $why: String) { retryObligations(input: {keys: $keys, reason: $why}) { __typename } }"
    await _ask(client, retry, keys=[numbers.mobile("unknown key")], why=numbers.both("reason"))


async def _everything_that_is_answered(client: httpx.AsyncClient) -> dict[str, bytes]:
    """Return every field of every list of the graph, ops fields included, and what else is served."""
    told = (await _ask(client, INTROSPECTION))["__schema"]
    types = {each["name"]: each for each in told["types"]}
    answers = {}
    for field in types["Query"]["fields"]:
        kind = types[_named(field["type"])]
        if {each["name"] for each in kind["fields"] or ()} >= OWN_LISTS:
            node = types[_named(next(each for each in types[_edge_of(kind)]["fields"] if each["name"] == "node")["type"])]
            query = f"{{ {field['name']}(first: 200) {{ edges {{ node {{ {_leaves(types, node, 2)} }} }} }} }}"
        elif field["name"] == "platforms":
            query = f"{{ platforms {{ {_leaves(types, kind, 2)} }} }}"
        else:
            continue
        answers[field["name"]] = msgspec.json.encode(await _ask(client, query))
    for path in ("/metrics", "/readyz", "/livez"):
        answers[path] = (await client.get(path)).content
    assert {"approvals", "obligations", "deliveries", "quarantinedRecords", "opsItems", "platforms"} <= set(answers)
    assert b"detail" in answers["obligations"]  # the attempts of each
    return answers


INTROSPECTION = """
{ __schema { types { name kind fields { name type { name ofType { name ofType { name ofType { name ofType { name } } } } } } } } }
"""


def _named(kind: dict[str, Any]) -> str:
    while kind["name"] is None:
        kind = kind["ofType"]
    return str(kind["name"])


def _edge_of(connection: dict[str, Any]) -> str:
    return _named(next(each["type"] for each in connection["fields"] if each["name"] == "edges"))


def _leaves(types: dict[str, Any], kind: dict[str, Any], depth: int) -> str:
    """Return a selection of all plain fields, of plain objects inside, and of the attempts of an obligation."""
    chosen = []
    for field in kind["fields"]:
        inner = types[_named(field["type"])]
        if inner["kind"] in {"SCALAR", "ENUM"}:
            chosen.append(field["name"])
        elif kind["name"] == "Obligation" and field["name"] == "history":
            node = types["Attempt"]
            chosen.append(f"history(first: 20) {{ edges {{ node {{ {_leaves(types, node, 0)} }} }} }}")
        elif depth and inner["kind"] == "OBJECT" and not {each["name"] for each in inner["fields"]} & {"id", "edges"}:
            chosen.append(f"{field['name']} {{ {_leaves(types, inner, depth - 1)} }}")
    return " ".join(chosen)


async def _ask(client: httpx.AsyncClient, query: str, **variables: Any) -> dict[str, Any]:
    told = (await client.post("/graphql", json={"query": query, "variables": variables})).json()
    assert "errors" not in told, (query, told["errors"])
    data: dict[str, Any] = told["data"]
    return data


async def _closed(client: httpx.AsyncClient, obligations: int) -> bool:
    told = await _ask(client, "{ obligations(first: 200) { edges { node { key state } } } }")
    states = [edge["node"]["state"] for edge in told["obligations"]["edges"]]
    return states.count("CLOSED") >= obligations and not {"DUE", "LEASED", "SENT"} & set(states)


async def _ops_items(client: httpx.AsyncClient) -> list[str]:
    told = await _ask(client, "{ opsItems(first: 200) { edges { node { itemId } } } }")
    return [edge["node"]["itemId"] for edge in told["opsItems"]["edges"]]
