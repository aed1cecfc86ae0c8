"""One question to the graph and all its answers, over what stays open: a subscription has many, a query or mutation has one."""

import contextlib
from collections.abc import AsyncGenerator, Iterable

from strawberry.types.graphql import OperationType

from hub.graph.answer import Answer, Question, answer_of
from hub.graph.schema import HubSchema
from schema.context import Context

READING = frozenset({OperationType.QUERY, OperationType.SUBSCRIPTION})
EVERYTHING = frozenset(OperationType)


async def answers(
    schema: HubSchema, question: Question, context: Context, allowed: Iterable[OperationType] = EVERYTHING
) -> AsyncGenerator[Answer, None]:
    """Yield each answer, every error with a code; one that was not `executed` is the last. Raise NotAllowedHere."""
    source = await schema.stream(
        question.query,
        variable_values=question.variables,
        context_value=context,
        operation_name=question.operation_name,
        allowed_operation_types=allowed,
    )
    async with contextlib.aclosing(source):
        async for result in source:
            yield answer_of(result, question, context)
