"""What the compiled executor answers, what it leaves to graphql-core, and why."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from graphql import parse
from sqlalchemy import event

from hub.graph.compiled.cannot import Reason
from hub.graph.limits import Limits
from hub.graph.schema import build_schema
from hub.mirror.database import DatabaseUnavailable, PostgreSQLDatabase
from hub.mirror.rows import Rows
from schema.declare import ENTITIES
from schema.entities import Approval, CreditProfile, CreditRecord, Subject
from schema.global_id import global_id
from schema.reads import READS
from tests.unit.graph.city import City
from tests.unit.graph.records import made

ROOT = Path(__file__).parents[4]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
BLOCK = re.compile(r"```graphql\n(.*?)```", re.DOTALL)
BLOCKS = [(page.name, block) for page in PAGES for block in BLOCK.findall(page.read_text(encoding="utf-8"))]
DOCUMENTED = [(page, block) for page, block in BLOCKS if block.lstrip().startswith(("{", "query"))]
VARIABLES = {
    "approvalNo": "A",
    "after": None,
    "code": "C",
    "subject": "C",
    "matter": "M",
    "id": "none",
    "of": "none",
    "eventNo": "E",
    "department": "D",
    "since": "2019-08-01T00:00:00+08:00",
    "withinHours": 24,
    "from": "2019-09-01",
    "to": "2019-09-30",
}
METHODS = {
    "loop",
    "statistics",
    "supervisionPool",
    "platforms",
    "eligibility",
    "deliveryTraces",
    "quarantineView",
    "me",
    "alerts",
    "_service",
    "_entities",
}
"""Root fields that are methods of the engine."""


async def asked(city: City, query: str, variables: dict[str, Any] | None = None, **how: Any) -> str:
    """Return the answer as text, the same from both executors."""
    compiled = await city.ask(query, variables, **how)
    interpreted = await city.ask(query, variables, **how, compiled=False)
    assert json.dumps(compiled.as_json()) == json.dumps(interpreted.as_json())
    return json.dumps(compiled.as_json())


def reasons(city: City) -> dict[str, int]:
    assert city.executor is not None
    return {name: number for name, number in city.executor.tally.counts().items() if number}


@pytest.mark.parametrize(("page", "query"), DOCUMENTED)
async def test_every_documented_query_over_the_mirror_is_compiled(city: City, page: str, query: str) -> None:
    await city.ask(query, {name: VARIABLES[name] for name in re.findall(r"\$(\w+): ", query.partition("{")[0])})
    operation: Any = parse(query).definitions[0]
    methods = any(field.name.value in METHODS for field in operation.selection_set.selections)
    assert ("COMPILED" in reasons(city)) is not (methods or "maxAge" in query), (page, reasons(city))


def test_there_are_documented_queries() -> None:
    assert DOCUMENTED


def test_every_root_field_says_what_it_reads_or_is_a_known_method(city: City) -> None:
    root = city.schema._schema.query_type
    assert root is not None
    silent = {name for name, one in root.fields.items() if READS not in one.extensions["strawberry-definition"].metadata}
    assert silent == METHODS


async def test_every_field_of_every_entity_is_compiled(city: City) -> None:
    """Its edges as well: no field of a record is left to the interpreter."""
    for name, entity in ENTITIES.items():
        kind: Any = city.schema._schema.type_map[name]
        leaves = " ".join(_asked_of(field, one) for field, one in kind.fields.items())
        await city.ask(
            f'{{ node(id: "{global_id(entity, "none")}") {{ ... on {name} {{ {leaves} }} }} }}', limits=Limits(aliases=500)
        )
        assert reasons(city)["COMPILED"], name
        city.executor = None


def _asked_of(name: str, one: Any) -> str:
    kind = one.type.of_type if hasattr(one.type, "of_type") else one.type
    kind = getattr(kind, "of_type", kind)
    kind = getattr(kind, "of_type", kind)
    if not hasattr(kind, "fields"):
        return name
    return f"{name} {{ edges {{ node {{ id }} }} totalCount }}" if kind.name.endswith("Connection") else f"{name} {{ __typename }}"


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ("{ platforms { name } }", Reason.METHOD),
        ("{ __schema { queryType { name } } }", Reason.INTROSPECTION),
        ("{ nothing }", Reason.REFUSED),
        ("{", Reason.REFUSED),
        ("query A { __typename } query B { __typename }", Reason.REFUSED),
        ("{ approvals(first: 300) { totalCount } }", Reason.REFUSED),
        ("mutation { retryObligations(keys: []) { __typename } }", Reason.REFUSED),
        ('{ approvals(after: "nonsense") { totalCount } }', Reason.ARGUMENT),
        ("{ approvals(first: -1) { __typename } }", Reason.ARGUMENT),
        ("query ($n: Int!) { approvals(first: $n) { totalCount } }", Reason.VARIABLES),
        ('{ node(id: "nonsense") { id } }', Reason.ARGUMENT),
    ],
)
async def test_what_is_not_compiled_is_counted_by_its_reason(city: City, query: str, reason: Reason) -> None:
    await asked(city, query)
    assert reasons(city) == {reason.value: 1}


async def test_a_missing_right_is_left_to_the_interpreter(city: City) -> None:
    told = await asked(city, "{ obligations { totalCount } approvals { totalCount } }", scopes=frozenset({"graph:read"}))
    assert "FORBIDDEN" in told
    assert '"approvals": {"totalCount": 0}' in told
    assert reasons(city) == {"RIGHT": 1}


async def test_the_limits_hold_for_every_value_of_a_variable(city: City) -> None:
    query = "query ($n: Int) { approvals(first: $n) { edges { node { tasks(first: 100) { edges { node { taskId } } } } } } }"
    for number in (1, 200, None, 2, 200):
        await asked(city, query, {"n": number}, limits=Limits(cost=5_000))
    assert reasons(city) == {"COMPILED": 2, "ARGUMENT": 1, "REFUSED": 2}


async def test_switches_are_planned_apart(city: City) -> None:
    await city.put(made(Approval, approval_no="A"))
    query = "query ($b: Boolean = true) { approvals { edges @skip(if: $b) { node { approvalNo } } totalCount @include(if: $b) } }"
    for variables in ({}, {"b": True}, {"b": False}, {"b": True}):
        await asked(city, query, variables)
    assert reasons(city) == {"COMPILED": 4}


async def put_five(city: City) -> None:
    await city.put(*(made(Subject, code=f"S{n}") for n in range(5)), *(made(CreditProfile, code=f"S{n}") for n in range(5)))
    await city.put(*(made(Approval, approval_no=f"A{n}", subject_code=f"S{n}") for n in range(5)))
    await city.put(*(made(CreditRecord, record_id=f"R{n}", subject_code=f"S{n}") for n in range(5)))


FIVE_LEVELS = """{ approvals { totalCount edges { node { department { name } subject { name profile { score }
    creditRecords { totalCount edges { node { recordId subject { name } } } } } } } } }"""


async def test_the_number_of_statements_is_the_number_of_levels(city: City) -> None:
    await put_five(city)
    await city.ask(FIVE_LEVELS)
    assert len(city.statements) == 5  # approvals with subjects and departments, their count, profiles, records, their counts
    assert reasons(city) == {"COMPILED": 1}


async def test_a_server_is_sent_one_statement_in_no_transaction(postgresql_database: PostgreSQLDatabase, rows: Rows) -> None:
    city, sent = City(postgresql_database, rows, build_schema()), list[str]()
    await put_five(city)
    await postgresql_database.engine.dispose()
    event.listen(
        postgresql_database.engine.sync_engine,
        "connect",
        lambda connection, _: connection.driver_connection.add_query_logger(lambda query: sent.append(query.query)),
    )
    await city.ask(FIVE_LEVELS)
    del sent[:]
    told = await city.ask(FIVE_LEVELS)
    assert json.dumps(told.as_json()).count('"score"') == 5
    assert [each.split()[:2] for each in sent if each.strip(";")] == [["WITH", "level_0"]]
    await asked(city, FIVE_LEVELS)
    assert reasons(city) == {"COMPILED": 3}


async def test_a_database_that_does_not_answer_is_told_where_it_was_asked(city: City, monkeypatch: pytest.MonkeyPatch) -> None:
    async def gone(*_: Any, **__: Any) -> Any:
        raise DatabaseUnavailable("gone")

    monkeypatch.setattr(city.database, "read", gone)
    told = await asked(city, '{ a: approvals { totalCount } b: approval(approvalNo: "A") { region } __typename }')
    assert told.count("UNAVAILABLE") == 2
    assert reasons(city) == {"UNAVAILABLE": 1}


async def test_a_plan_can_be_read(city: City) -> None:
    query = "{ approvals(first: 1) { edges { node { approvalNo subject { name } } } } }"
    await city.ask(query)
    assert city.executor is not None
    (plan,) = city.executor.plans(query)
    assert "'approvalNo': r[0]" in plan.source
    assert "def respond" in plan.source


@pytest.mark.parametrize(
    "query",
    [
        '{ approval(approvalNo: "A", maxAge: 5) { state } }',
        "query($age: Int = 5) { approvals(maxAge: $age) { edges { node { state } } } }",
        '{ subject(code: "C") { profile(maxAge: 5) { score } } }',
        f'{{ node(id: "{global_id(ENTITIES["Approval"], "A")}", maxAge: 5) {{ id }} }}',
    ],
)
async def test_what_is_to_be_asked_of_its_platform_is_never_answered_by_a_plan(city: City, query: str) -> None:
    await city.ask(query)
    assert reasons(city) == {"LIVE": 1}
    await city.ask(query.replace("5", "null"))
    assert reasons(city) == {"LIVE": 1, "COMPILED": 1}
