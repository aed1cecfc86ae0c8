"""One question to the graph and all its answers, over what stays open: a subscription has many, a query or mutation has one."""

import contextlib
from collections.abc import AsyncGenerator, Iterable

from graphql import GraphQLError
from strawberry.types.graphql import OperationType

from hub.graph.answer import Answer, NotAllowedHere, Question, answer_by_plan, answer_of
from hub.graph.compiled.executor import Executor
from hub.graph.errors import coded
from hub.graph.schema import HubSchema
from schema.context import Context
from schema.graph_errors import GraphError

READING = frozenset({OperationType.QUERY, OperationType.SUBSCRIPTION})
EVERYTHING = frozenset(OperationType)


async def answers(
    schema: HubSchema,
    question: Question,
    context: Context,
    allowed: Iterable[OperationType] = EVERYTHING,
    executor: Executor | None = None,
) -> AsyncGenerator[Answer, None]:
    """Yield each answer, every error with a code; one that was not `executed` is the last. Queries go the way of `answer`."""
    if (planned := await answer_by_plan(executor, question, context)) is not None:
        yield planned
        return
    source = await schema.stream(
        question.query,
        variable_values=question.variables,
        context_value=context,
        operation_name=question.operation_name,
        allowed_operation_types=allowed,
    )
    try:
        async with contextlib.aclosing(source):
            async for result in source:
                yield answer_of(result, question, context, suggestions=not schema.config.disable_field_suggestions)
    except NotAllowedHere as refused:
        yield Answer(None, (GraphError("METHOD_NOT_ALLOWED", f"{refused}; use POST"),), executed=False)
    except (GraphQLError, RecursionError) as refused:  # Strawberry's stream lets out what its cache of parsed documents raises
        error = refused if isinstance(refused, GraphQLError) else GraphQLError(str(refused), original_error=refused)
        yield Answer(None, (coded(error, before_execution=True, correlation_id=context.correlation_id),), executed=False)
