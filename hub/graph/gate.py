"""What an operation passes before it is executed: tokens, the choice of the operation, limits, validation; each only once."""

from collections.abc import Callable, Iterator
from functools import lru_cache

from graphql import (
    ASTValidationRule,
    DocumentNode,
    FieldNode,
    GraphQLError,
    GraphQLSchema,
    OperationDefinitionNode,
    ValidationRule,
    validate,
)
from strawberry.extensions import AddValidationRules, ParserCache, SchemaExtension
from strawberry.schema.validation_rules.maybe_null import MaybeNullValidationRule
from strawberry.schema.validation_rules.one_of import OneOfInputValidationRule

from hub.graph.limits import Limits, check_limits
from schema.graph_errors import GraphError

DOCUMENTS = 500
"""Documents whose parse and validation are remembered."""

MOST_ERRORS = 20
"""Mistakes of a document that are told; it would be no help to know the hundredth."""

OPERATION_RESOLUTION_FAILURE = "OPERATION_RESOLUTION_FAILURE"


class Gate(SchemaExtension):
    """Refuses what is too much, or does not say which of its operations is meant. Stands before validation."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits

    def on_operation(self) -> Iterator[None]:
        """Let the parser stop at the limit of tokens."""
        self.execution_context.parse_options["max_tokens"] = self._limits.tokens
        yield

    def on_validate(self) -> Iterator[None]:
        """Check the operation."""
        self.execution_context.pre_execution_errors = self._refusals() or None
        yield

    def _refusals(self) -> list[GraphQLError]:
        """Return what is wrong; whether a name was given, and the core schema, Strawberry keeps in private attributes."""
        context = self.execution_context
        document, name = context.graphql_document, context.operation_name
        definitions = document.definitions if document else ()
        operations = [node for node in definitions if isinstance(node, OperationDefinitionNode)]
        if document is None or (len(operations) > 1 and not context._provided_operation_name):
            names = ", ".join(node.name.value for node in operations if node.name)
            return [
                GraphError(
                    OPERATION_RESOLUTION_FAILURE, f"the document has several operations ({names}); say which, in operationName"
                )
            ]
        chosen = next(node for node in operations if (node.name.value if node.name else None) == name)
        return check_limits(context.schema._schema, document, chosen, context.variables or {}, self._limits)


class Validation(SchemaExtension):
    """Validates what passed the gate, each document once. Without `suggestions` no error tells a name that was not asked for, nor
    is the time spent to look for one.
    """

    def __init__(self, *, suggestions: bool) -> None:
        self._suggestions = suggestions

    def on_validate(self) -> Iterator[None]:
        """Validate, unless the operation was refused already."""
        context = self.execution_context
        if not context.pre_execution_errors:
            rules = tuple(context.validation_rules)
            context.pre_execution_errors = validated(
                context.schema._schema, context.graphql_document, rules, suggestions=self._suggestions
            )
        yield


@lru_cache(DOCUMENTS)
def validated(
    schema: GraphQLSchema, document: DocumentNode, rules: tuple[type[ASTValidationRule], ...], *, suggestions: bool
) -> list[GraphQLError]:
    """Return what is wrong with a document by these rules and those that Strawberry adds to them."""
    whole = (*rules, MaybeNullValidationRule, OneOfInputValidationRule)
    return [_told(error) for error in validate(schema, document, whole, MOST_ERRORS, hide_suggestions=not suggestions)]


def _told(error: GraphQLError) -> GraphQLError:
    """Return the error; a number of thousands of digits, which Python does not read, is the document's fault and none of ours."""
    if isinstance(error.original_error, ValueError):
        return GraphQLError("a number has thousands of digits; none here is so long", error.nodes)
    return error


class NotShown(ValidationRule):
    """Refuses questions about the schema itself."""

    def enter_field(self, node: FieldNode, *_: object) -> None:
        """Report a field that shows the schema."""
        if node.name.value in {"__schema", "__type", "_service"}:
            message = f"{node.name.value}: the schema is not shown here; ask the operators of the hub for schema.graphql"
            self.report_error(GraphError("INTROSPECTION_OFF", message))


def rules(*, introspection: bool) -> list[type[ASTValidationRule]]:
    """Return the rules that stand beside those of the specification."""
    return [] if introspection else [NotShown]


def gate(limits: Limits, *, introspection: bool) -> list[Callable[[], SchemaExtension]]:
    """Return the extensions in the order in which an operation meets them."""
    hidden: list[Callable[[], SchemaExtension]] = [lambda: AddValidationRules(rules(introspection=introspection))]
    return [*hidden, lambda: Gate(limits), lambda: ParserCache(DOCUMENTS), lambda: Validation(suggestions=introspection)]
