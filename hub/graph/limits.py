"""How much one operation may ask for. Measured before anything is validated or read, from the document and its variables."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from graphql import DocumentNode, GraphQLError, GraphQLSchema, OperationDefinitionNode

from hub.graph.extent import extent_of, size_of
from hub.graph.measure import Measure
from schema.graph_errors import GraphError

TOKEN_LIMIT = "TOKEN_LIMIT"  # noqa: S105  (a code, no secret)
DEPTH_LIMIT = "DEPTH_LIMIT"
LIVE_LIMIT = "LIVE_LIMIT"


@dataclass(frozen=True)
class Limits:
    """The most that one operation may have."""

    tokens: int = 2_000
    depth: int = 20
    aliases: int = 30
    directives: int = 30
    fields: int = 3_000
    """With fragments put in place, as all that follow."""
    repeats: int = 30
    """How often one place of the answer may be asked for."""
    cost: int = 500_000
    live: int = 100
    """Records that may be asked of their platforms."""
    values: int = 5_000
    """Of variables, those in lists and objects included."""


def exceeded(code: str, what: str, found: int | None, limit: int, way_out: str) -> GraphError:
    """Return the error of a limit that an operation exceeds."""
    has = f"more than {limit}" if found is None else f"{found:,}"
    details = {"limit": limit} if found is None else {"limit": limit, "found": found}
    return GraphError(code, f"the operation has {has} {what}; the limit is {limit:,}: {way_out}", **details)


def too_deep(limit: int, found: int | None = None) -> GraphError:
    """Return the error of an operation that is nested too deeply."""
    return exceeded(DEPTH_LIMIT, "levels", found, limit, "ask for the inner records by a second operation")


def check_limits(
    schema: GraphQLSchema, document: DocumentNode, operation: OperationDefinitionNode, variables: Mapping[str, Any], limits: Limits
) -> list[GraphQLError]:
    """Return what the operation exceeds; an empty list if it may go on. The document need not be valid yet."""
    extent = extent_of(document, limits.fields)
    if extent.fields > limits.fields:  # what would be measured may have no end
        return [exceeded("FIELD_LIMIT", "fields, fragments put in place", None, limits.fields, "send several operations")]
    measure = Measure(schema, document, operation, variables)
    try:
        depth, cost, live = measure.operation()
    except RecursionError:
        return [too_deep(limits.depth)]
    found = list(measure.too_large.values())
    counted = (
        ("ALIAS_LIMIT", "aliases", extent.aliases, limits.aliases, "send several operations"),
        ("DIRECTIVE_LIMIT", "directives", extent.directives, limits.directives, "send several operations"),
        ("REPEAT_LIMIT", "selections of one and the same field", extent.repeats, limits.repeats, "name each field once"),
        ("VALUE_LIMIT", "values in its variables", size_of(variables), limits.values, "send several operations"),
    )
    found += [exceeded(*each) for each in counted if each[2] > each[3]]
    if depth > limits.depth:
        found.append(too_deep(limits.depth, depth))
    if cost > limits.cost:
        way_out = "ask for fewer with `first`, or by several operations"
        found.append(exceeded("COST_LIMIT", "records to read at most", cost, limits.cost, way_out))
    if live > limits.live:
        way_out = "ask for fewer with `first`, or leave maxAge out where the hub's copy will do"
        found.append(exceeded(LIVE_LIMIT, "records to ask live at most", live, limits.live, way_out))
    return found
