"""What an operation weighs: its depth, the number of records that it could read at most, and how many of them live.

A list weighs `first` times what is asked of each record, a count as much as ten records, a live read as much as a hundred.
Fragments are measured once each, so that measuring is linear in the document. The document need not be valid: what is wrong in
it counts little, and validation names it afterwards. Called by limits.py.
"""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

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
    NullValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
    ValueNode,
    VariableNode,
    get_named_type,
)
from strawberry.utils.str_converters import to_camel_case

from hub.mirror.loops import RECORDS as CHAIN
from schema.counting import ROWS_LIMIT
from schema.declare import ENTITIES
from schema.figures import FIGURES, SUMS
from schema.graph_errors import page_too_large
from schema.live import MAX_AGE
from schema.slices import FIRST_DEFAULT, FIRST_LIMIT

COUNT_COST = 10
LIVE_COST = 100
INT_DIGITS = 11
"""Characters of the longest whole number that GraphQL knows (32 bits); Python itself refuses to read one of thousands."""
ELIGIBILITY_ASKS = 2
"""Platforms that each question of eligibility asks live: credit and approval."""
COUNTED = {"Statistics": 1_000, "SupervisionPool": 1_000}
"""Records that stand for the facts or subjects which are looked through for figures."""
DIFFERENT = {to_camel_case(figure.name) for figure in FIGURES if figure.of not in SUMS}
DIFFERENT_COST = 2
"""For each row, and for the total as many times as there may be rows: such a figure is counted by a statement of its own."""
RECORDS = {"Node", "_Entity", "Eligibility"}
"""Types that stand for a record beside the entities themselves."""


class Weight(NamedTuple):
    """Levels, records to read at most, and records to ask live at most."""

    depth: int = 0
    cost: int = 0
    live: int = 0


