"""How much one operation may ask for. Measured before anything is validated or read, from the document and its variables.

The cost is the number of records that the operation could read at most: a list weighs `first` times what is asked of each
record, a count as much as ten records. Fragments are measured once each, so that measuring is linear in the document.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNamedType,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    IntValueNode,
    ListValueNode,
    Node,
    OperationDefinitionNode,
    SelectionSetNode,
    ValueNode,
    VariableNode,
    get_named_type,
)

from schema.declare import ENTITIES
from schema.graph_errors import GraphError
from schema.slices import FIRST_DEFAULT, FIRST_LIMIT

TOKEN_LIMIT = "TOKEN_LIMIT"  # noqa: S105  (a code, no secret)
DEPTH_LIMIT = "DEPTH_LIMIT"

COUNT_COST = 10
RECORDS = {"Node", "_Entity"}
"""Types that stand for a record beside the entities themselves."""


@dataclass(frozen=True)
class Limits:
    """The most that one operation may have."""

    tokens: int = 2_000
    depth: int = 20
    aliases: int = 30
    directives: int = 30
    cost: int = 50_000


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
    aliases, directives = _adornments(document)
    measure = _Measure(schema, document, operation, variables)
    try:
        depth, cost = measure.operation()
    except RecursionError:
        return [too_deep(limits.depth)]
    found: list[GraphQLError] = []
    if aliases > limits.aliases:
        found.append(exceeded("ALIAS_LIMIT", "aliases", aliases, limits.aliases, "send several operations"))
    if directives > limits.directives:
        found.append(exceeded("DIRECTIVE_LIMIT", "directives", directives, limits.directives, "send several operations"))
    if depth > limits.depth:
        found.append(too_deep(limits.depth, depth))
    if cost > limits.cost:
        way_out = "ask for fewer with `first`, or by several operations"
        found.append(exceeded("COST_LIMIT", "records to read at most", cost, limits.cost, way_out))
    return found


def _adornments(document: DocumentNode) -> tuple[int, int]:
    """Return the numbers of aliases and directives in the document."""
    aliases = directives = 0
    waiting: list[Node] = list(document.definitions)
    while waiting:
        node = waiting.pop()
        directives += len(getattr(node, "directives", None) or ())
        aliases += isinstance(node, FieldNode) and node.alias is not None
        selection: SelectionSetNode | None = getattr(node, "selection_set", None)
        waiting.extend(selection.selections if selection else ())
    return aliases, directives


class _Measure:
    """Measures one operation. What a document gets wrong counts little here; validation names it afterwards."""

    def __init__(
        self, schema: GraphQLSchema, document: DocumentNode, operation: OperationDefinitionNode, variables: Mapping[str, Any]
    ) -> None:
        self._schema = schema
        self._operation = operation
        self._variables = variables
        self._defaults = {each.variable.name.value: each.default_value for each in operation.variable_definitions or ()}
        self._fragments = {each.name.value: each for each in document.definitions if isinstance(each, FragmentDefinitionNode)}
        self._known: dict[tuple[str, int], tuple[int, int]] = {}

    def operation(self) -> tuple[int, int]:
        """Return the depth and the cost."""
        root = self._schema.get_root_type(self._operation.operation)
        return self._selection(self._operation.selection_set, root, 1)

    def _selection(self, selection: SelectionSetNode | None, parent: GraphQLNamedType | None, first: int) -> tuple[int, int]:
        depth = cost = 0
        for deep, dear in self._selections(selection, parent, first):
            depth, cost = max(depth, deep), cost + dear
        return depth, cost

    def _selections(
        self, selection: SelectionSetNode | None, parent: GraphQLNamedType | None, first: int
    ) -> Iterator[tuple[int, int]]:
        for node in selection.selections if selection else ():
            if isinstance(node, FieldNode):
                yield self._field(node, parent, first)
            elif isinstance(node, InlineFragmentNode):
                inside = self._schema.get_type(node.type_condition.name.value) if node.type_condition else parent
                yield self._selection(node.selection_set, inside, first)
            elif isinstance(node, FragmentSpreadNode):
                yield self._fragment(node.name.value, first)

    def _fragment(self, name: str, first: int) -> tuple[int, int]:
        if (name, first) not in self._known:
            self._known[name, first] = 0, 0  # what a circle finds; validation refuses circles
            fragment = self._fragments.get(name)
            if fragment:
                inside = self._schema.get_type(fragment.type_condition.name.value)
                self._known[name, first] = self._selection(fragment.selection_set, inside, first)
        return self._known[name, first]

    def _field(self, node: FieldNode, parent: GraphQLNamedType | None, first: int) -> tuple[int, int]:
        """Return depth and cost of a field; `first` is the size of the connection that it is a field of."""
        if node.name.value.startswith("__"):
            return 1, 0  # introspection reads nothing, and validation bounds its depth
        field = parent.fields.get(node.name.value) if isinstance(parent, GraphQLObjectType | GraphQLInterfaceType) else None
        if field is None:
            depth, cost = self._selection(node.selection_set, None, 1)
            return depth + 1, cost
        kind = get_named_type(field.type)
        depth, cost = self._selection(node.selection_set, kind, self._first(node, field))
        if node.name.value == "totalCount":
            return 1, COUNT_COST
        record = kind.name in ENTITIES or kind.name in RECORDS
        return depth + 1, self._times(node, field, first) * (cost + record)

    def _times(self, node: FieldNode, field: GraphQLField, first: int) -> int:
        if node.name.value == "edges":
            return first
        if node.name.value == "_entities":
            return self._representations(node)
        listed = isinstance(field.type.of_type if isinstance(field.type, GraphQLNonNull) else field.type, GraphQLList)
        return FIRST_DEFAULT if listed else 1

    def _first(self, node: FieldNode, field: GraphQLField) -> int:
        """Return how many records a list field asks for; a number out of range is refused later, by the list itself."""
        argument = field.args.get("first")
        if argument is None:
            return 1
        written = next((each.value for each in node.arguments or () if each.name.value == "first"), None)
        wanted = self._value(written)
        if not isinstance(wanted, int):
            wanted = FIRST_DEFAULT
        return max(0, min(wanted, FIRST_LIMIT))

    def _representations(self, node: FieldNode) -> int:
        written = next((each.value for each in node.arguments or () if each.name.value == "representations"), None)
        wanted = self._value(written)
        return len(wanted) if isinstance(wanted, list) else 1

    def _value(self, written: ValueNode | None) -> Any:
        """Return a whole number, a list (of whatever), or None for what is neither or not given."""
        if isinstance(written, VariableNode):
            name = written.name.value
            return self._variables[name] if name in self._variables else self._value(self._defaults.get(name))
        if isinstance(written, IntValueNode):
            return int(written.value)
        return list(written.values) if isinstance(written, ListValueNode) else None
