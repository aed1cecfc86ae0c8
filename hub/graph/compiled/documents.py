"""Documents that passed the gate, each looked at once: parsed, its operation chosen, validated, measured.

The gate (hub/graph/gate.py) stands in front of graphql-core; here the same functions stand in front of the plans. What does
not pass is left to the gate, which says why.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec
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
)
from graphql.execution.collect_fields import FragmentDetails
from graphql.execution.values import VariableValues, get_variable_values

from hub.graph.compiled.bounded import Bounded
from hub.graph.compiled.cannot import Cannot, Reason
from hub.graph.gate import validated
from hub.graph.limits import Limits, check_limits

DOCUMENTS = 1_000
"""Pairs of document and operation name that are remembered, refused ones among them."""
SIZE = 1_000_000
"""Characters of all that are remembered; parsed, a document takes some hundred times as much at the worst."""
MEASURED, SMALL = 64, 500
"""Sets of variables for which it is remembered that a document is within the limits, and the bytes that one of them may have."""
LONGEST = 20_000
"""Characters of a document that is remembered; a longer one is for graphql-core."""

NO_VARIABLES = VariableValues({}, {})


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
        self._within: Bounded[bytes, bool] = Bounded(MEASURED)

    def variables(self, given: Mapping[str, Any]) -> VariableValues:
        """Return the variables as graphql-core coerces them; raise Cannot."""
        if not self.node.variable_definitions:
            return NO_VARIABLES
        values = get_variable_values(self.schema, self.node.variable_definitions, dict(given))
        if not isinstance(values, VariableValues):
            raise Cannot(Reason.VARIABLES, "; ".join(error.message for error in values))
        return values

    def is_within(self, limits: Limits, given: Mapping[str, Any]) -> bool:
        """Return whether the operation is within the limits; measured once for each set of variables, if it is a small one."""
        try:
            about = msgspec.json.encode(given)
        except (TypeError, ValueError, OverflowError, RecursionError):  # no JSON, or hardly: looked at each time
            return self._measured(limits, given)
        if len(about) > SMALL:
            return self._measured(limits, given)
        return self._within.get(about, lambda: self._measured(limits, given))

    def _measured(self, limits: Limits, given: Mapping[str, Any]) -> bool:
        return not check_limits(self.schema, self.document, self.node, given, limits)


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
        self._known: Bounded[tuple[str, str | None], Operation | str] = Bounded(
            DOCUMENTS, size=SIZE, weigh=lambda about, _: len(about[0])
        )

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
            errors = validated(self._schema, document, self._rules, suggestions=False)
        except RecursionError as error:
            return str(error)
        return errors[0].message if errors else found
