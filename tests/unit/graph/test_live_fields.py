"""Whether an operation asks live: by literals, variables, their defaults, and inside fragments."""

from typing import Any

import pytest
from graphql import OperationDefinitionNode, parse

from hub.graph.live_fields import asks_live
from hub.graph.schema import HubSchema
from schema.declare import ENTITIES
from schema.live import MAX_AGE
from tests.unit.graph.city import City

HEAD = "query($age: Int, $five: Int = 5, $none: Int = null)"


@pytest.mark.parametrize(
    ("selection", "variables", "asks"),
    [
        ('{ approval(approvalNo: "A") { region } }', {}, False),
        ('{ approval(approvalNo: "A", maxAge: 0) { region } }', {}, True),
        ('{ approval(approvalNo: "A", maxAge: null) { region } }', {}, False),
        ('{ approval(approvalNo: "A", maxAge: $age) { region } }', {}, False),
        ('{ approval(approvalNo: "A", maxAge: $age) { region } }', {"age": None}, False),
        ('{ approval(approvalNo: "A", maxAge: $age) { region } }', {"age": 0}, True),
        ('{ approval(approvalNo: "A", maxAge: $five) { region } }', {}, True),
        ('{ approval(approvalNo: "A", maxAge: $five) { region } }', {"five": None}, False),
        ('{ approval(approvalNo: "A", maxAge: $none) { region } }', {}, False),
        ("{ subjects { edges { node { ... on Subject { profile(maxAge: 1) { score } } } } } }", {}, True),
        ("{ subjects { ...A ...A } } fragment A on SubjectConnection { edges { node { ...B } } } "
         "fragment B on Subject { profile(maxAge: $age) { score } }", {"age": 1}, True),
        ("{ subjects { ...A } } fragment A on SubjectConnection { ...A }", {"age": 1}, False),
        ("{ subjects { totalCount } } fragment A on Subject { profile(maxAge: 1) { score } }", {}, False),
    ],
)  # fmt: skip
def test_an_operation_asks_live_where_an_age_is_given(selection: str, variables: dict[str, Any], asks: bool) -> None:
    document = parse(f"{HEAD} {selection}")
    operation = document.definitions[0]
    assert isinstance(operation, OperationDefinitionNode)
    assert asks_live(document, operation, variables) is asks


def test_every_way_to_a_record_that_is_asked_live_takes_an_age_and_no_other(schema: HubSchema) -> None:
    live = {name for name, entity in ENTITIES.items() if entity.live}
    assert live == {"Approval", "CreditProfile", "VerificationTask", "GridEvent"}
    ways = live | {f"{name}Connection" for name in live}
    for name, kind in schema._schema.type_map.items():
        for field_name, field in getattr(kind, "fields", {}).items():
            if name.endswith(("Payload", "Edge", "Input", "LoopStep")) or not hasattr(field, "args"):
                continue
            leads = str(field.type).strip("!")
            assert (MAX_AGE in field.args) == (leads in ways), f"{name}.{field_name}"


async def test_without_an_age_nobody_is_asked(city: City) -> None:
    city.hub.live = None
    assert await city.data('{ approval(approvalNo: "A", maxAge: null) { region } }') == {"approval": None}
