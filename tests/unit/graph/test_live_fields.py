"""Whether an operation asks live: by literals, variables, their defaults, and inside fragments."""

import re
from pathlib import Path
from typing import Any

import pytest
from graphql import OperationDefinitionNode, parse, validate

from connectors.registry import CONNECTORS
from hub.graph.live_fields import asks_live
from hub.graph.schema import HubSchema
from schema import live
from schema.declare import ENTITIES
from schema.global_id import global_id
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
    asked = {name for name, entity in ENTITIES.items() if entity.live}
    assert asked == {"Approval", "CreditProfile", "VerificationTask", "GridEvent"}
    assert all(sum(name in connector.fetchable for connector in CONNECTORS.values()) == 1 for name in asked)
    ways = asked | {f"{name}Connection" for name in asked}
    for name, kind in schema._schema.type_map.items():
        for field_name, field in getattr(kind, "fields", {}).items():
            if name.endswith(("Payload", "Edge", "Input", "LoopStep")) or not hasattr(field, "args"):
                continue
            leads = str(field.type).strip("!")
            assert (MAX_AGE in field.args) == (leads in ways or field_name == "node"), f"{name}.{field_name}"


def test_the_query_of_the_page_is_valid_and_asks_live(schema: HubSchema) -> None:
    page = (Path(__file__).parents[3] / "docs" / "live-reads.md").read_text(encoding="utf-8")
    (query,) = re.findall(r"```graphql\n(.*?)```", page, re.DOTALL)
    document = parse(query)
    assert validate(schema._schema, document) == []
    (operation,) = document.definitions
    assert isinstance(operation, OperationDefinitionNode)
    assert asks_live(document, operation, {})


def test_the_page_names_every_code_of_live_reads() -> None:
    page = (Path(__file__).parents[3] / "docs" / "live-reads.md").read_text(encoding="utf-8")
    codes = {value for name, value in vars(live).items() if name.startswith("LIVE_")}
    assert set(re.findall(r"^\| `(LIVE_\w+)`", page, re.MULTILINE)) == codes


async def test_a_node_that_is_not_asked_live_says_which_are(city: City) -> None:
    query = f'{{ node(id: "{global_id(ENTITIES["Matter"], "M")}", maxAge: 60) {{ id }} }}'
    told = "maxAge: a Matter is not asked of its platform; these are: Approval, CreditProfile, VerificationTask, GridEvent"
    assert await city.error(query) == ("BAD_USER_INPUT", told)


async def test_without_an_age_nobody_is_asked(city: City) -> None:
    city.hub.live = None
    assert await city.data('{ approval(approvalNo: "A", maxAge: null) { region } }') == {"approval": None}
