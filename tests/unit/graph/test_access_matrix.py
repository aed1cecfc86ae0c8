"""Every field of the schema by every role. A new field that returns records has to be written down here, or a test fails."""

from typing import Any

import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
    get_named_type,
    is_required_argument,
    is_required_input_field,
)

from hub.graph.schema import HubSchema
from hub.mirror.database import SQLiteDatabase
from hub.mirror.rows import Rows
from schema.declare import ENTITIES, Declared
from schema.global_id import global_id
from tests.unit.graph.city import City
from tests.unit.graph.roles import ROLES, everything, may_read

READ, OPS, PLATFORM, ACT = "graph:read", "ops:read", "ops:read or a platform", "ops:act"
REFUSED = {"FORBIDDEN", "UNAUTHENTICATED"}
ROOTS = {
    "subject": READ,
    "eligibility": READ,
    "loop": READ,
    "statistics": READ,
    "supervisionPool": READ,
    "platforms": PLATFORM,
    "alerts": PLATFORM,
    "deliveryTraces": PLATFORM,
    "quarantineView": PLATFORM,
    "overdue": PLATFORM,
    "dueSoon": PLATFORM,
    "node": "of the entity",
    "_entities": "of the entity",
    "_service": "anybody",
    "me": "anybody",
}
"""Every entry point beside those of an entity, and what it asks for."""
INSIDE = {
    "StatisticRow.department": "read as by its code",
    "StatisticRow.matter": "read as by its code",
    "StatisticRow.item": "read as by its code",
    "Loop.trigger": "of the chain, which holds what the caller sees",
    "LoopStep.record": "of the chain, which holds what the caller sees",
    "LoopObligation.obligation": "asks for ops:read",
    "Platform.streams": "asks for what StreamHealth asks for",
    "Platform.drift": "asks for what DriftReport asks for",
    "DeliveryTrace.delivery": "comes with deliveryTraces",
    "DeliveryTraces.refusals": "comes with deliveryTraces",
    "QuarantineView.record": "comes with quarantineView",
    "RecordChange.record": "asked of each subscriber (test_seen_by_subscribers.py)",
    "ObligationChange.obligation": "asked of each subscriber (test_seen_by_subscribers.py)",
}
"""Every field that leads from something that is no record to a record, beside what a mutation answers, and why it may."""
ANSWERS_OF_MUTATIONS = "read again as by their keys"


@pytest.fixture
def graph(schema: HubSchema) -> GraphQLSchema:
    return schema._schema


@pytest.fixture
async def whole(sqlite_database: SQLiteDatabase, schema: HubSchema, rows: Rows) -> City:
    """A city with one record of each entity, linked by every edge."""
    city = City(sqlite_database, rows, schema, twice=True)
    await city.put(*everything())
    return city


async def ask(city: City, role: str, query: str) -> tuple[Any, set[tuple[Any, ...]]]:
    """Return data and the paths at which something was refused; nothing else may have gone wrong."""
    caller = ROLES[role]
    given = await city.ask(query, caller=caller)
    wrong = [each for each in given.errors if (each.extensions or {})["code"] not in REFUSED]
    assert not wrong, wrong
    return given.data, {tuple(each.path or ()) for each in given.errors}


def selection(kind: Any) -> str:
    named = get_named_type(kind)
    if not isinstance(named, GraphQLObjectType | GraphQLInterfaceType):
        return ""
    return " { totalCount edges { node { __typename } } }" if named.name.endswith("Connection") else " { __typename }"


def target_of(kind: Any) -> Declared | None:
    return ENTITIES.get(get_named_type(kind).name.removesuffix("Connection"))


@pytest.mark.parametrize("role", ROLES)
async def test_every_field_of_every_entity_is_shown_to_whom_it_is_declared_for(
    whole: City, graph: GraphQLSchema, role: str
) -> None:
    roles_rows = bool(ROLES[role].rows) or role == "vendor"  # which rows they see is the matter of test_row_limits.py
    for entity in ENTITIES.values():
        kind = graph.type_map[entity.name]
        assert isinstance(kind, GraphQLObjectType)
        fields = " ".join(f"{name}{selection(field.type)}" for name, field in kind.fields.items())
        query = f'{{ node(id: "{global_id(entity, "K")}") {{ ... on {entity.name} {{ {fields} }} }} }}'
        data, refused = await ask(whole, role, query)
        if not may_read(role, entity):
            assert (entity.name, data, refused) == (entity.name, {"node": None}, {("node",)})
            continue
        if roles_rows and data["node"] is None:
            assert not refused
            continue
        edges = {name: target_of(field.type) for name, field in kind.fields.items()}
        expected = {("node", name) for name, to in edges.items() if to is not None and not may_read(role, to)}
        assert (entity.name, refused) == (entity.name, expected)
        assert set(data["node"]) == set(kind.fields)


