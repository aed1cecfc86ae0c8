"""In production the graph shows nothing of its schema: no introspection, and no suggestion in whatever is wrong."""

from typing import Any

import pytest

from hub.graph.answer import Question, answer
from hub.graph.schema import build_schema
from schema.context import Caller
from tests.unit.graph.city import OPERATOR, City

CLOSED = build_schema(introspection=False)
MISTAKES: list[tuple[str, dict[str, Any]]] = [
    ("{ aproval { x } }", {}),
    ('{ approval(approvalNumber: "x") { region } }', {}),
    ('{ node(id: "x") { ... on Aproval { region } } }', {}),
    ("{ approvals(orderBy: DECIDED_AT_DES) { totalCount } }", {}),
    ("{ approvals(where: {decidedAtt: {isNull: true}}) { totalCount } }", {}),
    ("query($o: ApprovalOrder) { approvals(orderBy: $o) { totalCount } }", {"o": "DECIDED_AT_DES"}),
    ("query($w: ApprovalFilter) { approvals(where: $w) { totalCount } }", {"w": {"decidedAtt": 1}}),
    ("query($w: ApprovalFilte) { approvals(where: $w) { totalCount } }", {}),
    ("{ approvals @inclde(if: true) { totalCount } }", {}),
]


async def ask(city: City, schema: Any, query: str, variables: dict[str, Any]) -> list[str]:
    given = await answer(schema, Question(query, variables), city.context(Caller("x", OPERATOR)))
    assert given.data is None
    assert given.errors
    return [error.message for error in given.errors]


@pytest.mark.parametrize(("query", "variables"), MISTAKES)
async def test_no_mistake_is_answered_with_a_name_that_was_not_asked_for(city: City, query: str, variables: dict[str, Any]) -> None:
    assert not any("Did you mean" in message for message in await ask(city, CLOSED, query, variables))


async def test_elsewhere_suggestions_help(city: City) -> None:
    told = [await ask(city, city.schema, query, variables) for query, variables in MISTAKES]
    assert sum(any("Did you mean" in message for message in messages) for messages in told) >= 7


@pytest.mark.parametrize(
    "query",
    [
        "{ __schema { types { name } } }",
        '{ __type(name: "Query") { name } }',
        "{ _service { sdl } }",
        "{ a: __schema { __typename } }",
        "{ ...A } fragment A on Query { __schema { __typename } }",
    ],
)
async def test_the_schema_is_not_shown(city: City, query: str) -> None:
    assert "the schema is not shown here" in (await ask(city, CLOSED, query, {}))[0]


async def test_introspection_is_no_deeper_than_a_tool_needs_it(city: City) -> None:
    deep = "{ __schema { types { fields { type { fields { type { fields { type { name } } } } } } } } }"
    assert await ask(city, city.schema, deep, {}) == ["Maximum introspection depth exceeded"]
