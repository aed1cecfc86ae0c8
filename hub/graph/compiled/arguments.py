"""Arguments of a field, coerced by graphql-core and converted by Strawberry: what the resolver would have been called with."""

from collections.abc import Callable, Set
from typing import Any

from graphql import FieldNode, GraphQLField, Node, VariableNode
from graphql.execution.values import VariableValues, get_argument_values
from strawberry import UNSET
from strawberry.types.arguments import convert_arguments

from hub.graph.compiled.cannot import Cannot, Reason
from hub.graph.compiled.levels import Key, Wanted, Wish
from hub.graph.schema import HubSchema
from schema.connection import wanted_slice
from schema.reads import ReadsMany

LISTS = frozenset({"first", "after", "where", "order_by"})
DEFINITION = "strawberry-definition"
"""Under this name a field or type of the core schema knows what Strawberry made it from."""


def definition(of: Any) -> Any:
    """Return what a field or type was made from; None for one that is the specification's own."""
    return (of.extensions or {}).get(DEFINITION)


class Arguments:
    """Reads the arguments of one field in one document."""

    def __init__(self, schema: HubSchema, field: GraphQLField, node: FieldNode) -> None:
        self._schema = schema
        self._field = field
        self._node = node
        self._declared = definition(field).arguments

    def read(self, variables: VariableValues) -> dict[str, Any]:
        """Return the arguments by their names in Python; raise GraphQLError."""
        given = get_argument_values(self._field, self._node, variables)
        converter = self._schema.schema_converter
        return convert_arguments(given, self._declared, converter.scalar_registry, self._schema.config)

    @property
    def are_written(self) -> bool:
        """Return whether they all stand in the document, so that they are the same each time."""
        return not any(_has_variable(argument.value) for argument in self._node.arguments or ())


def slice_wish(schema: HubSchema, reads: ReadsMany, name: str, field: GraphQLField, node: FieldNode, now: VariableValues) -> Wish:
    """Return the wish of a list."""
    arguments, to, wanted = Arguments(schema, field, node), reads.entity, reads.wanted
    if wanted is not None:
        known = LISTS | {"within_hours"}
        return lambda variables, clock: wanted(clock(), name, **only(arguments.read(variables), known))
    return _once(arguments, lambda variables: wanted_slice(to, name, **only(arguments.read(variables), LISTS)), now)


def key_wish(
    schema: HubSchema, argument: str, canonical: Callable[[str], str], field: GraphQLField, node: FieldNode, now: VariableValues
) -> Wish:
    """Return the wish of a look-up by key."""
    arguments = Arguments(schema, field, node)
    return _once(arguments, lambda variables: Key(canonical(only(arguments.read(variables), {argument})[argument])), now)


def edge_wish(schema: HubSchema, field: GraphQLField, node: FieldNode, now: VariableValues) -> Wish:
    """Return a wish that asks for nothing, and is refused where an argument asks for more than following the edge."""
    arguments = Arguments(schema, field, node)

    def nothing(variables: VariableValues) -> Key:
        only(arguments.read(variables), frozenset())
        return Key("")

    return _once(arguments, nothing, now)


def only(given: dict[str, Any], known: Set[str]) -> dict[str, Any]:
    """Return the known arguments; raise Cannot where another one has a value: it asks for more than the mirror."""
    for name, value in given.items():
        if name not in known and value is not None and value is not UNSET:
            raise Cannot(Reason.LIVE, name)
    return {name: value for name, value in given.items() if name in known}


def _once(arguments: Arguments, wish: Callable[[VariableValues], Wanted], now: VariableValues) -> Wish:
    """Return a wish that is made now where it is the same each time."""
    if not arguments.are_written:
        return lambda variables, _: wish(variables)
    made = wish(now)
    return lambda *_: made


def _has_variable(node: Node) -> bool:
    if isinstance(node, VariableNode):
        return True
    inner = [*(getattr(node, "fields", None) or ()), *(getattr(node, "values", None) or ())]
    value = getattr(node, "value", None)
    return any(_has_variable(each) for each in inner) or (isinstance(value, Node) and _has_variable(value))