@pytest.mark.parametrize("role", ROLES)
async def test_every_entry_point_of_an_entity_asks_for_its_scope(whole: City, graph: GraphQLSchema, role: str) -> None:
    assert graph.query_type is not None
    for name, field in graph.query_type.fields.items():
        entity = target_of(field.type)
        if name in ROOTS or entity is None:
            continue
        arguments = "" if "first" in field.args else f'({next(iter(field.args))}: "K")'
        _, refused = await ask(whole, role, f"{{ {name}{arguments}{selection(field.type)} }}")
        assert (name, refused) == (name, set() if may_read(role, entity) else {(name,)})
        key = next(iter(entity.fields[entity.key].name.split()))
        key_name = "".join(part if at == 0 else part.capitalize() for at, part in enumerate(key.split("_")))
        represented = f'{{ _entities(representations: [{{__typename: "{entity.name}", {key_name}: "K"}}]) {{ __typename }} }}'
        _, refused = await ask(whole, role, represented)
        assert (name, refused) == (name, set() if may_read(role, entity) else {("_entities", 0)})


def argument(kind: Any) -> str:
    """Return a value for an argument: the least that is valid."""
    if isinstance(kind, GraphQLNonNull):
        return argument(kind.of_type)
    if isinstance(kind, GraphQLList):
        return "[]"
    if isinstance(kind, GraphQLInputObjectType):
        needed = {name: each for name, each in kind.fields.items() if is_required_input_field(each)}
        return "{" + ", ".join(f"{name}: {argument(each.type)}" for name, each in needed.items()) + "}"
    if isinstance(kind, GraphQLEnumType):
        return str(next(iter(kind.values)))
    plain = {"Int": "1", "Float": "1", "Boolean": "true", "DateTime": '"2019-09-11T09:00:00+08:00"', "Decimal": '"1"'}
    return plain.get(kind.name, f'"{global_id(ENTITIES["Approval"], "K")}"' if kind.name == "ID" else '"K"')


def called(name: str, field: Any) -> str:
    needed = {each: one for each, one in field.args.items() if is_required_argument(one)}
    told = ", ".join(f"{each}: {argument(one.type)}" for each, one in needed.items())
    return f"{name}({told})" if told else name


@pytest.mark.parametrize("role", ROLES)
async def test_every_other_entry_point_asks_for_what_is_written_down(whole: City, graph: GraphQLSchema, role: str) -> None:
    assert graph.query_type is not None
    others = {name for name, field in graph.query_type.fields.items() if target_of(field.type) is None or name in ROOTS}
    assert others == set(ROOTS), "write down in ROOTS what a new entry point asks for"
    allowed = {
        READ: may_read(role, ENTITIES["Approval"]),
        PLATFORM: role in {"looks", "operator", "vendor"},
        "of the entity": may_read(role, ENTITIES["Approval"]),
        "anybody": True,
    }
    for name, scope in ROOTS.items():
        if name == "_entities":
            continue  # above, for each entity
        field = graph.query_type.fields[name]
        given = await whole.ask(f"{{ {called(name, field)}{selection(field.type)} }}", caller=ROLES[role])
        codes = {(each.extensions or {})["code"] for each in given.errors}
        limited = name == "statistics" and ROLES[role].rows.regions is not None
        assert (name, bool(codes & REFUSED)) == (name, limited or not allowed[scope])


@pytest.mark.parametrize("role", ROLES)
async def test_every_mutation_asks_for_the_right_to_act_before_anything_happens(
    whole: City, graph: GraphQLSchema, role: str
) -> None:
    assert graph.mutation_type is not None
    for name, field in graph.mutation_type.fields.items():
        query = f"mutation {{ {called(name, field)} {{ userErrors {{ message }} }} }}"
        given = await whole.ask(query, caller=ROLES[role])
        codes = {(each.extensions or {})["code"] for each in given.errors}
        allowed = role in WHO_MAY[MUTATIONS.get(name, ACT)]
        assert (name, bool(codes & REFUSED)) == (name, not allowed)
        assert allowed or whole.hub.calls == []
        whole.hub.calls.clear()


MUTATIONS = {"revealPersonalData": "graph:pii"}
"""Mutations that ask for something else than ops:act."""
WHO_MAY = {ACT: {"operator"}, "graph:pii": {"personal", "department"}}


def test_every_way_from_something_else_to_records_is_written_down(graph: GraphQLSchema) -> None:
    found = set()
    generic = {f"{name}{end}" for name in ENTITIES for end in ("Connection", "Edge")}
    for kind in graph.type_map.values():
        if not isinstance(kind, GraphQLObjectType) or kind.name in generic | set(ENTITIES) | {"Query", "Mutation"}:
            continue
        for name, field in kind.fields.items():
            named = get_named_type(field.type)
            leads = named.name in {"Node", "_Entity"} or named.name.removesuffix("Connection").removesuffix("Edge") in ENTITIES
            if leads and not kind.name.endswith("Payload"):
                found.add(f"{kind.name}.{name}")
    assert found == set(INSIDE), "write down in INSIDE why a new way to records is open"