class Measure:
    """Measures one operation. `too_large` collects the lists that ask for more than a page, each once."""

    def __init__(
        self, schema: GraphQLSchema, document: DocumentNode, operation: OperationDefinitionNode, variables: Mapping[str, Any]
    ) -> None:
        self._schema = schema
        self._operation = operation
        self._variables = variables
        self._defaults = {each.variable.name.value: each.default_value for each in operation.variable_definitions or ()}
        self._fragments = {each.name.value: each for each in document.definitions if isinstance(each, FragmentDefinitionNode)}
        self.too_large: dict[str, GraphQLError] = {}
        self._known: dict[tuple[str, int], Weight] = {}

    def operation(self) -> Weight:
        """Return what it weighs."""
        root = self._schema.get_root_type(self._operation.operation)
        return self._selection(self._operation.selection_set, root, 1)

    def _selection(self, selection: SelectionSetNode | None, parent: GraphQLNamedType | None, first: int) -> Weight:
        depth = cost = live = 0
        for one in self._selections(selection, parent, first):
            depth, cost, live = max(depth, one.depth), cost + one.cost, live + one.live
        return Weight(depth, cost, live)

    def _selections(self, selection: SelectionSetNode | None, parent: GraphQLNamedType | None, first: int) -> Iterator[Weight]:
        for node in selection.selections if selection else ():
            if isinstance(node, FieldNode):
                yield self._field(node, parent, first)
            elif isinstance(node, InlineFragmentNode):
                inside = self._schema.get_type(node.type_condition.name.value) if node.type_condition else parent
                yield self._selection(node.selection_set, inside, first)
            elif isinstance(node, FragmentSpreadNode):
                yield self._fragment(node.name.value, first)

    def _fragment(self, name: str, first: int) -> Weight:
        if (name, first) not in self._known:
            self._known[name, first] = Weight()  # what a circle finds; validation refuses circles
            fragment = self._fragments.get(name)
            if fragment:
                inside = self._schema.get_type(fragment.type_condition.name.value)
                self._known[name, first] = self._selection(fragment.selection_set, inside, first)
        return self._known[name, first]

    def _field(self, node: FieldNode, parent: GraphQLNamedType | None, first: int) -> Weight:
        """Return what a field weighs; `first` is the size of the connection that it is a field of."""
        if node.name.value.startswith("__"):
            return Weight(1)  # introspection reads nothing, and validation bounds its depth
        field = parent.fields.get(node.name.value) if isinstance(parent, GraphQLObjectType | GraphQLInterfaceType) else None
        if field is None:
            unknown = self._selection(node.selection_set, None, 1)
            return unknown._replace(depth=unknown.depth + 1)
        kind, inner_first = get_named_type(field.type), self._first(node, field)
        depth, cost, live = self._selection(node.selection_set, kind, inner_first)
        if node.name.value == "totalCount":
            return Weight(1, COUNT_COST)
        if node.name.value in DIFFERENT and parent is not None and parent.name == "Figures":
            return Weight(1, DIFFERENT_COST)
        record = int(kind.name in ENTITIES or kind.name in RECORDS) + COUNTED.get(kind.name, 0)
        if kind.name == "Loop":  # the chain is read whole, whatever is asked of it
            return Weight(depth + 1, cost + CHAIN, live)
        asked = ELIGIBILITY_ASKS if kind.name == "Eligibility" else 0
        asked += inner_first if self._asks_live(node) else 0  # one record, or as many as the list gives
        times = self._times(node, field, first)
        return Weight(depth + 1, times * (cost + record + asked * LIVE_COST), times * (live + asked))

    def _asks_live(self, node: FieldNode) -> bool:
        written = next((each.value for each in node.arguments or () if each.name.value == MAX_AGE), None)
        return self._value(written) is not None

    def _times(self, node: FieldNode, field: GraphQLField, first: int) -> int:
        if node.name.value == "edges":
            return first
        if node.name.value == "_entities":
            return self._representations(node)
        kind = get_named_type(field.type).name
        if kind == "LoopStep":
            return CHAIN
        if kind == "StatisticRow" or (kind == "Figures" and node.name.value == "total"):
            return ROWS_LIMIT
        listed = isinstance(field.type.of_type if isinstance(field.type, GraphQLNonNull) else field.type, GraphQLList)
        return FIRST_DEFAULT if listed else 1

    def _first(self, node: FieldNode, field: GraphQLField) -> int:
        """Return how many records a list field asks for; note a number beyond the limit.

        200.0 in variables is taken for 200; whatever else is no number is refused later, and weighs a whole page until then.
        """
        argument = field.args.get("first")
        if argument is None:
            return 1
        written = next((each.value for each in node.arguments or () if each.name.value == "first"), None)
        wanted = self._value(written)
        if wanted is None:
            wanted = FIRST_DEFAULT
        if not isinstance(wanted, int):
            wanted = int(wanted) if isinstance(wanted, float) and wanted.is_integer() else FIRST_LIMIT
        if wanted > FIRST_LIMIT:
            error = page_too_large(node.name.value, wanted)
            self.too_large[error.message] = error
        return max(0, min(wanted, FIRST_LIMIT))

    def _representations(self, node: FieldNode) -> int:
        written = next((each.value for each in node.arguments or () if each.name.value == "representations"), None)
        wanted = self._value(written)
        return len(wanted) if isinstance(wanted, list) else 1

    def _value(self, written: ValueNode | None) -> Any:
        """Return a value of the variables, a whole number, a list (of whatever) or another node; None for null and the absent.

        A number that is too long to be one is a little more than any limit.
        """
        if isinstance(written, VariableNode):
            name = written.name.value
            return self._variables[name] if name in self._variables else self._value(self._defaults.get(name))
        if isinstance(written, IntValueNode):
            return int(written.value) if len(written.value) <= INT_DIGITS else FIRST_LIMIT + 1
        if isinstance(written, ListValueNode):
            return list(written.values)
        return None if isinstance(written, NullValueNode) else written
