"""One question to the graph and its answer, whatever it travelled by. Called by hub/web/graphql.py, and by stream.py."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from graphql import GraphQLError
from strawberry.schema.exceptions import CannotGetOperationTypeError, InvalidOperationTypeError
from strawberry.types.execution import PreExecutionError
from strawberry.types.graphql import OperationType

from hub.graph.compiled.executor import Executor
from hub.graph.errors import coded
from hub.graph.gate import OPERATION_RESOLUTION_FAILURE
from hub.graph.schema import HubSchema
from schema.context import Context
from schema.graph_errors import GraphError

QUERIES = frozenset({OperationType.QUERY})
ALL = frozenset({OperationType.QUERY, OperationType.MUTATION})


@dataclass(frozen=True)
class Question:
    """What a client asks; `query` is the document."""

    query: str
    variables: dict[str, Any] | None = None
    operation_name: str | None = None


@dataclass(frozen=True)
class Answer:
    """What it gets. Where nothing was `executed` there is no `data`, and all errors are about the request."""

    data: dict[str, Any] | None
    errors: tuple[GraphQLError, ...]
    executed: bool

    def as_json(self) -> dict[str, Any]:
        """Return the answer as GraphQL over HTTP wants it: errors first, `data` only if anything was executed."""
        errors = {"errors": [error.formatted for error in self.errors]} if self.errors else {}
        return errors | ({"data": self.data} if self.executed else {})


class NotAllowedHere(Exception):
    """The operation is of a kind that this way of asking does not allow, as a mutation by GET."""


async def answer(
    schema: HubSchema,
    question: Question,
    context: Context,
    allowed: Iterable[OperationType] = ALL,
    executor: Executor | None = None,
) -> Answer:
    """Execute a question and return its answer, every error with a code; raise NotAllowedHere.

    The compiled `executor` is asked first; what it cannot do graphql-core does. A fault of ours is INTERNAL, as everywhere.
    """
    try:
        return await _answered(schema, question, context, allowed, executor)
    except NotAllowedHere:
        raise
    except Exception as error:  # outermost of a question: whatever asked it has the graph's errors to show, and no others
        return failed(error, context.correlation_id)


async def _answered(
    schema: HubSchema, question: Question, context: Context, allowed: Iterable[OperationType], executor: Executor | None
) -> Answer:
    if (planned := await answer_by_plan(executor, question, context)) is not None:
        return planned
    try:
        result = await schema.execute(
            question.query,
            variable_values=question.variables,
            context_value=context,
            operation_name=question.operation_name,
            allowed_operation_types=allowed,
        )
    except (CannotGetOperationTypeError, InvalidOperationTypeError) as refused:
        return _refused(refused, question)
    return answer_of(result, question, context, suggestions=not schema.config.disable_field_suggestions)


async def answer_by_plan(executor: Executor | None, question: Question, context: Context) -> Answer | None:
    """Return the answer of the compiled executor; None where graphql-core has to answer."""
    if executor is None:
        return None
    data = await executor.answer(question.query, question.operation_name, question.variables, context)
    return None if data is None else Answer(data, (), executed=True)


def failed(error: Exception, correlation_id: str) -> Answer:
    """Return the answer to a question that failed before anything was executed: what was raised is logged, and not shown."""
    told = error if isinstance(error, GraphQLError) else GraphQLError(str(error), original_error=error)
    return Answer(None, (coded(told, before_execution=True, correlation_id=correlation_id),), executed=False)


def answer_of(result: Any, question: Question, context: Context, *, suggestions: bool) -> Answer:
    """Return one result of Strawberry's as an answer; raise NotAllowedHere."""
    before = isinstance(result, PreExecutionError)
    for error in result.errors or () if before else ():
        if isinstance(error.original_error, CannotGetOperationTypeError | InvalidOperationTypeError):
            return _refused(error.original_error, question)
    executed = not before and (result.data is not None or any(error.path for error in result.errors or ()))
    errors = [
        coded(error, before_execution=before, correlation_id=context.correlation_id, suggestions=suggestions)
        for error in result.errors or ()
    ]
    beside = sorted(context.live.errors, key=lambda error: [str(step) for step in error.path or ()])
    return Answer(result.data, (*errors, *beside), executed)


def _refused(refused: CannotGetOperationTypeError | InvalidOperationTypeError, question: Question) -> Answer:
    """Return the answer to a document without the operation that is meant, or with one that is not answered here."""
    if isinstance(refused, CannotGetOperationTypeError):
        name = question.operation_name
        told = "the document has no operation" if name is None else f"the document has no operation named '{name}'"
    elif refused.operation_type is OperationType.MUTATION:
        raise NotAllowedHere("a mutation is not allowed here") from refused
    else:
        told = f"a {refused.operation_type.value} is not answered here; ask over a WebSocket, or accept text/event-stream"
    return Answer(None, (GraphError(OPERATION_RESOLUTION_FAILURE, told),), executed=False)
