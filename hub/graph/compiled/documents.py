"""Documents that passed the gate, each looked at once: parsed, its operation chosen, validated, measured.

The gate (hub/graph/gate.py) stands in front of graphql-core; here the same functions stand in front of the plans. What does
not pass is left to the gate, which says why.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from graphql import (
    ASTValidationRule,
    DirectiveNode,
    DocumentNode,
    FragmentDefinitionNode,
    GraphQLError,
    GraphQLSchema,
    Node,
    OperationDefinitionNode,
    OperationType,
    VariableNode,
    parse,
    specified_rules,
    validate,
)
from graphql.execution.collect_fields import FragmentDetails
from graphql.execution.values import VariableValues, get_variable_values

from hub.graph.compiled.bounded import Bounded
from hub.graph.compiled.cannot import Cannot, Reason
from hub.graph.limits import Limits, check_limits

DOCUMENTS = 1_000
"""Pairs of document and operation name that are remembered, refused ones among them."""
MEASURED = 64
"""Values of variables for which a document's measure is remembered."""
LONGEST = 20_000
"""Characters of a document that is remembered; a longer one is for graphql-core."""


class Operation:
    """A valid query."""

    def __init__(self, schema: GraphQLSchema, document: DocumentNode, node: OperationDefinitionNode) -> None:
        self.schema = schema
        self.document = document
        self.node = node
        self.fragments = {
            each.name.value: FragmentDetails(each) for each in document.definitions if isinstance(each, FragmentDefinitionNode)
        }
        self.switches = tuple(dict.fromkeys(_switches(document)))
        self._weighing: tuple[str, ...] | None = None
        self._weighed: Bounded[tuple[Any, ...], bool] = Bounded(MEASURED)

    def variables(self, given: Mapping[str, Any]) -> VariableValues:
        """Return the variables as graphql-core coerces them; raise Cannot."""
        values = get_variable_values(self.schema, self.node.variable_definitions or (), dict(given))
        if not isinstance(values, VariableValues):
            raise Cannot(Reason.VARIABLES, "; ".join(error.message for error in values))
        return values

    def is_within(self, limits: Limits, given: Mapping[str, Any]) -> bool:
        """Return whether the operation is within the limits; measured once for each value of what it depends on."""
        if self._weighing is None:
            watched = _Watched(given)
            within = not check_limits(self.schema, self.document, self.node, watched, limits)
            if within:  # otherwise it may have stopped before it had asked for all
                self._weighing = tuple(sorted(watched.asked))
            return within
        weights = tuple(_weight(given[name]) if name in given else "not given" for name in self._weighing)
        return self._weighed.get(weights, lambda: not check_limits(self.schema, self.document, self.node, given, limits))


def _weight(value: Any) -> Any:
    """Return all that measuring sees of a variable: a whole number, or how long a list is."""
    if isinstance(value, list):
        return "list", len(value)
    return value if isinstance(value, int) else None


class _Watched(Mapping[str, Any]):
    """Variables that note which of them are looked at."""

    def __init__(self, given: Mapping[str, Any]) -> None:
        self._given = given
        self.asked: set[str] = set()

    def __contains__(self, name: object) -> bool:
        self.asked.add(str(name))
        return name in self._given

    def __getitem__(self, name: str) -> Any:
        self.asked.add(name)
        return self._given[name]

    def __iter__(self) -> Iterator[str]:
        raise NotImplementedError("measuring looks variables up by name")

    def __len__(self) -> int:
        return len(self._given)


def _switches(document: DocumentNode) -> Iterator[str]:
    """Yield the variables that switch fields on and off."""
    waiting: list[Node] = list(document.definitions)
    while waiting:
        node = waiting.pop()
        for directive in getattr(node, "directives", None) or ():
            yield from _variables_of(directive)
        selection = getattr(node, "selection_set", None)
        waiting.extend(selection.selections if selection else ())


def _variables_of(directive: DirectiveNode) -> Iterator[str]:
    for argument in directive.arguments or ():
        if isinstance(argument.value, VariableNode):
            yield argument.value.name.value


class Documents:
    """Remembers what it has looked at."""

    def __init__(self, schema: GraphQLSchema, limits: Limits, rules: Sequence[type[ASTValidationRule]]) -> None:
        """`rules` stand beside those of the specification."""
        self._schema = schema
        self._limits = limits
        self._rules = (*specified_rules, *rules)
        self._known: Bounded[tuple[str, str | None], Operation | str] = Bounded(DOCUMENTS)

    def operation(self, query: str, name: str | None, variables: Mapping[str, Any]) -> Operation:
        """Return the operation that is asked for; raise Cannot where it does not pass the gate."""
        if len(query) > LONGEST:
            raise Cannot(Reason.REFUSED, "the document is too long to be remembered")
        found = self._known.get((query, name), lambda: self._look(query, name, variables))
        if isinstance(found, str):
            raise Cannot(Reason.REFUSED, found)
        if not found.is_within(self._limits, variables):
            raise Cannot(Reason.REFUSED, "a limit")
        return found

    def _look(self, query: str, name: str | None, variables: Mapping[str, Any]) -> Operation | str:
        """Return the operation, or why it never passes; raise Cannot where other variables might let it pass."""
        try:
            document = parse(query, max_tokens=self._limits.tokens)
        except (GraphQLError, RecursionError) as error:
            return str(error)
        operations = [node for node in document.definitions if isinstance(node, OperationDefinitionNode)]
        chosen = [node for node in operations if name is None or (node.name and node.name.value == name)]
        if len(chosen) != 1 or chosen[0].operation is not OperationType.QUERY:
            return "it is not one query"
        found = Operation(self._schema, document, chosen[0])
        if not found.is_within(self._limits, variables):  # before it is validated, as at the gate: that takes time
            raise Cannot(Reason.REFUSED, "a limit")
        try:
            errors = validate(self._schema, document, self._rules, max_errors=1)
        except RecursionError as error:
            return str(error)
        return errors[0].message if errors else found
