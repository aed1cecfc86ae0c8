"""One question to the graph and all its answers, over what stays open: a subscription has many, a query or mutation has one."""

import contextlib
from collections.abc import AsyncGenerator, Iterable

from strawberry.types.graphql import OperationType

from hub.graph.answer import Answer, NotAllowedHere, Question, answer_by_plan, answer_of, failed
from hub.graph.compiled.executor import Executor
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
    """Yield each answer, every error with a code; one that was not `executed` is the last. Queries go the way of `answer`.

    A fault of ours is INTERNAL: it ends this question, and none that goes on beside it.
    """
    try:
        async with contextlib.aclosing(_given(schema, question, context, allowed, executor)) as given:
            async for each in given:
                yield each
    except NotAllowedHere as refused:
        yield Answer(None, (GraphError("METHOD_NOT_ALLOWED", f"{refused}; use POST"),), executed=False)
    except Exception as error:  # outermost of a question; Strawberry's stream lets out what its cache of parsed documents raises
        yield failed(error, context.correlation_id)


async def _given(
    schema: HubSchema, question: Question, context: Context, allowed: Iterable[OperationType], executor: Executor | None
) -> AsyncGenerator[Answer, None]:
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
    async with contextlib.aclosing(source):
        async for result in source:
            yield answer_of(result, question, context, suggestions=not schema.config.disable_field_suggestions)
