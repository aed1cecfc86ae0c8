"""Whatever the console asks of the mirror is compiled."""

import re
from pathlib import Path
from typing import Any

import pytest
from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLSchema,
    OperationDefinitionNode,
    OperationType,
    parse,
    print_ast,
    separate_operations,
    type_from_ast,
)

from schema.declare import ENTITIES
from schema.global_id import global_id
from tests.unit.graph.city import City
from tests.unit.graph.compiled.test_executor import METHODS, reasons

SOURCES = Path(__file__).parents[4] / "hub" / "console" / "src"
ASKED = re.compile(r"graphql\(`(.*?)`\)", re.DOTALL)
VALUES: dict[str, Any] = {
    "Int": 20,
    "Float": 1.0,
    "Boolean": True,
    "DateTime": "2019-09-01T00:00:00+08:00",
    "Date": "2019-09-01",
    "ID": global_id(ENTITIES["Attempt"], "A#1"),
}


def console() -> DocumentNode:
    """All that the console asks, in one document."""
    return parse("\n".join(asked for file in sorted(SOURCES.rglob("*.ts*")) for asked in ASKED.findall(file.read_text())))


def queries() -> dict[str, DocumentNode]:
    """Each query with its fragments, by name."""
    found = console()
    of_kind = {
        each.name.value: each.operation
        for each in found.definitions
        if isinstance(each, OperationDefinitionNode) and each.name is not None
    }
    return {name: one for name, one in separate_operations(found).items() if of_kind[name] is OperationType.QUERY}


QUERIES = queries()


def given(schema: GraphQLSchema, query: DocumentNode) -> dict[str, Any]:
    """Return some value for each variable that must have one."""
    kinds: dict[str, Any] = {
        each.variable.name.value: type_from_ast(schema, each.type) for each in _operation(query).variable_definitions or ()
    }
    return {name: _value(kind) for name, kind in kinds.items() if isinstance(kind, GraphQLNonNull)}


def _value(kind: GraphQLInputType) -> Any:
    if isinstance(kind, GraphQLNonNull):
        return _value(kind.of_type)
    if isinstance(kind, GraphQLList):
        return [_value(kind.of_type)]
    if isinstance(kind, GraphQLEnumType):
        return next(iter(kind.values))
    if isinstance(kind, GraphQLInputObjectType):
        return {name: _value(field.type) for name, field in kind.fields.items() if isinstance(field.type, GraphQLNonNull)}
    return VALUES.get(kind.name, "A")


def _operation(query: DocumentNode) -> OperationDefinitionNode:
    return next(each for each in query.definitions if isinstance(each, OperationDefinitionNode))


def _of_the_engine(query: DocumentNode) -> bool:
    """Return whether a root field is a method of the engine, directly or in a fragment of the root."""
    roots = [_operation(query).selection_set] + [
        each.selection_set
        for each in query.definitions
        if isinstance(each, FragmentDefinitionNode) and each.type_condition.name.value == "Query"
    ]
    return any(isinstance(one, FieldNode) and one.name.value in METHODS for root in roots for one in root.selections)


@pytest.mark.parametrize("name", QUERIES)
async def test_what_the_console_asks_of_the_mirror_is_compiled(city: City, name: str) -> None:
    query = QUERIES[name]
    await city.ask(print_ast(query), given(city.schema._schema, query), operation=name)
    assert ("COMPILED" in reasons(city)) is not _of_the_engine(query), reasons(city)


def test_the_console_asks_something_of_the_mirror() -> None:
    assert sum(not _of_the_engine(query) for query in QUERIES.values()) > 5
